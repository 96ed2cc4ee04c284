//! The canonical form of a request, which is signed.

use std::collections::BTreeMap;

use crate::base::percent;
use crate::prepared::Prepared;

/// How a path is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathRule {
    /// As it is, with percent-encoding: S3.
    Once,
    /// Without dot segments and empty segments, and encoded again.
    Twice,
}

/// The parts of a canonical request that depend on its target and its header fields.
pub(super) struct Canonical {
    path: String,
    query: String,
    /// Values by names in lower case.
    fields: BTreeMap<String, Vec<u8>>,
}

impl Canonical {
    pub(super) fn new(request: &Prepared, rule: PathRule) -> Self {
        let (path, query) = match request.target().split_once('?') {
            Some((path, query)) => (path, query),
            None => (request.target(), ""),
        };
        let path = match rule {
            PathRule::Once => encoded(path),
            PathRule::Twice => quoted(&resolved(&encoded(path))),
        };
        Self { path, query: canonical_query(query), fields: canonical_fields(request) }
    }

    /// The names of the signed fields.
    pub(super) fn signed_headers(&self) -> String {
        let names: Vec<_> = self.fields.keys().map(String::as_str).collect();
        names.join(";")
    }

    /// The canonical request. Field values are bytes.
    pub(super) fn text(&self, request: &Prepared, payload: &str) -> Vec<u8> {
        let mut text = format!("{}\n{}\n{}\n", request.method(), self.path, self.query).into_bytes();
        for (name, value) in &self.fields {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        text.extend_from_slice(format!("\n{}\n{payload}", self.signed_headers()).as_bytes());
        text
    }
}

/// Values of the signed fields: without blanks around them, and with one blank for several.
fn canonical_fields(request: &Prepared) -> BTreeMap<String, Vec<u8>> {
    let mut fields = BTreeMap::<String, Vec<u8>>::new();
    for field in request.headers().iter() {
        let name = field.name.to_ascii_lowercase();
        let is_signed = matches!(&*name, "host" | "content-md5" | "content-type" | "date" | "range")
            || name.starts_with("x-amz-");
        if !is_signed {
            continue;
        }
        let words = field.value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        let value = words.collect::<Vec<_>>().join(&b' ');
        match fields.get_mut(&name) {
            Some(before) => {
                before.push(b',');
                before.extend_from_slice(&value);
            }
            None => drop(fields.insert(name, value)),
        }
    }
    fields
}

/// Pairs in the order of their names and values, with percent-encoding.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let part = |text: &str| encoded_part(&text.replace('+', "%20"));
            (part(name), part(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A path in which all bytes but unreserved ones and slashes are percent-encoded, once.
fn encoded(path: &str) -> String {
    path.split('/').map(encoded_part).collect::<Vec<_>>().join("/")
}

/// A segment or a value in which all but unreserved bytes are percent-encoded, once.
fn encoded_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    percent::decode(text).into_iter().for_each(|byte| push(byte, &mut out));
    out
}

/// A path whose percent-encoding is encoded again.
fn quoted(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' => out.push('/'),
            byte => push(byte, &mut out),
        }
    }
    out
}

/// Appends a byte: unreserved ones as they are (RFC 3986 section 2.3).
fn push(byte: u8, out: &mut String) {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
        byte => percent::push(byte, out),
    }
}

/// A path without empty segments and dot segments. A slash at its end stays.
fn resolved(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_once_and_resolved() {
        for (path, once, twice) in [
            ("/", "/", "/"),
            ("/a b$/~", "/a%20b%24/~", "/a%2520b%2524/~"),
            ("/%7e%2f%2F%C3%a9", "/~%2F%2F%C3%A9", "/~%252F%252F%25C3%25A9"),
            ("//a//./b/../c/", "//a//./b/../c/", "/a/c/"),
            ("/..", "/..", "/"),
            ("/a/.", "/a/.", "/a"),
        ] {
            assert_eq!(encoded(path), once);
            assert_eq!(quoted(&resolved(&encoded(path))), twice);
        }
    }

    #[test]
    fn a_query_is_sorted_by_its_encoded_parts() {
        for (query, canonical) in [
            ("", ""),
            ("lifecycle", "lifecycle="),
            ("b=2&a=1&a=0&&c", "a=0&a=1&b=2&c="),
            ("a=x+y&a=x%2By&%61=*", "a=%2A&a=x%20y&a=x%2By"),
            ("k=a=b&K=%c3%a9", "K=%C3%A9&k=a%3Db"),
        ] {
            assert_eq!(canonical_query(query), canonical);
        }
    }
}
