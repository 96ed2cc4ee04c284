//! Requests and their changes to the session's defaults.

use std::ops::{Deref, DerefMut};

use http::Method;
use url::Url;

use crate::base::change::Change;
use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::base::progress::{BodyProgress, Way};
use crate::base::time::Seed;
use crate::call::observer::Observer;
use crate::error::{Error, Result};
use crate::message::body::Body;
use crate::message::coding::ContentCoding;
use crate::message::headers::Headers;
use crate::message::multipart::Form;
use crate::policy::retry::{self, IDEMPOTENCY_KEY};
use crate::prepared::auth::Auth;
use crate::route::proxy::{Proxies, Via};
use crate::route::tls::{Identity, Roots, Tls};
use crate::session::changes::Changes;
use crate::session::steps::change_steps;
use crate::uri::address::Address;
use crate::uri::pair::Pair;

/// One request of the caller: the method, the address, and the changes to the session's defaults.
///
/// The session stores nothing of it (story S8). A builder method keeps its error, such as a header
/// with a line break. [`prepare`](crate::prepare()) returns it, before a byte is sent.
///
/// ```
/// use sessio::Request;
///
/// let request = Request::get("http://example.org/headers")
///     .header("x-test2", "true")     // beside the session's headers
///     .remove_header("x-test")       // this once without the session's
///     .param("page", "2")
///     .basic_auth("user", "pass");
/// ```
///
/// A clone is an equal request. It shares the bytes of the body, and has the error of the original.
///
/// ```
/// use sessio::Request;
///
/// let first = Request::get("http://example.org/items").header("X-Client", "1");
/// let second = first.clone().param("page", 2);
/// assert!(first.params.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct Request {
    /// The method, upper-cased (rule M-26).
    pub method: Method,
    /// The URL, or an address relative to the session's `base_url`.
    pub address: Address,
    /// The body.
    pub body: Body,
    /// The content coding of the body; see [`compress`](Self::compress).
    pub compress: Option<ContentCoding>,
    /// The changes to the session's defaults. A request shows them as its own fields, too.
    pub changes: Changes,
    pub(crate) problem: Option<Error>,
}

macro_rules! verbs {
    ($($name:ident $method:ident)*) => {
        $(
            #[doc = concat!("A `", stringify!($method), "` request.")]
            pub fn $name(address: impl Into<Address>) -> Self {
                Self { method: Method::$method, address: address.into(), ..Self::default() }
            }
        )*
    };
}

impl Deref for Request {
    type Target = Changes;

    fn deref(&self) -> &Changes {
        &self.changes
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Changes {
        &mut self.changes
    }
}

impl Request {
    /// A request with any method. The method is upper-cased.
    pub fn new(method: impl AsRef<str>, address: impl Into<Address>) -> Self {
        let mut request = Self { address: address.into(), ..Self::default() };
        let method = method.as_ref();
        match Method::from_bytes(method.to_ascii_uppercase().as_bytes()) {
            Ok(method) => request.method = method,
            Err(_) => {
                request.problem =
                    Some(Error::new(Kind::InvalidMethod).with_detail(escape(method.as_bytes())));
            }
        }
        request
    }

    verbs! { get GET  post POST  put PUT  patch PATCH  delete DELETE  options OPTIONS }

    /// A `HEAD` request. A redirect is returned as the response, not followed (rule M-25).
    pub fn head(address: impl Into<Address>) -> Self {
        Self {
            method: Method::HEAD,
            address: address.into(),
            changes: Changes { max_redirects: Change::Remove, ..Changes::default() },
            ..Self::default()
        }
    }

    change_steps!();

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a form as the body: see [`Body::form`].
    pub fn form<P: Pair>(mut self, pairs: impl IntoIterator<Item = P>) -> Self {
        self.body = Body::form(pairs);
        self
    }

    /// Sets a serde value as a form: see [`Body::form_from`].
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Body::form_from(value) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Sets a multipart form as the body: see [`multipart`](crate::message::multipart).
    pub fn multipart(mut self, form: Form, seed: &mut Seed) -> Self {
        match Body::multipart(form, seed) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Sets a value as a JSON body: see [`Body::json`].
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Body::json(value) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Lets the server check the head before the body is sent: `Expect: 100-continue` (RFC 9110
    /// section 10.1.1). Setting that header does the same. A server that refuses or redirects the
    /// request does so without the body.
    ///
    /// The body waits for `100 Continue`, at most for `timeouts.expect`. Default: 1 second. If a
    /// final response comes first, the body is not sent, and the connection is closed. After a
    /// redirect or a challenge, even a body that cannot start over is then still complete. After
    /// `417 Expectation Failed` the request is sent again without the header, on a new connection
    /// (row Q11). A request without content sends no expectation.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessio::{Change, Request};
    ///
    /// let mut request = Request::put("http://example.org/archive").body("...").expect_continue();
    /// request.timeouts.expect = Change::Set(Duration::from_millis(200));
    /// ```
    pub fn expect_continue(self) -> Self {
        self.header("Expect", "100-continue")
    }

    /// Compresses the body and adds `Content-Encoding`. Bytes get the Content-Length of the result.
    /// Sources are sent in chunks, and coded while they are sent. The caller must know that the
    /// server accepts the coding (RFC 9110 section 8.4).
    ///
    /// A request with its own `Content-Encoding` is coded already and is sent unchanged. So is a
    /// request without a body. A coded body can be sent again if it could be without the coding.
    pub fn compress(mut self, coding: ContentCoding) -> Self {
        self.compress = Some(coding);
        self
    }

    /// Sets the header `Idempotency-Key` to a random value, unless the request has one. A server that
    /// knows the header processes the request once, however often it comes. All attempts and
    /// redirects of the call keep the value: a UUID in quotes
    /// (draft-ietf-httpapi-idempotency-key-header).
    ///
    /// ```
    /// use sessio::{Request, Seed};
    ///
    /// let request = Request::post("http://example.org/orders").idempotency_key(&mut Seed::from_bytes([7; 32]));
    /// ```
    pub fn idempotency_key(mut self, seed: &mut Seed) -> Self {
        if !self.headers.set.contains(IDEMPOTENCY_KEY) {
            self = self.header(IDEMPOTENCY_KEY, retry::draw_key(seed));
        }
        self
    }

    /// The URL so far. `None` if the address is no URL.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        self.address.url()
    }
}
