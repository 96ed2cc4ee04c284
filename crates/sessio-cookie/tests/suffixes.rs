//! Lists of public suffixes, compared with a direct implementation of publicsuffix.org's algorithm.

use proptest::prelude::*;
use sessio_cookie::PublicSuffixes;

/// The length of the public suffix of a name. It is that of the matching rule with the most labels.
/// An exception goes before all others. If none matches, the suffix is the last label.
fn expected(rules: &[String], name: &str) -> usize {
    let labels: Vec<&str> = name.split('.').rev().collect();
    let matches = |rule: &str| {
        let rule: Vec<&str> = rule.split('.').rev().collect();
        rule.len() <= labels.len()
            && rule.iter().zip(&labels).all(|(rule, label)| *rule == "*" || rule == label)
    };
    let exception = rules.iter().filter_map(|rule| rule.strip_prefix('!')).find(|rule| matches(rule));
    let count = match exception {
        Some(rule) => rule.split('.').count() - 1,
        None => {
            rules.iter().filter(|rule| matches(rule)).map(|rule| rule.split('.').count()).max().unwrap_or(1)
        }
    };
    labels.iter().take(count).map(|label| label.len() + 1).sum::<usize>() - 1
}

fn check(list: &PublicSuffixes, rules: &[String], name: &str) {
    let suffix = expected(rules, name);
    assert_eq!(list.contains(name), suffix == name.len(), "{name}: {suffix}");
    let registrable = match name[..name.len() - suffix].strip_suffix('.') {
        Some(rest) => rest.rfind('.').map_or(0, |dot| dot + 1),
        None => 0,
    };
    assert_eq!(list.registrable(name), &name[registrable..], "{name}: {suffix}");
}

fn lines(list: &PublicSuffixes) -> Vec<String> {
    list.rules().into_iter().flat_map(str::lines).map(str::to_owned).collect()
}

fn label() -> impl Strategy<Value = String> {
    "[ab]"
}

fn name(labels: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(label(), labels).prop_map(|labels| labels.join("."))
}

proptest! {
    /// There are few labels, so that rules, wildcards and exceptions often match each other and the
    /// names.
    #[test]
    fn a_parsed_list_follows_the_algorithm(
        rules in prop::collection::vec((0..3_usize, name(1..4)), 1..12),
        names in prop::collection::vec(name(1..6), 1..20),
    ) {
        let rules: Vec<String> = rules
            .into_iter()
            .filter_map(|(mark, name)| match mark {
                0 => Some(name),
                1 => Some(format!("*.{name}")),
                // An exception needs a dot, since it is below a wildcard.
                _ => name.contains('.').then(|| format!("!{name}")),
            })
            .collect();
        prop_assume!(!rules.is_empty());
        // The algorithm does not define which of two exceptions prevails.
        prop_assume!(rules.iter().filter(|rule| rule.starts_with('!')).count() < 2);
        let list = PublicSuffixes::parse(&rules.join("\n")).unwrap();
        for name in &names {
            check(&list, &rules, name);
        }
    }

    #[test]
    fn a_text_is_a_list_or_an_error(text in "\\PC{0,30}", more in prop::collection::vec("[a-z!*. /]{0,12}", 0..8)) {
        for text in [text, more.join("\n")] {
            match PublicSuffixes::parse(&text) {
                Ok(list) => {
                    // The rules, parsed again, are the same list.
                    prop_assert_eq!(&PublicSuffixes::parse(list.rules().unwrap()).unwrap(), &list);
                }
                Err(error) => prop_assert!(error.line().is_none_or(|line| line <= text.lines().count())),
            }
        }
    }
}

#[test]
#[cfg(feature = "psl")]
fn the_built_in_list_follows_the_algorithm() {
    let list = PublicSuffixes::built_in();
    let rules = lines(&list);
    assert!(rules.len() > 10_000 && rules.is_sorted());
    assert_eq!(PublicSuffixes::parse(list.rules().unwrap()).unwrap().rules(), list.rules());
    // Each 97th rule is checked by the slow algorithm, and all rules by their own text.
    for rule in rules.iter().step_by(97) {
        let name = rule.trim_start_matches('!').replace('*', "any");
        check(&list, &rules, &name);
        check(&list, &rules, &format!("b.{name}"));
        check(&list, &rules, &format!("c.b.{name}"));
        if let Some((_, parent)) = name.split_once('.') {
            check(&list, &rules, parent);
        }
    }
    for rule in &rules {
        let name = rule.trim_start_matches('!').replace('*', "any");
        assert_eq!(list.contains(&name), !rule.starts_with('!'), "{rule}");
    }
}

#[test]
fn lists_are_read_as_publicsuffix_org_writes_them() {
    let text =
        "\u{feff}// ===BEGIN ICANN DOMAINS===\n\ncom  // commercial\n\tCo.UK\r\n*.ck\n!www.ck\n公司.cn\n";
    let list = PublicSuffixes::parse(text).unwrap();
    assert_eq!(list.rules(), Some("com\nco.uk\n*.ck\n!www.ck\nxn--55qx5d.cn\n"));
    assert_eq!(list.registrable("a.b.co.uk"), "b.co.uk");
    assert_eq!(list.registrable("a.b.any.ck"), "b.any.ck");
    assert_eq!(list.registrable("a.www.ck"), "www.ck");
    assert!(list.contains("unlisted") && list.contains("xn--55qx5d.cn") && list.contains("com."));
    assert!(!list.is_function());
    assert_eq!(PublicSuffixes::from_fn(|_| true).rules(), None);
    assert_eq!(PublicSuffixes::off().rules(), None);
}

#[test]
fn an_error_names_the_line() {
    for (text, expected) in [
        ("", "invalid list of public suffixes: it has no rule"),
        ("// only\n\n", "invalid list of public suffixes: it has no rule"),
        ("com\n<html>", "invalid list of public suffixes: line 2 is no rule: \"<html>\""),
        ("a..b", "invalid list of public suffixes: line 1 is no rule: \"a..b\""),
        ("!com", "invalid list of public suffixes: line 1 is no rule: \"!com\""),
        ("a.*.b", "invalid list of public suffixes: line 1 is no rule: \"a.*.b\""),
        ("10.0.0.1", "invalid list of public suffixes: line 1 is no rule: \"10.0.0.1\""),
    ] {
        assert_eq!(PublicSuffixes::parse(text).unwrap_err().to_string(), expected);
    }
    let long = "a.".repeat(200) + "com";
    assert_eq!(PublicSuffixes::parse(&long).unwrap_err().line(), Some(1));
}
