//! Rules for the fields of requests (RFC 9113 sections 8.2 and 8.3).

use super::hpack::Field;

/// The rules that the head of a request breaks.
pub(super) fn head(fields: &[Field]) -> Vec<String> {
    let mut faults = Vec::new();
    let is_pseudo = |field: &Field| field.name.first() == Some(&b':');
    let pseudo = fields.iter().take_while(|field| is_pseudo(field)).count();
    if fields[pseudo..].iter().any(is_pseudo) {
        faults.push("a pseudo-field stands behind a field".to_owned());
    }
    let names: Vec<&[u8]> = fields[..pseudo].iter().map(|field| &field.name[..]).collect();
    let value = |name: &[u8]| fields.iter().find(|field| field.name == name).map(|field| &field.value[..]);
    let wanted: &[&[u8]] = match value(b":method") {
        Some(b"CONNECT") => &[b":method", b":authority"],
        _ => &[b":method", b":scheme", b":authority", b":path"],
    };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let mut expected = wanted.to_vec();
    expected.sort_unstable();
    if sorted != expected {
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        faults.push(format!("the pseudo-fields are {names:?}"));
    }
    if fields[..pseudo].iter().any(|field| field.value.is_empty()) {
        faults.push("a pseudo-field is empty".to_owned());
    }
    fields[pseudo..].iter().for_each(|field| check(field, &mut faults));
    faults
}

/// The rules that trailers break.
pub(super) fn trailers(fields: &[Field]) -> Vec<String> {
    let mut faults = Vec::new();
    fields.iter().for_each(|field| check(field, &mut faults));
    faults
}

fn check(field: &Field, faults: &mut Vec<String>) {
    let name = String::from_utf8_lossy(&field.name);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if field.name.is_empty() || !field.name.iter().all(is_token) {
        faults.push(format!("the name {name:?} is not a token"));
    }
    if field.name.iter().any(u8::is_ascii_uppercase) {
        faults.push(format!("the name {name:?} is in upper case"));
    }
    let hop =
        ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"];
    if hop.contains(&&*name) || name == "te" && field.value != b"trailers" {
        faults.push(format!("the field {name:?} belongs to connections of HTTP/1"));
    }
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if field.value.iter().any(|byte| b"\0\r\n".contains(byte))
        || is_blank(field.value.first())
        || is_blank(field.value.last())
    {
        faults.push(format!("the value of {name:?} has a byte that is not allowed"));
    }
}

/// Whether the length of the body matches the Content-Length of the head.
pub(super) fn is_length_kept(fields: &[Field], length: usize) -> bool {
    let mut lengths = fields.iter().filter(|field| field.name == b"content-length");
    lengths.all(|field| field.value == length.to_string().as_bytes())
}
