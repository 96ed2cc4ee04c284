//! A section of fields: a head, or the trailers.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;

use http::{StatusCode, Version};

use super::framing::{Decision, Framing, Tidy};
use super::request_context::RequestContext;
use super::reuse::NoReuse;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;

/// Nearly every head has fewer fields than this; more of them cost an allocation.
const USUAL_FIELDS: usize = 64;

/// The lines of a section that is still arriving. No byte is scanned twice, however the section is
/// cut.
#[derive(Default)]
pub(super) struct Lines {
    /// Start of the first incomplete line.
    line: usize,
    /// No further line end before this position.
    seen: usize,
    /// Start of the second line.
    first: usize,
    /// Number of lines that are no continuation.
    count: usize,
    /// A line begins with a blank: it continues the one before.
    folded: bool,
    /// The first line that can hold a field begins with a blank.
    stray_fold: bool,
    /// A line ends with LF alone.
    pub(super) bare_line_feed: bool,
}

impl Lines {
    /// Scans the new bytes for the empty line that ends the section; returns the end of the
    /// section. At most `most` lines may be no continuation; `start_line` is set if the first line
    /// is not a field.
    pub(super) fn find_end(&mut self, bytes: &[u8], most: usize, start_line: bool) -> Result<Option<usize>> {
        while let Some(found) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + found;
            let line = &bytes[self.line..end];
            self.seen = end + 1;
            self.line = end + 1;
            match line {
                [] => {
                    self.bare_line_feed = true;
                    return Ok(Some(self.seen));
                }
                b"\r" => return Ok(Some(self.seen)),
                [b' ' | b'\t', ..] => {
                    self.folded = true;
                    self.stray_fold |= self.count <= usize::from(start_line);
                }
                _ => {
                    self.count += 1;
                    if self.count > most {
                        return Err(Fault::new(Kind::TooManyFields));
                    }
                    if self.count == 1 {
                        self.first = self.seen;
                    }
                }
            }
            self.bare_line_feed |= line.last() != Some(&b'\r');
        }
        self.seen = bytes.len();
        Ok(None)
    }

    /// The tolerated deviation, if any.
    pub(super) fn tolerated(&self) -> Option<NoReuse> {
        if self.folded { Some(NoReuse::Folded) } else { self.bare_line_feed.then_some(NoReuse::BareLineFeed) }
    }

    /// Replaces each fold, with all blanks around it, by one blank (RFC 9112 section 5.2), in
    /// place. Returns the new length of the section.
    ///
    /// Folds in fields that frame the message are an error: other parsers read them in different
    /// ways.
    pub(super) fn unfold(&self, section: &mut [u8]) -> Result<usize, &'static str> {
        if !self.folded {
            return Ok(section.len());
        }
        if self.stray_fold {
            return Err("a fold before the first field"); // row P076
        }
        // Start of the field's line: in the input, and in the output.
        let (mut field, mut from, mut to) = (0, 0, 0);
        while from < section.len() {
            let end = memchr::memchr(b'\n', &section[from..]).map_or(section.len(), |found| from + found + 1);
            section.copy_within(from..end, to);
            to += end - from;
            from = end;
            if !section.get(from).is_some_and(|byte| is_blank(*byte)) {
                field = to;
                continue;
            }
            // A blank before the colon, folded or not, is refused later, so only these names can
            // match.
            let is = |name: &[u8]| {
                section[field..to].get(..name.len()).is_some_and(|b| b.eq_ignore_ascii_case(name))
            };
            if is(b"content-length:") || is(b"transfer-encoding:") {
                return Err("a fold in a field that frames the message");
            }
            let line = &section[field..to];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            to = field + line.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
            section[to] = b' ';
            to += 1;
            from += section[from..].iter().take_while(|byte| is_blank(**byte)).count();
        }
        Ok(to)
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Checks whether a response can begin with these bytes (RFC 9112 section 4). An error is reported
/// at the first wrong byte.
pub(super) fn check_greeting(bytes: &[u8], is_first: bool) -> Result<()> {
    const SCHEME: &[u8] = b"HTTP/1.";
    let shown = bytes.len().min(SCHEME.len());
    if bytes[..shown] != SCHEME[..shown] {
        return Err(if is_first {
            not_http(bytes)
        } else {
            // The peer speaks HTTP: it has sent an interim response.
            Fault::new(Kind::BadHead).with_detail("no status line behind an interim response")
        });
    }
    match bytes.get(SCHEME.len()) {
        None | Some(b'0' | b'1') => Ok(()),
        Some(_) => {
            let version = escape(&bytes[..8]);
            Err(Fault::new(Kind::BadHead).with_detail(format!("version \"{version}\"")))
        }
    }
}

/// The error with a hint at the peer's protocol. Its text depends on how many bytes have arrived.
#[cold]
fn not_http(bytes: &[u8]) -> Fault {
    let error = Fault::new(Kind::NotHttp);
    match bytes {
        // TLS records: an alert or a handshake, and then the version 3.x.
        [0x15 | 0x16] | [0x15 | 0x16, 3, ..] => {
            error.with_detail("the server speaks TLS: is this the port of https?")
        }
        _ => error.with_detail(format!("it says \"{}\"", escape(&bytes[..bytes.len().min(32)]))),
    }
}

/// Parses a whole head. Its fields point into one copy of its bytes, in `memory`.
pub(super) fn parse_head(
    bytes: &[u8],
    lines: &Lines,
    asked: RequestContext,
    memory: Headers,
) -> Result<(Head, Decision)> {
    if lines.count <= USUAL_FIELDS {
        parse_head_into(bytes, lines, asked, memory, &mut [const { MaybeUninit::uninit() }; USUAL_FIELDS])
    } else {
        parse_head_into(bytes, lines, asked, memory, &mut vec![MaybeUninit::uninit(); lines.count])
    }
}

fn parse_head_into<'b>(
    bytes: &'b [u8],
    lines: &Lines,
    asked: RequestContext,
    memory: Headers,
    slots: &mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<(Head, Decision)> {
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, slots);
    match parsed {
        // Both parsers must see the same end, or one is wrong about the start of the body.
        Ok(httparse::Status::Complete(len)) if len == bytes.len() => {}
        Ok(_) => return Err(Fault::new(Kind::BadHead)),
        Err(error) => return Err(Fault::new(Kind::BadHead).with_detail(describe(error))),
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let Some(status) = status else {
        return Err(Fault::new(Kind::BadHead).with_detail("invalid status code"));
    };
    let version = if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let fields = response.headers.iter().map(|field| (field.name.as_bytes(), field.value));
    let decision = Framing::decide(status, asked, version, fields)?;

    let block = &bytes[lines.first..];
    let mut headers = headers(block, memory, response.headers).ok_or_else(|| Fault::new(Kind::BadHead))?;
    tidy(&mut headers, decision.tidy)?;
    let reason = reason(status, &bytes[..lines.first]);
    Ok((Head { status, version, headers, reason }, decision))
}

/// Parses the complete trailers.
pub(super) fn parse_trailers(bytes: &[u8], lines: &Lines) -> Result<Headers> {
    if lines.count == 0 {
        return Ok(Headers::new());
    }
    let bad = || Fault::new(Kind::BadChunk);
    let mut slots = vec![httparse::EMPTY_HEADER; lines.count];
    match httparse::parse_headers(bytes, &mut slots) {
        Ok(httparse::Status::Complete((len, fields))) if len == bytes.len() => {
            headers(bytes, Headers::new(), fields).ok_or_else(bad)
        }
        Ok(_) => Err(bad().with_detail("trailers")),
        Err(error) => Err(bad().with_detail(format!("trailers: {}", describe(error)))),
    }
}

/// The fields as spans of one copy of the block, in `memory`. `None` if a field is too large for a span.
fn headers(block: &[u8], memory: Headers, fields: &[httparse::Header<'_>]) -> Option<Headers> {
    let base = block.as_ptr().addr();
    let place = |bytes: &[u8]| -> Range<usize> {
        let start = bytes.as_ptr().addr() - base;
        start..start + bytes.len()
    };
    let places = fields.iter().map(|field| (place(field.name.as_bytes()), place(field.value)));
    Headers::from_block(block, memory, places)
}

#[cold]
fn set_right(headers: &mut Headers, tidy: Tidy) -> Result<()> {
    const NAME: &str = "Content-Length";
    match tidy {
        Tidy::Nothing => {}
        Tidy::HideLength => {
            headers.remove(NAME);
        }
        Tidy::CollapseLength(length) => {
            let first = headers.iter().find(|field| field.name.eq_ignore_ascii_case(NAME));
            let spelling = first.map_or(NAME, |field| field.name).to_owned();
            headers.insert(spelling, length.to_string())?;
        }
    }
    Ok(())
}

fn tidy(headers: &mut Headers, tidy: Tidy) -> Result<()> {
    if tidy == Tidy::Nothing { Ok(()) } else { set_right(headers, tidy) }
}

/// The reason phrase of a valid status line. The usual phrases are not allocated.
fn reason(status: StatusCode, line: &[u8]) -> Cow<'static, [u8]> {
    const BEFORE: usize = b"HTTP/1.1 200".len();
    let reason = line.get(BEFORE..).unwrap_or_default();
    let reason = reason.strip_prefix(b" ").unwrap_or(reason);
    let reason = reason.strip_suffix(b"\n").unwrap_or(reason);
    let reason = reason.strip_suffix(b"\r").unwrap_or(reason);
    match status.canonical_reason().map(str::as_bytes) {
        Some(usual) if usual == reason => Cow::Borrowed(usual),
        _ if reason.is_empty() => Cow::Borrowed(b""),
        _ => Cow::Owned(reason.to_vec()),
    }
}

const fn describe(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "invalid field name",
        httparse::Error::HeaderValue => "invalid byte in a field's value",
        httparse::Error::NewLine => "invalid line end",
        httparse::Error::Status => "invalid status line",
        httparse::Error::Token => "invalid token",
        httparse::Error::TooManyHeaders => "too many fields",
        httparse::Error::Version => "invalid version",
    }
}
