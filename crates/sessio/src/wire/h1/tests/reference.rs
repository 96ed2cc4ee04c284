//! A reference parser, written from RFC 9112 and the table of responses: slow, simple, and only for
//! tests (G10).
//!
//! It reads the whole input at once and shares no code with the decoder.

use http::{Method, StatusCode, Version};

/// The result of reading a response.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    /// The statuses of the interim heads.
    pub(super) interim: Vec<u16>,
    pub(super) head: Option<(u16, Version, Vec<u8>, Vec<Line>)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<Line>,
    pub(super) end: Outcome,
    pub(super) reusable: bool,
}

pub(super) type Line = (String, Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Complete,
    Waiting,
    Failed,
}
use Outcome::{Complete, Failed, Waiting};

/// Reads the response to a request of this method; `eof` is set if the connection ends after
/// `input`. It ignores limits.
pub(super) fn read(method: &Method, input: &[u8], eof: bool) -> Read {
    let mut read = Read {
        interim: Vec::new(),
        head: None,
        body: Vec::new(),
        trailers: Vec::new(),
        end: Waiting,
        reusable: false,
    };
    let mut at = 0;
    let end = go(method, input, &mut at, eof, &mut read);
    read.end = end.unwrap_or_else(|stop| match stop {
        Waiting if eof => Failed,
        stop => stop,
    });
    read.reusable &= read.end == Complete && at == input.len();
    read
}

fn go(method: &Method, input: &[u8], at: &mut usize, eof: bool, read: &mut Read) -> Result<Outcome, Outcome> {
    let mut clean = true;
    loop {
        let rest = &input[*at..];
        if !(0..=rest.len().min(8))
            .all(|n| b"HTTP/1.0".starts_with(&rest[..n]) || b"HTTP/1.1".starts_with(&rest[..n]))
        {
            return Err(Failed);
        }
        let (lines, all_crlf) = section(input, at)?;
        clean &= all_crlf;
        let (status, version, reason) = status_line(&lines[0]).ok_or(Failed)?;
        let (fields, folded) = fields(&lines[1..]).ok_or(Failed)?;
        clean &= !folded;
        let tunnel = method == Method::CONNECT && (200..300).contains(&status);
        if tunnel {
            read.head = Some((status, version, reason, fields));
            return Ok(Complete);
        }
        let length = content_length(&fields)?;
        let coding: Vec<_> = values(&fields, "transfer-encoding");
        let chunked = match &coding[..] {
            [] => false,
            [one] if one.eq_ignore_ascii_case(b"chunked") && version == Version::HTTP_11 => true,
            _ => return Err(Failed),
        };
        if status == 101 {
            return Err(Failed);
        }
        let options: Vec<String> = values(&fields, "connection")
            .iter()
            .flat_map(|v| v.split(|&b| b == b','))
            .map(|v| String::from_utf8_lossy(v).trim_matches([' ', '\t']).to_ascii_lowercase())
            .collect();
        let close = options.iter().any(|o| o == "close");
        let keep = options.iter().any(|o| o == "keep-alive");
        clean &= !close && (version == Version::HTTP_11 || keep);
        clean &= !(chunked && length.is_some());
        clean &= !matches!(length, Some((_, true)));
        if status < 200 {
            clean &= !chunked && length.is_none_or(|(n, _)| n == 0);
            read.interim.push(status);
            continue;
        }
        clean &= !(status == 204 && (chunked || length.is_some_and(|(n, _)| n > 0)));
        let mut shown = fields;
        if chunked {
            shown.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        } else if let Some((n, true)) = length {
            let mut is_first = true;
            shown.retain_mut(|(name, value)| {
                let is_length = name.eq_ignore_ascii_case("content-length");
                if is_length && is_first {
                    *value = n.to_string().into_bytes();
                    is_first = false;
                    return true;
                }
                !is_length
            });
        }
        read.head = Some((status, version, reason, shown));
        if method == Method::HEAD || status == 204 || status == 304 {
            read.reusable = clean;
            return Ok(Complete);
        }
        if chunked {
            let folded = chunks(input, at, read)?;
            read.reusable = clean && !folded;
            return Ok(Complete);
        }
        let rest = &input[*at..];
        let Some((length, _)) = length else {
            read.body = rest.to_vec();
            *at = input.len();
            return if eof { Ok(Complete) } else { Err(Waiting) };
        };
        let n = rest.len().min(usize::try_from(length).unwrap());
        read.body = rest[..n].to_vec();
        *at += n;
        if (n as u64) < length {
            return Err(Waiting);
        }
        read.reusable = clean;
        return Ok(Complete);
    }
}

/// The lines up to the empty one, without their ends, and whether all of them ended with CRLF.
fn section(input: &[u8], at: &mut usize) -> Result<(Vec<Vec<u8>>, bool), Outcome> {
    let (mut lines, mut line, mut all_crlf) = (Vec::new(), Vec::new(), true);
    for (index, &byte) in input.iter().enumerate().skip(*at) {
        if byte != b'\n' {
            line.push(byte);
            continue;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        } else {
            all_crlf = false;
        }
        if line.is_empty() {
            *at = index + 1;
            return Ok((lines, all_crlf));
        }
        lines.push(std::mem::take(&mut line));
    }
    Err(Waiting)
}

/// `HTTP-version SP status-code [ SP reason-phrase ]`
fn status_line(line: &[u8]) -> Option<(u16, Version, Vec<u8>)> {
    let version = match line.get(..9)? {
        b"HTTP/1.0 " => Version::HTTP_10,
        b"HTTP/1.1 " => Version::HTTP_11,
        _ => return None,
    };
    let digits = line.get(9..12)?;
    if !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return None;
    }
    let status = std::str::from_utf8(digits).unwrap().parse().unwrap();
    let reason = match line.get(12) {
        None => Vec::new(),
        Some(b' ') => line[13..].to_vec(),
        Some(_) => return None,
    };
    text(&reason).then_some((status, version, reason))
}

/// `*( HTAB / SP / VCHAR / obs-text )`
fn text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| matches!(b, b'\t' | 0x20..=0x7e | 0x80..=0xff))
}

/// `field-name ":" OWS field-value OWS`, each with its folds; returns whether there were folds.
fn fields(lines: &[Vec<u8>]) -> Option<(Vec<Line>, bool)> {
    let mut joined: Vec<(Vec<u8>, bool)> = Vec::new();
    for line in lines {
        if matches!(line[0], b' ' | b'\t') {
            let (before, folded) = joined.last_mut()?;
            // One blank for each byte of the line end; a bare LF is one byte. The comparison
            // ignores the number of blanks.
            before.extend(b"  ");
            before.extend(line);
            *folded = true;
        } else {
            joined.push((line.clone(), false));
        }
    }
    let mut fields = Vec::new();
    let mut any_fold = false;
    for (line, folded) in joined {
        let colon = line.iter().position(|&b| b == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        if name.is_empty() || !name.iter().all(token) || !text(value) {
            return None;
        }
        let name = String::from_utf8(name.to_vec()).unwrap();
        let frames = ["content-length", "transfer-encoding"].contains(&&*name.to_ascii_lowercase());
        if folded && frames {
            return None;
        }
        any_fold |= folded;
        let mut value = value.to_vec();
        while matches!(value.last(), Some(b' ' | b'\t')) {
            value.pop();
        }
        while matches!(value.first(), Some(b' ' | b'\t')) {
            value.remove(0);
        }
        fields.push((name, value));
    }
    Some((fields, any_fold))
}

fn values(fields: &[Line], name: &str) -> Vec<Vec<u8>> {
    fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone()).collect()
}

/// The length, and whether it was repeated.
fn content_length(fields: &[Line]) -> Result<Option<(u64, bool)>, Outcome> {
    let mut known: Option<(u64, bool)> = None;
    for value in values(fields, "content-length") {
        for element in value.split(|&b| b == b',') {
            let element = String::from_utf8(element.to_vec()).map_err(|_| Failed)?;
            let element = element.trim_matches([' ', '\t']);
            if element.is_empty() || !element.chars().all(|c| c.is_ascii_digit()) {
                return Err(Failed);
            }
            let number: u128 = match element.trim_start_matches('0') {
                "" => 0,
                digits if digits.len() > 19 => return Err(Failed),
                digits => digits.parse().unwrap(),
            };
            if number >= 1 << 63 || known.is_some_and(|(n, _)| u128::from(n) != number) {
                return Err(Failed);
            }
            known = Some((u64::try_from(number).unwrap(), known.is_some()));
        }
    }
    Ok(known)
}

/// RFC 9112 section 7.1; returns whether there were folds in the trailers.
fn chunks(input: &[u8], at: &mut usize, read: &mut Read) -> Result<bool, Outcome> {
    let next = |at: &mut usize| -> Result<u8, Outcome> {
        let byte = *input.get(*at).ok_or(Waiting)?;
        *at += 1;
        Ok(byte)
    };
    loop {
        let mut size: u128 = 0;
        let mut digits = 0;
        let mut byte = next(at)?;
        while let Some(digit) = (byte as char).to_digit(16) {
            digits += 1;
            if digits > 16 {
                return Err(Failed);
            }
            size = size * 16 + u128::from(digit);
            byte = next(at)?;
        }
        if digits == 0 {
            return Err(Failed);
        }
        while matches!(byte, b' ' | b'\t') {
            byte = next(at)?;
        }
        if byte == b';' {
            loop {
                byte = next(at)?;
                if byte == b'\r' {
                    break;
                }
                if !text(&[byte]) {
                    return Err(Failed);
                }
            }
        }
        if byte != b'\r' || next(at)? != b'\n' || size >= 1 << 63 {
            return Err(Failed);
        }
        if size == 0 {
            break;
        }
        for _ in 0..size {
            read.body.push(next(at)?);
        }
        if next(at)? != b'\r' || next(at)? != b'\n' {
            return Err(Failed);
        }
    }
    // A trailer line that ends with LF alone is refused at once, whether or not more bytes come.
    let mut before = 0;
    for (index, &byte) in input.iter().enumerate().skip(*at) {
        if byte == b'\n' && before != b'\r' {
            return Err(Failed);
        }
        if byte == b'\n' && (index == *at + 1 || input[..=index].ends_with(b"\n\r\n")) {
            break;
        }
        before = byte;
    }
    let (lines, _) = section(input, at)?;
    let (trailers, folded) = fields(&lines).ok_or(Failed)?;
    read.trailers = trailers;
    Ok(folded)
}

#[test]
fn the_reference_reads_what_it_should() {
    let got = read(&Method::GET, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false);
    assert_eq!((got.end, got.reusable, &*got.body), (Complete, true, &b"hello"[..]));
    assert_eq!(StatusCode::from_u16(got.head.unwrap().0).unwrap(), 200);
    let got = read(&Method::GET, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true);
    assert_eq!((got.end, &*got.body), (Failed, &b"hell"[..]));
}
