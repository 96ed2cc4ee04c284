//! URLs as text without secrets.

use std::fmt;

use url::Url;

use crate::base::percent;

/// A URL as text for logs and errors: without user, password and fragment, and with `REDACTED` in
/// place of secret values in its query.
///
/// The name of a parameter decides whether its value is secret: it contains one of these parts, or it
/// is one of these names. Case, percent-encoding, `-`, `_` and `.` make no difference.
///
/// ```text
/// parts: accesskey apikey assertion authorization credential devicecode passphrase passwd
///        password privatekey secret sessid session signature token verifier
/// names: auth code jwt key otp pass pin pwd sid sig
/// ```
///
/// The path is shown: do not put secrets into it.
///
/// ```
/// use sessio::{RedactedUrl, Url};
///
/// let url = Url::parse("https://me:pw@example.org/a?page=2&access_token=abc#top")?;
/// assert_eq!(RedactedUrl::new(&url).to_string(), "https://example.org/a?page=2&access_token=REDACTED");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct RedactedUrl<'a>(&'a Url);

impl<'a> RedactedUrl<'a> {
    /// The text of this URL.
    #[must_use]
    pub fn new(url: &'a Url) -> Self {
        Self(url)
    }
}

impl fmt::Display for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())?;
        match url.query() {
            Some(query) => write!(f, "?{}", RedactedPairs(query)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reference to a URL, such as the value of Location or a request target, with `REDACTED` in
/// place of secret values in its query and its fragment.
pub(crate) struct RedactedReference<'a>(pub(crate) &'a str);

impl fmt::Display for RedactedReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        // The first part is the path. A part behind `?` or `#` can have pairs.
        while let Some(at) = rest.find(['?', '#']) {
            let (before, after) = rest.split_at(at + 1);
            f.write_str(before)?;
            let end = after.find(['?', '#']).unwrap_or(after.len());
            write!(f, "{}", RedactedPairs(&after[..end]))?;
            rest = &after[end..];
        }
        f.write_str(rest)
    }
}

/// The value of a field that holds URLs, with `***` in place of userinfo and `REDACTED` in place of
/// secret values in queries and fragments.
pub(crate) struct RedactedField<'a> {
    pub(crate) value: &'a str,
    /// Whether the URLs are delimited by `<` and `>` or by quotes, as in Link. Otherwise the whole
    /// value is one URL.
    pub(crate) is_delimited: bool,
}

impl fmt::Display for RedactedField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.value;
        while self.is_delimited
            && let Some(start) = rest.find(['<', '"'])
        {
            let (before, inner) = rest.split_at(start + 1);
            redact(&before[..start], f)?;
            f.write_str(&before[start..])?;
            let end = inner.find(if before.ends_with('<') { '>' } else { '"' }).unwrap_or(inner.len());
            redact(&inner[..end], f)?;
            rest = &inner[end..];
            // The end is no start of the next one.
            let closed = rest.len().min(1);
            f.write_str(&rest[..closed])?;
            rest = &rest[closed..];
        }
        redact(rest, f)
    }
}

/// Writes a URL without its secrets.
fn redact(url: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // A URL may hold a password anywhere before its last @.
    let Some(at) = url.rfind('@') else { return write!(f, "{}", RedactedReference(url)) };
    if let Some(start) = url[..at].find("://") {
        write!(f, "{}://", RedactedReference(&url[..start]))?;
    }
    write!(f, "***{}", RedactedReference(&url[at..]))
}

/// Pairs of names and values, as in a query or a form.
pub(crate) struct RedactedPairs<'a>(pub(crate) &'a str);

impl fmt::Display for RedactedPairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', ';']) {
            let pair = part.trim_end_matches(['&', ';']);
            match pair.split_once('=') {
                Some((name, value)) if !value.is_empty() && is_secret_name(name) => {
                    write!(f, "{name}=REDACTED{}", &part[pair.len()..])?;
                }
                _ => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Names that contain one of these have secret values.
const PARTS: [&str; 16] = [
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "credential",
    "devicecode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "sessid",
    "session",
    "signature",
    "token",
    "verifier",
];

/// These names have secret values.
const NAMES: [&str; 10] = ["auth", "code", "jwt", "key", "otp", "pass", "pin", "pwd", "sid", "sig"];

/// Whether the value of a parameter or a header field of this name is secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let plain: String = percent::decode(name)
        .into_iter()
        .filter(|byte| !b"-_.".contains(byte))
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    NAMES.contains(&&*plain) || PARTS.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s21_the_names_of_secret_values() {
        for name in [
            "token",
            "access_token",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "AWSAccessKeyId",
            "sig",
            "api_key",
            "api-key",
            "apiKey",
            "key",
            "client_secret",
            "pass%77ord",
            "user[password]",
            "code",
            "PHPSESSID",
            "Session",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["page", "status_code", "monkey", "signal", "author", "sort.key.name", "", "X-Amz-Date"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn s21_a_url_is_shown_without_secrets() {
        for (url, shown) in [
            ("http://u:p@h/x?q#f", "http://h/x?q"),
            (
                "http://h:81/?token=a&b=2;sig=c&pin=&=d&e",
                "http://h:81/?token=REDACTED&b=2;sig=REDACTED&pin=&=d&e",
            ),
            ("http://h/?token=a=b&&token=c", "http://h/?token=REDACTED&&token=REDACTED"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(RedactedUrl::new(&url).to_string(), shown);
            assert_eq!(format!("{:?}", RedactedUrl::new(&url)), shown);
        }
    }

    #[test]
    fn s21_a_reference_is_shown_without_secrets() {
        for (text, shown) in [
            ("/a?code=1", "/a?code=REDACTED"),
            ("/cb#access_token=1&state=2", "/cb#access_token=REDACTED&state=2"),
            ("/a?b?key=1", "/a?b?key=REDACTED"),
            ("?sid=1#?sid=2", "?sid=REDACTED#?sid=REDACTED"),
            ("token=1", "token=1"),
            ("", ""),
        ] {
            assert_eq!(RedactedReference(text).to_string(), shown);
        }
    }
}
