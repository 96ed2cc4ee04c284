//! `Link` header fields (RFC 8288): relations such as `next`, `last` and `describedby`.
//!
//! Quoted strings and targets may contain `,` `;` and `=`. A link can have several relations. Case
//! of names does not matter. A malformed link is skipped, without an effect on others (row B42).
//! Values in single quotes are read without them, as in requests (row FB14); RFC 8288 does not
//! define these quotes.
//!
//! A target is resolved on access, and at most [`MOST`] links are kept. So a server cannot multiply
//! the length of its URL by the number of its links.
//!
//! ```
//! use sessio::link::Links;
//!
//! let base = "http://example.org/items?page=2".parse()?;
//! let links = Links::parse([r#"<?page=3>; rel="next last"; title="the end; really", </>; rel=Start"#], &base);
//! let next = links.get("next").and_then(|link| link.target());
//! assert_eq!(next.unwrap().as_str(), "http://example.org/items?page=3");
//! assert_eq!(links.get("last").unwrap().title().as_deref(), Some("the end; really"));
//! assert_eq!(links.get("start").unwrap().reference(), "/");
//! # Ok::<(), url::ParseError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use url::Url;

use crate::base::percent::hex_digit;
use crate::message::text;
use crate::uri::redacted::{RedactedField, RedactedUrl};

/// Maximal number of links of one response. Later ones are dropped.
pub const MOST: usize = 1024;

/// One link.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    reference: String,
    anchor: Option<String>,
    params: Vec<(String, String)>,
    base: Arc<Url>,
}

/// The links of a response, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    links: Vec<Link>,
}

impl Links {
    /// Parses these field values; relative references are resolved against `base`, the URL of the
    /// response.
    #[must_use]
    pub fn parse<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>, base: &Url) -> Self {
        let mut links = Vec::new();
        let mut reader: Option<Reader> = None;
        for value in values {
            let value = String::from_utf8_lossy(value.as_ref());
            let mut rest = &*value;
            let reader = reader.get_or_insert_with(|| Reader::new(base));
            while !rest.is_empty() && links.len() < MOST {
                links.extend(reader.read(&mut rest));
            }
        }
        Self { links }
    }

    /// The first link of this relation whose context is the response: its anchor, if any, is the
    /// response.
    #[must_use]
    pub fn get(&self, rel: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.is(rel) && link.is_own())
    }
}

/// Formats the link without the secrets of its URLs.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| RedactedField { value, is_delimited: false }.to_string();
        f.debug_struct("Link")
            .field("reference", &shown(&self.reference))
            .field("anchor", &self.anchor.as_deref().map(shown))
            .field("params", &self.params)
            .field("base", &RedactedUrl::new(&self.base))
            .finish()
    }
}

impl Deref for Links {
    type Target = [Link];

    fn deref(&self) -> &[Link] {
        &self.links
    }
}

impl Link {
    /// The target, resolved on each call. `None` if the URL of the response and the reference form
    /// no URL, which cannot happen with `http` or `https`.
    #[must_use]
    pub fn target(&self) -> Option<Url> {
        self.base.join(&self.reference).ok()
    }

    /// The target as it was written: often relative to the URL of the response.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The context (`anchor`), if it is not the response itself; resolved on each call.
    #[must_use]
    pub fn anchor(&self) -> Option<Url> {
        self.base.join(self.anchor.as_deref()?).ok()
    }

    /// Returns `true` if the context is the response itself. A fragment of the URL is not part of
    /// the response.
    fn is_own(&self) -> bool {
        match self.anchor.as_deref() {
            None | Some("") => true,
            Some(_) => self.anchor().is_some_and(|mut anchor| {
                let is_whole = anchor.fragment().is_none();
                anchor.set_fragment(self.base.fragment());
                is_whole && anchor == *self.base
            }),
        }
    }

    /// The relations, as they were written; none if the server sent none.
    pub fn rels(&self) -> impl Iterator<Item = &str> {
        self.param("rel").unwrap_or_default().split_ascii_whitespace()
    }

    /// Returns `true` for a link of this relation; case does not matter.
    #[must_use]
    pub fn is(&self, rel: &str) -> bool {
        self.rels().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// The first parameter of this name; case does not matter. The value is as sent, without
    /// quotes.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters, with names in lower case.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The title: `title*`, decoded by RFC 8187, or else `title`.
    #[must_use]
    pub fn title(&self) -> Option<Cow<'_, str>> {
        let extended = self.param("title*").and_then(extended).map(Cow::Owned);
        extended.or_else(|| self.param("title").map(Cow::Borrowed))
    }
}

/// Parses links one by one.
struct Reader {
    base: Arc<Url>,
    /// The base without its path: a reference is resolved against it to validate it.
    root: Url,
}

impl Reader {
    fn new(base: &Url) -> Self {
        let root = base.join("/").unwrap_or_else(|_| base.clone());
        Self { base: Arc::new(base.clone()), root }
    }

    /// Takes one link off the front, or the text in its place (RFC 8288 appendix B.2).
    fn read(&self, rest: &mut &str) -> Option<Link> {
        *rest = rest.trim_start_matches([' ', '\t', ',']);
        let mut reference = None;
        if let Some(after) = rest.strip_prefix('<') {
            // Without a `>` there is no further link. A `>` closes the last `<` before it.
            let (inside, after) =
                after.split_once('>').map_or((None, ""), |(inside, after)| (Some(inside), after));
            reference = inside.and_then(|inside| inside.rsplit('<').next());
            *rest = after;
        }
        let params = read_params(rest);
        *rest = rest.strip_prefix(',').unwrap_or(rest);
        let reference = reference.filter(|reference| self.is_valid(reference))?.to_owned();
        let mut link = Link { reference, anchor: None, params, base: Arc::clone(&self.base) };
        link.anchor = match link.param("anchor") {
            // The context is unknown: it is not a link of this response.
            Some(anchor) if !self.is_valid(anchor) => return None,
            anchor => anchor.map(str::to_owned),
        };
        Some(link)
    }

    fn is_valid(&self, reference: &str) -> bool {
        self.root.join(reference).is_ok()
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

/// Takes a value, quoted or not (RFC 8288 appendix B.4).
fn read_value(rest: &mut &str) -> String {
    let Some(quoted) = rest.strip_prefix('"') else {
        let value = take_until(rest, &[';', ',']).trim_matches(BLANKS);
        // requests strips single quotes. A value of RFC 8187 has them inside, never around it.
        let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        return inner.unwrap_or(value).to_owned();
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

/// Skips text without a meaning, quoted strings as a whole.
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

/// Decodes a parameter with a charset (RFC 8187): `UTF-8'en'%e2%82%ac`. `None` for another form or
/// an unknown charset: the plain parameter beside it is used then.
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
            b'%' => hex_digit(coded.next()?)? << 4 | hex_digit(coded.next()?)?,
            byte => byte,
        });
    }
    Some(text::decode(Some(charset), &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each link as its target, its relations, and its other parameters.
    fn links(values: &[&str]) -> Vec<String> {
        let base = Url::parse("http://h/dir/page?q#f").unwrap();
        let write = |link: &Link| {
            let mut out =
                format!("{} [{}]", link.target().unwrap(), link.rels().collect::<Vec<_>>().join("|"));
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
            // Several relations, names in any case, the first of each name is used.
            (&["<a>; REL=\"Next  http://x/Rel\""], &["http://h/dir/a [Next|http://x/Rel]"]),
            (&["<a>; rel=one; rel=two; Crossorigin"], &["http://h/dir/a [one] crossorigin="]),
            (&["<a> ; rel = \"x\" ; title\t=\ty "], &["http://h/dir/a [x] title=y"]),
            (&["<a>; anchor=\"#g\"; rel=x"], &["http://h/dir/a [x] of http://h/dir/page?q#g"]),
            // A malformed link is skipped.
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
    fn fb14_values_in_single_quotes_are_read_without_them() {
        for (values, expected) in [
            (&["<a>; rel='next'"][..], &["http://h/dir/a [next]"][..]),
            (
                &["<a>; rel='next', <b>; rel='prev last'"],
                &["http://h/dir/a [next]", "http://h/dir/b [prev|last]"],
            ),
            (&["<a>; rel = 'next' ; title='t'"], &["http://h/dir/a [next] title=t"]),
            (&["<a>; rel=\"'next'\""], &["http://h/dir/a ['next']"]),
            (&["<a>; rel='next"], &["http://h/dir/a ['next]"]),
            (&["<a>; rel='"], &["http://h/dir/a [']"]),
            (&["<a>; rel=''; title*=UTF-8''x"], &["http://h/dir/a [] title*=UTF-8''x"]),
        ] {
            assert_eq!(links(values), expected, "{values:?}");
        }
        let base = Url::parse("http://h/").unwrap();
        assert!(Links::parse(["</2>; rel='next'"], &base).get("next").is_some());
    }

    #[test]
    fn fa2_no_more_links_are_kept_than_a_response_may_have() {
        let base = Url::parse(&format!("http://h/{}/", "x".repeat(100_000))).unwrap();
        let values = [format!("{}<last>", "<a>,".repeat(MOST - 1)), "<one-more>".to_owned()];
        let links = Links::parse(&values, &base);
        assert_eq!((links.len(), links[MOST - 1].reference()), (MOST, "last"));
        assert_eq!(links[0].target().unwrap(), base.join("a").unwrap());
        // All links share the URL of the response.
        assert!(links.iter().all(|link| Arc::ptr_eq(&link.base, &links[0].base)));
    }

    #[test]
    fn links_are_found_by_their_relation() {
        let base = Url::parse("http://h/").unwrap();
        let value =
            "<1>; rel=next; anchor=\"/other\", <2>; rel=\"a NEXT\", <3>; rel=next, <4>; rel=me; anchor=\"\"";
        let links = Links::parse([value], &base);
        assert_eq!(links.len(), 4);
        assert_eq!(links.get("Next").unwrap().reference(), "2");
        assert_eq!(links.get("me").unwrap().target().unwrap().path(), "/4");
        assert_eq!(links.get("nex"), None);
        assert_eq!(links[0].anchor().unwrap().path(), "/other");
        for (anchor, is_own) in [
            ("", true),
            ("/dir/page?q", true),
            ("page?q", true),
            ("http://H/dir/page?q", true),
            ("?q", true),
            ("#", false),
            ("#f", false),
            ("page", false),
            ("http://x/", false),
        ] {
            let base = Url::parse("http://h/dir/page?q#f").unwrap();
            let links = Links::parse([format!("<a>; rel=x; anchor=\"{anchor}\"")], &base);
            assert_eq!(links.get("x").is_some(), is_own, "{anchor}");
        }
        assert_eq!(Links::default().get("next"), None);
        let links = Links::parse(["<a>; rel=x; anchor=\"\""], &Url::parse("http://h/#part").unwrap());
        assert_eq!(links.get("x").unwrap().target().unwrap().path(), "/a");
    }

    /// The examples of RFC 8288 section 3.5, and the cases of requests' own tests.
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
            assert!(links.iter().all(|link| link.target().is_some_and(|url| url.host_str() == Some("h"))));
        }
    }
}
