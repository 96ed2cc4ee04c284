//! Requests in the form of HTTP/2 (RFC 9113 sections 8.2 and 8.3).

use std::fmt;

use crate::hpack::{Encoder, FIELD_OVERHEAD, Indexing};

/// The pseudo-fields of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method. With `CONNECT` neither scheme nor path is sent.
    pub method: &'a str,
    /// `https` or `http`.
    pub scheme: &'a str,
    /// Host and port. Default: `Host` among the fields.
    pub authority: Option<&'a str>,
    /// Path and query; `*` for `OPTIONS *`.
    pub path: &'a str,
}

/// A field of a request or of trailers. A name may be in any case: it is sent in lower case.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// Set for a secret: then no table at any hop stores it. `Authorization`, `Proxy-Authorization`
    /// and short cookies are always secrets.
    pub is_sensitive: bool,
}

impl<'a> Field<'a> {
    /// Creates a field that is no secret.
    pub fn new(name: &'a (impl AsRef<[u8]> + ?Sized), value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name: name.as_ref(), value: value.as_ref(), is_sensitive: false }
    }

    /// Marks the field as a secret.
    pub fn sensitive(self) -> Self {
        Self { is_sensitive: true, ..self }
    }
}

/// Omits the value: it may be a secret.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &String::from_utf8_lossy(self.name)).finish_non_exhaustive()
    }
}

/// The reason why a request cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The method is no token.
    Method,
    /// The scheme is empty, or has a byte that is not allowed.
    Scheme,
    /// There is no authority and no `Host`, or it has a byte that is not allowed.
    Authority,
    /// The path is empty, or has a byte that is not allowed.
    Path,
    /// A name is no token.
    Name,
    /// A value has NUL, CR or LF.
    Value,
    /// The header list is larger than the peer accepts (SETTINGS_MAX_HEADER_LIST_SIZE).
    TooLarge,
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "the method is not a token",
            Self::Scheme => "the scheme is not valid",
            Self::Authority => "there is no valid authority and no valid Host",
            Self::Path => "the path is not valid",
            Self::Name => "a field name is not a token",
            Self::Value => "a field value has a byte that is not allowed",
            Self::TooLarge => "the header list is larger than the server takes",
        })
    }
}

impl std::error::Error for InvalidRequest {}

/// The result of checking the fields of a request.
pub(crate) struct Checked<'a> {
    authority: &'a [u8],
    has_nominations: bool,
    list_size: usize,
}

/// Checks a whole request before any of it is encoded: the table of the encoder cannot be rolled
/// back.
pub(crate) fn check<'a>(
    head: &RequestHead<'a>,
    fields: impl Iterator<Item = Field<'a>>,
) -> Result<Checked<'a>, InvalidRequest> {
    let is_connect = head.method == "CONNECT";
    if !is_token(head.method.as_bytes()) {
        return Err(InvalidRequest::Method);
    }
    if !is_connect && (head.scheme.is_empty() || !is_visible(head.scheme.as_bytes())) {
        return Err(InvalidRequest::Scheme);
    }
    if !is_connect && (head.path.is_empty() || !is_visible(head.path.as_bytes())) {
        return Err(InvalidRequest::Path);
    }
    let mut authority = head.authority.map(str::as_bytes);
    let mut has_nominations = false;
    let mut list_size = head.method.len() + head.scheme.len() + head.path.len() + 200;
    for field in fields {
        check_field(&field)?;
        list_size += field.name.len() + field.value.len() + FIELD_OVERHEAD;
        if field.name.len() == 4 && authority.is_none() && field.name.eq_ignore_ascii_case(b"host") {
            authority = Some(field.value);
        }
        has_nominations |= field.name.len() == 10 && field.name.eq_ignore_ascii_case(b"connection");
    }
    let authority = authority.filter(|authority| !authority.is_empty() && is_visible(authority));
    let authority = authority.ok_or(InvalidRequest::Authority)?;
    Ok(Checked { authority, has_nominations, list_size: list_size + authority.len() })
}

impl Checked<'_> {
    /// The size of the header list, or a little more.
    pub(crate) fn list_size(&self) -> usize {
        self.list_size
    }
}

fn check_field(field: &Field<'_>) -> Result<(), InvalidRequest> {
    if !is_token(field.name) {
        return Err(InvalidRequest::Name);
    }
    if field.value.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n')) {
        return Err(InvalidRequest::Value);
    }
    Ok(())
}

/// Appends the header block of a checked request.
pub(crate) fn encode<'a>(
    head: &RequestHead<'a>,
    checked: &Checked<'a>,
    fields: impl Iterator<Item = Field<'a>> + Clone,
    encoder: &mut Encoder,
    out: &mut Vec<u8>,
) {
    encoder.begin(out);
    encoder.encode(b":method", head.method.as_bytes(), Indexing::Incremental, out);
    if head.method != "CONNECT" {
        encoder.encode(b":scheme", head.scheme.as_bytes(), Indexing::Incremental, out);
    }
    encoder.encode(b":authority", checked.authority, Indexing::Incremental, out);
    if head.method != "CONNECT" {
        // Paths differ: they would evict everything else from the table.
        encoder.encode(b":path", head.path.as_bytes(), Indexing::Without, out);
    }
    let mut lower = Vec::new();
    for field in fields.clone() {
        let name = in_lower_case(field.name, &mut lower);
        if checked.has_nominations && is_nominated(name, fields.clone()) {
            continue;
        }
        encode_field(name, &field, encoder, out);
    }
}

/// Checks trailers.
pub(crate) fn check_trailers<'a>(mut fields: impl Iterator<Item = Field<'a>>) -> Result<(), InvalidRequest> {
    fields.try_for_each(|field| check_field(&field))
}

/// Appends the header block of checked trailers.
pub(crate) fn encode_trailers<'a>(
    fields: impl Iterator<Item = Field<'a>>,
    encoder: &mut Encoder,
    out: &mut Vec<u8>,
) {
    encoder.begin(out);
    let mut lower = Vec::new();
    for field in fields {
        encode_field(in_lower_case(field.name, &mut lower), &field, encoder, out);
    }
}

fn in_lower_case<'b>(name: &'b [u8], lower: &'b mut Vec<u8>) -> &'b [u8] {
    if !name.iter().any(u8::is_ascii_uppercase) {
        return name;
    }
    lower.clear();
    lower.extend(name.iter().map(u8::to_ascii_lowercase));
    lower
}

fn encode_field(name: &[u8], field: &Field<'_>, encoder: &mut Encoder, out: &mut Vec<u8>) {
    let value = trimmed(field.value);
    match name {
        // These belong to HTTP/1 connections. `Host` was converted to a pseudo-field.
        b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade" | b"host"
        | b"http2-settings" => {}
        b"te" => {
            // No other value is allowed there (RFC 9113 section 8.2.2).
            let mut codings = value.split(|&byte| byte == b',');
            if codings.any(|coding| trimmed(coding).eq_ignore_ascii_case(b"trailers")) {
                encoder.encode(name, b"trailers", Indexing::Incremental, out);
            }
        }
        // One field for each cookie: if one changes, the others stay indexed (RFC 9113 section
        // 8.2.3).
        b"cookie" => {
            for crumb in value.split(|&byte| byte == b';').map(trimmed).filter(|crumb| !crumb.is_empty()) {
                // A short value could be guessed through the table (RFC 7541 section 7.1.3).
                let is_secret = field.is_sensitive || crumb.len() < 20;
                let indexing = if is_secret { Indexing::Never } else { Indexing::Incremental };
                encoder.encode(name, crumb, indexing, out);
            }
        }
        _ => {
            let indexing = if field.is_sensitive { Indexing::Never } else { indexing(name) };
            encoder.encode(name, value, indexing, out);
        }
    }
}

/// The indexing of a field that the caller did not mark as a secret.
fn indexing(name: &[u8]) -> Indexing {
    match name {
        b"authorization" | b"proxy-authorization" => Indexing::Never,
        // Its values differ from request to request.
        b"content-length"
        | b"content-md5"
        | b"date"
        | b"etag"
        | b"idempotency-key"
        | b"if-match"
        | b"if-modified-since"
        | b"if-none-match"
        | b"if-range"
        | b"if-unmodified-since"
        | b"range"
        | b"traceparent"
        | b"x-request-id" => Indexing::Without,
        _ => Indexing::Incremental,
    }
}

/// Returns `true` if `Connection` names the field, which is for one hop then.
fn is_nominated<'a>(name: &[u8], fields: impl Iterator<Item = Field<'a>>) -> bool {
    let mut named = fields
        .filter(|field| field.name.eq_ignore_ascii_case(b"connection"))
        .flat_map(|field| field.value.split(|&byte| byte == b','));
    // `TE` must be named there, and has its own rule.
    name != b"te" && named.any(|named| trimmed(named).eq_ignore_ascii_case(name))
}

/// Removes blanks at both ends.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn is_visible(text: &[u8]) -> bool {
    text.iter().all(|&byte| byte > b' ' && byte != 0x7f)
}

/// Returns `true` for a token (RFC 9110 section 5.6.2).
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| TOKEN[usize::from(byte)])
}

/// The bytes of tokens.
pub(crate) static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};
