//! Requests and their changes to the session's defaults.

use http::Method;
use sessio_cookie::RequestCookies;
use url::Url;

use crate::base::change::Change;
use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::base::progress::{BodyProgress, ProgressCallbacks, Way};
use crate::base::time::Seed;
use crate::base::timeouts::Timeouts;
use crate::call::observer::Observer;
use crate::error::{Error, Result};
use crate::message::body::Body;
use crate::message::coding::ContentCoding;
use crate::message::headers::Headers;
use crate::message::multipart::Form;
use crate::prepared::auth::Auth;
use crate::route::proxy::{Proxies, Via};
use crate::route::tls::{Identity, Roots, Tls, TlsChanges};
use crate::uri::address::Address;
use crate::wire::h1::Limits;

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
#[derive(Debug, Default)]
#[must_use = "a request does nothing until it is sent"]
#[non_exhaustive]
pub struct Request {
    /// The method, upper-cased (rule M-26).
    pub method: Method,
    /// The URL, or an address relative to the session's `base_url`.
    pub address: Address,
    /// Changes to the session's headers.
    pub headers: HeaderChanges,
    /// Changes to the session's query parameters, key by key.
    pub params: Vec<(String, Change<String>)>,
    /// Cookies for this request alone. They override the jar's cookies of the same name. They are
    /// bound to the origin of this request (row B04).
    pub cookies: RequestCookies,
    /// Whether the session's jar is used. [`Change::Remove`] sends and stores no cookies of the
    /// jar.
    pub jar: Change<bool>,
    /// The authentication. [`Change::Remove`] sends no credentials, not even the URL's userinfo.
    pub auth: Change<Auth>,
    /// The proxies. These rules come before the session's. [`Change::Remove`] uses no proxy.
    pub proxies: Change<Proxies>,
    /// The body.
    pub body: Body,
    /// The content coding of the body; see [`compress`](Self::compress).
    pub compress: Option<ContentCoding>,
    /// Maximum number of redirects. [`Change::Remove`] returns a redirect as the response.
    pub max_redirects: Change<u32>,
    /// Whether a loop of redirects is an error; see [`detect_loops`](Self::detect_loops).
    pub detect_loops: Change<bool>,
    /// Whether credentials are kept from `http` to `https`; see
    /// [`keep_on_upgrade`](Self::keep_on_upgrade).
    pub keep_on_upgrade: Change<bool>,
    /// The time limits, one by one.
    pub timeouts: TimeoutChanges,
    /// The limits on the response.
    pub limits: Change<Limits>,
    /// Maximum size of the response's body in bytes, instead of the one in `limits`; see
    /// [`body_limit`](Self::body_limit).
    pub body_bytes: Change<u64>,
    /// Whether the response's content codings are decoded; see [`decode`](Self::decode).
    pub decode: Change<bool>,
    /// Changes to the session's TLS settings. `None` changes nothing.
    pub tls: Option<Box<TlsChanges>>,
    /// An observer of this request. It runs after the session's.
    pub observer: Observer,
    pub(crate) meters: ProgressCallbacks,
    pub(crate) problem: Option<Error>,
}

/// The changes of one request to the session's headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    pub(crate) set: Headers,
    pub(crate) appended: Headers,
    pub(crate) removed: Vec<Box<str>>,
}

impl HeaderChanges {
    /// Replaces the session's field of that name, or adds one.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`]: the name or the value is not valid.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let name = name.as_ref();
        self.set.insert(name, value)?;
        self.removed.retain(|removed| !removed.as_bytes().eq_ignore_ascii_case(name));
        Ok(())
    }

    /// Adds a field and keeps all others of that name.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`]: the name or the value is not valid.
    pub fn append(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.appended.append(name, value)?)
    }

    /// Removes every field of that name, including the session's.
    pub fn remove(&mut self, name: &str) {
        self.set.remove(name);
        self.appended.remove(name);
        self.removed.push(name.into());
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.appended.is_empty() && self.removed.is_empty()
    }

    /// Marks a field as secret. `Debug` hides it, and a redirect to another origin drops it.
    pub fn mark_sensitive(&mut self, name: &str) {
        self.set.mark_sensitive(name);
        self.appended.mark_sensitive(name);
    }
}

/// The changes of one request to the session's [`Timeouts`], one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of Timeouts")]
pub struct TimeoutChanges {
    pub pool: Change<std::time::Duration>,
    pub resolve: Change<std::time::Duration>,
    pub connect: Change<std::time::Duration>,
    pub send: Change<std::time::Duration>,
    pub head: Change<std::time::Duration>,
    pub read: Change<std::time::Duration>,
    pub total: Change<std::time::Duration>,
    pub expect: Change<std::time::Duration>,
}

impl TimeoutChanges {
    pub(crate) fn applied(self, session: &Timeouts) -> Timeouts {
        Timeouts {
            pool: self.pool.applied(session.pool),
            resolve: self.resolve.applied(session.resolve),
            connect: self.connect.applied(session.connect),
            send: self.send.applied(session.send),
            head: self.head.applied(session.head),
            read: self.read.applied(session.read),
            total: self.total.applied(session.total),
            expect: self.expect.applied(session.expect),
        }
    }
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
            max_redirects: Change::Remove,
            ..Self::default()
        }
    }

    /// Sets a header. It replaces the session's of that name, and an earlier one of this request.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.headers.set(name, value);
        self.noting(done)
    }

    /// Adds a header line and keeps those of the same name.
    pub fn append_header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.headers.append(name, value);
        self.noting(done)
    }

    /// Sets each of these headers.
    pub fn headers(mut self, headers: &Headers) -> Self {
        for field in headers.iter() {
            self = self.header(field.name, field.value);
            if field.is_sensitive() {
                self.headers.mark_sensitive(field.name);
            }
        }
        self
    }

    /// Removes a header, including the session's (story S9).
    ///
    /// Some headers belong to every request, and are generated if they are not set: `Host` from the
    /// URL (RFC 9112 section 3.2), `Content-Length` or `Transfer-Encoding` from the body. Removing
    /// one of these removes the session's own value; the request always has the generated one.
    /// requests does the same.
    ///
    /// ```
    /// # use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.headers.insert("Host", "other.test")?;
    /// let request = Request::get("http://example.org/").remove_header("Host");
    /// let prepared = prepare(merge(&settings, request), &mut Jar::new(), now)?.request;
    /// assert_eq!(prepared.headers().get("Host"), Some("example.org"));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub fn remove_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Adds a query parameter. The first one replaces the session's of that key. Further ones are
    /// added to it.
    pub fn param(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((key.into(), Change::Set(value.into())));
        self
    }

    /// Adds each of these query parameters.
    pub fn query<K: Into<String>, V: Into<String>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.params.extend(pairs.into_iter().map(|(key, value)| (key.into(), Change::Set(value.into()))));
        self
    }

    /// Adds query parameters from a serde value: a struct or a map, in its order, or a sequence of
    /// pairs.
    ///
    /// A value that is a sequence adds a parameter for each element, and `None` adds none (rule
    /// P-22). A value without pairs, such as one that contains a map, is [`Kind::InvalidQuery`].
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Search<'a> {
    ///     q: &'a str,
    ///     tag: &'a [&'a str],
    ///     page: Option<u32>,
    /// }
    /// # use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let search = Search { q: "a b", tag: &["x", "y"], page: None };
    /// let request = Request::get("http://example.org/").query_from(&search);
    /// let prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?.request;
    /// assert_eq!(prepared.target(), "/?q=a+b&tag=x&tag=y");
    /// # Ok::<(), sessio::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn query_from<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        match crate::uri::pairs::of(value) {
            Ok(pairs) => self.query(pairs),
            Err(error) => self.noting(Err(Error::new(Kind::InvalidQuery).with_source(error))),
        }
    }

    /// Removes the session's query parameters of that key.
    pub fn remove_param(mut self, key: &str) -> Self {
        self.params.retain(|(k, _)| k != key);
        self.params.push((key.to_owned(), Change::Remove));
        self
    }

    /// Sends a cookie with this request alone.
    pub fn cookie(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.cookies.set(name.as_ref(), value.as_ref()).map_err(Error::from);
        self.noting(done)
    }

    /// Disables the session's jar: the request sends none of its cookies and stores none.
    pub fn without_jar(mut self) -> Self {
        self.jar = Change::Remove;
        self
    }

    /// Sets the authentication.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Change::Set(auth);
        self
    }

    /// Sets Basic authentication with user and password.
    pub fn basic_auth(self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::basic(user, password))
    }

    /// Sets Bearer authentication with a token.
    pub fn bearer_auth(self, token: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::bearer(token))
    }

    /// Disables authentication.
    pub fn without_auth(mut self) -> Self {
        self.auth = Change::Remove;
        self
    }

    /// Uses this proxy for the request and its redirects, instead of those of session and
    /// environment. [Excepted](Proxies::except) hosts use no proxy. Text is parsed as a proxy URL;
    /// empty text is no proxy.
    pub fn proxy<V: TryInto<Via, Error: Into<Error>>>(mut self, proxy: V) -> Self {
        match proxy.try_into() {
            Ok(via) => self.proxies = Change::Set(Proxies::from(via)),
            Err(error) => return self.noting(Err(error.into())),
        }
        self
    }

    /// Adds rules that choose proxies. If none of them matches, those of session and environment
    /// apply.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Change::Set(proxies);
        self
    }

    /// Uses no proxy, whatever session and environment say.
    pub fn without_proxy(mut self) -> Self {
        self.proxies = Change::Remove;
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a form as the body: see [`Body::form`].
    pub fn form<K: AsRef<str>, V: AsRef<str>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
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

    /// Limits the number of followed redirects. With `None` a redirect is returned as the response,
    /// and the response has the next request.
    pub fn redirects(mut self, most: impl Into<Option<u32>>) -> Self {
        self.max_redirects = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Makes a redirect that leads back to a request of this call an error. The session's setting
    /// is [`Settings::detect_loops`](crate::Settings::detect_loops). Default: `false`.
    pub fn detect_loops(mut self, detect: bool) -> Self {
        self.detect_loops = Change::Set(detect);
        self
    }

    /// Keeps or drops credentials if a redirect leads from `http` to `https` on the same host. The
    /// session's setting is [`Settings::keep_on_upgrade`](crate::Settings::keep_on_upgrade).
    /// Default: `true`.
    pub fn keep_on_upgrade(mut self, keep: bool) -> Self {
        self.keep_on_upgrade = Change::Set(keep);
        self
    }

    /// Limits the time of the whole call. With `None` the session's limit does not apply either.
    pub fn timeout(mut self, most: impl Into<Option<std::time::Duration>>) -> Self {
        self.timeouts.total = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Limits the size of the response's body in bytes, both as framed and decoded. With `None` the
    /// session's limit (`limits.body_bytes`) does not apply either. Reading a larger body fails
    /// with [`Kind::BodyTooLarge`].
    pub fn body_limit(mut self, most: impl Into<Option<u64>>) -> Self {
        self.body_bytes = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Decodes the response's content codings, or returns its body as received.
    ///
    /// Default: the codings that the request's `Accept-Encoding` accepts are decoded. Without that
    /// header, all known codings are decoded (RFC 9110 section 12.5.3). So a header of your own
    /// decides too: with `identity` nothing is decoded, whatever the server does. By default, a 206
    /// is returned as received: a part of a coded body cannot be decoded.
    pub fn decode(mut self, decode: bool) -> Self {
        self.decode = Change::Set(decode);
        self
    }

    /// Replaces the session's TLS settings.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls.get_or_insert_default().all = Change::Set(tls);
        self
    }

    /// Trusts these root certificates and no others (rule D-08).
    pub fn roots(mut self, roots: impl Into<Roots>) -> Self {
        self.tls.get_or_insert_default().roots = Change::Set(roots.into());
        self
    }

    /// Sends this certificate to servers that ask for one (rule D-09). `None` sends none.
    pub fn identity(mut self, identity: impl Into<Option<Identity>>) -> Self {
        self.tls.get_or_insert_default().identity = identity.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Accepts any certificate: see [`Tls::danger_accept_invalid_certs`].
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.tls.get_or_insert_default().danger_accept_invalid_certs = Change::Set(accept);
        self
    }

    /// Adds an observer of this call. It runs after the session's and after earlier ones.
    pub fn observe(mut self, observer: Observer) -> Self {
        self.observer = self.observer.and(observer);
        self
    }

    /// Runs `tell` with the number of sent bytes of the request's body, each time that the
    /// transport has taken some.
    ///
    /// It runs within the call, under no lock, and should be quick. If it panics, the caller's
    /// future panics, as with an [observer](Self::observe), and the session stays usable. If the
    /// request is sent again, it receives 0 and then counts from there. That is so after a
    /// redirect, after a challenge, and on a new connection. A later callback replaces an earlier
    /// one.
    ///
    /// ```
    /// use sessio::Request;
    ///
    /// let request = Request::put("http://example.org/archive").body("...").on_upload_progress(|sent| {
    ///     match sent.total {
    ///         Some(total) => eprintln!("{} of {total} bytes", sent.bytes),
    ///         None => eprintln!("{} bytes", sent.bytes),
    ///     }
    /// });
    /// ```
    pub fn on_upload_progress(mut self, tell: impl Fn(BodyProgress) + Send + Sync + 'static) -> Self {
        self.meters.set(Way::Up, tell);
        self
    }

    /// Runs `tell` with the number of received bytes of the response's body, as it is read.
    ///
    /// Bytes are counted as received, before decoding. The total is the Content-Length, if the
    /// response has one. Bodies of redirects and challenges do not count. The rest of a [partial
    /// file](crate::range::PartialFile::ask) is counted from its length on, out of the whole
    /// length. Otherwise as [`on_upload_progress`](Self::on_upload_progress).
    pub fn on_download_progress(mut self, tell: impl Fn(BodyProgress) + Send + Sync + 'static) -> Self {
        self.meters.set(Way::Down, tell);
        self
    }

    /// Keeps the first error: preparing the request returns it.
    fn noting(mut self, done: Result<()>) -> Self {
        if let Err(error) = done {
            self.problem.get_or_insert(error);
        }
        self
    }

    /// The URL so far. `None` if the address is no URL.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        self.address.url()
    }
}
