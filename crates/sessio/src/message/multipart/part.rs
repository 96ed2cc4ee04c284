//! One part of a form.

use std::fmt;

use bytes::Bytes;

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::headers::Headers;

/// One part of a [`Form`](super::Form): its content and headers, except for the name of the field.
///
/// An invalid value, such as a media type with a line break, is reported when the request is
/// prepared, before anything is sent.
///
/// ```
/// use sessio::multipart::Part;
///
/// let part = Part::bytes(&b"a,b\n1,2\n"[..]).file_name("table.csv").content_type("text/csv").header("X-Rows", "2");
/// assert_eq!(part.length(), Some(8));
/// ```
#[must_use = "a part is not sent unless it is put into a form"]
pub struct Part {
    pub(super) content: Content,
    file_name: Option<String>,
    content_type: Option<String>,
    #[cfg(feature = "mime")]
    is_guessed: bool,
    headers: Headers,
    problem: Option<Fault>,
}

/// The content of a part.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    Source { length: Option<u64>, replayable: bool },
}

impl Content {
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Source { length, .. } => *length,
        }
    }
}

impl Part {
    /// A text. It has no Content-Type, which means plain text (RFC 7578 section 4.4).
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Bytes(text.into().into()))
    }

    /// Bytes of any kind.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Content::Bytes(bytes.into()))
    }

    /// A content that the driver supplies in pieces: `length` bytes, or an unknown number.
    /// `replayable` is set if the source can start again.
    pub fn source(length: Option<u64>, replayable: bool) -> Self {
        Self::new(Content::Source { length, replayable })
    }

    fn new(content: Content) -> Self {
        Self {
            content,
            file_name: None,
            content_type: None,
            #[cfg(feature = "mime")]
            is_guessed: false,
            headers: Headers::new(),
            problem: None,
        }
    }

    /// Sets the file name. It makes the part a file: servers tell files from fields by it. An empty
    /// name counts, too (rule P-48). Default: none; no name is ever invented.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Sets the Content-Type of the part. Default: none (rule P-50).
    pub fn content_type(mut self, kind: impl Into<String>) -> Self {
        self.content_type = Some(kind.into());
        self
    }

    /// Guesses the Content-Type from the extension of the file name, unless one is
    /// [set](Self::content_type). The type of an unknown extension is `application/octet-stream`.
    ///
    /// ```
    /// use sessio::multipart::{Form, Part};
    ///
    /// let form = Form::new().part("photo", Part::bytes(&b".."[..]).file_name("cat.png").guess_type());
    /// let body = sessio::Request::post("http://example.org/").multipart(form, &mut sessio::Seed::new(1)).body;
    /// # let _ = body;
    /// ```
    #[cfg(feature = "mime")]
    pub fn guess_type(mut self) -> Self {
        self.is_guessed = true;
        self
    }

    /// Adds a header. `Content-Disposition` and `Content-Type` have methods of their own, and are
    /// an error here. Few servers read other headers (RFC 7578 section 4.8).
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        let is_ours = ["Content-Disposition", "Content-Type"];
        let done = if is_ours.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes())) {
            let detail = format!("{} of a part has its own method", escape(name));
            Err(Fault::new(Kind::InvalidHeader).with_detail(detail))
        } else {
            self.headers.append(name, value)
        };
        if let Err(problem) = done {
            self.problem.get_or_insert(problem);
        }
        self
    }

    /// Length of the content in bytes; `None` if it is known only at the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.content.length()
    }

    /// Returns `true` if the content can be sent again.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        !matches!(self.content, Content::Source { replayable: false, .. })
    }

    fn kind(&self) -> Option<&str> {
        #[cfg(feature = "mime")]
        if self.is_guessed && self.content_type.is_none() {
            let name = self.file_name.as_deref().unwrap_or_default();
            return Some(mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream"));
        }
        self.content_type.as_deref()
    }

    /// The encoded headers, with the empty line behind them, in the order of requests (rule P-50).
    pub(super) fn head(&mut self, name: &str) -> Result<Vec<u8>> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        let mut head = b"Content-Disposition: form-data; name=".to_vec();
        write_quoted(name, &mut head)?;
        if let Some(file_name) = &self.file_name {
            head.extend_from_slice(b"; filename=");
            write_quoted(file_name, &mut head)?;
        }
        head.extend_from_slice(b"\r\n");
        if let Some(kind) = self.kind() {
            let mut line = Headers::new();
            line.append("Content-Type", kind)?;
            line.encode(&mut head);
        }
        let is_location = |name: &str| name.eq_ignore_ascii_case("Content-Location");
        for wanted in [true, false] {
            let mut lines = self.headers.clone();
            lines.retain(|field| is_location(field.name) == wanted);
            lines.encode(&mut head);
        }
        head.extend_from_slice(b"\r\n");
        Ok(head)
    }
}

/// Writes a name in quotes, as browsers do. Only characters that would end the quotes or the line
/// are escaped. All others are kept, as UTF-8 (the HTML standard's multipart/form-data encoding;
/// RFC 7578 section 4.2).
fn write_quoted(name: &str, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'"');
    for byte in name.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"%22"),
            b'\r' => out.extend_from_slice(b"%0D"),
            b'\n' => out.extend_from_slice(b"%0A"),
            b'\t' => out.push(byte),
            // No header line may contain it (RFC 9110 section 5.5), and browsers define no escape
            // for it.
            0..0x20 | 0x7f => {
                let detail =
                    format!("a control character in the name \"{}\" of a part", escape(name.as_bytes()));
                return Err(Fault::new(Kind::InvalidHeader).with_detail(detail));
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    Ok(())
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(f, "Part({length} bytes)"),
            None => f.write_str("Part(source)"),
        }
    }
}
