//! The exact request, before it is sent.

pub mod auth;
pub(crate) mod curl;
mod framing;
pub mod hook;
pub mod transport;

use std::fmt;
use std::sync::Arc;

use http::Method;
use url::{Position, Url};

use crate::base::decimal::decimal;
use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::base::percent;
use crate::error::{Error, Result};
use crate::message::body::{Body, Content};
use crate::message::coding::ContentCoding;
use crate::message::headers::Headers;
use crate::message::multipart::Declared;
use crate::policy::redirect::belongs_to_origin;
use crate::uri::address::Address;
use crate::uri::origin::Origin;
use crate::uri::pattern::UrlPattern;
use crate::uri::redacted::{RedactedReference, RedactedUrl};
use crate::wire::h1::{BodyKind, RequestEncoder};
use framing::Facts;
pub(crate) use framing::{Framed, Says};

/// A request as it is sent: method, URL, target, headers and body. It can be read and edited before
/// it is sent (story S14).
///
/// ```
/// use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
///
/// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
/// let merged = merge(&Settings::default(), Request::get("http://example.org/a?b#c"));
/// let mut call = prepare(merged, &mut Jar::new(), now)?;
/// call.request.headers_mut().insert("X-Late", "1")?;
/// assert_eq!(call.request.target(), "/a?b");
/// assert!(call.head().starts_with(b"GET /a?b HTTP/1.1\r\nHost: example.org\r\n"));
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone)]
pub struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) target: Option<Box<str>>,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    /// The framing of the body. `None` after an edit, until it is checked.
    pub(crate) framed: Option<Framed>,
    /// Other header values for the exchange. Known if `framed` is.
    pub(crate) says: Says,
    /// The pattern of the mount that applied.
    pub(crate) mount: Option<Arc<UrlPattern>>,
    /// Names of headers that belong to one origin, beside the built-in ones. `None` if there are none.
    pub(crate) sensitive: Option<Arc<[Box<str>]>>,
    /// The URL that an edit has replaced, until the call has followed it.
    pub(crate) moved_from: Option<Box<Url>>,
}

impl Prepared {
    pub(crate) fn new(method: Method, url: Url, headers: Headers, body: Body) -> Self {
        Self {
            method,
            url,
            target: None,
            headers,
            body,
            framed: None,
            says: Says::default(),
            mount: None,
            sensitive: None,
            moved_from: None,
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL, with its fragment, and with its userinfo if it has one.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The request target: the text between method and version in the request line (RFC 9112
    /// section 3.2).
    #[must_use]
    pub fn target(&self) -> &str {
        match &self.target {
            Some(target) => target,
            None => &self.url[Position::BeforePath..Position::AfterQuery],
        }
    }

    /// The request target for logs: secret values of its query are replaced as in [`RedactedUrl`].
    ///
    /// ```
    /// # use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let request = Request::get("http://example.org/a?page=2&token=abc");
    /// let call = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?;
    /// assert_eq!(call.request.redacted_target(), "/a?page=2&token=REDACTED");
    /// # Ok::<(), sessio::Error>(())
    /// ```
    #[must_use]
    pub fn redacted_target(&self) -> String {
        RedactedReference(self.target()).to_string()
    }

    /// The header fields, in the order in which they are sent.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, for edits. The framing is checked again before a byte is sent.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.framed = None;
        &mut self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The pattern of the [mount](crate::Mounts) that applied. `None` if none did.
    #[must_use]
    pub fn mount(&self) -> Option<&UrlPattern> {
        self.mount.as_deref()
    }

    /// The head as it is sent to the origin.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let target = self.target().as_bytes();
        let sender = RequestEncoder::new(&self.method, target, &self.headers, BodyKind::None, Vec::new());
        sender.unsent().to_vec()
    }

    /// Replaces the method.
    ///
    /// # Errors
    /// - [`Kind::InvalidMethod`]: the method is not a token (row V42).
    pub fn set_method(&mut self, method: &str) -> Result<()> {
        let refused = || Error::new(Kind::InvalidMethod).with_detail(escape(method.as_bytes()));
        self.method = Method::from_bytes(method.as_bytes()).map_err(|_| refused())?;
        Ok(())
    }

    /// Replaces the URL. The address may be relative to the current one. A target that was set is
    /// dropped.
    ///
    /// The call chooses the proxy, the mount and the jar's cookies by the new URL, and the guard
    /// checks it. If it has another origin, the request loses the values that a redirect to another
    /// origin would drop. These are credentials, cookies of its own, the Host field and the client
    /// certificate. Set credentials for the new origin afterwards.
    ///
    /// An authentication [flow](crate::Flow::sign) may replace the query alone.
    ///
    /// ```
    /// use sessio::{Jar, Now, Request, Settings, UnixTime, hook, merge, prepare};
    ///
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let request = Request::get("http://example.org/a").bearer_auth("secret").hook(hook::before(|request| {
    ///     request.set_url("http://mirror.test/a")
    /// }));
    /// let call = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?;
    /// assert_eq!(call.request.headers().get("Host"), Some("mirror.test"));
    /// assert!(!call.request.headers().contains("Authorization"));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Kind::InvalidUrl`]: it is no URL.
    /// - [`Kind::UnsupportedScheme`]: its scheme is neither `http` nor `https`.
    pub fn set_url(&mut self, url: impl Into<Address>) -> Result<()> {
        let (url, _) = url.into().resolve(Some(&self.url))?;
        let before = std::mem::replace(&mut self.url, url);
        (self.target, self.framed) = (None, None);
        if !Origin::is_same(&before, &self.url) {
            let sensitive = self.sensitive.as_deref().unwrap_or(&[]);
            self.headers.retain(|field| !belongs_to_origin(field, sensitive));
            self.address_host()?;
        }
        self.moved_from.get_or_insert_with(|| Box::new(before));
        Ok(())
    }

    /// Replaces the request target by exact bytes, such as `*` or `/%2e%2e/` (row B24). The
    /// connection still goes to the URL. A redirect drops the target.
    ///
    /// # Errors
    /// - [`Kind::InvalidUrl`]: the target is empty, or has bytes other than visible ASCII.
    pub fn set_target(&mut self, target: &str) -> Result<()> {
        if target.is_empty() || !target.bytes().all(|b| b.is_ascii_graphic()) {
            let detail = format!("the target \"{}\" is not visible ASCII", escape(target.as_bytes()));
            return Err(Error::new(Kind::InvalidUrl).with_detail(detail));
        }
        self.target = Some(target.into());
        Ok(())
    }

    /// Replaces the body, and the header fields for its length and for a coding that the request
    /// asked for. The new body is sent unchanged.
    pub fn set_body(&mut self, body: impl Into<Body>) {
        self.framed = None;
        if self.body.coding.is_some() {
            self.headers.remove("Content-Encoding");
        }
        self.body = body.into();
        self.headers.remove("Content-Length");
        self.headers.remove("Transfer-Encoding");
        if self.body.form.is_some() {
            // The field describes the previous body. Without it, no field contradicts the form.
            self.headers.remove("Content-Type");
            let _ = self.settle_boundary();
        }
        self.frame();
    }

    /// Sets the framing header (rules P-34 to P-41, rows B18, B19): Content-Length or
    /// Transfer-Encoding, never both.
    pub(crate) fn frame(&mut self) {
        let chunked = self.headers.contains("Transfer-Encoding");
        match (&self.body.content, self.body.length()) {
            (Content::None, _) => {
                if chunked {
                    self.headers.remove("Transfer-Encoding");
                }
                let bare = matches!(self.method, Method::GET | Method::HEAD);
                if !bare && !self.headers.contains("Content-Length") {
                    self.headers.append_known("Content-Length", b"0");
                }
            }
            (_, Some(length)) if !chunked => self.set_length(length),
            (_, None) if !chunked && self.headers.contains("Content-Length") => {}
            _ => {
                self.headers.remove("Content-Length");
                if !chunked {
                    self.headers.append_known("Transfer-Encoding", b"chunked");
                }
            }
        }
        if let Some(kind) = self.body.content_type
            && !self.headers.contains("Content-Type")
        {
            self.headers.append_known("Content-Type", kind.as_bytes());
        }
    }

    fn set_length(&mut self, length: u64) {
        let mut digits = [0; 20];
        // Digits are valid in every header.
        let _ = self.headers.insert("Content-Length", decimal(length, &mut digits));
    }

    /// Inserts Host as the first field (rule P-27), unless the caller has set it.
    pub(crate) fn address_host(&mut self) -> Result<()> {
        match self.headers.get_all("Host").count() {
            0 => {
                let url = &self.url;
                let host = &url[Position::BeforeHost..Position::AfterPort];
                self.headers.prepend_with("Host", |out| out.extend_from_slice(host.as_bytes()));
                Ok(())
            }
            1 => Ok(()),
            _ => Err(Error::new(Kind::InvalidHeader).with_detail("more than one Host")),
        }
    }

    /// Records the framing of the body, and whether the body waits. Without content the request has
    /// no body to hold back, so the expectation is dropped (RFC 9110 section 10.1.1).
    ///
    /// # Errors
    /// The errors of invalid edits by the caller.
    pub(crate) fn seal(&mut self) -> Result<()> {
        let facts = Facts::of(&self.headers);
        let says = facts.says;
        self.framed = Some(facts.check(&self.url, &self.body)?);
        self.says = Says { expects: says.expects && self.body.length() != Some(0), ..says };
        if says.expects && !self.says.expects {
            self.headers.remove("Expect");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn check(&self) -> Result<Framed> {
        Facts::of(&self.headers).check(&self.url, &self.body)
    }

    /// Makes the boundary of a form and that of Content-Type the same. A boundary of the caller is
    /// kept, and a missing one added (rule P-43, row B28). A form with all its bytes in memory
    /// becomes plain bytes.
    pub(crate) fn settle_boundary(&mut self) -> Result<()> {
        let Some(form) = self.body.form.take() else { return Ok(()) };
        let declared = self.headers.iter().find(|field| field.name.eq_ignore_ascii_case("Content-Type"));
        let mut layout = form;
        let shown = || escape(declared.map_or(b"", |field| field.value));
        match declared.map(|field| (field.name.to_owned(), Declared::read(field.value, layout.boundary()))) {
            None => self.headers.append_with("Content-Type", |out| {
                out.extend_from_slice(b"multipart/form-data; boundary=");
                out.extend_from_slice(layout.boundary().as_bytes());
            }),
            Some((_, Declared::NotMultipart)) => {}
            Some((name, Declared::Missing(value))) => self.headers.insert(name, value)?,
            Some((_, Declared::Given(boundary))) => layout = Arc::new(layout.with_boundary(boundary)?),
            Some((_, Declared::Invalid)) => {
                let detail = format!("no boundary by RFC 2046 section 5.1.1 in Content-Type: {}", shown());
                return Err(Error::new(Kind::InvalidHeader).with_detail(detail));
            }
        }
        if let Some(bytes) = layout.bytes() {
            self.body.content = Content::Bytes(bytes);
        } else {
            self.body.content =
                Content::Source { length: layout.length(), replayable: layout.is_replayable() };
            self.body.form = Some(layout);
        }
        Ok(())
    }

    /// Applies a content coding to the body, unless it is coded already or empty.
    #[cold]
    pub(crate) fn compress(&mut self, coding: ContentCoding) {
        let is_coded = self.headers.contains("Content-Encoding");
        if is_coded || self.body.length() == Some(0) {
            return;
        }
        let length = match &mut self.body.content {
            Content::None => return,
            Content::Bytes(bytes) => Some(std::mem::replace(bytes, coding.applied(bytes)).len() as u64),
            Content::Source { length, .. } => length.take(),
        };
        self.body.coding = Some(Box::new((coding, length)));
        // Its value was the length before the coding.
        self.headers.remove("Content-Length");
        self.headers.append_known("Content-Encoding", coding.name().as_bytes());
    }

    /// The length of the body that the head announces, in bytes.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self.framed {
            Some(Framed::Length(length)) => Some(length),
            _ => self.body.length(),
        }
    }

    /// The body as it is sent.
    pub(crate) fn outgoing(&self, framed: Framed) -> BodyKind {
        match (&self.body.content, framed) {
            (Content::None, _) => BodyKind::None,
            (Content::Bytes(bytes), Framed::Length(_)) => BodyKind::Bytes(bytes.clone()),
            // The caller asks for chunks although the length is known (row B19): send one chunk.
            (Content::Bytes(bytes), Framed::Chunked) => {
                let mut chunks = format!("{:x}\r\n", bytes.len()).into_bytes();
                if !bytes.is_empty() {
                    chunks.extend_from_slice(bytes);
                    chunks.extend_from_slice(b"\r\n0\r\n");
                }
                chunks.extend_from_slice(b"\r\n");
                BodyKind::Bytes(chunks.into())
            }
            (Content::Source { .. }, Framed::Length(length)) => BodyKind::Source { length: Some(length) },
            (Content::Source { .. }, Framed::Chunked) => BodyKind::Source { length: None },
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("url", &RedactedUrl::new(&self.url).to_string())
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The credentials in a URL (rule P-51).
pub(crate) fn userinfo(url: &Url) -> (Vec<u8>, Vec<u8>) {
    (percent::decode(url.username()), percent::decode(url.password().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
