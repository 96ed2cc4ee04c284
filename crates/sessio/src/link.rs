//! `Link` header fields (RFC 8288): what is next, what is last, where the description lies.
//!
//! Quoted strings may hold `,` `;` and `=`, targets too; a link can have several relations; names have no case. What is
//! malformed is passed over, and nothing else is lost with it (row B42).
//!
//! ```
//! use sessio::link::Links;
//!
//! let base = "http://example.org/items?page=2".parse()?;
//! let links = Links::parse([r#"<?page=3>; rel="next last"; title="the end; really", </>; rel=Start"#], &base);
//! assert_eq!(links.get("next").unwrap().target().as_str(), "http://example.org/items?page=3");
//! assert_eq!(links.get("last").unwrap().title().as_deref(), Some("the end; really"));
//! assert_eq!(links.get("start").unwrap().target().path(), "/");
//! # Ok::<(), url::ParseError>(())
//! ```

use std::borrow::Cow;
use std::ops::Deref;

use url::Url;

use crate::text;

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    target: Url,
    anchor: Option<Url>,
    params: Vec<(String, String)>,
}

/// The links of a response, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    links: Vec<Link>,
    base: Option<Url>,
}

impl Links {
    /// The links of these field values; relative references are resolved against `base`, the URL of the response.
    #[must_use]
    pub fn parse<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>, base: &Url) -> Self {
        let mut links = Vec::new();
        for value in values {
            let value = String::from_utf8_lossy(value.as_ref());
            let mut rest = &*value;
            while !rest.is_empty() {
                links.extend(Link::read(&mut rest, base));
            }
        }
        // A fragment of the URL is none of the response's.
        let mut own = base.clone();
        own.set_fragment(None);
        Self { links, base: Some(own) }
    }

    /// The first link of this relation that is the response's own: its anchor, if it has one, is the response.
    #[must_use]
    pub fn get(&self, rel: &str) -> Option<&Link> {
        let is_own = |link: &&Link| link.anchor.is_none() || link.anchor == self.base;
        self.links.iter().filter(is_own).find(|link| link.is(rel))
    }
}

impl Deref for Links {
    type Target = [Link];

    fn deref(&self) -> &[Link] {
        &self.links
    }
}

impl Link {
    /// Where it leads.
    #[must_use]
    pub fn target(&self) -> &Url {
        &self.target
    }

    /// What it leads from, where that is not the response itself.
    #[must_use]
    pub fn anchor(&self) -> Option<&Url> {
        self.anchor.as_ref()
    }

    /// Its relations, as they were written; none if the server did not say.
    pub fn rels(&self) -> impl Iterator<Item = &str> {
        self.param("rel").unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether it has this relation; case does not matter.
    #[must_use]
    pub fn is(&self, rel: &str) -> bool {
        self.rels().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// The first parameter of this name; case does not matter. Its value is as it was sent, without quotes.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters, their names in lower case.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Its title: `title*`, decoded as RFC 8187 has it, or else `title`.
    #[must_use]
    pub fn title(&self) -> Option<Cow<'_, str>> {
        let extended = self.param("title*").and_then(extended).map(Cow::Owned);
        extended.or_else(|| self.param("title").map(Cow::Borrowed))
    }

    /// Takes one link off the front, or what is in the place of one (RFC 8288 appendix B.2).
    fn read(rest: &mut &str, base: &Url) -> Option<Self> {
        *rest = rest.trim_start_matches([' ', '\t', ',']);
        let mut reference = None;
        if let Some(after) = rest.strip_prefix('<') {
            // Where nothing closes there is no further link. What closes belongs to the last that has opened.
            let (inside, after) =
                after.split_once('>').map_or((None, ""), |(inside, after)| (Some(inside), after));
            reference = inside.and_then(|inside| inside.rsplit('<').next());
            *rest = after;
        }
        let params = read_params(rest);
        *rest = rest.strip_prefix(',').unwrap_or(rest);
        let target = base.join(reference?).ok()?;
        let mut link = Self { target, anchor: None, params };
        link.anchor = match link.param("anchor") {
            // Of what it leads from nothing is known: it is not a link of this response.
            Some(anchor) => Some(base.join(anchor).ok()?),
            None => None,
        };
        Some(link)
    }
}

/// Takes the parameters of a link off the front, up to the comma behind it (RFC 8288 appendix B.3).
fn read_params(rest: &mut &str) -> Vec<(String, String)> {
    let mut params = Vec::new();
    loop {
        skip_to(rest, &[';', ',']);
        let Some(after) = rest.strip_prefix(';') else { return params };
        *rest = after;
        let name = take_until(rest, &['=', ';', ',']).trim_matches(BLANKS);
        let value = match rest.strip_prefix('=') {
            Some(after) => {
                *rest = after.trim_start_matches(BLANKS);
                read_value(rest)
            }
            None => String::new(),
        };
        if !name.is_empty() {
            params.push((name.to_ascii_lowercase(), value));
        }
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// A value, quoted or not (RFC 8288 appendix B.4).
fn read_value(rest: &mut &str) -> String {
    let Some(quoted) = rest.strip_prefix('"') else {
        return take_until(rest, &[';', ',']).trim_matches(BLANKS).to_owned();
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => value.extend(letters.next()),
            letter => value.push(letter),
        }
    }
    *rest = letters.as_str();
    value
}

/// Passes over what belongs to nothing, quoted strings as a whole.
fn skip_to(rest: &mut &str, ends: &[char]) {
    loop {
        take_until(rest, &[ends, &['"']].concat());
        if !rest.starts_with('"') {
            return;
        }
        read_value(rest);
    }
}

fn take_until<'t>(rest: &mut &'t str, ends: &[char]) -> &'t str {
    let (taken, left) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    *rest = left;
    taken
}

/// The value of a parameter with a charset (RFC 8187): `UTF-8'en'%e2%82%ac`. `None` if it is not of that form or of a
/// charset that is not known: the plain parameter beside it counts then.
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, coded) = rest.split_once('\'')?;
    if !text::is_known(charset) {
        return None;
    }
    let mut bytes = Vec::with_capacity(coded.len());
    let mut coded = coded.bytes();
    while let Some(byte) = coded.next() {
        bytes.push(match byte {
            b'%' => hex(coded.next()?)? << 4 | hex(coded.next()?)?,
            byte => byte,
        });
    }
    Some(text::decode(Some(charset), &bytes))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each link as its target, its relations, and its other parameters.
    fn links(values: &[&str]) -> Vec<String> {
        let base = Url::parse("http://h/dir/page?q#f").unwrap();
        let write = |link: &Link| {
            let mut out = format!("{} [{}]", link.target(), link.rels().collect::<Vec<_>>().join("|"));
            if let Some(anchor) = link.anchor() {
                out += &format!(" of {anchor}");
            }
            let others = link.params().filter(|(name, _)| !["rel", "anchor"].contains(name));
            out + &others.map(|(name, value)| format!(" {name}={value}")).collect::<String>()
        };
        Links::parse(values, &base).iter().map(write).collect()
    }

    #[test]
    fn s13_u04_b42_links_of_every_form() {
        for (values, expected) in [
            (&[""][..], &[][..]),
            (&["<a>"], &["http://h/dir/a []"]),
            (&["<>; rel=self"], &["http://h/dir/page?q [self]"]),
            (&["<http://x/>; rel=front; type=\"image/jpeg\""], &["http://x/ [front] type=image/jpeg"]),
            (&["<a>; rel=next, <b>; rel=\"prev\""], &["http://h/dir/a [next]", "http://h/dir/b [prev]"]),
            (
                &["<a>;rel=x,<b>;rel=y", "<c>"],
                &["http://h/dir/a [x]", "http://h/dir/b [y]", "http://h/dir/c []"],
            ),
            // Delimiters in targets and in quotes.
            (&["</a,b;c=d?e=f,g>; rel=x, <b>"], &["http://h/a,b;c=d?e=f,g [x]", "http://h/dir/b []"]),
            (
                &["<a>; title=\"1, <2>; rel=\\\"3\\\"\"; rel=x, <b>; rel=y"],
                &["http://h/dir/a [x] title=1, <2>; rel=\"3\"", "http://h/dir/b [y]"],
            ),
            (&["<a>; x=a=b; rel=y"], &["http://h/dir/a [y] x=a=b"]),
            // Several relations, names without case, the first of its name holds.
            (&["<a>; REL=\"Next  http://x/Rel\""], &["http://h/dir/a [Next|http://x/Rel]"]),
            (&["<a>; rel=one; rel=two; Crossorigin"], &["http://h/dir/a [one] crossorigin="]),
            (&["<a> ; rel = \"x\" ; title\t=\ty "], &["http://h/dir/a [x] title=y"]),
            (&["<a>; anchor=\"#g\"; rel=x"], &["http://h/dir/a [x] of http://h/dir/page?q#g"]),
            // What is malformed is passed over.
            (&["a; rel=x, <b>; rel=y"], &["http://h/dir/b [y]"]),
            (&["a; title=\"1, <2>\", <b>"], &["http://h/dir/b []"]),
            (&["<a, <b>; rel=x"], &["http://h/dir/b [x]"]),
            (&["<a>; rel=x, <b", "<c>"], &["http://h/dir/a [x]", "http://h/dir/c []"]),
            (&["<http://[>; rel=x, <b>"], &["http://h/dir/b []"]),
            (&["<a>; anchor=\"http://[\"; rel=x, <b>"], &["http://h/dir/b []"]),
            (
                &["<a>junk \"1,2\"; rel=x junk, <b>; ;; =v; rel=y;"],
                &["http://h/dir/a [x|junk]", "http://h/dir/b [y]"],
            ),
            (&["<a>; rel=\"x\"junk; title=t,, , <b>"], &["http://h/dir/a [x] title=t", "http://h/dir/b []"]),
            (&["<a>; rel=x; title=\"no end, <b>"], &["http://h/dir/a [x] title=no end, <b>"]),
            (&["<a>; rel=\"x\\"], &["http://h/dir/a [x]"]),
        ] {
            assert_eq!(links(values), expected, "{values:?}");
        }
    }

    #[test]
    fn links_are_found_by_their_relation() {
        let base = Url::parse("http://h/").unwrap();
        let value =
            "<1>; rel=next; anchor=\"/other\", <2>; rel=\"a NEXT\", <3>; rel=next, <4>; rel=me; anchor=\"\"";
        let links = Links::parse([value], &base);
        assert_eq!(links.len(), 4);
        assert_eq!(links.get("Next").unwrap().target().path(), "/2");
        assert_eq!(links.get("me").unwrap().target().path(), "/4");
        assert_eq!(links.get("nex"), None);
        assert_eq!(links[0].anchor().unwrap().path(), "/other");
        assert_eq!(Links::default().get("next"), None);
        let links = Links::parse(["<a>; rel=x; anchor=\"\""], &Url::parse("http://h/#part").unwrap());
        assert_eq!(links.get("x").unwrap().target().path(), "/a");
    }

    /// The examples of RFC 8288 section 3.5, and what the tests of requests look at.
    #[test]
    fn s13_links_as_others_know_them() {
        let chapters = "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, \
                        </TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel";
        let (two, four) = ("UTF-8'de'letztes%20Kapitel", "UTF-8'de'n%c3%a4chstes%20Kapitel");
        for (value, expected) in [
            (
                "<http://example.com/TheBook/chapter2>; rel=\"previous\"; title=\"previous chapter\"",
                &["http://example.com/TheBook/chapter2 [previous] title=previous chapter".to_owned()][..],
            ),
            ("</>; rel=\"http://example.net/foo\"", &["http://h/ [http://example.net/foo]".to_owned()]),
            (
                "</terms>; rel=\"copyright\"; anchor=\"#foo\"",
                &["http://h/terms [copyright] of http://h/dir/page?q#foo".to_owned()],
            ),
            (
                chapters,
                &[
                    format!("http://h/TheBook/chapter2 [previous] title*={two}"),
                    format!("http://h/TheBook/chapter4 [next] title*={four}"),
                ],
            ),
            (
                "<http://example.org/>; rel=\"start http://example.net/relation/other\"",
                &["http://example.org/ [start|http://example.net/relation/other]".to_owned()],
            ),
            (
                "<https://example.org/>; rel=\"start\",<https://example.org/index>; rel=\"index\"",
                &["https://example.org/ [start]".to_owned(), "https://example.org/index [index]".to_owned()],
            ),
            (
                "<http:/.../front.jpeg>; rel=front; type=\"image/jpeg\"",
                &["http://h/.../front.jpeg [front] type=image/jpeg".to_owned()],
            ),
            ("<http:/.../front.jpeg>;", &["http://h/.../front.jpeg []".to_owned()]),
            (
                "<http:/.../front.jpeg>; type=\"image/jpeg\",<http://x/back.jpeg>; rel=back;type=\"image/jpeg\"",
                &[
                    "http://h/.../front.jpeg [] type=image/jpeg".to_owned(),
                    "http://x/back.jpeg [back] type=image/jpeg".to_owned(),
                ],
            ),
            ("", &[]),
        ] {
            assert_eq!(links(&[value]), expected, "{value}");
        }
    }

    #[test]
    fn titles_are_decoded() {
        for (params, title) in [
            ("", None),
            ("; title=plain", Some("plain")),
            ("; title=plain; title*=UTF-8'de'n%c3%a4chstes%20Kapitel", Some("n\u{e4}chstes Kapitel")),
            ("; title*=iso-8859-1''%e4", Some("\u{e4}")),
            ("; title=plain; title*=no-such-charset''%e4", Some("plain")),
            ("; title=plain; title*=UTF-8''%e", Some("plain")),
            ("; title=plain; title*=UTF-8''%xy", Some("plain")),
            ("; title=plain; title*=UTF-8", Some("plain")),
        ] {
            let links = Links::parse([format!("<a>{params}")], &Url::parse("http://h/").unwrap());
            assert_eq!(links[0].title().as_deref(), title, "{params}");
        }
    }

    #[test]
    fn no_value_takes_quadratic_time() {
        let base = Url::parse("http://h/").unwrap();
        for part in ["<", "<,", ",", ";", "\"", "<a>", "<a>;", "<a>;a=\"", "a", "\\", "=", ">", "\",\""] {
            let links = Links::parse([part.repeat(200_000)], &base);
            assert!(links.iter().all(|link| link.target().host_str() == Some("h")));
        }
    }
}
