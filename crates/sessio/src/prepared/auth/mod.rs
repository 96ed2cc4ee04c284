//! Authentication of requests.

#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "oauth2")]
pub mod oauth2;
#[cfg(feature = "sigv4")]
mod sigv4;
mod single_flight;
mod sub_request;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use url::Url;

use crate::base::kind::Kind;
use crate::base::secret::{Secret, basic};
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::challenge::challenges;
use crate::message::head::Head;
use crate::prepared::Prepared;
use crate::route::netrc::Login;
use crate::uri::pattern::UrlPattern;

#[cfg(feature = "digest")]
pub use self::digest::Digest;
#[cfg(feature = "sigv4")]
pub use self::sigv4::SigV4;
pub use self::single_flight::{SingleFlight, Turn, TurnTicket};
pub use self::sub_request::SubRequest;

/// The authentication of a request. `Debug` hides its secrets.
///
/// An `Authorization` header of the caller takes precedence over all of these (row B03).
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// No authentication, unless the URL has a user and a password.
    #[default]
    None,
    /// User and password in clear text (RFC 7617). Text is sent as UTF-8 (row B13).
    Basic(Secret, Secret),
    /// A token (RFC 6750).
    Bearer(Secret),
    /// A scheme of several steps, or a signature over the request.
    Flow(Arc<dyn Scheme>),
    /// Any of these for one origin only: see [`only`](Self::only).
    Only(Arc<Only>),
}

/// Authentication for one origin only: see [`Auth::only`].
pub struct Only {
    auth: Auth,
    /// The origin, or the reason why the text is none.
    origin: std::result::Result<UrlPattern, Box<str>>,
}

impl Auth {
    /// Basic authentication. Bytes that are not UTF-8 are sent unchanged.
    ///
    /// ```
    /// # use sessio::Auth;
    /// let auth = Auth::basic("user", "pass");
    /// assert_eq!(format!("{auth:?}"), "Basic(***)");
    /// ```
    #[must_use]
    pub fn basic(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        Self::Basic(Secret(user.as_ref().into()), Secret(password.as_ref().into()))
    }

    /// Authentication with a bearer token.
    #[must_use]
    pub fn bearer(token: impl AsRef<[u8]>) -> Self {
        Self::Bearer(Secret(token.as_ref().into()))
    }

    /// Authentication with your own scheme.
    #[must_use]
    pub fn flow(scheme: impl Scheme) -> Self {
        Self::Flow(Arc::new(scheme))
    }

    /// The same authentication, for one origin only: scheme, host and port. The host `*.example.org`
    /// is all names below `example.org`. Requests to other origins are sent as with [`Auth::None`].
    ///
    /// Defaults of a session go to every host that is asked. Bind credentials to their origin if an
    /// address may come from elsewhere, such as a link in a response. A [mount](crate::Mounts) binds
    /// headers as well, and paths.
    ///
    /// A text that is no origin makes each request fail with
    /// [`Kind::InvalidUrl`](crate::Kind::InvalidUrl).
    ///
    /// ```
    /// use sessio::{Auth, Jar, Now, Request, Settings, UnixTime, merge, prepare};
    ///
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.auth = Auth::bearer("secret").only("https://api.example.org");
    /// let ask = |url| prepare(merge(&settings, Request::get(url)), &mut Jar::new(), now);
    /// assert!(ask("https://api.example.org/users")?.request.headers().contains("Authorization"));
    /// assert!(!ask("https://other.test/")?.request.headers().contains("Authorization"));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    #[must_use]
    pub fn only(self, origin: &str) -> Self {
        let origin = match UrlPattern::parse(origin) {
            Ok(pattern) if pattern.is_origin() => Ok(pattern),
            Ok(pattern) => Err(format!("more than an origin, or less: {pattern}").into()),
            Err(fault) => Err(fault.detail().unwrap_or("no origin: no scheme").into()),
        };
        Self::Only(Arc::new(Only { auth: self, origin }))
    }

    /// The authentication of a request to this URL.
    pub(crate) fn at(self, url: &Url) -> Result<Self> {
        let mut auth = self;
        while let Self::Only(only) = auth {
            auth = match &only.origin {
                Ok(origin) if origin.matches(url) => only.auth.clone(),
                Ok(_) => Self::None,
                Err(why) => {
                    let detail = format!("Auth::only: {why}");
                    return Err(Error::new(Kind::InvalidUrl).with_detail(detail));
                }
            };
        }
        Ok(auth)
    }

    /// Adds the credentials to the request, which is otherwise complete. Returns the flow that
    /// continues with it, if there is one.
    pub(crate) fn apply(&self, request: &mut Prepared) -> Result<Option<Box<dyn Flow>>> {
        let value = match self {
            // `at` has resolved the second one.
            Self::None | Self::Only(_) => return Ok(None),
            Self::Basic(user, password) => basic(&user.0, &password.0),
            Self::Bearer(token) => [b"Bearer ", &*token.0].concat(),
            Self::Flow(scheme) => return start(scheme.begin(), request).map(Some),
        };
        request.headers.insert("Authorization", value).map_err(|_| {
            Error::new(Kind::InvalidHeader).with_detail("a control character in the credentials")
        })?;
        Ok(None)
    }
}

/// Signs a request by a new flow, unless the flow has to be asked first.
pub(crate) fn start(flow: Box<dyn Flow>, request: &mut Prepared) -> Result<Box<dyn Flow>> {
    let mut flow = flow;
    if !flow.asks() {
        flow.sign(request)?;
    }
    Ok(flow)
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Only(only) => return fmt::Debug::fmt(only, f),
            Self::None => "None",
            Self::Basic(..) => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
            Self::Flow(_) => "Flow(***)",
        })
    }
}

impl fmt::Debug for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Ok(origin) => write!(f, "{:?} only for {origin}", self.auth),
            Err(why) => write!(f, "{:?} only for {why}", self.auth),
        }
    }
}

/// Whether a response with status 401 offers a scheme, such as `Basic`. Case does not matter.
///
/// ```
/// use sessio::auth::offers;
/// use sessio::http::StatusCode;
/// use sessio::{Head, Headers};
///
/// let mut headers = Headers::new();
/// headers.insert("WWW-Authenticate", r#"Digest realm="a", nonce="b", Basic realm="a""#)?;
/// let head = Head::new(StatusCode::UNAUTHORIZED, headers);
/// assert!(offers(&head, "basic") && !offers(&head, "Bearer"));
/// # Ok::<(), sessio::Error>(())
/// ```
#[must_use]
pub fn offers(head: &Head, scheme: &str) -> bool {
    let mut challenges = head.headers.get_all("WWW-Authenticate").flat_map(challenges);
    challenges.any(|challenge| challenge.is(scheme))
}

/// The user and the password in a URL, decoded. `None` if it has no user.
///
/// ```
/// let url = "http://me:a%20b@example.org/".parse().unwrap();
/// assert_eq!(sessio::auth::userinfo(&url), Some((b"me".to_vec(), b"a b".to_vec())));
/// ```
#[must_use]
pub fn userinfo(url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
    (!url.username().is_empty()).then(|| crate::prepared::userinfo(url))
}

/// The value of Basic credentials (RFC 7617 section 2).
///
/// ```
/// assert_eq!(sessio::auth::basic_value(b"user", b"pass"), b"Basic dXNlcjpwYXNz");
/// ```
#[must_use]
pub fn basic_value(user: &[u8], password: &[u8]) -> Vec<u8> {
    basic(user, password)
}

/// An authentication scheme. The session begins a new flow of it for each call.
///
/// It runs under no lock, and so do its flows. They may use the session, to read its jar or to send
/// requests of their own. Such a request should call
/// [`without_auth`](crate::Request::without_auth), or it uses the same scheme again.
///
/// ```
/// use sessio::{FlowDecision, Auth, Flow, Head, Prepared, Result, Scheme};
///
/// /// Sends a token only after a challenge.
/// #[derive(Debug)]
/// struct OnDemand(&'static str);
///
/// #[derive(Clone, Debug)]
/// struct Conversation(&'static str);
///
/// impl Scheme for OnDemand {
///     fn begin(&self) -> Box<dyn Flow> {
///         Box::new(Conversation(self.0))
///     }
/// }
///
/// impl Flow for Conversation {
///     fn sign(&mut self, _: &mut Prepared) -> Result<()> {
///         Ok(())
///     }
///
///     fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
///         if head.status != 401 || request.headers().contains("Authorization") {
///             return Ok(FlowDecision::Accept);
///         }
///         request.headers_mut().insert("Authorization", self.0)?;
///         Ok(FlowDecision::Again)
///     }
///
///     fn clone_box(&self) -> Box<dyn Flow> {
///         Box::new(self.clone())
///     }
/// }
///
/// let auth = Auth::flow(OnDemand("Bearer abc"));
/// ```
pub trait Scheme: fmt::Debug + Send + Sync + 'static {
    /// Begins a flow: one for each call and each origin in it.
    fn begin(&self) -> Box<dyn Flow>;

    /// Whether the flows use the [login](crate::PreparedCall::login) of the URL or of the netrc file.
    /// Default: `false`.
    fn wants_login(&self) -> bool {
        false
    }

    /// Begins a flow with that login, if the scheme [wants](Self::wants_login) one. `None` is no
    /// login. Default: [`begin`](Self::begin).
    fn begin_with(&self, login: Option<Login>) -> Box<dyn Flow> {
        let _ = login;
        self.begin()
    }
}

/// One authentication flow. A redirect to another origin ends it.
pub trait Flow: fmt::Debug + Send + Sync {
    /// Receives the complete request before it is sent for the first time.
    ///
    /// It may edit the request. Of its URL it may replace the query alone, such as to add a
    /// signature. The call has chosen proxy, mount and cookies by the rest, so another edit of the
    /// URL is [`Kind::Authentication`]. A [hook](crate::hook) can replace the URL.
    ///
    /// # Errors
    /// An error ends the call.
    fn sign(&mut self, request: &mut Prepared) -> Result<()>;

    /// Receives every final response, and the request, which it can change to send it again. It may
    /// edit what [`sign`](Self::sign) may edit.
    ///
    /// # Errors
    /// An error ends the call.
    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision>;

    /// Returns the number of bytes that the flow wants to see of the body of this response, before
    /// [`challenged`](Self::challenged). At most 64 KiB are read. The caller receives them, too.
    /// Default: 0.
    ///
    /// The call reads them before it returns the head. So it waits for a server that sends its body
    /// slowly.
    fn body_bytes(&self, head: &Head, request: &Prepared) -> usize {
        let _ = (head, request);
        0
    }

    /// Receives the start of the body that it [wanted](Self::body_bytes), after its codings were
    /// decoded. A body that ends too soon, or cannot be decoded, is shorter. Default: ignores it.
    ///
    /// # Errors
    /// An error ends the call.
    fn start(&mut self, response: &Received<'_>, request: &Prepared) -> Result<()> {
        let _ = (response, request);
        Ok(())
    }

    /// Copies the flow in its current state, for a copy of its request.
    fn clone_box(&self) -> Box<dyn Flow>;

    /// Whether the flow may [need](Self::need) something before it signs. Default: `false`.
    ///
    /// If so, the call asks before each [`sign`](Self::sign), and signs when the request is sent:
    /// [`prepare`](crate::prepare()) leaves the request unsigned.
    fn asks(&self) -> bool {
        false
    }

    /// Returns what the flow needs before it signs this request. The call asks again after each
    /// response and each wait, until the flow needs nothing. A flow may send at most 16 requests in
    /// one call. Default: [`Need::Nothing`].
    ///
    /// # Errors
    /// An error ends the call.
    fn need(&mut self, request: &Prepared, now: Now) -> Result<Need> {
        let _ = (request, now);
        Ok(Need::Nothing)
    }

    /// Receives the final response to the request that it [needed](Self::need). It is no response of
    /// the call. Default: ignores it.
    ///
    /// # Errors
    /// An error ends the call.
    fn received(&mut self, response: &Received<'_>, now: Now) -> Result<()> {
        let _ = (response, now);
        Ok(())
    }

    /// Receives the error of the request that it needed. Default: the error ends the call.
    ///
    /// # Errors
    /// An error ends the call. Without one, the call asks for the needs again.
    fn failed(&mut self, error: Error) -> Result<()> {
        Err(error)
    }

    /// Waits for another call, after [`Need::Turn`]. It returns [`Poll::Ready`] if the call is to
    /// ask again, and wakes the waker of `cx` when that is so. Default: ready at once.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }
}

/// The need of a [`Flow`] before it signs a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Need {
    /// Nothing: the flow can sign.
    Nothing,
    /// The response to this request. The call sends it first.
    Response(Box<SubRequest>),
    /// The result of another call that uses the same scheme: see [`SingleFlight`].
    Turn,
}

/// A response to a [`SubRequest`], or the start of a response that a flow or a [hook](crate::hook)
/// wants to see.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Received<'a> {
    /// The head. For a [`SubRequest`], that of the final response, after redirects.
    pub head: &'a Head,
    /// The decoded body, at most 64 KiB of it.
    pub body: &'a [u8],
    /// Whether that is the whole body.
    pub is_whole: bool,
}

/// Formats the body as its length: it may be a token.
impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("head", self.head)
            .field("body_bytes", &self.body.len())
            .field("is_whole", &self.is_whole)
            .finish()
    }
}

impl<'a> Received<'a> {
    /// A response without a call: for tests, and for programs that send the request themselves.
    #[must_use]
    pub fn new(head: &'a Head, body: &'a [u8], is_whole: bool) -> Self {
        Self { head, body, is_whole }
    }

    /// The body as text. Bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.body)
    }
}

impl Clone for Box<dyn Flow> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// The decision of a [`Flow`] on a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowDecision {
    /// Accepts the response.
    Accept,
    /// Answers the challenge: sends the changed request again. At most eight times in one call.
    Again,
    /// Sends the request again, after the flow has got what it [needs](Flow::need) and has signed
    /// it. It counts as [`Again`](Self::Again).
    Renew,
}
