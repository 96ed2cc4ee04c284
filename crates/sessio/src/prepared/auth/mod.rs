//! Authentication of requests.

#[cfg(feature = "digest")]
mod digest;

use std::fmt;
use std::sync::Arc;

use crate::base::kind::Kind;
use crate::base::secret::{Secret, basic};
use crate::error::{Error, Result};
use crate::message::head::Head;
use crate::prepared::Prepared;

#[cfg(feature = "digest")]
pub use self::digest::Digest;

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

    /// Adds the credentials to the request, which is otherwise complete. Returns the flow that
    /// continues with it, if there is one.
    pub(crate) fn apply(&self, request: &mut Prepared) -> Result<Option<Box<dyn Flow>>> {
        let value = match self {
            Self::None => return Ok(None),
            Self::Basic(user, password) => basic(&user.0, &password.0),
            Self::Bearer(token) => [b"Bearer ", &*token.0].concat(),
            Self::Flow(scheme) => {
                let mut flow = scheme.begin();
                flow.sign(request)?;
                return Ok(Some(flow));
            }
        };
        request.headers.insert("Authorization", value).map_err(|_| {
            Error::new(Kind::InvalidHeader).with_detail("a control character in the credentials")
        })?;
        Ok(None)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic(..) => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
            Self::Flow(_) => "Flow(***)",
        })
    }
}

/// An authentication scheme. The session begins a new flow of it for each call.
///
/// It runs under no lock, and so do its flows. They may use the session, to read its jar or to send
/// requests of their own. Such a request should call
/// [`without_auth`](crate::Request::without_auth), or it uses the same scheme again.
///
/// ```
/// use sessio::{Answer, Auth, Flow, Head, Prepared, Result, Scheme};
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
///     fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<Answer> {
///         if head.status != 401 || request.headers().contains("Authorization") {
///             return Ok(Answer::Accept);
///         }
///         request.headers_mut().insert("Authorization", self.0)?;
///         Ok(Answer::Again)
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
}

/// One authentication flow. A redirect to another origin ends it.
pub trait Flow: fmt::Debug + Send + Sync {
    /// Receives the complete request before it is sent for the first time.
    ///
    /// # Errors
    /// An error ends the call.
    fn sign(&mut self, request: &mut Prepared) -> Result<()>;

    /// Receives every final response, and the request, which it can change to send it again.
    ///
    /// # Errors
    /// An error ends the call.
    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<Answer>;

    /// Copies the flow in its current state, for a copy of its request.
    fn clone_box(&self) -> Box<dyn Flow>;
}

impl Clone for Box<dyn Flow> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// The decision of a [`Flow`] on a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Accepts the response.
    Accept,
    /// Answers the challenge: sends the changed request again. At most eight times in one call.
    Again,
}
