//! Fuzz body for multipart forms, and a parser of such forms written directly from the grammar.

use crate::message::multipart::{Assembly, Form, Part, Wanted};
use crate::testing::at;
use crate::{Jar, Kind, Request, Result, Seed, Settings, merge, prepare};

/// A part that was read: its header lines and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The lines in order, without their ends.
    pub lines: Vec<Vec<u8>>,
    /// The content.
    pub content: Vec<u8>,
}

/// Reads a form byte by byte (RFC 2046 section 5.1.1): every line that begins with the delimiter
/// ends a part. Nothing precedes the first delimiter, and nothing follows the last.
#[must_use]
pub fn read(boundary: &str, body: &[u8]) -> Option<Vec<Read>> {
    let (delimiter, last) = (format!("\r\n--{boundary}"), format!("--{boundary}--\r\n"));
    let mut parts = Vec::new();
    // The line break before the first delimiter is not sent if nothing precedes it.
    let padded = [b"\r\n", body].concat();
    let mut at = delimiter.len();
    if !padded.starts_with(delimiter.as_bytes()) {
        return None;
    }
    loop {
        let rest = &padded[at..];
        if rest == &last.as_bytes()[delimiter.len() - 2..] {
            return Some(parts);
        }
        let rest = rest.strip_prefix(b"\r\n")?;
        let mut lines = Vec::new();
        let mut left = rest;
        loop {
            let end = left.windows(2).position(|two| two == b"\r\n")?;
            let line = &left[..end];
            left = &left[end + 2..];
            if line.is_empty() {
                break;
            }
            lines.push(line.to_vec());
        }
        // The line break before a delimiter belongs to the delimiter. The empty line of the head
        // does not: it precedes the content.
        let end = left.windows(delimiter.len()).position(|window| window == delimiter.as_bytes())?;
        parts.push(Read { lines, content: left[..end].to_vec() });
        at = padded.len() - left.len() + end + delimiter.len();
    }
}

/// The line that names a part, written as the HTML standard says, character by character.
#[must_use]
pub fn disposition(name: &str, file_name: Option<&str>) -> Vec<u8> {
    let quoted = |name: &str| -> String {
        name.chars()
            .map(|c| match c {
                '"' => "%22".to_owned(),
                '\r' => "%0D".to_owned(),
                '\n' => "%0A".to_owned(),
                c => c.to_string(),
            })
            .collect()
    };
    let mut line = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
    if let Some(file_name) = file_name {
        line.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
    }
    line.into_bytes()
}

/// Reads an assembly to its end, in pieces of these sizes in turn. The sources have these bytes.
///
/// # Errors
///
/// The error of the assembly for a source with another length than declared.
pub fn gather(assembly: &mut Assembly, sources: &[Vec<u8>], sizes: &[usize]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut sizes = sizes.iter().copied().cycle();
    let mut given = vec![0; sources.len()];
    loop {
        let size = sizes.next().unwrap_or(1).max(1);
        match assembly.wanted() {
            Wanted::End => return Ok(out),
            Wanted::Bytes(bytes) => {
                assert!(!bytes.is_empty(), "nothing is wanted");
                let n = bytes.len().min(size);
                out.extend_from_slice(&bytes[..n]);
                assembly.took(n);
            }
            Wanted::Source { index, most } => {
                let left = &sources[index][given[index]..];
                let n = left.len().min(size).min(usize::try_from(most).unwrap_or(usize::MAX));
                if n == 0 {
                    assembly.ended()?;
                } else {
                    assembly.supplied(n)?;
                    out.extend_from_slice(&left[..n]);
                    given[index] += n;
                }
            }
        }
    }
}

/// Bytes as decisions.
struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte() % 32).min(self.0.len());
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    fn maybe(&mut self) -> Option<String> {
        (self.byte() % 2 == 1).then(|| self.text())
    }
}

/// Whether a header line may contain the value.
fn is_plain(value: &str) -> bool {
    !value.bytes().any(|b| b == 0x7f || b < 0x20 && b != b'\t')
}

/// Any form is refused for a reason, or is read back unchanged. Any cuts give the same bytes.
pub fn multipart(data: &[u8]) {
    let mut dice = Dice(data);
    let (mut form, mut expected, mut sources) = (Form::new(), Vec::new(), Vec::new());
    let (mut is_valid, mut is_sized) = (true, true);
    for _ in 0..dice.byte() % 5 {
        let (name, file_name, kind, custom) = (dice.text(), dice.maybe(), dice.maybe(), dice.maybe());
        let content = dice.bytes().to_vec();
        let mut part = match dice.byte() % 3 {
            0 => Part::bytes(content.clone()),
            how => {
                sources.push(content.clone());
                is_sized &= how == 1;
                Part::source((how == 1).then_some(content.len() as u64), true)
            }
        };
        let is_named = |name: &str| is_plain(&name.replace(['\r', '\n'], ""));
        let is_value = |value: &str| is_plain(value) && !value.starts_with([' ', '\t']);
        is_valid &= is_named(&name) && file_name.as_deref().is_none_or(is_named);
        is_valid &= kind.as_deref().is_none_or(is_value) && custom.as_deref().is_none_or(is_value);
        let mut lines = vec![disposition(&name, file_name.as_deref())];
        if let Some(file_name) = file_name {
            part = part.file_name(file_name);
        }
        if let Some(custom) = &custom {
            part = part.header("X-Custom", custom);
        }
        if let Some(kind) = kind {
            lines.push(format!("Content-Type: {kind}").into_bytes());
            part = part.content_type(kind);
        }
        lines.extend(custom.map(|custom| format!("X-Custom: {custom}").into_bytes()));
        expected.push(Read { lines, content });
        form = form.part(name, part);
    }
    let mut request =
        Request::post("http://example.org/").multipart(form, &mut Seed::new(u64::from(dice.byte())));
    let own = dice.maybe().map(|boundary| format!("multipart/form-data; boundary={boundary}"));
    if let Some(own) = &own {
        request = request.header("Content-Type", own);
    }
    let prepared = match prepare(merge(&Settings::default(), request), &mut Jar::new(), at(0)) {
        Ok(prepared) => prepared,
        Err(error) => {
            assert!(!is_valid || own.is_some(), "{error}");
            assert!(matches!(error.kind(), Kind::InvalidHeader | Kind::InvalidBody), "{error}");
            return;
        }
    };
    assert!(is_valid, "{data:?}");
    let sizes: Vec<usize> = dice.0.iter().map(|size| usize::from(*size)).chain([7]).collect();
    let body = match (prepared.request.body().as_bytes(), prepared.request.body().assembly()) {
        (Some(bytes), None) => bytes.to_vec(),
        (None, Some(mut assembly)) => {
            let once = gather(&mut assembly, &sources, &sizes).expect("the sources keep their word");
            assembly.rewind();
            assert!(gather(&mut assembly, &sources, &[usize::MAX]).is_ok_and(|again| again == once));
            once
        }
        other => unreachable!("{other:?}"),
    };
    assert_eq!(prepared.request.body().length(), is_sized.then_some(body.len() as u64));
    let kind = prepared.request.headers().get("Content-Type").unwrap_or_default();
    let boundary = kind.split_once("boundary=").map(|(_, boundary)| boundary).unwrap_or_default();
    // A boundary of the caller is not checked if it is quoted or occurs in a source: this parser
    // supports neither.
    if own.is_none() || !boundary.contains(['"', ';', ' ']) && !holds(&sources, boundary) {
        assert_eq!(read(boundary.trim_end(), &body), Some(expected), "{}", body.escape_ascii());
    }
}

fn holds(sources: &[Vec<u8>], boundary: &str) -> bool {
    sources
        .iter()
        .any(|bytes| bytes.windows(boundary.len().max(1)).any(|window| window == boundary.as_bytes()))
}
