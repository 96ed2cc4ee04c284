//! File formats for cookies.

mod cookies_txt;
#[cfg(feature = "serde")]
mod document;
#[cfg(feature = "json")]
mod json;
mod lwp;
mod restore;

pub use restore::{Fault, Keep, Loaded, Problem, Saved};
use restore::{next_line, unmarked};

use crate::jar::Jar;
use crate::scan::trim;
use crate::unix_time::UnixTime;

/// A file format for cookies. The [chapter](crate#files) has the programs that use each format, and
/// the fields that each loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Netscape's `cookies.txt`, for curl and most other tools.
    CookiesTxt,
    /// The format of Python's `LWPCookieJar`.
    Lwp,
    /// JSON with every field of each cookie.
    #[cfg(feature = "json")]
    Json,
    /// Playwright's `storageState`.
    #[cfg(feature = "json")]
    StorageState,
}

impl Format {
    /// Detects the format of a text; `None` for JSON without the feature `json`.
    ///
    /// ```
    /// use sessio_cookie::Format;
    ///
    /// assert_eq!(Format::of(b"#LWP-Cookies-2.0\n"), Some(Format::Lwp));
    /// assert_eq!(Format::of(b""), Some(Format::CookiesTxt));
    /// ```
    #[must_use]
    pub fn of(text: &[u8]) -> Option<Self> {
        let text = unmarked(text).trim_ascii_start();
        if matches!(text.first(), Some(b'{' | b'[')) {
            return Self::of_json(text);
        }
        let first = trim(next_line(text).0);
        let is_lwp = first.starts_with(b"#LWP-Cookies") || first.starts_with(b"Set-Cookie3:");
        Some(if is_lwp { Self::Lwp } else { Self::CookiesTxt })
    }

    #[cfg(feature = "json")]
    fn of_json(text: &[u8]) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Named {
            format: String,
        }
        let named = serde_json::from_slice::<Named>(text);
        let is_ours = named.is_ok_and(|document| document.format == crate::format::document::FORMAT);
        Some(if is_ours { Self::Json } else { Self::StorageState })
    }

    #[cfg(not(feature = "json"))]
    const fn of_json(_: &[u8]) -> Option<Self> {
        None
    }
}

impl Jar {
    /// Reads a file of cookies in any [`Format`], which it detects.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime};
    ///
    /// let text = b"example.com\tFALSE\t/\tFALSE\t0\tlang\ten\n";
    /// let mut jar = Jar::new();
    /// assert_eq!(jar.read(text, UnixTime(1_767_225_600)).stored, 1);
    /// ```
    pub fn read(&mut self, text: &[u8], now: UnixTime) -> Loaded {
        match Format::of(text) {
            Some(Format::CookiesTxt) => self.read_cookies_txt(text, now),
            Some(Format::Lwp) => self.read_lwp(text, now),
            #[cfg(feature = "json")]
            Some(Format::Json) => self.read_json(text, now),
            #[cfg(feature = "json")]
            Some(Format::StorageState) => self.read_storage_state(text, now),
            None => {
                let mut loaded = Loaded::default();
                loaded.fail(0, Fault::Malformed("another format than JSON, without the feature `json`"));
                loaded
            }
        }
    }

    /// Appends the jar in `format` to `out`.
    pub fn write(&self, format: Format, keep: Keep, now: UnixTime, out: &mut Vec<u8>) -> Saved {
        match format {
            Format::CookiesTxt => self.write_cookies_txt(keep, now, out),
            Format::Lwp => self.write_lwp(keep, now, out),
            #[cfg(feature = "json")]
            Format::Json => self.write_json(keep, now, out),
            #[cfg(feature = "json")]
            Format::StorageState => self.write_storage_state(keep, now, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn what_was_written_is_known_again() {
        let now = crate::UnixTime(1_767_225_600);
        let mut jar = Jar::new();
        jar.extract(&Url::parse("https://example.com/").unwrap(), [&b"sid=31d4; HttpOnly"[..]], now);
        let formats = [
            Format::CookiesTxt,
            Format::Lwp,
            #[cfg(feature = "json")]
            Format::Json,
            #[cfg(feature = "json")]
            Format::StorageState,
        ];
        for format in formats {
            for mark in [&b""[..], b"\xef\xbb\xbf", b"\n"] {
                let mut text = mark.to_vec();
                assert_eq!(jar.write(format, Keep::All, now, &mut text).written, 1);
                assert_eq!(Format::of(&text), Some(format), "{}", text.escape_ascii());
                let mut other = Jar::new();
                assert_eq!(other.read(&text, now).stored, 1, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn json_in_any_order_of_keys() {
        let text = br#" {"cookies": [], "version": 1, "format": "sessio-cookies"}"#;
        let expected = cfg!(feature = "json").then_some("Json");
        assert_eq!(Format::of(text).map(|format| format!("{format:?}")).as_deref(), expected);
        let loaded = Jar::new().read(text, UnixTime(0));
        assert_eq!(loaded.problems.len(), usize::from(expected.is_none()), "{:?}", loaded.problems);
    }
}
