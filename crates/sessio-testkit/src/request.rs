//! One request: its head, parsed strictly, and the body that its framing defines.

use crate::bad_request::BadRequest;
use crate::body::{Body, Length};
use crate::field::{field, is_token, latin1};

/// The size limit of a head in bytes. A longer head is refused.
const HEAD_LIMIT: usize = 1 << 20;

/// A request as it was received, without normalisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The first line, without its line end.
    pub request_line: Vec<u8>,
    /// Names and values with the order, case and number they were received in. Values are without
    /// the whitespace around them.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body without its framing: chunks are joined.
    pub body: Vec<u8>,
    /// The trailer fields of a chunked body.
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
    method: String,
    target: String,
    http10: bool,
}

impl Request {
    /// The method, as received.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The request target, as received: `/path?query`, an absolute URL, `host:port` or `*`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether the version of the request is HTTP/1.0.
    pub fn is_http10(&self) -> bool {
        self.http10
    }

    /// The path of the target, still encoded.
    pub fn path(&self) -> &str {
        let local = self.local_target();
        local.split_once('?').map_or(local, |(path, _)| path)
    }

    /// The query of the target without its question mark, still encoded.
    pub fn query(&self) -> Option<&str> {
        self.local_target().split_once('?').map(|(_, query)| query)
    }

    /// The first value of a field. The case of the name does not matter. Bytes that are not ASCII
    /// are read as Latin-1.
    pub fn header(&self, name: &str) -> Option<String> {
        self.values(name).next().map(latin1)
    }

    /// All values of a field in order. The case of the name does not matter.
    pub fn header_all(&self, name: &str) -> Vec<String> {
        self.values(name).map(latin1).collect()
    }

    /// The names of all fields in order, in the case they were received in.
    pub fn header_names(&self) -> Vec<String> {
        self.headers.iter().map(|(name, _)| latin1(name)).collect()
    }

    /// The body as text. Invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_bytes();
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The target in the form `/path?query`, as the origin behind a proxy would receive it.
    pub(crate) fn local_target(&self) -> &str {
        match self.target.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                rest.find('/').map_or("/", |slash| &rest[slash..])
            }
            _ => &self.target,
        }
    }

    /// Whether another request can follow on the connection.
    pub(crate) fn keeps_alive(&self) -> bool {
        let says = |token: &[u8]| {
            self.values("connection")
                .flat_map(|value| value.split(|b| *b == b','))
                .any(|t| t.trim_ascii().eq_ignore_ascii_case(token))
        };
        !says(b"close") && (!self.http10 || says(b"keep-alive"))
    }

    /// The framing of the body after this head. A request with ambiguous framing is refused.
    pub(crate) fn length(&self) -> Result<Length, BadRequest> {
        let lengths: Vec<_> = self.values("content-length").collect();
        let codings: Vec<_> = self.values("transfer-encoding").collect();
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Ok(Length::Exact(0)),
            ([digits], []) => {
                let valid = !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit);
                let number = || std::str::from_utf8(digits).ok()?.parse().ok();
                valid
                    .then(number)
                    .flatten()
                    .map(Length::Exact)
                    .ok_or(BadRequest::new("Content-Length is not a number"))
            }
            ([], [_]) if self.http10 => Err(BadRequest::new("Transfer-Encoding in HTTP/1.0")),
            ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Length::Chunked),
            ([], _) => Err(BadRequest { status: 501, reason: "Transfer-Encoding is not chunked" }),
            (_, []) => Err(BadRequest::new("Content-Length twice")),
            _ => Err(BadRequest::new("both Content-Length and Transfer-Encoding")),
        }
    }

    /// The first complete request of `bytes` and its size. `None` if bytes are missing or are not a
    /// request.
    pub(crate) fn take(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = head_end(bytes).ok()??;
        let mut request = Self::parse(&bytes[..end]).ok()?;
        let mut body = Body::new(request.length().ok()?);
        let used = body.feed(&bytes[end..]).ok()?;
        body.is_done().then(|| {
            (request.body, request.trailers) = body.finish();
            (request, end + used)
        })
    }

    /// Parses a head that [`head_end`] has found.
    pub(crate) fn parse(head: &[u8]) -> Result<Self, BadRequest> {
        let head = head.strip_suffix(b"\r\n\r\n").ok_or(BadRequest::new("the head does not end"))?;
        let mut lines = head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let request_line = lines.next().unwrap_or_default();
        let mut parts = request_line.split(|b| *b == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadRequest::new("the request line is not three words"));
        };
        if method.is_empty() || !method.iter().all(is_token) {
            return Err(BadRequest::new("the method is not a token"));
        }
        if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
            return Err(BadRequest::new("the target is not visible ASCII"));
        }
        let http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            v if v.starts_with(b"HTTP/") => {
                return Err(BadRequest { status: 505, reason: "not HTTP/1.0 or HTTP/1.1" });
            }
            _ => return Err(BadRequest::new("the request line names no version")),
        };
        let request = Self {
            request_line: request_line.to_vec(),
            headers: lines.map(field).collect::<Result<_, _>>()?,
            body: Vec::new(),
            trailers: Vec::new(),
            method: latin1(method),
            target: latin1(target),
            http10,
        };
        match request.values("host").count() {
            0 if !http10 => Err(BadRequest::new("no Host")),
            0 | 1 => Ok(request),
            _ => Err(BadRequest::new("Host twice")),
        }
    }
}

/// The end of the head at the start of `bytes`, after its empty line, if it is complete. Bytes that
/// cannot become a head are refused at once, so a client of another protocol does not wait.
pub(crate) fn head_end(bytes: &[u8]) -> Result<Option<usize>, BadRequest> {
    if bytes.first().is_some_and(|b| !is_token(b)) {
        return Err(BadRequest::new("this does not start like a request"));
    }
    let mut start = 0;
    while let Some(length) = bytes[start..].iter().position(|b| *b == b'\n') {
        match bytes[start..start + length].strip_suffix(b"\r") {
            None => return Err(BadRequest::new("a line ends in a bare LF")),
            Some([]) => return Ok(Some(start + length + 1)),
            Some(_) => start += length + 1,
        }
    }
    if bytes.len() > HEAD_LIMIT {
        return Err(BadRequest { status: 431, reason: "the head does not end" });
    }
    Ok(None)
}
