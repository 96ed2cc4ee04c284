//! Errors, grouped by the party at fault.
//!
//! There is one opaque [`Error`]. Its [`Kind`] is what happened, and [`Kind::blame`] the party at
//! fault. [`Error::progress`] is how far the exchange had come: the stage, and the bytes sent and
//! received. It also says whether the connection was reused, and whether it is safe to send the
//! request again.
//!
//! The error is opaque so that causes can be added without breaking a `match`. Use [`Error::kind`]
//! or the `is_*` predicates.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;

use url::Url;

use crate::base::fault::Fault;
use crate::base::kind::{Blame, Kind, Timeout};
use crate::base::repeat::Repeat;
use crate::message::exchange::Exchange;
use crate::policy::pace::Refusal;
use crate::policy::retry::Attempt;
use crate::route::proxy::Proxy;
use crate::uri::origin::Origin;
use crate::uri::redacted::RedactedUrl;
use crate::wire::tunnel::Refused;

mod convert;

/// A `Result` with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The stage of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Before any use of the network.
    Prepare,
    /// Waiting for the pool, resolving, and opening the connection.
    Connect,
    /// Reaching a proxy, up to its consent. [`Error::proxy`] is the proxy.
    Proxy,
    /// The TLS handshake of the connection. No byte of the request was sent.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the head of the response.
    Head,
    /// Reading the body of the response.
    Body,
    /// Deciding what follows from the response: redirect, authentication.
    Decide,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "preparing",
            Self::Connect => "connecting",
            Self::Proxy => "reaching the proxy",
            Self::Tls => "performing the TLS handshake",
            Self::Send => "sending the request",
            Self::Head => "waiting for the response",
            Self::Body => "reading the body",
            Self::Decide => "deciding what follows",
        }
    }
}

/// How far an exchange had come when it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// The origin of this hop.
    pub peer: Option<Origin>,
    /// The number of the hop in its call: 0 is the first request, 1 the first redirect.
    pub hop: u32,
    /// Bytes of the request that the transport took on this hop.
    pub bytes_sent: u64,
    /// Bytes of the response that were received on this hop.
    pub bytes_received: u64,
    /// Whether the connection carried an earlier exchange.
    pub reused: bool,
    /// Whether the request may be sent again.
    pub repeat: Repeat,
}

/// The reason why a call failed. `Display` is one line: what happened, and what to do. The cause is
/// in `source()`.
///
/// It contains no secrets: URLs have no userinfo, and header values are never shown. A clone shares
/// the cause.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    fault: Fault,
    url: Option<Url>,
    progress: Option<Progress>,
    proxy: Option<Proxy>,
    response: Option<Exchange>,
    history: Vec<Exchange>,
    attempts: Vec<Attempt>,
}

impl Error {
    /// Creates an error of this kind, without details.
    #[cold]
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Fault::new(kind).into()
    }

    /// Adds the details of this case. Escape bytes of a peer with [`escape`](crate::escape).
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.fault = self.0.fault.with_detail(detail);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.fault = self.0.fault.with_source(source);
        self
    }

    /// Adds the URL of the request, without its userinfo.
    #[must_use]
    pub fn with_url(mut self, url: &Url) -> Self {
        self.0.url = Some(crate::uri::address::without_userinfo(url));
        self
    }

    /// Adds the proxy of the request.
    #[must_use]
    pub fn with_proxy(mut self, proxy: &Proxy) -> Self {
        self.0.proxy = Some(proxy.clone());
        self
    }

    pub(crate) fn with_progress(mut self, progress: Progress) -> Self {
        self.0.progress.get_or_insert(progress);
        self
    }

    /// Adds the response that caused the error.
    #[must_use]
    pub fn with_response(mut self, response: Exchange) -> Self {
        self.0.response = Some(response);
        self
    }

    /// Adds the earlier exchanges.
    #[must_use]
    pub fn with_history(mut self, history: Vec<Exchange>) -> Self {
        self.0.history = history;
        self
    }

    /// Adds the attempts of the call.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.fault.kind()
    }

    /// The URL of the hop that failed, without userinfo.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.0.url.as_ref()
    }

    /// How far the exchange had come. `None` before any use of the network.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        self.0.progress.as_ref()
    }

    /// The proxy of the request, whether it caused the error or not. Its `Display` shows no
    /// credentials.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }

    /// The proxy's response to CONNECT, if it refused.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        self.0.fault.cause()?.downcast_ref()
    }

    /// The reason why the [pace](crate::pace) of the host did not let the call begin, and the time of
    /// the next request, if that is the cause.
    ///
    /// ```
    /// # fn show(error: &sessio::Error) {
    /// if let Some(wait) = error.pace_refusal().and_then(|refusal| refusal.wait) {
    ///     println!("ask again in {wait:?}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn pace_refusal(&self) -> Option<&Refusal> {
        self.0.fault.cause()?.downcast_ref()
    }

    /// The kind of the system's error, if one is the cause: of a file, a socket or a resolver.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use sessio::Error;
    ///
    /// let error = Error::from(std::fs::read("/no/such/file").unwrap_err());
    /// assert_eq!(error.io_kind(), Some(ErrorKind::NotFound));
    /// ```
    #[must_use]
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                return Some(error.kind());
            }
            cause = error.source();
        }
        None
    }

    /// The head of the response, if it could not be followed or had an error status.
    #[must_use]
    pub fn response(&self) -> Option<&Exchange> {
        self.0.response.as_ref()
    }

    /// The exchanges that the call had completed before, first to last: redirects and challenges.
    /// Every error of a call has them, of any kind (row FC4).
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        &self.0.history
    }

    /// The attempts of the call, first to last, each with the decision about it. Empty without a
    /// policy of [retries](crate::retry).
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Whether a time limit ran out. [`kind`](Self::kind) names the limit.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), Kind::Timeout(_))
    }

    /// Whether no connection could be made: resolving, connecting or the TLS handshake failed, or
    /// took too long.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.progress().is_some_and(|progress| matches!(progress.stage, Stage::Tls | Stage::Proxy))
            || matches!(
                self.kind(),
                Kind::Resolve
                    | Kind::Connect
                    | Kind::Timeout(Timeout::Resolve | Timeout::Connect | Timeout::Pool)
            )
    }

    /// Whether a proxy is at fault, or could not be reached.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        self.progress().is_some_and(|progress| progress.stage == Stage::Proxy)
            || matches!(
                self.kind(),
                Kind::InvalidProxy | Kind::ProxyRefused | Kind::ProxyAuthentication | Kind::NotSocks
            )
    }

    /// Whether TLS failed: the peer's certificate, the handshake, or an alert.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_certificate()
            || matches!(
                self.kind(),
                Kind::InvalidTls
                    | Kind::HttpsOnly
                    | Kind::ClientCertificate
                    | Kind::TlsAlert
                    | Kind::TlsBroken
                    | Kind::TlsClosed
                    | Kind::TlsMismatch
                    | Kind::TlsProtocol
                    | Kind::NotTls
            )
    }

    /// Whether the server's certificate is at fault.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        matches!(
            self.kind(),
            Kind::CertificateConstraint
                | Kind::CertificateExpired
                | Kind::CertificateIncompleteChain
                | Kind::CertificateNotPinned
                | Kind::CertificateNotYetValid
                | Kind::CertificateRevocationUnknown
                | Kind::CertificateRevoked
                | Kind::CertificateSelfSigned
                | Kind::CertificateUnknownRoot
                | Kind::CertificateWeak
                | Kind::CertificateWrongHost
                | Kind::CertificateWrongPurpose
                | Kind::InvalidPeerCertificate
        )
    }

    /// Whether a redirect could not be followed.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        matches!(
            self.kind(),
            Kind::BadLocation
                | Kind::ConflictingLocation
                | Kind::UnsupportedRedirectScheme
                | Kind::TooManyRedirects
                | Kind::RedirectLoop
        )
    }

    /// Whether `error_for_status` returned it.
    #[must_use]
    pub fn is_status(&self) -> bool {
        self.kind() == Kind::Status
    }

    /// Whether the body of the request or of the response is at fault.
    #[must_use]
    pub fn is_body(&self) -> bool {
        matches!(
            self.kind(),
            Kind::InvalidBody
                | Kind::BodyLength
                | Kind::BodySource
                | Kind::InvalidJson
                | Kind::NotReplayable
                | Kind::IncompleteBody
                | Kind::BadChunk
                | Kind::BodyTooLarge
                | Kind::LineTooLong
                | Kind::PartlyRead
        )
    }

    /// Whether the request is invalid, and so was not sent.
    #[must_use]
    pub fn is_builder(&self) -> bool {
        self.kind().blame() == Blame::Caller && self.kind() != Kind::File && self.progress().is_none()
    }

    /// Whether the request can be sent again without any risk of doing something twice.
    #[must_use]
    pub fn is_safe_to_repeat(&self) -> bool {
        self.progress().is_some_and(|progress| progress.repeat == Repeat::Safe)
    }
}

impl From<Fault> for Error {
    #[cold]
    fn from(fault: Fault) -> Self {
        Self(Box::new(Inner {
            fault,
            url: None,
            progress: None,
            proxy: None,
            response: None,
            history: Vec::new(),
            attempts: Vec::new(),
        }))
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        f.write_str(kind.says())?;
        if let Some(detail) = self.0.fault.detail() {
            write!(f, " ({detail})")?;
        }
        if let Some(url) = self.url() {
            write!(f, " for {}", RedactedUrl::new(url))?;
        }
        if let Some(proxy) = self.proxy() {
            write!(f, " through {proxy}")?;
        }
        if let Some(at) = self.progress() {
            write!(f, " while {}", at.stage.name())?;
            if (at.bytes_sent, at.bytes_received) != (0, 0) {
                write!(f, ", {} bytes sent and {} received", at.bytes_sent, at.bytes_received)?;
            }
            f.write_str(if at.reused { " on a reused connection" } else { "" })?;
        }
        write!(f, "; {}", kind.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.kind());
        if let Some(detail) = self.0.fault.detail() {
            out.field("detail", &detail);
        }
        if let Some(url) = self.url() {
            out.field("url", &RedactedUrl::new(url).to_string());
        }
        if let Some(proxy) = self.proxy() {
            out.field("proxy", proxy);
        }
        if let Some(progress) = self.progress() {
            out.field("progress", progress);
        }
        if let Some(response) = self.response() {
            out.field("status", &response.head.status.as_u16());
        }
        if let Some(source) = self.0.fault.cause() {
            out.field("source", &source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.fault.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_and_travels() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_without_userinfo() {
        let url = Url::parse("http://user:secret@example.org/x").unwrap();
        let error = Error::new(Kind::Timeout(Timeout::Head)).with_url(&url).with_source("inner cause");
        let text = error.to_string();
        assert_eq!(
            text,
            "no response came in time for http://example.org/x; raise `timeouts.head` if the server needs longer to respond"
        );
        assert!(!format!("{error:?}").contains("secret"));
        let url = Url::parse("http://example.org/x?page=2&token=secret#secret").unwrap();
        let text = format!("{0} {0:?}", Error::new(Kind::Connect).with_url(&url));
        assert!(!text.contains("secret") && text.matches("page=2&token=REDACTED").count() == 2, "{text}");
        assert_eq!(error.source().unwrap().to_string(), "inner cause");
    }
    #[test]
    fn fn6_bytes_are_shown_only_if_there_are_any() {
        let shown = |bytes_sent, bytes_received| {
            let progress = Progress {
                stage: Stage::Connect,
                peer: None,
                hop: 0,
                bytes_sent,
                bytes_received,
                reused: false,
                repeat: Repeat::Safe,
            };
            Error::new(Kind::Connect).with_progress(progress).to_string()
        };
        assert!(shown(0, 0).contains(" while connecting; check"), "{}", shown(0, 0));
        assert!(shown(7, 0).contains(" while connecting, 7 bytes sent and 0 received; "));
        assert!(shown(0, 7).contains(" while connecting, 0 bytes sent and 7 received; "));
    }
}
