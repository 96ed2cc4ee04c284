//! A response of the server, and how it is written.

use std::fmt;
use std::time::Duration;

use crate::json::Json;
use crate::recording::End;
use crate::request::Request;
use crate::wire::Wire;

/// A body that is made while it is sent.
pub(crate) type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

pub(crate) enum Content {
    Whole(Vec<u8>),
    /// A body with a Content-Length of so many bytes, in pieces.
    Counted(u64, Pieces),
    /// A chunked body: each piece is a chunk. The trailer fields follow.
    Chunked(Pieces, Vec<(String, String)>),
    /// A body that ends with the connection.
    UntilClose(Pieces),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Counted(..) => "Counted",
            Self::Chunked(..) => "Chunked",
            Self::UntilClose(_) => "UntilClose",
        })
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) content: Content,
    /// The delay before the response is sent.
    pub(crate) delay: Duration,
}

impl Response {
    pub(crate) fn new(status: u16, kind: &str, content: Content) -> Self {
        let headers = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
        Self { status, headers, content, delay: Duration::ZERO }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Whole(Vec::new()), delay: Duration::ZERO }
    }

    pub(crate) fn json(status: u16, json: &Json) -> Self {
        Self::new(status, "application/json", Content::Whole(json.render().into_bytes()))
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", Content::Whole(text.as_bytes().to_vec()))
    }

    pub(crate) fn html(status: u16, html: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", Content::Whole(html.as_bytes().to_vec()))
    }

    /// A redirect with the small body that servers send along. Clients have to skip it.
    pub(crate) fn redirect(status: u16, location: impl Into<Vec<u8>>) -> Self {
        Self::html(status, "<!doctype html>\n<title>Redirecting</title>\n<p>This is elsewhere.</p>\n")
            .with("Location", location)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends the response to `request`. Returns whether another request can follow.
    pub(crate) fn send(self, wire: &mut Wire, request: &Request) -> Result<bool, End> {
        wire.pause(self.delay)?;
        let bodiless = matches!(self.status, 204 | 304);
        let content = match self.content {
            Content::Chunked(pieces, _) if request.is_http10() => Content::UntilClose(pieces),
            content => content,
        };
        let keeps = request.keeps_alive() && !matches!(content, Content::UntilClose(_));

        let mut head =
            format!("HTTP/1.1 {} {}\r\nServer: sessio-testkit\r\n", self.status, reason(self.status))
                .into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        match &content {
            _ if bodiless => {}
            Content::Whole(body) => {
                head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes())
            }
            Content::Counted(size, _) => {
                head.extend_from_slice(format!("Content-Length: {size}\r\n").as_bytes())
            }
            Content::Chunked(_, trailers) => {
                if !trailers.is_empty() {
                    let names: Vec<_> = trailers.iter().map(|(name, _)| name.as_str()).collect();
                    head.extend_from_slice(format!("Trailer: {}\r\n", names.join(", ")).as_bytes());
                }
                head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            }
            Content::UntilClose(_) => {}
        }
        match (keeps, request.is_http10()) {
            (false, _) => head.extend_from_slice(b"Connection: close\r\n"),
            (true, true) => head.extend_from_slice(b"Connection: keep-alive\r\n"),
            (true, false) => {}
        }
        head.extend_from_slice(b"\r\n");

        if bodiless || request.method() == "HEAD" {
            wire.send(&head)?;
        } else {
            send_content(wire, head, content)?;
        }
        Ok(keeps)
    }
}

/// The head travels with the first piece of the body, in one write.
fn send_content(wire: &Wire, mut head: Vec<u8>, content: Content) -> Result<(), End> {
    match content {
        Content::Whole(body) => {
            head.extend_from_slice(&body);
            wire.send(&head)
        }
        Content::Counted(_, pieces) | Content::UntilClose(pieces) => {
            for piece in pieces {
                head.extend_from_slice(&piece);
                wire.send(&head)?;
                head.clear();
            }
            wire.send(&head)
        }
        Content::Chunked(pieces, trailers) => {
            for piece in pieces.filter(|piece| !piece.is_empty()) {
                head.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                head.extend_from_slice(&piece);
                head.extend_from_slice(b"\r\n");
                wire.send(&head)?;
                head.clear();
            }
            head.extend_from_slice(b"0\r\n");
            for (name, value) in trailers {
                head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            head.extend_from_slice(b"\r\n");
            wire.send(&head)
        }
    }
}

pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        425 => "Too Early",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unnamed",
    }
}
