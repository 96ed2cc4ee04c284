//! Resumed downloads: ranges of bytes (RFC 9110 section 14).
//!
//! The module consists of pure values. A [`PartialFile`] describes the received part and asks for
//! the rest, and [`decide`] interprets the response. `sessio-driver`'s `RequestBuilder::resume`
//! applies it to files.
//!
//! ```
//! use sessio::http::StatusCode;
//! use sessio::range::{PartialFile, Validator, Verdict, decide};
//! use sessio::{Head, Headers};
//!
//! let mut first = Headers::new();
//! first.insert("ETag", "\"v1\"")?;
//! let held = PartialFile { length: 500, validator: Validator::of(&first).expect("a strong one") };
//!
//! let mut fields = Headers::new();
//! fields.insert("Content-Range", "bytes 500-1233/1234")?;
//! let head = Head::new(StatusCode::PARTIAL_CONTENT, fields);
//! assert_eq!(decide(Some(&held), &head)?, Verdict::Append { at: 500, end: 1234, length: 1234 });
//! # Ok::<(), sessio::Error>(())
//! ```

use std::fmt;
use std::hash::Hasher as _;

use http::StatusCode;
use url::Url;

use crate::base::decimal;
use crate::base::fault::{Fault, Result};
use crate::base::fnv::Fnv;
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;
use sessio_cookie::parse_date;

/// Minimal age in seconds of a Last-Modified against the Date of its response, to be a strong
/// validator: clocks differ.
const SETTLED: i64 = 60;

/// A strong validator of a representation, the value of `If-Range`: equal validators mean equal
/// bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Validator(pub(crate) Box<[u8]>);

impl Validator {
    /// The validator of a response: its `ETag`, if that is strong.
    ///
    /// A response without any `ETag` has its `Last-Modified`, if that is at least a minute before
    /// its `Date` (RFC 9110 sections 8.8.2.2 and 13.1.5). Without a validator a download cannot be
    /// resumed.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        if headers.contains("ETag") {
            return only(headers, "ETag").filter(|tag| is_strong(tag)).map(|tag| Self(tag.into()));
        }
        let modified = only(headers, "Last-Modified")?;
        let (then, date) = (parse_date(modified)?, parse_date(only(headers, "Date")?)?);
        (date.0.saturating_sub(then.0) >= SETTLED).then(|| Self(modified.into()))
    }

    /// Parses a stored validator. `None` if it cannot have been one.
    #[must_use]
    pub fn read(kept: &[u8]) -> Option<Self> {
        let is_date = || parse_date(kept).is_some() && kept.iter().all(|byte| (b' '..=b'~').contains(byte));
        (is_strong(kept) || is_date()).then(|| Self(kept.into()))
    }

    /// The bytes to store: one line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns `true` if the headers name another version of the representation.
    fn is_contradicted(&self, headers: &Headers) -> bool {
        let name = if is_strong(&self.0) { "ETag" } else { "Last-Modified" };
        headers.get_all(name).any(|value| *value != *self.0)
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Validator({})", crate::base::escape::escape(&self.0))
    }
}

/// The first bytes of a representation, and its validator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "whoever keeps the bytes makes it")]
pub struct PartialFile {
    /// Number of bytes: at least one.
    pub length: u64,
    /// The validator of the response that they belong to.
    pub validator: Validator,
}

/// An identifier of the resource of a URL, to be stored with the bytes. Validators tell versions of
/// one resource apart, not resources. Userinfo and fragment are ignored, and the URL cannot be
/// recovered from it.
#[must_use]
pub fn resource_id(url: &Url) -> String {
    let mut url = crate::uri::address::without_userinfo(url);
    url.set_fragment(None);
    let mut mix = Fnv::default();
    mix.write(url.as_str().as_bytes());
    format!("{:016x}", mix.finish())
}

/// The use of a response for the stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Its body is the bytes from `at` up to `end`, of `length` in total.
    Append {
        /// Offset of the first byte: the number of stored bytes.
        at: u64,
        /// Offset behind the last byte. A server may send less than the requested range.
        end: u64,
        /// The total length in bytes.
        length: u64,
    },
    /// Its body is the whole representation: another version, or the server supports no ranges.
    StartOver,
    /// The stored bytes are the whole representation.
    Complete,
    /// Its body is unusable, and another range request would have the same result. Send the request
    /// without `Range`. The stored bytes stay valid until a response brings the whole
    /// representation.
    RequestWhole,
}

/// Interprets the response to a request that [asked](PartialFile::ask) for the rest of the stored
/// bytes, or, without stored bytes, for all of them. An error leaves the stored bytes valid.
///
/// A part other than the requested one is [`Verdict::RequestWhole`]: another position, another version,
/// several parts, an unknown length. So is a 416, unless it confirms that the stored bytes are
/// complete.
///
/// # Errors
///
/// - [`Kind::BadRange`] for a part in response to a request for the whole, and for any other status
///   that is no error.
/// - [`Kind::Status`] for a status that is an error.
pub fn decide(held: Option<&PartialFile>, head: &Head) -> Result<Verdict> {
    let headers = &head.headers;
    match (head.status, held) {
        (StatusCode::OK, _) => Ok(Verdict::StartOver),
        (StatusCode::PARTIAL_CONTENT, Some(held)) => {
            Ok(rest_of(held, headers).unwrap_or(Verdict::RequestWhole))
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(held)) => {
            let range = only(headers, "Content-Range").and_then(content_range);
            let is_whole = range == Some((None, Some(held.length)));
            let is_same = !held.validator.is_contradicted(headers);
            Ok(if is_whole && is_same { Verdict::Complete } else { Verdict::RequestWhole })
        }
        (status, _) if status.is_client_error() || status.is_server_error() => {
            Err(Fault::new(Kind::Status).with_detail(status.to_string()))
        }
        (StatusCode::PARTIAL_CONTENT, None) => Err(bad("all of it was asked for")),
        (status, _) => Err(Fault::new(Kind::BadRange).with_detail(status.to_string())),
    }
}

/// The verdict on a part, if it is the requested one.
fn rest_of(held: &PartialFile, headers: &Headers) -> Option<Verdict> {
    let is_of_parts = only(headers, "Content-Type").is_some_and(is_of_parts);
    if is_of_parts || held.validator.is_contradicted(headers) {
        return None;
    }
    let (Some((first, last)), Some(length)) = only(headers, "Content-Range").and_then(content_range)? else {
        return None;
    };
    let end = last + 1;
    let is_sound =
        headers.get_all("Content-Length").all(|length| decimal::parse(length) == Some(end - first));
    (first == held.length && is_sound).then_some(Verdict::Append { at: first, end, length })
}

/// Offset of the first byte of a partial response.
pub(crate) fn first_of(head: &Head) -> Option<u64> {
    only(&head.headers, "Content-Range").and_then(content_range)?.0.map(|(first, _)| first)
}

/// Total length of the representation of a partial response.
pub(crate) fn length_of(head: &Head) -> Option<u64> {
    only(&head.headers, "Content-Range").and_then(content_range)?.1
}

#[cold]
fn bad(why: &'static str) -> Fault {
    Fault::new(Kind::BadRange).with_detail(why)
}

/// The value of a field that occurs exactly once.
fn only<'a>(headers: &'a Headers, name: &'a str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// RFC 9110 section 8.8.3, without `W/`.
fn is_strong(tag: &[u8]) -> bool {
    match tag {
        [b'"', inner @ .., b'"'] => inner.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)),
        _ => false,
    }
}

fn is_of_parts(kind: &[u8]) -> bool {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"multipart/byteranges")
}

/// First and last position, and the total length.
type ContentRange = (Option<(u64, u64)>, Option<u64>);

/// Parses a `Content-Range`: `bytes 5-9/20`, with `*` for unknown values. `None` if it is invalid.
fn content_range(value: &[u8]) -> Option<ContentRange> {
    let (unit, rest) = value.split_at_checked(5)?;
    let rest = rest.strip_prefix(b" ").filter(|_| unit.eq_ignore_ascii_case(b"bytes"))?;
    let slash = rest.iter().position(|byte| *byte == b'/')?;
    let (range, length) = (&rest[..slash], &rest[slash + 1..]);
    let length = if length == b"*" { None } else { Some(decimal::parse(length)?) };
    if range == b"*" {
        return Some((None, length));
    }
    let dash = range.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (decimal::parse(&range[..dash])?, decimal::parse(&range[dash + 1..])?);
    // The largest number leaves no room for a position behind it.
    let is_sound = first <= last && last < length.unwrap_or(u64::MAX);
    is_sound.then_some((Some((first, last)), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.append(name, value).unwrap();
        }
        headers
    }

    #[test]
    fn validators_are_strong_or_none() {
        const DAY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (lines, validator) in [
            (&[("ETag", "\"a\"")][..], Some("\"a\"")),
            (&[("etag", "\"\""), ("Last-Modified", DAY)], Some("\"\"")),
            (&[("ETag", "W/\"a\"")], None),
            // A weak tag rules out a date: the server does not vouch for equal bytes.
            (&[("ETag", "W/\"a\""), ("Last-Modified", DAY), ("Date", "Sun, 06 Nov 1995 08:49:37 GMT")], None),
            (&[("ETag", "\"a\""), ("ETag", "\"b\"")], None),
            (&[("ETag", "a")], None),
            (&[("ETag", "\"a\"b\"")], None),
            (&[("ETag", "\"")], None),
            (&[("Last-Modified", DAY), ("Date", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(DAY)),
            (&[("Last-Modified", DAY), ("Date", "Sun, 06 Nov 1994 08:50:36 GMT")], None),
            (&[("Last-Modified", DAY), ("Date", "Sun, 06 Nov 1993 08:50:36 GMT")], None),
            (&[("Last-Modified", DAY)], None),
            (&[("Last-Modified", "yesterday"), ("Date", DAY)], None),
            (&[], None),
        ] {
            let seen = Validator::of(&headers(lines));
            assert_eq!(seen.as_ref().map(Validator::as_bytes), validator.map(str::as_bytes), "{lines:?}");
            // A stored validator is parsed again.
            assert_eq!(seen.as_ref().and_then(|kept| Validator::read(kept.as_bytes())), seen);
        }
        for kept in [&b""[..], b"W/\"a\"", b"\"a\nb\"", b"a", b"Sun, 06 Nov 1994 08:49:37 GMT\r\nX: y"] {
            assert_eq!(Validator::read(kept), None);
        }
    }

    #[test]
    fn the_whole_table() {
        use Verdict::{Append, Complete, RequestWhole, StartOver};
        let tag = "\"v1\"";
        let held = PartialFile { length: 500, validator: Validator::read(tag.as_bytes()).unwrap() };
        let range = |value: &'static str| ("Content-Range", value);
        let good = range("bytes 500-1233/1234");
        let all = Ok(Append { at: 500, end: 1234, length: 1234 });
        let (whole, bad, refused) = (Ok(RequestWhole), Err(Kind::BadRange), Err(Kind::Status));
        for (status, lines, verdict) in [
            (206, &[good][..], all),
            (206, &[range("BYTES 500-1233/1234"), ("ETag", tag), ("Content-Length", "734")], all),
            (206, &[range("bytes 500-599/1234")], Ok(Append { at: 500, end: 600, length: 1234 })),
            (206, &[range("bytes 500-500/501")], Ok(Append { at: 500, end: 501, length: 501 })),
            (206, &[], whole),
            (206, &[good, good], whole),
            (206, &[good, ("ETag", "\"v2\"")], whole),
            (206, &[good, ("ETag", "W/\"v1\"")], whole),
            (206, &[good, ("ETag", tag), ("ETag", "\"v2\"")], whole),
            (206, &[good, ("Content-Length", "735")], whole),
            (206, &[good, ("Content-Length", "+734")], whole),
            (206, &[good, ("Content-Type", "Multipart/ByteRanges; boundary=x")], whole),
            (206, &[range("bytes 0-1233/1234")], whole),
            (206, &[range("bytes 499-1233/1234")], whole),
            (206, &[range("bytes 501-1233/1234")], whole),
            (206, &[range("bytes 500-1234/1234")], whole),
            (206, &[range("bytes 500-499/1234")], whole),
            (206, &[range("bytes 500-1233/*")], whole),
            (206, &[range("bytes */1234")], whole),
            (206, &[range("bytes 500-1233")], whole),
            (206, &[range("bytes=500-1233/1234")], whole),
            (206, &[range("bytes  500-1233/1234")], whole),
            (206, &[range("bytes 500-+1233/1234")], whole),
            (206, &[range("bytes 500-1233/1234/5")], whole),
            (206, &[range("items 500-1233/1234")], whole),
            (206, &[range("bytes 500-18446744073709551615/*")], whole),
            (206, &[range("bytes 500-99999999999999999999/99999999999999999999")], whole),
            (206, &[range("b")], whole),
            (200, &[], Ok(StartOver)),
            (200, &[good, ("ETag", tag)], Ok(StartOver)),
            (416, &[range("bytes */500")], Ok(Complete)),
            (416, &[range("bytes */500"), ("ETag", "\"v2\"")], whole),
            (416, &[range("bytes */499")], whole),
            (416, &[range("bytes */501")], whole),
            (416, &[range("bytes */*")], whole),
            (416, &[range("bytes 0-499/500")], whole),
            (416, &[], whole),
            (204, &[], bad),
            (203, &[], bad),
            (304, &[], bad),
            (301, &[], bad),
            (404, &[], refused),
            (412, &[], refused),
            (503, &[], refused),
        ] {
            let head = Head::new(StatusCode::from_u16(status).unwrap(), headers(lines));
            let seen = decide(Some(&held), &head).map_err(|error| error.kind());
            assert_eq!(seen, verdict, "{status} {lines:?}");
            // Without stored bytes no part is appended, and no response confirms completeness.
            let fresh = match (status, verdict) {
                (200, _) => Ok(StartOver),
                (416, _) => refused,
                (_, Err(kind)) => Err(kind),
                (_, Ok(_)) => bad,
            };
            assert_eq!(decide(None, &head).map_err(|error| error.kind()), fresh, "{status} {lines:?}");
        }
        let day = "Sun, 06 Nov 1994 08:49:37 GMT";
        let held = PartialFile { length: 500, validator: Validator::read(day.as_bytes()).unwrap() };
        for (modified, verdict) in [(day, all), ("Sun, 06 Nov 1994 08:49:38 GMT", whole)] {
            let lines = headers(&[good, ("Last-Modified", modified), ("ETag", "\"any\"")]);
            let head = Head::new(StatusCode::PARTIAL_CONTENT, lines);
            assert_eq!(decide(Some(&held), &head).map_err(|error| error.kind()), verdict);
        }
    }

    #[test]
    fn a_mark_is_of_the_resource() {
        let mark = |url: &str| resource_id(&Url::parse(url).unwrap());
        assert_eq!(mark("http://u:p@a/x?y#z"), mark("http://a/x?y"));
        for other in ["http://a/x", "http://a/x?z", "https://a/x?y", "http://b/x?y", "http://a:81/x?y"] {
            assert_ne!(mark(other), mark("http://a/x?y"), "{other}");
        }
        assert_eq!(mark("http://a/x?y").len(), 16);
    }
}
