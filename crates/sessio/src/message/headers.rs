//! Ordered header fields.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::uri::redacted::{RedactedField, is_secret_name};

/// Header fields in the order of transmission, each with its original spelling.
///
/// Names are compared without regard to case. All fields share one block of bytes, so a whole head
/// is two allocations, independent of the number of fields. Replaced and removed fields are purged
/// from the block once they are larger than the rest. A secret value is overwritten at once. Values
/// are bytes; [`get`](Self::get) returns them as text if they are valid UTF-8.
///
/// ```
/// use sessio::Headers;
///
/// let mut headers = Headers::new();
/// headers.insert("Accept", "*/*")?;
/// headers.insert("X-Test", "true")?;
/// headers.insert("ACCEPT", "text/html")?; // replaces the first, with the new spelling (rule M-07)
/// let lines: Vec<_> = headers.iter().map(|field| field.to_string()).collect();
/// assert_eq!(lines, ["ACCEPT: text/html", "X-Test: true"]);
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    names: Names,
    /// Number of bytes in the block that no span refers to.
    waste: u32,
}

/// Bytes of waste below which purging is not worth the work, in a block of any size.
const LEAST_WASTE: usize = 512;

/// A filter of the present and removed names: most lookups of absent names end here. One bit
/// represents all names with the same remainder of a sum of length and first letter. By length
/// alone, `Cookie` was searched for among fields like `Accept`.
#[derive(Clone, Copy, Default)]
struct Names(u32);

impl Names {
    /// The bit of a name. With this factor, no name that every request looks up has the bit of a
    /// usual field.
    #[inline]
    const fn bit(length: usize, first: u8) -> u32 {
        // Letters differ from their upper case in one bit.
        1 << ((length * 13 + (first | 0x20) as usize) % 32)
    }

    #[inline]
    fn bit_of(name: &[u8]) -> u32 {
        name.first().map_or(0, |first| Self::bit(name.len(), *first))
    }

    #[inline]
    fn add(&mut self, name: &[u8]) {
        self.0 |= Self::bit_of(name);
    }

    /// Returns `true` if a name may be the same as this one.
    #[inline]
    fn may_have(self, name: &str) -> bool {
        self.0 & Self::bit_of(name.as_bytes()) != 0
    }
}

/// The position of a field in the block. It is stored as transmitted, `name: value` and CRLF. A
/// field from a peer may have more or less around its value.
#[derive(Clone, Copy)]
struct Span {
    name: u32,
    name_len: u16,
    sensitive: bool,
    value: u32,
    value_len: u32,
}

/// One header field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name in its original spelling.
    pub name: &'a str,
    /// The value, without blanks around it.
    pub value: &'a [u8],
    sensitive: bool,
}

impl<'a> Field<'a> {
    /// The value as text, if it is valid UTF-8.
    #[must_use]
    pub fn to_str(self) -> Option<&'a str> {
        std::str::from_utf8(self.value).ok()
    }

    /// Returns `true` for a secret: the value is marked so, or the field always carries secrets.
    #[must_use]
    pub fn is_sensitive(self) -> bool {
        self.sensitive || is_always_sensitive(self.name)
    }
}

/// Formats the field as text for logs. The value is `***` if it is secret, or if its name is one of
/// those that [`RedactedUrl`](crate::RedactedUrl) lists.
impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() || is_secret_name(self.name) {
            return write!(f, "{}: ***", self.name);
        }
        write!(f, "{}: ", self.name)?;
        let text = match std::str::from_utf8(self.value) {
            Ok(text) if !text.chars().any(char::is_control) => Cow::Borrowed(text),
            _ => Cow::Owned(self.value.escape_ascii().to_string()),
        };
        match has_urls(self.name) {
            Some(is_delimited) => write!(f, "{}", RedactedField { value: &text, is_delimited }),
            None => f.write_str(&text),
        }
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), spans: Vec::new(), names: Names(0), waste: 0 }
    }

    /// No fields yet, with room for `fields` of them in `bytes` bytes.
    #[must_use]
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            spans: Vec::with_capacity(fields),
            names: Names::default(),
            waste: 0,
        }
    }

    /// Sets a field: it replaces the first field of that name, and all others of that name are
    /// removed.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`] if the name is not a token, or the value would break the framing
    /// (RFC 9110 sections 5.1 and 5.5, row B26). The headers are unchanged then.
    pub fn insert(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (name, value) = (name.as_ref(), value.as_ref());
        check(name, value)?;
        let span = self.write(name, value)?;
        self.place(span, name);
        Ok(())
    }

    /// Appends a field, beside those of the same name.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn append(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let (name, value) = (name.as_ref(), value.as_ref());
        check(name, value)?;
        let span = self.write(name, value)?;
        self.spans.push(span);
        Ok(())
    }

    /// Removes every field of that name; returns their number.
    pub fn remove(&mut self, name: &str) -> usize {
        if !self.contains(name) {
            return 0;
        }
        let before = self.spans.len();
        self.keep_spans(|span, bytes| !span.is_named(bytes, name.as_bytes()));
        before - self.spans.len()
    }

    /// Removes every field that `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(Field<'_>) -> bool) {
        self.keep_spans(|span, bytes| keep(span.field(bytes)));
    }

    /// Removes all fields and keeps the memory.
    pub fn clear(&mut self) {
        let Self { bytes, spans, .. } = self;
        for span in &*spans {
            span.forget(bytes);
        }
        self.bytes.clear();
        self.spans.clear();
        self.names = Names::default();
        self.waste = 0;
    }

    /// Drops the spans that `keep` refuses.
    fn keep_spans(&mut self, mut keep: impl FnMut(&Span, &[u8]) -> bool) {
        let Self { bytes, spans, waste, .. } = self;
        spans.retain(|span| {
            let is_kept = keep(span, bytes.as_slice());
            if !is_kept {
                *waste = waste.saturating_add(span.forget(bytes));
            }
            is_kept
        });
        self.tidy();
    }

    /// Closes the gaps in the block if they are larger than the rest. So the block is at most about
    /// twice as large as its fields, and each byte of it is moved about once (row FA6).
    fn tidy(&mut self) {
        let waste = self.waste as usize;
        if waste <= LEAST_WASTE || waste <= self.bytes.len() / 2 {
            return;
        }
        // The fields may be in another order than their bytes. In byte order they only move towards
        // the front.
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_unstable_by_key(|&at| self.spans[at].name);
        let mut end = 0;
        for at in order {
            let span = &mut self.spans[at];
            let line = span.reach_in(&self.bytes);
            let by = (line.start - end) as u32;
            (span.name, span.value) = (span.name - by, span.value - by);
            let length = line.len();
            self.bytes.copy_within(line, end);
            end += length;
        }
        // The moved bytes may have been a secret.
        self.bytes[end..].fill(0);
        self.bytes.truncate(end);
        self.bytes.shrink_to(2 * end.max(LEAST_WASTE));
        self.waste = 0;
    }

    /// Marks the values of that name as secret: `Debug` hides them, and a redirect to another
    /// origin drops them.
    pub fn mark_sensitive(&mut self, name: &str) {
        let Self { bytes, spans, .. } = self;
        for span in spans {
            span.sensitive |= span.is_named(bytes, name.as_bytes());
        }
    }

    /// Returns `true` if a value of that name is [marked](Self::mark_sensitive) as secret.
    pub(crate) fn is_sensitive(&self, name: &str) -> bool {
        self.names.may_have(name)
            && self.spans.iter().any(|span| span.sensitive && span.is_named(&self.bytes, name.as_bytes()))
    }

    /// The first value of that name as text; `None` if there is none or it is not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of that name.
    #[must_use]
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        if !self.names.may_have(name) {
            return None;
        }
        let span = self.spans.iter().find(|span| span.is_named(&self.bytes, name.as_bytes()))?;
        Some(span.value_in(&self.bytes))
    }

    /// Iterates over the values of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let spans = if self.names.may_have(name) { &*self.spans } else { &[] };
        spans
            .iter()
            .filter(move |span| span.is_named(&self.bytes, name.as_bytes()))
            .map(|span| span.value_in(&self.bytes))
    }

    /// Returns `true` if there is a field of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get_bytes(name).is_some()
    }

    /// Iterates over all fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> + Clone {
        self.spans.iter().map(|span| span.field(&self.bytes))
    }

    /// Iterates over names and values as bytes.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|span| (span.name_in(&self.bytes), span.value_in(&self.bytes)))
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns `true` if there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Appends a field that is known to be valid.
    pub(crate) fn append_known(&mut self, name: &str, value: &[u8]) {
        self.append_with(name, |out| out.extend_from_slice(value));
    }

    /// Prepends a field that is known to be valid.
    pub(crate) fn prepend_with(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.append_with(name, value);
        self.spans.rotate_right(1);
    }

    /// Copies the fields, with room for `fields` more in `bytes` more.
    pub(crate) fn clone_with_room(&self, fields: usize, bytes: usize) -> Self {
        self.clone_into(Self::new(), fields, bytes)
    }

    /// Copies the fields into the memory of headers that are not needed any more. Otherwise as
    /// [`clone_with_room`](Self::clone_with_room).
    pub(crate) fn clone_into(&self, memory: Self, fields: usize, bytes: usize) -> Self {
        let mut copy = memory.into_memory();
        copy.bytes.reserve(self.bytes.len() + bytes);
        copy.spans.reserve(self.spans.len() + fields);
        copy.bytes.extend_from_slice(&self.bytes);
        copy.spans.extend_from_slice(&self.spans);
        (copy.names, copy.waste) = (self.names, self.waste);
        copy
    }

    /// Writes a value straight into the block, without an intermediate copy.
    pub(crate) fn append_with(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.append_if(name, |out| {
            value(out);
            true
        });
    }

    /// Like [`append_with`](Self::append_with), for a value that may turn out to be missing.
    pub(crate) fn append_if(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>) -> bool) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b": ");
        let at = self.bytes.len();
        let is_wanted = value(&mut self.bytes);
        let len = self.bytes.len() - at;
        self.bytes.extend_from_slice(b"\r\n");
        // A block of 4 GiB is beyond every limit; such a field is left out rather than truncated.
        if let (true, Ok(_), Ok(start), Ok(at), Ok(len)) = (
            is_wanted,
            u32::try_from(self.bytes.len()),
            u32::try_from(start),
            u32::try_from(at),
            u32::try_from(len),
        ) {
            let name_len = u16::try_from(name.len()).unwrap_or(u16::MAX);
            self.names.add(name.as_bytes());
            self.spans.push(Span { name: start, name_len, sensitive: false, value: at, value_len: len });
        } else {
            self.bytes.truncate(start);
        }
    }

    /// The memory, without fields. Like a drop, it overwrites no secrets.
    pub(crate) fn into_memory(mut self) -> Self {
        self.bytes.clear();
        self.spans.clear();
        (self.names, self.waste) = (Names::default(), 0);
        self
    }

    /// Size of the memory in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }

    /// The fields of a received head: `block` holds their bytes, `fields` their positions. They are
    /// copied into `memory`. `None` if a field is too large for a span.
    pub(crate) fn from_block(
        block: &[u8],
        memory: Self,
        fields: impl ExactSizeIterator<Item = (Range<usize>, Range<usize>)>,
    ) -> Option<Self> {
        let Self { mut bytes, mut spans, mut names, waste } = memory.into_memory();
        bytes.extend_from_slice(block);
        spans.reserve(fields.len());
        for (name, value) in fields {
            names.add(block.get(name.clone())?);
            spans.push(Span {
                name: u32::try_from(name.start).ok()?,
                name_len: u16::try_from(name.len()).ok()?,
                sensitive: false,
                value: u32::try_from(value.start).ok()?,
                value_len: u32::try_from(value.len()).ok()?,
            });
        }
        Some(Self { bytes, spans, names, waste })
    }

    /// Writes the field lines, each with its CRLF.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        // Adjacent lines of the block are written in one piece.
        let mut piece = 0..0;
        for span in &self.spans {
            let line = span.line_in(&self.bytes);
            if let Some(line) = &line
                && line.start == piece.end
            {
                piece.end = line.end;
                continue;
            }
            out.extend_from_slice(&self.bytes[piece]);
            piece = line.unwrap_or_else(|| {
                out.extend_from_slice(span.name_in(&self.bytes));
                out.extend_from_slice(b": ");
                out.extend_from_slice(span.value_in(&self.bytes));
                out.extend_from_slice(b"\r\n");
                0..0
            });
        }
        out.extend_from_slice(&self.bytes[piece]);
    }

    /// Inserts a field of other headers, as [`insert`](Self::insert) does.
    pub(crate) fn insert_known(&mut self, field: Field<'_>) {
        // The field fitted into a block before; only one of 4 GiB could fail here.
        if let Ok(mut span) = self.write(field.name.as_bytes(), field.value) {
            span.sensitive = field.sensitive;
            self.place(span, field.name.as_bytes());
        }
    }

    /// Appends a field of other headers, as [`append`](Self::append) does.
    pub(crate) fn append_field(&mut self, field: Field<'_>) {
        if let Ok(mut span) = self.write(field.name.as_bytes(), field.value) {
            span.sensitive = field.sensitive;
            self.spans.push(span);
        }
    }

    fn place(&mut self, span: Span, name: &[u8]) {
        let Some(place) = self.spans.iter().position(|old| old.is_named(&self.bytes, name)) else {
            self.spans.push(span);
            return;
        };
        let old = std::mem::replace(&mut self.spans[place], span);
        self.waste = self.waste.saturating_add(old.forget(&mut self.bytes));
        let mut index = 0;
        self.keep_spans(|old, bytes| {
            index += 1;
            index == place + 1 || !old.is_named(bytes, name)
        });
    }

    fn write(&mut self, name: &[u8], value: &[u8]) -> Result<Span> {
        let too_large =
            || Fault::new(Kind::InvalidHeader).with_detail(format!("{} is too large", escape(name)));
        let start = u32::try_from(self.bytes.len()).map_err(|_| too_large())?;
        let name_len = u16::try_from(name.len()).map_err(|_| too_large())?;
        let value_len = u32::try_from(value.len()).map_err(|_| too_large())?;
        let at = start.checked_add(u32::from(name_len) + 2).ok_or_else(too_large)?;
        at.checked_add(value_len).ok_or_else(too_large)?;
        self.names.add(name);
        self.bytes.reserve(name.len() + value.len() + 4);
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
        Ok(Span { name: start, name_len, sensitive: false, value: at, value_len })
    }
}

impl Span {
    fn is_named(&self, bytes: &[u8], name: &[u8]) -> bool {
        // Most names differ in length already, which is known without reading the block.
        usize::from(self.name_len) == name.len() && self.name_in(bytes).eq_ignore_ascii_case(name)
    }

    fn name_in<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.name as usize..self.name as usize + usize::from(self.name_len)]
    }

    fn value_in<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.value as usize..(self.value + self.value_len) as usize]
    }

    /// The position of the whole line with its CRLF, if it is stored so.
    fn line_in(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let (start, value) = (self.name as usize, self.value as usize);
        let end = value + self.value_len as usize;
        let is_whole = bytes.get(start + usize::from(self.name_len)..value) == Some(b": ")
            && bytes.get(end..end + 2) == Some(b"\r\n");
        is_whole.then_some(start..end + 2)
    }

    /// All bytes of the field, as transmitted or as received.
    fn reach_in(&self, bytes: &[u8]) -> Range<usize> {
        let end = (self.value + self.value_len) as usize;
        let is_ended = bytes.get(end..end + 2) == Some(b"\r\n");
        self.name as usize..if is_ended { end + 2 } else { end }
    }

    /// Gives the field up: a secret is overwritten. Returns the number of bytes that are wasted
    /// now.
    ///
    /// The block stays in use, so the compiler has to perform the write. Copies are not reached:
    /// those that growing blocks have left to the allocator, and those in other headers.
    fn forget(&self, bytes: &mut [u8]) -> u32 {
        if self.field(bytes).is_sensitive() {
            bytes[self.value as usize..(self.value + self.value_len) as usize].fill(0);
        }
        self.reach_in(bytes).len() as u32
    }

    fn field<'a>(&self, bytes: &'a [u8]) -> Field<'a> {
        // Names are tokens, hence ASCII: they were checked on insertion.
        let name = std::str::from_utf8(self.name_in(bytes)).unwrap_or_default();
        Field { name, value: self.value_in(bytes), sensitive: self.sensitive }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Headers are equal if they have the same fields in the same order; case of names does not matter.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(a, b)| a.name.eq_ignore_ascii_case(b.name) && a.value == b.value)
    }
}

impl Eq for Headers {}

impl From<&Headers> for HeaderMap {
    /// Loses the order across names and the spelling of names.
    fn from(headers: &Headers) -> Self {
        let mut map = Self::with_capacity(headers.len());
        for field in headers.iter() {
            if let (Ok(name), Ok(mut value)) =
                (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value))
            {
                value.set_sensitive(field.is_sensitive());
                map.append(name, value);
            }
        }
        map
    }
}

impl From<&Self> for Headers {
    fn from(headers: &Self) -> Self {
        headers.clone()
    }
}

impl TryFrom<HeaderMap> for Headers {
    type Error = Fault;

    fn try_from(map: HeaderMap) -> Result<Self> {
        Self::try_from(&map)
    }
}

impl TryFrom<&HeaderMap> for Headers {
    type Error = Fault;

    fn try_from(map: &HeaderMap) -> Result<Self> {
        let mut headers = Self::with_capacity(map.len(), map.len() * 32);
        for (name, value) in map {
            headers.append(name.as_str(), value.as_bytes())?;
            if value.is_sensitive()
                && let Some(span) = headers.spans.last_mut()
            {
                span.sensitive = true;
            }
        }
        Ok(headers)
    }
}

/// Fields whose values are always secrets. Those with information on an authentication hold proofs
/// of the password, as the credentials do.
fn is_always_sensitive(name: &str) -> bool {
    [
        "authorization",
        "cookie",
        "set-cookie",
        "proxy-authorization",
        "authentication-info",
        "proxy-authentication-info",
    ]
    .iter()
    .any(|n| name.eq_ignore_ascii_case(n))
}

/// Whether the value of a field holds URLs, by the last word of its name, as in `Content-Location`
/// and `X-Original-URL`. `Some(true)` is a field that delimits them, as Link does.
fn has_urls(name: &str) -> Option<bool> {
    let last = name.rsplit(['-', '_']).next().unwrap_or_default();
    let is_one_of = |words: &[&str]| words.iter().any(|word| last.eq_ignore_ascii_case(word));
    if is_one_of(&["link", "authenticate"]) {
        return Some(true);
    }
    let whole =
        ["location", "referer", "refresh", "url", "uri", "destination", "sourcemap", "asyncoperation"];
    is_one_of(&whole).then_some(false)
}

fn check(name: &[u8], value: &[u8]) -> Result<()> {
    if !is_token(name) {
        return Err(Fault::new(Kind::InvalidHeader).with_detail(format!("name \"{}\"", escape(name))));
    }
    let blank_first = value.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
    if blank_first || !value.iter().all(|&b| is_field_byte(b)) {
        // The value may be a secret: only the name is reported.
        return Err(Fault::new(Kind::InvalidHeader).with_detail(format!("value of {}", escape(name))));
    }
    Ok(())
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

/// RFC 9110 section 5.5: visible, blank, or beyond ASCII.
pub(crate) fn is_field_byte(b: u8) -> bool {
    b == b'\t' || (b >= b' ' && b != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(headers: &Headers) -> Vec<String> {
        headers.iter().map(|f| format!("{}: {}", f.name, f.value.escape_ascii())).collect()
    }

    #[test]
    fn m07_insert_keeps_the_place_and_takes_the_new_spelling() {
        let mut h = Headers::new();
        h.append("a", "1").unwrap();
        h.append("b", "2").unwrap();
        h.append("A", "3").unwrap();
        h.insert("B", "4").unwrap();
        assert_eq!(lines(&h), ["a: 1", "B: 4", "A: 3"]);
        h.insert("a", "5").unwrap();
        assert_eq!(lines(&h), ["a: 5", "B: 4"]);
        assert_eq!(h.remove("b"), 1);
        assert_eq!(lines(&h), ["a: 5"]);
    }

    #[test]
    fn s21_secret_fields_are_masked() {
        let mut headers = Headers::new();
        for (name, shown) in [
            ("Authorization", "Authorization: ***"),
            ("set-cookie", "set-cookie: ***"),
            ("X-Api-Key", "X-Api-Key: ***"),
            ("X-Amz-Security-Token", "X-Amz-Security-Token: ***"),
            ("Accept", "Accept: /a?key=1"),
            ("Location", "Location: /a?key=REDACTED"),
            ("content-location", "content-location: /a?key=REDACTED"),
            ("Link", "Link: /a?key=REDACTED"),
            ("X-Original-URL", "X-Original-URL: /a?key=REDACTED"),
            ("Authentication-Info", "Authentication-Info: ***"),
            ("Proxy-Authentication-Info", "Proxy-Authentication-Info: ***"),
        ] {
            headers.clear();
            headers.insert(name, "/a?key=1").unwrap();
            assert_eq!(headers.iter().next().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn s21_urls_within_a_field_are_masked() {
        for (name, value, shown) in [
            (
                "Link",
                r#"</a?page=2&token=a>; rel="next", <https://me:pw@h/?sig=b>; rel=last; title="x, y""#,
                r#"</a?page=2&token=REDACTED>; rel="next", <https://***@h/?sig=REDACTED>; rel=last; title="x, y""#,
            ),
            ("Link", "</a?token=a\">b", "</a?token=REDACTED>b"),
            ("Link", "</a?token=never>ends</b?key=x", "</a?token=REDACTED>ends</b?key=REDACTED"),
            ("Link", "</a>; anchor=\"/b?code=1\"", "</a>; anchor=\"/b?code=REDACTED\""),
            ("Refresh", "5; url=/next?session=1", "5; url=/next?session=REDACTED"),
            ("Refresh", "0;URL='https://me:pw@h/?key=1'", "0;URL='https://***@h/?key=REDACTED"),
            ("Refresh", "0;URL=/?key=1", "0;URL=/?key=REDACTED"),
            ("Location", "https://me:p/w@h/?key=a>b\"c", "https://***@h/?key=REDACTED"),
            ("Location", "me:pw@h", "***@h"),
            (
                "WWW-Authenticate",
                r#"Bearer realm="https://h/token?key=a", scope="b""#,
                r#"Bearer realm="https://h/token?key=REDACTED", scope="b""#,
            ),
            (
                "Proxy-Authenticate",
                r#"Digest realm="a", nonce="b", qop="auth""#,
                r#"Digest realm="a", nonce="b", qop="auth""#,
            ),
        ] {
            let mut headers = Headers::new();
            headers.insert(name, value).unwrap();
            assert_eq!(headers.iter().next().unwrap().to_string(), format!("{name}: {shown}"));
        }
    }

    #[test]
    fn a_name_is_found_however_it_came_and_however_long_it_is() {
        let long = "x".repeat(70);
        let mut h = Headers::new();
        h.insert(&long, "1").unwrap();
        h.append("Set", "2").unwrap();
        h.prepend_with("Host", |out| out.push(b'3'));
        let copy = h.clone_with_room(1, 8);
        for h in [&h, &h.clone(), &copy] {
            assert_eq!((h.get(&long), h.get("set"), h.get("HOST")), (Some("1"), Some("2"), Some("3")));
            // The length and the first letter of an existing name.
            let other = format!("{}y", "x".repeat(69));
            assert_eq!((h.get("sat"), h.get("HOLD"), h.get_all(&other).count()), (None, None, 0));
        }
        assert_eq!((h.remove(&long), h.remove(&long)), (1, 0));
        h.clear();
        assert!(!h.contains("Set"));
    }

    #[test]
    fn reused_memory_has_no_field_of_before() {
        let mut before = Headers::new();
        before.insert("X-Before", "1").unwrap();
        before.insert("X-Gone", "2").unwrap();
        before.mark_sensitive("X-Before");
        before.remove("X-Gone");
        let mut h = Headers::new();
        h.insert("Host", "a").unwrap();
        let copy = h.clone_into(before.clone(), 1, 8);
        let received = Headers::from_block(b"Host: a\r\n", before, [(0..4, 6..7)].into_iter()).unwrap();
        for copy in [&copy, &received] {
            assert_eq!(*copy, h);
            assert_eq!((copy.len(), copy.contains("X-Before")), (1, false));
            assert!(!copy.is_sensitive("X-Before"));
            assert_eq!((copy.bytes.as_slice(), copy.waste), (b"Host: a\r\n".as_slice(), 0));
        }
    }

    #[test]
    fn b26_v44_v46_values_that_break_the_framing_are_refused() {
        let mut h = Headers::new();
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a\r\n", "x"),
            (":a", "x"),
            ("a\u{e9}", "x"),
            ("a", " x"),
            ("a", "\tx"),
            ("a", "x\r\ny: z"),
            ("a", "x\n"),
            ("a", "\0"),
            ("a", "\x7f"),
        ] {
            let error = h.insert(name, value).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidHeader, "{name:?}: {value:?}");
        }
        assert!(h.is_empty());
        h.insert("a", "").unwrap();
        h.insert("b", b"\xff \t").unwrap();
        assert_eq!(lines(&h), ["a: ", r"b: \xff \t"]);
    }

    #[test]
    fn fa6_the_block_is_at_most_about_twice_its_fields() {
        let mut h = Headers::new();
        h.insert("Accept", "*/*").unwrap();
        let (mut kept, mut longest) = (Vec::new(), 0);
        for number in 0..8000 {
            let token = format!("Bearer {number:0200}");
            h.insert("Authorization", &token).unwrap();
            // Fields at other positions come and go, too.
            h.append("X-Trace", number.to_string()).unwrap();
            h.append("X-Last", "x").unwrap();
            match number % 5 {
                0 => {
                    h.remove("x-trace");
                }
                1 => h.retain(|field| field.name != "X-Last"),
                2 => h.prepend_with("First", |out| out.extend_from_slice(b"1")),
                3 => {
                    h.remove("First");
                }
                _ => {}
            }
            longest = longest.max(h.bytes.len());
            assert_eq!(h.get("authorization"), Some(&*token));
            assert_eq!(h.get("accept"), Some("*/*"));
            kept.push(h.len());
        }
        let needed: usize = h.iter().map(|field| field.name.len() + field.value.len() + 4).sum();
        assert!(longest < 2 * (needed + 300 + LEAST_WASTE), "{longest} for {needed}");
        assert!(h.bytes.capacity() < 4 * (needed + 300 + LEAST_WASTE), "{}", h.bytes.capacity());
        let mut out = Vec::new();
        h.encode(&mut out);
        let written: String = lines(&h).iter().map(|line| format!("{line}\r\n")).collect();
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }

    #[test]
    fn fa6_a_block_that_has_grown_is_given_back() {
        let mut h = Headers::new();
        h.append("Keep", "1").unwrap();
        h.append("Large", "x".repeat(1 << 20)).unwrap();
        h.append("Last", "2").unwrap();
        assert_eq!(h.remove("large"), 1);
        assert_eq!(lines(&h), ["Keep: 1", "Last: 2"]);
        assert!(h.bytes.capacity() <= 2 * LEAST_WASTE, "{}", h.bytes.capacity());
    }

    #[test]
    fn fa6_secrets_are_overwritten_when_they_go() {
        let holds =
            |h: &Headers, secret: &str| h.bytes.windows(secret.len()).any(|piece| piece == secret.as_bytes());
        type Act = fn(&mut Headers);
        let acts: [Act; 5] = [
            |h| {
                h.remove("authorization");
            },
            |h| h.insert("Authorization", "other").unwrap(),
            |h| h.retain(|field| field.name == "X"),
            |h| h.insert("Cookie", "other").unwrap(),
            |h| {
                h.remove("x-key");
            },
        ];
        for (number, act) in acts.into_iter().enumerate() {
            let mut h = Headers::new();
            h.append("X", "public").unwrap();
            h.append("Authorization", "Bearer hunter2").unwrap();
            h.append("Cookie", "sid=hunter3").unwrap();
            h.append("cookie", "sid=hunter4").unwrap();
            h.append("X-Key", "hunter5").unwrap();
            h.mark_sensitive("x-key");
            act(&mut h);
            for (secret, name) in [
                ("hunter2", "Authorization"),
                ("hunter3", "Cookie"),
                ("hunter4", "Cookie"),
                ("hunter5", "X-Key"),
            ] {
                let is_there = h.get_all(name).any(|value| value.ends_with(secret.as_bytes()));
                assert_eq!(holds(&h, secret), is_there, "{secret} after act {number}");
            }
            assert!(holds(&h, "public"));
        }
    }

    #[test]
    fn fa6_a_block_of_a_peer_is_tidied_as_it_came() {
        // Blanks around values, and line ends of both kinds.
        let head = b"HTTP/1.1 200 OK\r\nA:  1  \r\nSet-Cookie:sid=hunter2\r\nB:\t2\n".to_vec();
        let find = |text: &str| head.windows(text.len()).position(|piece| piece == text.as_bytes()).unwrap();
        let fields = [("A:", 4, 1), ("Set-Cookie:", 11, 11), ("B:", 3, 1)].map(|(name, value, length)| {
            let (start, value) = (find(name), find(name) + value);
            (start..start + name.len() - 1, value..value + length)
        });
        let mut h = Headers::from_block(&head, Headers::new(), fields.into_iter()).unwrap();
        assert_eq!(lines(&h), ["A: 1", "Set-Cookie: sid=hunter2", "B: 2"]);
        for number in 0..100 {
            h.insert("X", format!("{number:0100}")).unwrap();
        }
        assert_eq!(h.remove("set-cookie"), 1);
        assert!(h.bytes.len() < 1500, "{}", h.bytes.len());
        let last = format!("X: {:0100}", 99);
        assert_eq!(lines(&h), ["A: 1", "B: 2", &last]);
        let mut out = Vec::new();
        h.encode(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("A: 1\r\nB: 2\r\n{last}\r\n"));
    }

    #[test]
    fn secrets_are_never_shown() {
        let mut h = Headers::new();
        h.insert("Authorization", "Basic c2VjcmV0").unwrap();
        h.insert("X-Api-Key", "secret").unwrap();
        h.mark_sensitive("x-api-key");
        assert_eq!(format!("{h:?}"), "[Authorization: ***, X-Api-Key: ***]");
    }

    #[test]
    fn to_and_from_the_http_crate() {
        let mut h = Headers::new();
        h.append("x", "1").unwrap();
        h.append("X", "2").unwrap();
        let map = HeaderMap::from(&h);
        assert_eq!(map.get_all("x").iter().count(), 2);
        assert_eq!(Headers::try_from(&map).unwrap(), h);
    }
}
