//! Bodies as text.

/// The charset that a Content-Type names (RFC 9110 section 8.3.2). Case of names of types and
/// parameters does not matter. The last of several charsets is used (rule S-05).
///
/// ```
/// assert_eq!(sessio::text::charset("text/html; Charset=\"UTF-8\""), Some("UTF-8"));
/// ```
#[must_use]
pub fn charset(content_type: &str) -> Option<&str> {
    // A semicolon in quotes begins no parameter.
    let mut is_quoted = false;
    let is_end = |letter: char| {
        is_quoted ^= letter == '"';
        letter == ';' && !is_quoted
    };
    let parameters = content_type.split(is_end).skip(1);
    let values = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim_matches([' ', '\t', '"', '\'']))
    });
    values.filter(|value| !value.is_empty()).last()
}

/// The charset of a body with this Content-Type and without a byte order mark. JSON is always
/// UTF-8, in spite of the header (RFC 8259 section 8.1). Else the header decides, else UTF-8 (row
/// B37).
///
/// ```
/// assert_eq!(sessio::text::charset_of("application/problem+json; charset=latin1"), None);
/// assert_eq!(sessio::text::charset_of("text/plain; charset=latin1"), Some("latin1"));
/// ```
#[must_use]
pub fn charset_of(content_type: &str) -> Option<&str> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || kind.ends_with("+json");
    charset(content_type).filter(|_| !is_json)
}

/// Returns `true` if this charset can be decoded: UTF-8, ISO 8859-1 and, with the feature
/// `charset`, all of the Encoding standard.
#[must_use]
pub fn is_known(charset: &str) -> bool {
    Way::of(charset).is_some()
}

/// Decodes text: by the byte order mark if there is one, else by `charset`, else as UTF-8 (row
/// B37). Invalid bytes become U+FFFD.
///
/// UTF-8 and ISO 8859-1 are supported, and with the feature `charset` all of the Encoding standard.
///
/// ```
/// assert_eq!(sessio::text::decode(None, b"\xef\xbb\xbfa\xff"), "a\u{fffd}");
/// assert_eq!(sessio::text::decode(Some("ISO-8859-1"), b"a\xff"), "a\u{ff}");
/// ```
#[must_use]
pub fn decode(charset: Option<&str>, bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = Decoder::new(charset);
    decoder.push(bytes, &mut text);
    decoder.finish(&mut text);
    text
}

/// A streaming version of [`decode`]; the text does not depend on how the bytes are cut.
///
/// ```
/// let mut decoder = sessio::text::Decoder::new(Some("utf-8"));
/// let mut text = String::new();
/// for piece in [&b"\xef\xbb"[..], b"\xbfcaf\xc3", b"\xa9 \xe2\x82"] {
///     decoder.push(piece, &mut text);
/// }
/// assert_eq!(text, "caf\u{e9} ");
/// decoder.finish(&mut text);
/// assert_eq!(text, "caf\u{e9} \u{fffd}");
/// ```
pub struct Decoder {
    way: Way,
    /// Set after the first character: a byte order mark may come before it.
    is_begun: bool,
    /// An incomplete character, or a possible byte order mark.
    held: Vec<u8>,
}

enum Way {
    Utf8,
    Latin1,
    #[cfg(feature = "charset")]
    Other(Box<encoding_rs::Decoder>),
}

const MARKS: &[(&[u8], &str)] = &[
    (b"\xef\xbb\xbf", "utf-8"),
    #[cfg(feature = "charset")]
    (b"\xfe\xff", "utf-16be"),
    #[cfg(feature = "charset")]
    (b"\xff\xfe", "utf-16le"),
];

/// Names of ISO 8859-1 in the Encoding standard.
const LATIN1: &[&str] = &[
    "iso-8859-1",
    "latin1",
    "iso8859-1",
    "iso88591",
    "iso_8859-1",
    "iso_8859-1:1987",
    "iso-ir-100",
    "csisolatin1",
    "l1",
    "cp819",
    "ibm819",
];

impl Way {
    fn of(charset: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| charset.eq_ignore_ascii_case(name));
        if is(&["utf-8", "utf8"]) {
            return Some(Self::Utf8);
        }
        // Real ISO 8859-1, not the Encoding standard's windows-1252: features must not change the
        // meaning of a charset.
        if is(LATIN1) {
            return Some(Self::Latin1);
        }
        Self::other(charset)
    }

    #[cfg(feature = "charset")]
    fn other(charset: &str) -> Option<Self> {
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
        Some(Self::Other(Box::new(encoding.new_decoder_without_bom_handling())))
    }

    #[cfg(not(feature = "charset"))]
    fn other(_: &str) -> Option<Self> {
        None
    }
}

impl Decoder {
    /// Decodes this charset; UTF-8 if it is not named, or unknown.
    #[must_use]
    pub fn new(charset: Option<&str>) -> Self {
        Self { way: charset.and_then(Way::of).unwrap_or(Way::Utf8), is_begun: false, held: Vec::new() }
    }

    /// Appends the text of `bytes`, as far as it is complete.
    pub fn push(&mut self, bytes: &[u8], text: &mut String) {
        self.go_on(bytes, text, false);
    }

    /// Ends the input: an incomplete character becomes U+FFFD.
    pub fn finish(&mut self, text: &mut String) {
        self.go_on(b"", text, true);
    }

    fn go_on(&mut self, bytes: &[u8], text: &mut String, is_last: bool) {
        if self.held.is_empty() {
            return self.read(bytes, text, is_last);
        }
        let mut joined = std::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        self.read(&joined, text, is_last);
    }

    fn read(&mut self, mut bytes: &[u8], text: &mut String, is_last: bool) {
        if !self.is_begun {
            let is_begin = |mark: &[u8]| bytes.len() < mark.len() && mark.starts_with(bytes);
            if !is_last && MARKS.iter().any(|(mark, _)| is_begin(mark)) {
                self.held.extend_from_slice(bytes);
                return;
            }
            self.is_begun = true;
            if let Some((mark, charset)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
                bytes = &bytes[mark.len()..];
                self.way = Way::of(charset).unwrap_or(Way::Utf8);
            }
        }
        match &mut self.way {
            Way::Utf8 => self.read_utf8(bytes, text, is_last),
            Way::Latin1 => text.extend(bytes.iter().map(|byte| char::from(*byte))),
            #[cfg(feature = "charset")]
            Way::Other(decoder) => {
                // In small pieces: the reserved room is that of the worst case.
                let mut pieces = bytes.chunks(4096).peekable();
                loop {
                    let piece = pieces.next().unwrap_or_default();
                    let is_end = pieces.peek().is_none();
                    text.reserve(decoder.max_utf8_buffer_length(piece.len()).unwrap_or(piece.len()));
                    let _ = decoder.decode_to_string(piece, text, is_last && is_end);
                    if is_end {
                        return;
                    }
                }
            }
        }
    }

    fn read_utf8(&mut self, bytes: &[u8], text: &mut String, is_last: bool) {
        let mut left = bytes.len();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            let bad = chunk.invalid();
            left -= chunk.valid().len() + bad.len();
            let is_cut =
                left == 0 && std::str::from_utf8(bad).is_err_and(|error| error.error_len().is_none());
            if is_cut && !is_last {
                self.held.extend_from_slice(bad);
            } else if !bad.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

/// `Debug` does not show the contents of a body.
impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_b37_the_charset_of_a_content_type() {
        for (kind, named) in [
            ("text/html", None),
            ("text/html; charset=utf-8", Some("utf-8")),
            ("TEXT/HTML;CHARSET=Latin1", Some("Latin1")),
            ("text/html; charset='x'; charset=\"y\"", Some("y")),
            ("text/html; charset = a ", Some("a")),
            ("text/html; charset=", None),
            ("text/html; charset=\"\"; x=charset", None),
            ("text/html; xcharset=a", None),
            ("charset=a", None),
            ("text/html; charset=a; x=\"; charset=b\"", Some("a")),
            ("text/html; x=\"; charset=b\"; charset=\"a\"", Some("a")),
            ("text/html; charset=\"a", Some("a")),
            ("text/html;charset=a;", Some("a")),
            ("text/html; charset=a, text/plain", Some("a, text/plain")),
            ("", None),
        ] {
            assert_eq!(charset(kind), named, "{kind}");
        }
    }

    #[test]
    fn s06_b37_a_byte_order_mark_wins_over_the_charset_and_nothing_fails() {
        for (charset, bytes, text) in [
            (Some("latin1"), &b"\xef\xbb\xbf\xc3\xa9"[..], "\u{e9}"),
            (Some("LATIN1"), b"\xe9", "\u{e9}"),
            (Some("ISO8859-1"), b"\x80", "\u{80}"),
            (Some("cp819"), b"\x80", "\u{80}"),
            (Some("no-such-charset"), b"\xc3\xa9\xff", "\u{e9}\u{fffd}"),
            (None, b"\xe9", "\u{fffd}"),
            (None, b"", ""),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset:?}");
        }
    }

    #[test]
    fn b37_json_is_utf8_whatever_its_header_says() {
        for (kind, named) in [
            ("application/json; charset=latin1", None),
            ("Application/Vnd.X+JSON;charset=latin1", None),
            ("text/json; charset=latin1", Some("latin1")),
            ("application/jsonp; charset=latin1", Some("latin1")),
            ("text/plain", None),
        ] {
            assert_eq!(charset_of(kind), named, "{kind}");
        }
    }

    #[test]
    fn b40_every_cut_says_the_same() {
        let texts: [&[u8]; 9] = [
            b"",
            b"\xef\xbb\xbfcaf\xc3\xa9",
            b"\xef\xbb",
            b"\xef\xbbx",
            "\u{10348}\u{20ac}\u{e9}".as_bytes(),
            b"\xf0\x90\x8d",
            b"\xf0\x90x\xe2\x82\xff\xc3",
            b"\xed\xa0\x80\xc0\x80",
            b"\xff\xfea\x00\xe9\x00",
        ];
        for (charset, bytes) in [None, Some("latin1"), Some("shift_jis"), Some("utf-16be")]
            .into_iter()
            .flat_map(|charset| texts.map(|text| (charset, text)))
        {
            let whole = decode(charset, bytes);
            if charset.is_none() && !bytes.starts_with(b"\xff") {
                let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                assert_eq!(whole, String::from_utf8_lossy(plain));
            }
            for at in 0..=bytes.len() {
                let (mut decoder, mut text) = (Decoder::new(charset), String::new());
                decoder.push(&bytes[..at], &mut text);
                bytes[at..].chunks(1).for_each(|byte| decoder.push(byte, &mut text));
                decoder.finish(&mut text);
                assert_eq!(text, whole, "{charset:?} {bytes:?} cut at {at}");
            }
        }
    }

    #[cfg(feature = "charset")]
    #[test]
    fn s06_the_charsets_of_the_encoding_standard() {
        for (charset, bytes, text) in [
            (Some("Shift_JIS"), &b"\x82\xb1"[..], "\u{3053}"),
            (Some("windows-1252"), b"\x80", "\u{20ac}"),
            (Some("utf-16le"), b"a\0\xac\x20", "a\u{20ac}"),
            (None, b"\xff\xfea\0", "a"),
            (Some("latin1"), b"\xfe\xff\0a", "a"),
            (Some("iso-8859-1"), b"\x80", "\u{80}"),
            (Some("gbk"), b"\xc4", "\u{fffd}"),
            (Some("utf-16"), b"a\0", "a"),
            (Some("utf-16le"), b"\xfe\xff\0a", "a"),
            (Some("utf-16"), b"\xef\xbb\xbfa", "a"),
            (Some("utf-16be"), b"\xd8\0\0a\0", "\u{fffd}a\u{fffd}"),
            (Some("utf-32"), b"\xff\xfe\0\0", "\0"),
            (Some("unicode-1-1-utf-8"), b"\xc3\xa9", "\u{e9}"),
            (Some("shift_jis"), b"<meta charset=utf-8>\xc3\xa9", "<meta charset=utf-8>\u{ff83}\u{ff69}"),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset:?}");
        }
        let long = "\u{3053}".repeat(10_000);
        assert_eq!(decode(Some("shift_jis"), &b"\x82\xb1".repeat(10_000)), long);
    }
}
