//! Parsing of URLs.
//!
//! The URL crate follows the browsers' URL standard, which repairs mistakes that a program should
//! see as errors. This module rejects the parts of the authority that the crate would repair. It
//! percent-encodes the bytes after the authority that the crate would drop or keep. There is one
//! parser: a rejected URL is never parsed again with laxer rules (row V32).

use std::borrow::Cow;
use std::fmt;

use url::Url;

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::{decimal, percent};
use crate::uri::origin::Origin;
use crate::uri::redacted::{RedactedReference, RedactedUrl};

/// The address of a request: a URL, or text that becomes one.
///
/// Text without scheme and host is relative to the session's `base_url` (RFC 3986 section 5).
///
/// ```
/// use sessio::{Address, Url};
///
/// assert_eq!(Address::from("http://example.org/a b"), Address::from("http://example.org/a%20b"));
/// ```
#[derive(Clone)]
pub struct Address(pub(crate) Form);

#[derive(Clone)]
pub(crate) enum Form {
    /// A complete URL, and whether its userinfo has a user and a password.
    Whole(Url, bool),
    /// Text that [`UrlCache`](crate::UrlCache) or `prepare` will parse.
    Text(String),
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(Form::Text(text))
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Url> for Address {
    fn from(url: Url) -> Self {
        String::from(url).into()
    }
}

impl From<&Url> for Address {
    fn from(url: &Url) -> Self {
        url.as_str().into()
    }
}

impl From<http::Uri> for Address {
    fn from(uri: http::Uri) -> Self {
        uri.to_string().into()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.url()) {
            (_, Some(url)) => write!(f, "{}", RedactedUrl::new(&url)),
            // Text may contain a password anywhere before its last @.
            (Form::Text(text), _) => f.write_str(text.rsplit('@').next().unwrap_or_default()),
            (Form::Whole(..), None) => Ok(()),
        }
    }
}

/// Addresses are equal if they parse as the same URL. Others are compared by their text.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Text(a), Form::Text(b)) if a == b => true,
            _ => self.url().is_some_and(|url| other.url() == Some(url)),
        }
    }
}

impl Eq for Address {}

impl Default for Address {
    fn default() -> Self {
        Self(Form::Text(String::new()))
    }
}

impl Address {
    /// The URL, if the address is complete without a base.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        match &self.0 {
            Form::Whole(url, _) => Some(url.clone()),
            Form::Text(text) => read(text, None).ok().map(|(url, _)| url),
        }
    }

    /// The URL of a complete address, or the reason why it is none.
    ///
    /// ```
    /// use sessio::{Address, Kind};
    ///
    /// assert_eq!(Address::from("http://example.org").to_url()?.as_str(), "http://example.org/");
    /// let error = Address::from("example.org/v1").to_url().unwrap_err();
    /// assert_eq!(error.kind(), Kind::MissingScheme);
    /// assert!(error.to_string().contains("example.org/v1"));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`], [`Kind::MissingScheme`] or [`Kind::UnsupportedScheme`], with the text.
    pub fn to_url(&self) -> Result<Url> {
        self.clone().resolve(None).map(|(url, _)| url)
    }

    /// The URL. A relative address is resolved against `base`. `None` for an invalid one.
    pub(crate) fn at(&self, base: Option<&Url>) -> Option<Cow<'_, Url>> {
        match &self.0 {
            Form::Whole(url, _) => Some(Cow::Borrowed(url)),
            Form::Text(text) => read(text, base).ok().map(|(url, _)| Cow::Owned(url)),
        }
    }

    /// The URL of a complete address with a scheme other than `http` and `https`, and whether it has
    /// a user and a password.
    pub(crate) fn custom(&self) -> Option<(Url, bool)> {
        let Form::Text(text) = &self.0 else { return None };
        let scheme = scheme_of(text.trim_ascii_start().as_bytes())?;
        if is_web(scheme) { None } else { read_custom(text).ok() }
    }

    /// Whether it leads to another origin than that of `base`. An invalid URL leads to no other.
    pub(crate) fn leaves(&self, base: &Url) -> bool {
        match &self.0 {
            Form::Whole(url, _) => !Origin::is_same(url, base),
            // Use the parser that prepares the request: another one could differ.
            Form::Text(text) => read(text, Some(base)).is_ok_and(|(url, _)| !Origin::is_same(&url, base)),
        }
    }

    /// The URL, and whether its userinfo has a user and a password (rule P-51).
    pub(crate) fn resolve(self, base: Option<&Url>) -> Result<(Url, bool)> {
        match self.0 {
            Form::Whole(url, credentials) => Ok((url, credentials)),
            Form::Text(text) => read(&text, base),
        }
    }
}

/// Parses a URL of the caller, or with `base` a reference. A trailing line end is an error: URLs
/// read line by line from a file have one. Escaped, it would name another resource.
///
/// # Errors
/// As [`parse`].
pub(crate) fn read(text: &str, base: Option<&Url>) -> Result<(Url, bool)> {
    let done = match text.ends_with(['\n', '\r']) {
        true => Err(invalid("it ends with a line end: trim it")),
        false => parse(text.as_bytes(), base),
    };
    done.map_err(|fault| naming(text, fault))
}

/// Adds the text to the error of an address of the caller.
#[cold]
pub(crate) fn naming(text: &str, fault: Fault) -> Fault {
    let why = match (fault.detail(), fault.cause()) {
        (Some(why), _) => format!(": {why}"),
        (None, Some(cause)) => format!(": {cause}"),
        (None, None) => String::new(),
    };
    fault.with_detail(format!("\"{}\"{why}", without_secrets(text)))
}

/// Text that is no URL, escaped and cut. It may contain a password anywhere before its last `@`, so
/// all of that is left out.
fn without_secrets(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("...@{}", escape(RedactedReference(rest).to_string().as_bytes())),
        None => escape(RedactedReference(text).to_string().as_bytes()),
    }
}

/// Parses a URL of any scheme, by the same rules.
///
/// # Errors
/// [`Kind::InvalidUrl`] or [`Kind::MissingScheme`].
pub(crate) fn read_custom(text: &str) -> Result<(Url, bool)> {
    let done = match text.ends_with(['\n', '\r']) {
        true => Err(invalid("it ends with a line end: trim it")),
        false => parse_with(text.as_bytes(), None, |_| true),
    };
    done.map_err(|fault| naming(text, fault))
}

/// Parses a URL, or with `base` a reference.
///
/// # Errors
/// [`Kind::InvalidUrl`], [`Kind::MissingScheme`] or [`Kind::UnsupportedScheme`].
pub(crate) fn parse(text: &[u8], base: Option<&Url>) -> Result<(Url, bool)> {
    parse_with(text, base, is_web)
}

/// As [`parse`], with further schemes.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_among(text: &[u8], base: Option<&Url>, schemes: &[Box<str>]) -> Result<(Url, bool)> {
    parse_with(text, base, |name| {
        is_web(name) || schemes.iter().any(|scheme| name.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

/// Whether a scheme is `http` or `https`.
fn is_web(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"http") || name.eq_ignore_ascii_case(b"https")
}

fn parse_with(text: &[u8], base: Option<&Url>, is_known: impl Fn(&[u8]) -> bool) -> Result<(Url, bool)> {
    let text = text.trim_ascii_start();
    let scheme = scheme_of(text);
    match scheme {
        Some(name) if !is_known(name) => {
            return Err(Fault::new(Kind::UnsupportedScheme).with_detail(escape(name)));
        }
        None if base.is_none() => return Err(Kind::MissingScheme.into()),
        _ => {}
    }
    let after_scheme = scheme.map_or(0, |name| name.len() + 1);
    let Some(rest) = text[after_scheme..].strip_prefix(b"//") else {
        return match (scheme, base) {
            (None, Some(base)) => join(base, text),
            // `http:x` has no host. As a reference it is relative to the current host (rule R-08).
            (Some(name), Some(base)) if name.eq_ignore_ascii_case(base.scheme().as_bytes()) => {
                join(base, &text[after_scheme..])
            }
            _ => Err(invalid("no // after the scheme")),
        };
    };
    let end = rest.iter().position(|b| b"/\\?#".contains(b)).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let colon = check_authority(authority, tail)?;
    let mut whole = String::with_capacity(text.len() + 8);
    let scheme = scheme.unwrap_or_else(|| base.map_or(b"http".as_slice(), |base| base.scheme().as_bytes()));
    // Both are UTF-8: the scheme is ASCII, the authority was checked.
    whole.push_str(std::str::from_utf8(scheme).unwrap_or_default());
    whole.push_str("://");
    whole.push_str(std::str::from_utf8(authority).unwrap_or_default());
    requote(tail, &mut whole);
    let url = Url::parse(&whole).map_err(|error| Fault::new(Kind::InvalidUrl).with_source(error))?;
    check_host(&url)?;
    Ok((tidy(url), colon))
}

/// Resolves a reference without authority.
pub(crate) fn join(base: &Url, reference: &[u8]) -> Result<(Url, bool)> {
    let first = reference.iter().position(|b| b"/?#".contains(b)).unwrap_or(reference.len());
    let is_like_scheme = reference[..first].contains(&b':');
    let room = base.as_str().len() + reference.len();
    let mut text = String::with_capacity(room);
    match std::str::from_utf8(reference) {
        Ok(plain) if !is_like_scheme && reference.iter().all(|&b| is_plain(b)) => text.push_str(plain),
        _ => {
            // A first segment with a colon would be parsed as a scheme.
            text.push_str(if is_like_scheme { "./" } else { "" });
            requote(reference, &mut text);
        }
    }
    // The parser allocates as many bytes as its input has, and ignores spaces at the end. With them
    // the URL has room at once. Otherwise it is moved twice for each redirect.
    text.extend(std::iter::repeat_n(' ', room.saturating_sub(text.len())));
    let url = base.join(&text).map_err(|error| Fault::new(Kind::InvalidUrl).with_source(error))?;
    let credentials = !url.username().is_empty() && url.password().is_some();
    Ok((tidy(url), credentials))
}

/// The scheme of a text (RFC 3986 section 3.1).
fn scheme_of(text: &[u8]) -> Option<&[u8]> {
    let colon = text.iter().position(|&b| b == b':')?;
    let name = &text[..colon];
    let rest_fits = name.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
    (rest_fits && name.first().is_some_and(u8::is_ascii_alphabetic)).then_some(name)
}

/// Checks the authority. Returns whether the userinfo has a colon, and so a user and a password.
fn check_authority(authority: &[u8], tail: &[u8]) -> Result<bool> {
    if tail.first() == Some(&b'\\') {
        return Err(invalid("a backslash ends the host"));
    }
    let (userinfo, host) = match authority.iter().rposition(|&b| b == b'@') {
        Some(at) => (&authority[..at], &authority[at + 1..]),
        None => (&b""[..], authority),
    };
    if host.is_empty() || host[0] == b':' {
        return Err(invalid("no host"));
    }
    if matches!(host[0], b'*' | b'.') {
        return Err(invalid("the host starts with * or ."));
    }
    if host.iter().any(|&b| b <= b' ' || b == 0x7f) || userinfo.iter().any(|&b| b < b' ' || b == 0x7f) {
        return Err(invalid("a control character or blank in the host"));
    }
    if std::str::from_utf8(authority).is_err() {
        return Err(invalid("the host is not UTF-8"));
    }
    Ok(userinfo.contains(&b':') && userinfo != b":")
}

/// Checks the host after the URL parser has percent-decoded and mapped it.
fn check_host(url: &Url) -> Result<()> {
    match url.host_str() {
        None | Some("") => Err(invalid("no host")),
        Some(host) if host.starts_with(['*', '.']) => Err(invalid("the host starts with * or .")),
        Some(_) => Ok(()),
    }
}

/// Removes an empty query or fragment, which is not sent (rule P-17).
fn tidy(mut url: Url) -> Url {
    if url.query() == Some("") {
        url.set_query(None);
    }
    if url.fragment() == Some("") {
        url.set_fragment(None);
    }
    url
}

/// Percent-encodes bytes that the URL parser would drop, keep, or take for a slash (rules P-13 to
/// P-16). It does so in path, query and fragment. Valid escapes stay unchanged (row B24).
fn requote(tail: &[u8], out: &mut String) {
    let hash = tail.iter().position(|&b| b == b'#').unwrap_or(tail.len());
    let (before, fragment) = tail.split_at(hash);
    if before.iter().all(|&b| is_plain(b)) && fragment.iter().skip(1).all(|&b| is_plain(b)) {
        // Plain bytes are ASCII.
        out.push_str(std::str::from_utf8(tail).unwrap_or_default());
        return;
    }
    for (at, &b) in tail.iter().enumerate() {
        let escaped = percent::first(&tail[at..]).is_some();
        // A second # is part of the fragment, where it has no meaning (RFC 3986 section 3.5).
        if escaped || is_plain(b) || at == hash {
            out.push(char::from(b));
        } else {
            percent::push(b, out);
        }
    }
}

/// Whether the URL parser keeps a byte after the authority unchanged.
pub(crate) const fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'!' | b'$' | b'&'..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'_' | b'~')
}

/// Parses a port: digits alone, up to 65535.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    decimal::parse(digits.as_bytes())?.try_into().ok()
}

/// Encodes text as Python's `application/x-www-form-urlencoded`: a blank becomes `+`, and only
/// letters, digits and `_.-~` stay unchanged (rule P-21).
pub(crate) fn form_encode(text: &[u8], out: &mut String) {
    for &b in text {
        match b {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(char::from(b)),
            b => percent::push(b, out),
        }
    }
}

/// The URL without user and password.
pub(crate) fn without_userinfo(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs without a host, which have no userinfo either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn invalid(why: &'static str) -> Fault {
    Fault::new(Kind::InvalidUrl).with_detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text.as_bytes(), None) {
            Ok((url, _)) => url.to_string(),
            Err(error) => error.kind().to_string(),
        }
    }

    fn joined(base: &str, reference: impl AsRef<[u8]>) -> String {
        let base = Url::parse(base).unwrap();
        match parse(reference.as_ref(), Some(&base)) {
            Ok((url, _)) => url.to_string(),
            Err(error) => error.kind().to_string(),
        }
    }

    #[test]
    fn fn6_errors_name_the_text_without_userinfo() {
        for (text, says) in [
            ("example.org/a", "(\"example.org/a\")"),
            ("http:/example.org", "(\"http:/example.org\": no // after the scheme)"),
            ("http://h:99999/", "(\"http://h:99999/\": invalid port number)"),
            ("http://h/a\r\n", r#"("http://h/a\r\n": it ends with a line end: trim it)"#),
            ("http://user:secret@h:99999/", "(\"...@h:99999/\": invalid port number)"),
            ("user:secret@example.org", "...@example.org"),
            ("http://us@er:secret@[::1/", "...@[::1/"),
        ] {
            let error = read(text, None).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let long = format!("http://h:x{}", "x".repeat(10_000));
        assert!(read(&long, None).unwrap_err().to_string().len() < 400);
    }

    #[test]
    fn p03_to_p17_text_becomes_a_url() {
        for (text, url) in [
            ("  http://h.com/", "http://h.com/"),
            ("http://h.com/ ", "http://h.com/%20"),
            ("HTTP://EXAMPLE.com", "http://example.com/"),
            ("http://h:/", "http://h/"),
            ("http://h.com/%", "http://h.com/%25"),
            ("http://h.com/%zz", "http://h.com/%25zz"),
            ("http://h.com/%2f%2F%41", "http://h.com/%2f%2F%41"),
            ("http://h.com/a[b]", "http://h.com/a%5Bb%5D"),
            ("http://h.com/?a=1&&b=+%20", "http://h.com/?a=1&&b=+%20"),
            ("http://h.com/\u{2603}", "http://h.com/%E2%98%83"),
            ("http://h.com/a;b?c;d", "http://h.com/a;b?c;d"),
            ("http://h.com/\u{1}\n", "http://h.com/%01%0A"),
            ("http://h.com/a?", "http://h.com/a"),
            ("http://h.com/a?#", "http://h.com/a"),
            ("http://h.com/#a#b", "http://h.com/#a%23b"),
            ("http://h.com//v:h", "http://h.com//v:h"),
            ("http://h.com/a/../b/./c", "http://h.com/b/c"),
            ("http://h.com/{x}|^`", "http://h.com/%7Bx%7D%7C%5E%60"),
            ("http://us%20er:p@h.com/", "http://us%20er:p@h.com/"),
            ("http://xn--strae-oqa.de/", "http://xn--strae-oqa.de/"),
            ("http://stra\u{df}e.de/", "http://xn--strae-oqa.de/"),
        ] {
            assert_eq!(shown(text), url, "{text}");
        }
    }

    #[test]
    fn p06_p10_v32_v40_v41_v51_v52_what_names_no_host_is_refused() {
        for text in [
            "http:///path",
            "http:/path",
            "http:path",
            "http://",
            "http://:1/",
            "http://h:65536/",
            "http://fe80::5054:ff:fe5a:fc0",
            "http://*.com/",
            "http://.com/",
            "http://h.com\\@evil.com/",
            "http://h .com/",
            "http://h\n.com/",
            "http://h\t/",
            "http://h%20x.com/",
            "http://u\r\n:p@h/",
            "http://example.com%2F10.0.0.1/",
            "http://[::1]evil:80/",
            "http://[",
            "http://xn--example-.com/",
            "http://1.1.1.1\\@b/",
            "http://user@/",
        ] {
            assert_eq!(shown(text), "invalid-url", "{text}");
        }
        for text in ["h.com", "//h.com/", "", "h.com/path:1"] {
            assert_eq!(shown(text), "missing-scheme", "{text}");
        }
        for text in ["localhost:3128", "ftp://h/", "mailto:x", "httpx://h/", "http+unix://%2Fx/"] {
            assert_eq!(shown(text), "unsupported-scheme", "{text}");
        }
        // Every CR and LF that passes is encoded: one request line (row V41).
        assert_eq!(shown("http://h/\r\nX: y"), "http://h/%0D%0AX:%20y");
    }

    #[test]
    fn fb15_a_line_end_behind_a_url_is_a_slip() {
        let base = Url::parse("http://h/").unwrap();
        for text in ["http://h/\n", "http://h/x\r\n", "http://h\r", "/x\n", "x?y\n", "//h/\n", "\n"] {
            let error = Address::from(text).resolve(Some(&base)).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidUrl, "{text:?}");
            assert!(error.to_string().contains("line end"), "{error}");
            assert_eq!(Address::from(text).url(), None);
            let (mut address, mut origins) = (Address::from(text), crate::UrlCache::new());
            origins.read(&mut Address::from("http://h/"));
            origins.read(&mut address);
            assert!(address.resolve(Some(&base)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn r06_r08_references() {
        let base = "http://a.com/d/page?q#f";
        for (reference, url) in [
            ("/x", "http://a.com/x"),
            ("x", "http://a.com/d/x"),
            ("?k=v", "http://a.com/d/page?k=v"),
            ("#new", "http://a.com/d/page?q#new"),
            ("../../../up", "http://a.com/up"),
            ("/a/../b", "http://a.com/b"),
            ("//b.com/x", "http://b.com/x"),
            ("http:relative", "http://a.com/d/relative"),
            ("  /x", "http://a.com/x"),
            ("\\\\evil.com", "http://a.com/d/%5C%5Cevil.com"),
            ("/sp ace", "http://a.com/sp%20ace"),
            ("///evil.com/x", "invalid-url"),
            ("http:///nohost", "invalid-url"),
            ("https:x", "invalid-url"),
            ("javascript:alert(1)", "unsupported-scheme"),
            ("file:///etc/x", "unsupported-scheme"),
            ("1:2", "http://a.com/d/1:2"),
        ] {
            assert_eq!(joined(base, reference), url, "{reference}");
        }
        assert_eq!(joined(base, b"/caf\xe9"), "http://a.com/caf%E9");
        assert_eq!(joined(base, b"//caf\xe9/"), "invalid-url");
        assert_eq!(joined("http://u:p@a.com/", "/x"), "http://u:p@a.com/x");
    }

    #[test]
    fn v55_dot_segments_take_linear_time() {
        let reference = "../".repeat(100_000);
        assert_eq!(joined("http://a.com/d/", reference), "http://a.com/");
    }

    #[test]
    fn p51_credentials_need_a_colon() {
        for (text, has) in [
            ("http://u:p@h/", true),
            ("http://u@h/", false),
            ("http://u:@h/", true),
            ("http://:p@h/", true),
            ("http://:@h/", false),
            ("http://h/", false),
        ] {
            assert_eq!(parse(text.as_bytes(), None).unwrap().1, has, "{text}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let url = Url::parse("http://u:p@h/x?q#f").unwrap();
        assert_eq!(without_userinfo(&url).as_str(), "http://h/x?q#f");
        assert_eq!(format!("{:?}", Address::from("ftp://u:p@h")), "h");
    }

    #[test]
    fn p21_form_encoding_is_pythons() {
        let mut out = String::new();
        form_encode("a b~*\u{e9}&=".as_bytes(), &mut out);
        assert_eq!(out, "a+b~%2A%C3%A9%26%3D");
    }
}
