//! Authentication challenges of servers (RFC 9110 section 11).

use std::borrow::Cow;

/// One challenge of a `WWW-Authenticate` or `Proxy-Authenticate` field: a scheme and its
/// parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge<'a> {
    scheme: &'a [u8],
    params: Vec<Param<'a>>,
}

/// A name and its value, without the quotes.
pub(crate) type Param<'a> = (&'a [u8], Cow<'a, [u8]>);

impl Challenge<'_> {
    /// Returns `true` for this scheme; case does not matter.
    pub(crate) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// The first parameter of this name; case does not matter (row B29).
    #[cfg(feature = "digest")]
    pub(crate) fn param(&self, name: &str) -> Option<&[u8]> {
        find(&self.params, name)
    }
}

/// The first parameter of this name; case does not matter.
#[cfg(feature = "digest")]
pub(crate) fn find<'p>(params: &'p [Param<'_>], name: &str) -> Option<&'p [u8]> {
    params.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| &**value)
}

/// Parses all challenges of a field, in order. Commas between challenges and between parameters
/// look the same (section 11.6.1). A name without a `=` after it begins the next challenge (row
/// B29). Anything else is skipped.
pub(crate) fn challenges(line: &[u8]) -> Vec<Challenge<'_>> {
    let (mut all, mut rest) = (Vec::<Challenge<'_>>::new(), line);
    while let Some(item) = next(&mut rest) {
        match (item, all.last_mut()) {
            (Item::Name(scheme), _) => all.push(Challenge { scheme, params: Vec::new() }),
            (Item::Param(param), Some(challenge)) => challenge.params.push(param),
            (Item::Param(_), None) => {}
        }
    }
    all
}

/// Parses a field that consists of parameters, such as `Authentication-Info` (RFC 7615 section 3).
#[cfg(feature = "digest")]
pub(crate) fn params(mut line: &[u8]) -> Vec<Param<'_>> {
    std::iter::from_fn(|| next(&mut line))
        .filter_map(|item| match item {
            Item::Param(param) => Some(param),
            Item::Name(_) => None,
        })
        .collect()
}

enum Item<'a> {
    Name(&'a [u8]),
    Param(Param<'a>),
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<Item<'a>> {
    loop {
        let start = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        *rest = &rest[start..];
        let name = take_while(rest, |byte| !matches!(byte, b' ' | b'\t' | b',' | b'=' | b'"'));
        let after = rest.trim_ascii_start();
        if let Some(value) = after.strip_prefix(b"=") {
            *rest = value.trim_ascii_start();
            return Some(Item::Param((name, take_value(rest))));
        }
        if !name.is_empty() {
            return Some(Item::Name(name));
        }
        // A string without a known purpose.
        take_value(rest);
    }
}

/// Takes a value, quoted or not. A string that is not closed extends to the end of the line.
fn take_value<'a>(rest: &mut &'a [u8]) -> Cow<'a, [u8]> {
    let Some(quoted) = rest.strip_prefix(b"\"") else {
        return take_while(rest, |byte| byte != b',').trim_ascii_end().into();
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => value.extend(bytes.next()),
            byte => value.push(byte),
        }
    }
    *rest = bytes.as_slice();
    value.into()
}

fn take_while<'a>(rest: &mut &'a [u8], is_part: impl Fn(u8) -> bool) -> &'a [u8] {
    let end = rest.iter().position(|&byte| !is_part(byte)).unwrap_or(rest.len());
    let (taken, left) = rest.split_at(end);
    *rest = left;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The schemes with their parameters, as text.
    fn read(line: &str) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = challenges(line.as_bytes());
        all.iter()
            .map(|one| {
                let params =
                    one.params.iter().map(|(name, value)| format!(" {}={}", text(name), text(value)));
                text(one.scheme) + &params.collect::<String>()
            })
            .collect()
    }

    #[test]
    fn b29_several_challenges_in_one_line() {
        assert_eq!(
            read(
                r#"Basic realm="a, \"b\"",  Digest Realm = "c" ,nonce=d,qop="auth, auth-int",Negotiate, Bearer"#
            ),
            [r#"Basic realm=a, "b""#, "Digest Realm=c nonce=d qop=auth, auth-int", "Negotiate", "Bearer"]
        );
    }

    #[test]
    fn what_is_no_challenge_is_passed_over() {
        assert_eq!(read(""), [""; 0]);
        assert_eq!(read(r#" , realm="x" "stray" ,, "Basic "#), [""; 0]);
        assert_eq!(read(r#"Negotiate YWJj==, Basic realm="open"#), ["Negotiate YWJj==", "Basic realm=open"]);
        assert_eq!(read("Digest nonce=, realm"), ["Digest nonce=", "realm"]);
    }

    proptest! {
        /// Written parameters are read back, with any text in quotes; bytes of any kind are read to
        /// their end.
        #[test]
        fn b29_what_is_written_is_read(
            written in vec((name(), vec((name(), "\\PC{0,8}"), 0..4)), 0..4), noise in vec(any::<u8>(), 0..60),
        ) {
            let escape = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
            let lines: Vec<String> = written
                .iter()
                .map(|(scheme, params)| {
                    let params: Vec<_> = params.iter().map(|(name, text)| format!("{name}=\"{}\"", escape(text))).collect();
                    format!("{scheme} {}", params.join(" ,"))
                })
                .collect();
            let line = lines.join(",");
            let read = challenges(line.as_bytes());
            prop_assert_eq!(read.len(), written.len());
            for (one, (scheme, params)) in read.iter().zip(&written) {
                prop_assert!(one.is(&scheme.to_ascii_uppercase()));
                let params: Vec<Param<'_>> =
                    params.iter().map(|(name, text)| (name.as_bytes(), text.as_bytes().into())).collect();
                prop_assert_eq!(&one.params, &params);
            }
            let all: usize = challenges(&noise).iter().map(|one| 1 + one.params.len()).sum();
            prop_assert!(all <= noise.len());
        }
    }

    fn name() -> &'static str {
        "[a-z*][a-z0-9-]{0,6}"
    }
}
