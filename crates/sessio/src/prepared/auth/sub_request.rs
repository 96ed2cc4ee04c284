//! Requests that an authentication flow sends itself.

use http::Method;

use crate::base::fault::Fault;
use crate::base::kind::Kind;
use crate::base::secret::basic;
use crate::error::{Error, Result};
use crate::message::body::Body;
use crate::message::headers::Headers;
use crate::uri::address::Address;
use crate::uri::pair::Pair;

/// A request of an authentication [`Flow`](super::Flow), such as one for a token.
///
/// The call plays it before its own request, over the same jar, pool, proxies, TLS settings and time
/// limits, and follows its redirects. It carries none of the credentials of session, mount and
/// request: only its own, which stay with its origin. Hooks do not run for it. `User-Agent`,
/// `Accept`, `Accept-Encoding` and `Accept-Language` are those of the call, unless it has its own.
///
/// ```
/// use sessio::auth::SubRequest;
///
/// let token = SubRequest::post("https://auth.example.org/token")
///     .basic_auth("client", "secret")
///     .form([("grant_type", "client_credentials")]);
/// ```
#[derive(Debug)]
#[must_use = "a flow returns it, and the call sends it"]
pub struct SubRequest {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) follows_redirects: bool,
    problem: Option<Fault>,
}

impl SubRequest {
    /// A request with this method. The address may be relative to the URL of the call.
    pub fn new(method: Method, address: impl Into<Address>) -> Self {
        let (headers, body) = (Headers::new(), Body::empty());
        Self { method, address: address.into(), headers, body, follows_redirects: true, problem: None }
    }

    /// A `GET` request. The address may be relative to the URL of the call.
    pub fn get(address: impl Into<Address>) -> Self {
        Self::new(Method::GET, address)
    }

    /// A `POST` request. The address may be relative to the URL of the call.
    pub fn post(address: impl Into<Address>) -> Self {
        Self::new(Method::POST, address)
    }

    /// Sets a header. An invalid one fails the call before the request is sent.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        if let Err(fault) = self.headers.insert(name, value) {
            self.problem.get_or_insert(fault);
        }
        self
    }

    /// Sets the header of Basic authentication. It is for the origin of this request only.
    pub fn basic_auth(self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        self.header("Authorization", basic(user.as_ref(), password.as_ref()))
    }

    /// Sets a form as the body.
    pub fn form<P: Pair>(mut self, pairs: impl IntoIterator<Item = P>) -> Self {
        self.body = Body::form(pairs);
        self
    }

    /// Sets bytes in memory as the body.
    pub fn body(mut self, bytes: impl Into<bytes::Bytes>) -> Self {
        self.body = Body::from(bytes.into());
        self
    }

    /// Follows no redirect: the flow receives its head. Default: redirects are followed.
    pub fn without_redirects(mut self) -> Self {
        self.follows_redirects = false;
        self
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        match self.problem.take() {
            Some(fault) => Err(fault.into()),
            None if self.body.as_bytes().is_none() && !self.body.is_empty() => {
                Err(Error::new(Kind::InvalidBody).with_detail("a flow sends bytes in memory only"))
            }
            None => Ok(()),
        }
    }
}
