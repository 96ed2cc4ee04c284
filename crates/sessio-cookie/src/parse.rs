//! Parsing one `Set-Cookie` value.

use crate::date::parse_date;
use crate::reason::Reason;
use crate::scan::{cut, has_control, trim};
use crate::unix_time::UnixTime;

/// The most octets of a name and its value together (rule 7).
pub(crate) const MAX_PAIR: usize = 4096;

/// The most octets of an attribute's value. A longer attribute is ignored (rule 8).
pub(crate) const MAX_ATTRIBUTE: usize = 1024;

/// The `SameSite` attribute. It is recorded, and enforced only if a [`Site`](crate::Site) is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SameSite {
    /// Absent, or an unknown value.
    #[default]
    Unset,
    /// `None`: sent everywhere.
    None,
    /// `Lax`: sent with top-level navigation.
    Lax,
    /// `Strict`: never sent across sites.
    Strict,
}

impl SameSite {
    /// Parses `None`, `Lax` or `Strict`, in any case. Anything else is [`Unset`](Self::Unset) (rule
    /// 16).
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        if text.eq_ignore_ascii_case(b"none") {
            Self::None
        } else if text.eq_ignore_ascii_case(b"lax") {
            Self::Lax
        } else if text.eq_ignore_ascii_case(b"strict") {
            Self::Strict
        } else {
            Self::Unset
        }
    }

    /// The value of the attribute. `None` if it is unset.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unset => None,
            Self::None => Some("None"),
            Self::Lax => Some("Lax"),
            Self::Strict => Some("Strict"),
        }
    }
}

/// A parsed `Set-Cookie` value, not yet checked against the host that sent it.
///
/// It borrows from the line. Parsing allocates nothing.
///
/// ```
/// use sessio_cookie::SetCookie;
///
/// let line = SetCookie::parse(b"sid = 31d4; Path=/account; Secure; Max-Age=x; Max-Age=60")?;
/// assert_eq!((line.name, line.value), (&b"sid"[..], &b"31d4"[..]));
/// assert_eq!(line.path, Some(&b"/account"[..]));
/// assert_eq!(line.max_age, Some(60));
/// assert!(line.secure);
/// # Ok::<(), sessio_cookie::Reason>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SetCookie<'a> {
    /// The name; empty where the pair had none.
    pub name: &'a [u8],
    /// The value, exactly as it was sent: neither unquoted nor decoded.
    pub value: &'a [u8],
    /// The last `Domain`, without one leading dot, in its original case. Empty means "this host
    /// only".
    pub domain: Option<&'a [u8]>,
    /// The last `Path`, if it begins with `/`. `None` means the default path.
    pub path: Option<&'a [u8]>,
    /// The last `Expires` that is a date.
    pub expires: Option<UnixTime>,
    /// The last `Max-Age` that is a number, in seconds, saturated. It takes precedence over
    /// `Expires`.
    pub max_age: Option<i64>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// The last `SameSite`.
    pub same_site: SameSite,
    /// `Partitioned`; recorded only.
    pub partitioned: bool,
}

impl<'a> SetCookie<'a> {
    /// Parses one value. RFC 6265bis 5.6; rules 3 to 16.
    ///
    /// # Errors
    /// [`Reason::ControlCharacter`], [`Reason::Empty`] or [`Reason::TooLong`].
    pub fn parse(line: &'a [u8]) -> Result<Self, Reason> {
        if has_control(line) {
            return Err(Reason::ControlCharacter);
        }
        let (pair, mut attributes) = cut(line, b';');
        let (name, value) = split_pair(pair);
        check_pair(name, value)?;
        let mut cookie = Self { name, value, ..Self::default() };
        while let Some(rest) = attributes {
            let (attribute, next) = cut(rest, b';');
            cookie.attribute(attribute);
            attributes = next;
        }
        Ok(cookie)
    }

    /// Applies one attribute. The last valid one of a name wins, and an invalid one is ignored
    /// (rules 8 and 9).
    fn attribute(&mut self, attribute: &'a [u8]) {
        let (name, value) = cut(attribute, b'=');
        let (name, value) = (trim(name), trim(value.unwrap_or_default()));
        if value.len() > MAX_ATTRIBUTE {
            return;
        }
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        match name.len() {
            4 if is(b"path") => self.path = Some(value).filter(|path| path.starts_with(b"/")),
            6 if is(b"domain") => self.domain = Some(domain(value)),
            6 if is(b"secure") => self.secure = true,
            7 if is(b"expires") => self.expires = parse_date(value).or(self.expires),
            7 if is(b"max-age") => self.max_age = max_age(value).or(self.max_age),
            8 if is(b"httponly") => self.http_only = true,
            8 if is(b"samesite") => self.same_site = SameSite::parse(value),
            11 if is(b"partitioned") => self.partitioned = true,
            _ => {}
        }
    }
}

impl std::fmt::Debug for SetCookie<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name.escape_ascii().to_string())
            .field("value", &format_args!("<{} bytes>", self.value.len()))
            .field("domain", &self.domain.map(|domain| domain.escape_ascii().to_string()))
            .field("path", &self.path.map(|path| path.escape_ascii().to_string()))
            .field("expires", &self.expires)
            .field("max_age", &self.max_age)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("partitioned", &self.partitioned)
            .finish()
    }
}

/// The trimmed name and value of a pair. Without `=`, all of it is the value (rules 5 and 6).
pub(crate) fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match cut(pair, b'=') {
        (name, Some(value)) => (trim(name), trim(value)),
        (value, None) => (&[], trim(value)),
    }
}

/// Checks the length of name and value (rule 7).
pub(crate) const fn check_pair(name: &[u8], value: &[u8]) -> Result<(), Reason> {
    match name.len() + value.len() {
        0 => Err(Reason::Empty),
        1..=MAX_PAIR => Ok(()),
        _ => Err(Reason::TooLong),
    }
}

/// The domain without one leading dot. A lone dot stays and is refused later: it does not mean
/// "this host only" (rule 13).
fn domain(value: &[u8]) -> &[u8] {
    match value {
        [b'.', rest @ ..] if !rest.is_empty() => rest,
        _ => value,
    }
}

/// The value of digits, with or without one `-` before them, saturated (rule 11).
fn max_age(value: &[u8]) -> Option<i64> {
    let (sign, digits) = match value {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    Some(sign * seconds(digits)?)
}

/// The value of digits, saturated. There must be at least one.
pub(crate) fn seconds(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> SetCookie<'_> {
        SetCookie::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn last_accepted_attribute_wins() {
        let long = "x".repeat(MAX_ATTRIBUTE + 1);
        let text = format!("a=1; Path=/b; Path=/{long}; Domain=x; Domain={long}; Max-Age=5; Max-Age=-");
        let cookie = parse(&text);
        assert_eq!(cookie.path, Some(&b"/b"[..]));
        assert_eq!(cookie.domain, Some(&b"x"[..]));
        assert_eq!(cookie.max_age, Some(5));
        assert_eq!(parse("a=1; Path=/b; Path").path, None);
        assert_eq!(parse("a=1; Domain=b; Domain").domain, Some(&b""[..]));
        assert_eq!(parse("a=1; SameSite=Lax; SameSite=?").same_site, SameSite::Unset);
        assert_eq!(parse("a=1; Domain=..b").domain, Some(&b".b"[..]));
    }

    #[test]
    fn v74_max_age_saturates() {
        assert_eq!(parse("a=1; Max-Age=9999999999999999999999").max_age, Some(i64::MAX));
        assert_eq!(parse("a=1; Max-Age=-9999999999999999999999").max_age, Some(-i64::MAX));
        for ignored in ["", "-", "+0", "\"0\"", "50,399", "2.63", "--1", "1-"] {
            assert_eq!(parse(&format!("a=1; Max-Age={ignored}")).max_age, None, "{ignored}");
        }
    }

    #[test]
    fn sizes() {
        let value = "v".repeat(MAX_PAIR - 1);
        assert!(SetCookie::parse(format!("n={value}; Path=/").as_bytes()).is_ok());
        assert_eq!(SetCookie::parse(format!("nn={value}").as_bytes()), Err(Reason::TooLong));
        assert_eq!(SetCookie::parse(b" = ; Path=/"), Err(Reason::Empty));
        let path = "/".repeat(MAX_ATTRIBUTE);
        assert_eq!(parse(&format!("a=1; Path={path}")).path, Some(path.as_bytes()));
    }

    #[test]
    fn v66_control_characters_anywhere() {
        for line in [&b"a=1\x00"[..], b"a\x01=1", b"a=1; Path=/\x7f", b"a=1; x=\r", b"a=1\n"] {
            assert_eq!(SetCookie::parse(line), Err(Reason::ControlCharacter));
        }
        assert!(SetCookie::parse(b"a=\xff\t1").is_ok());
    }

    #[test]
    fn a_printed_line_keeps_its_secret() {
        let shown = format!("{:?}", parse("sid=hunter2; Path=/"));
        assert!(shown.contains("sid") && !shown.contains("hunter2"), "{shown}");
    }
}
