//! The fields of a head or of a trailer section.

use crate::bad_request::BadRequest;

/// Names and values in order.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Parses one line of a head or of a trailer section, without its line end.
pub(crate) fn field(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), BadRequest> {
    let colon = line.iter().position(|b| *b == b':').ok_or(BadRequest::new("a field without a colon"))?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(BadRequest::new("a field name is not a token"));
    }
    if value.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
        return Err(BadRequest::new("a control character in a field value"));
    }
    Ok((name.to_vec(), value.to_vec()))
}

pub(crate) fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// Bytes as text, one character per byte. No byte is lost and none is an error.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}
