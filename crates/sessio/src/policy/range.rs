//! To go on where a download stopped: ranges of bytes (RFC 9110 section 14).
//!
//! Pure values, for whoever keeps the part: what is [held](Held) asks for the rest, and [`decide`] says what the answer
//! means. `sessio-driver`'s `RequestBuilder::resume` does it with files.
//!
//! ```
//! use sessio::http::StatusCode;
//! use sessio::range::{Held, Validator, Verdict, decide};
//! use sessio::{Head, Headers};
//!
//! let mut first = Headers::new();
//! first.insert("ETag", "\"v1\"")?;
//! let held = Held { length: 500, validator: Validator::of(&first).expect("a strong one") };
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

use crate::base::fault::{Fault, Result};
use crate::base::fnv::Fnv;
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;
use sessio_cookie::parse_date;

/// How many seconds a date must lie before the answer that told it, to be a strong validator: clocks differ.
const SETTLED: i64 = 60;

/// What tells that a representation is still the same, byte for byte: what `If-Range` is to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Validator(pub(crate) Box<[u8]>);

impl Validator {
    /// That of an answer: its `ETag`, if that is a strong one; without any `ETag` its `Last-Modified`, if that was a minute
    /// ago by the answer's own `Date` (RFC 9110 sections 8.8.2.2 and 13.1.5). Without either nothing can be resumed.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        if headers.contains("ETag") {
            return only(headers, "ETag").filter(|tag| is_strong(tag)).map(|tag| Self(tag.into()));
        }
        let modified = only(headers, "Last-Modified")?;
        let (then, told) = (parse_date(modified)?, parse_date(only(headers, "Date")?)?);
        (told.0.saturating_sub(then.0) >= SETTLED).then(|| Self(modified.into()))
    }

    /// One that was kept. `None` if it cannot have been one.
    #[must_use]
    pub fn read(kept: &[u8]) -> Option<Self> {
        let is_date = || parse_date(kept).is_some() && kept.iter().all(|byte| (b' '..=b'~').contains(byte));
        (is_strong(kept) || is_date()).then(|| Self(kept.into()))
    }

    /// Its bytes, to be kept: one line.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether an answer speaks of something else, where it says so at all.
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

/// The first bytes of a representation, and what tells that it is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "whoever keeps the bytes makes it")]
pub struct PartialFile {
    /// How many bytes there are: at least one.
    pub length: u64,
    /// What the answer that they came with said.
    pub validator: Validator,
}

/// A mark of what a URL names, to be kept beside the bytes: validators tell versions of one resource apart, not
/// resources. Userinfo and fragment do not count, and nothing of the URL can be read from it.
#[must_use]
pub fn resource_id(url: &Url) -> String {
    let mut url = crate::uri::address::without_userinfo(url);
    url.set_fragment(None);
    let mut mix = Fnv::default();
    mix.write(url.as_str().as_bytes());
    format!("{:016x}", mix.finish())
}

/// What an answer means for the bytes that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Its body are the bytes from `at` up to `end`, of `length` altogether.
    Append {
        /// Where they begin: as many as are held.
        at: u64,
        /// Behind the last one. A server may send fewer than it was asked for.
        end: u64,
        /// How many there are in all.
        length: u64,
    },
    /// Its body is all of it: something else by now, or the server knows no ranges.
    StartOver,
    /// There is no more: what is held is all of it.
    Complete,
    /// Its body is of no use, and to ask for the rest again would bring the same: send the request for all of it, without
    /// `Range`. What is held is as good as before until a response brings all of it.
    AskAnew,
}

/// Decides what the answer to a request means that [asked](Held::ask) for the rest of what is held, or, with nothing
/// held, for all of it. As long as it is an error, what is held is as good as before.
///
/// A part that is not the one that was asked for is [`Verdict::AskAnew`]: another place, another version, several parts, a
/// length that nobody tells. So is a 416 that does not say that all of it is held.
///
/// # Errors
/// - [`Kind::BadRange`] for a part where all of it was asked for, and for any other status that is none of an error.
/// - [`Kind::Status`] for those that are.
pub fn decide(held: Option<&PartialFile>, head: &Head) -> Result<Verdict> {
    let headers = &head.headers;
    match (head.status, held) {
        (StatusCode::OK, _) => Ok(Verdict::StartOver),
        (StatusCode::PARTIAL_CONTENT, Some(held)) => Ok(rest_of(held, headers).unwrap_or(Verdict::AskAnew)),
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(held)) => {
            let range = only(headers, "Content-Range").and_then(told);
            let is_whole = range == Some((None, Some(held.length)));
            let is_same = !held.validator.is_contradicted(headers);
            Ok(if is_whole && is_same { Verdict::Complete } else { Verdict::AskAnew })
        }
        (status, _) if status.is_client_error() || status.is_server_error() => {
            Err(Fault::new(Kind::Status).with_detail(status.to_string()))
        }
        (StatusCode::PARTIAL_CONTENT, None) => Err(bad("all of it was asked for")),
        (status, _) => Err(Fault::new(Kind::BadRange).with_detail(status.to_string())),
    }
}

/// The verdict on a part, if it is the one that was asked for.
fn rest_of(held: &PartialFile, headers: &Headers) -> Option<Verdict> {
    let is_of_parts = only(headers, "Content-Type").is_some_and(is_of_parts);
    if is_of_parts || held.validator.is_contradicted(headers) {
        return None;
    }
    let (Some((first, last)), Some(length)) = only(headers, "Content-Range").and_then(told)? else {
        return None;
    };
    let end = last + 1;
    let is_sound = headers.get_all("Content-Length").all(|told| number(told) == Some(end - first));
    (first == held.length && is_sound).then_some(Verdict::Append { at: first, end, length })
}

/// Where the part that a response brings begins.
pub(crate) fn first_of(head: &Head) -> Option<u64> {
    only(&head.headers, "Content-Range").and_then(told)?.0.map(|(first, _)| first)
}

/// How long the whole is that a response brings a part of.
pub(crate) fn length_of(head: &Head) -> Option<u64> {
    only(&head.headers, "Content-Range").and_then(told)?.1
}

#[cold]
fn bad(why: &'static str) -> Fault {
    Fault::new(Kind::BadRange).with_detail(why)
}

/// The value of a field that is there once.
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

/// First and last place, and how much there is in all.
type Told = (Option<(u64, u64)>, Option<u64>);

/// What a `Content-Range` says: `bytes 5-9/20`, and `*` for what it does not say. `None` if it makes no sense.
fn told(value: &[u8]) -> Option<Told> {
    let (unit, rest) = value.split_at_checked(5)?;
    let rest = rest.strip_prefix(b" ").filter(|_| unit.eq_ignore_ascii_case(b"bytes"))?;
    let slash = rest.iter().position(|byte| *byte == b'/')?;
    let (range, length) = (&rest[..slash], &rest[slash + 1..]);
    let length = if length == b"*" { None } else { Some(number(length)?) };
    if range == b"*" {
        return Some((None, length));
    }
    let dash = range.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (number(&range[..dash])?, number(&range[dash + 1..])?);
    // The largest number of all leaves no room for a place behind it.
    let is_sound = first <= last && last < length.unwrap_or(u64::MAX);
    is_sound.then_some((Some((first, last)), length))
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
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
            // Who has a tag, and a weak one, does not vouch for the bytes by a date.
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
            // What is kept is read back.
            assert_eq!(seen.as_ref().and_then(|kept| Validator::read(kept.as_bytes())), seen);
        }
        for kept in [&b""[..], b"W/\"a\"", b"\"a\nb\"", b"a", b"Sun, 06 Nov 1994 08:49:37 GMT\r\nX: y"] {
            assert_eq!(Validator::read(kept), None);
        }
    }

    #[test]
    fn the_whole_table() {
        use Verdict::{Append, AskAnew, Complete, StartOver};
        let tag = "\"v1\"";
        let held = PartialFile { length: 500, validator: Validator::read(tag.as_bytes()).unwrap() };
        let range = |value: &'static str| ("Content-Range", value);
        let good = range("bytes 500-1233/1234");
        let all = Ok(Append { at: 500, end: 1234, length: 1234 });
        let (anew, bad, refused) = (Ok(AskAnew), Err(Kind::BadRange), Err(Kind::Status));
        for (status, lines, verdict) in [
            (206, &[good][..], all),
            (206, &[range("BYTES 500-1233/1234"), ("ETag", tag), ("Content-Length", "734")], all),
            (206, &[range("bytes 500-599/1234")], Ok(Append { at: 500, end: 600, length: 1234 })),
            (206, &[range("bytes 500-500/501")], Ok(Append { at: 500, end: 501, length: 501 })),
            (206, &[], anew),
            (206, &[good, good], anew),
            (206, &[good, ("ETag", "\"v2\"")], anew),
            (206, &[good, ("ETag", "W/\"v1\"")], anew),
            (206, &[good, ("ETag", tag), ("ETag", "\"v2\"")], anew),
            (206, &[good, ("Content-Length", "735")], anew),
            (206, &[good, ("Content-Length", "+734")], anew),
            (206, &[good, ("Content-Type", "Multipart/ByteRanges; boundary=x")], anew),
            (206, &[range("bytes 0-1233/1234")], anew),
            (206, &[range("bytes 499-1233/1234")], anew),
            (206, &[range("bytes 501-1233/1234")], anew),
            (206, &[range("bytes 500-1234/1234")], anew),
            (206, &[range("bytes 500-499/1234")], anew),
            (206, &[range("bytes 500-1233/*")], anew),
            (206, &[range("bytes */1234")], anew),
            (206, &[range("bytes 500-1233")], anew),
            (206, &[range("bytes=500-1233/1234")], anew),
            (206, &[range("bytes  500-1233/1234")], anew),
            (206, &[range("bytes 500-+1233/1234")], anew),
            (206, &[range("bytes 500-1233/1234/5")], anew),
            (206, &[range("items 500-1233/1234")], anew),
            (206, &[range("bytes 500-18446744073709551615/*")], anew),
            (206, &[range("bytes 500-99999999999999999999/99999999999999999999")], anew),
            (206, &[range("b")], anew),
            (200, &[], Ok(StartOver)),
            (200, &[good, ("ETag", tag)], Ok(StartOver)),
            (416, &[range("bytes */500")], Ok(Complete)),
            (416, &[range("bytes */500"), ("ETag", "\"v2\"")], anew),
            (416, &[range("bytes */499")], anew),
            (416, &[range("bytes */501")], anew),
            (416, &[range("bytes */*")], anew),
            (416, &[range("bytes 0-499/500")], anew),
            (416, &[], anew),
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
            // With nothing held nothing is appended, and nothing is complete.
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
        for (modified, verdict) in [(day, all), ("Sun, 06 Nov 1994 08:49:38 GMT", anew)] {
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
