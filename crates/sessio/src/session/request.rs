//! What the caller asked for.

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

/// One request as its caller sees it: what to ask for, and how it differs from the session's defaults.
///
/// Nothing of it is remembered (story S8). A step that fails, such as a header with a line break, is
/// reported when the request is prepared, before anything is sent.
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
    /// The URL, or what the session's `base_url` makes one.
    pub address: Address,
    /// What becomes of the session's headers.
    pub headers: HeaderChanges,
    /// What becomes of the session's query parameters, key by key.
    pub params: Vec<(String, Change<String>)>,
    /// Cookies for this request alone. They win over the jar's of the same name and are bound to the origin
    /// of this request (row B04).
    pub cookies: RequestCookies,
    /// Whether the session's jar takes part; [`Change::Remove`] leaves it out.
    pub jar: Change<bool>,
    /// How to authenticate; [`Change::Remove`] is not at all, not even by the URL's userinfo.
    pub auth: Change<Auth>,
    /// Which proxies it goes through: its rules go before the session's, and [`Change::Remove`] is through none.
    pub proxies: Change<Proxies>,
    /// The body.
    pub body: Body,
    /// How the body is coded; see [`compress`](Self::compress).
    pub compress: Option<ContentCoding>,
    /// How many redirects to follow; [`Change::Remove`] hands a redirect over as it is.
    pub max_redirects: Change<u32>,
    /// Whether a loop of redirects is an error; see [`detect_loops`](Self::detect_loops).
    pub detect_loops: Change<bool>,
    /// Whether credentials go along from `http` to `https`; see [`keep_on_upgrade`](Self::keep_on_upgrade).
    pub keep_on_upgrade: Change<bool>,
    /// The time limits, one by one.
    pub timeouts: TimeoutChanges,
    /// The limits on what is accepted from the server.
    pub limits: Change<Limits>,
    /// How many bytes the answer's body may have, whatever the limits say: see [`body_limit`](Self::body_limit).
    pub body_bytes: Change<u64>,
    /// Whether the answer's content codings are undone; see [`decode`](Self::decode).
    pub decode: Change<bool>,
    /// What becomes of the session's TLS; nothing, where there is nothing.
    pub tls: Option<Box<TlsChanges>>,
    /// Who is told what the call does, beside the session's.
    pub observer: Observer,
    pub(crate) meters: ProgressCallbacks,
    pub(crate) problem: Option<Error>,
}

/// What one request does with the session's headers.
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
    /// [`Kind::InvalidHeader`].
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let name = name.as_ref();
        self.set.insert(name, value)?;
        self.removed.retain(|removed| !removed.as_bytes().eq_ignore_ascii_case(name));
        Ok(())
    }

    /// Adds a field beside all others of that name.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`].
    pub fn append(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.appended.append(name, value)?)
    }

    /// Leaves out every field of that name, the session's too.
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

    /// Marks a field as secret: hidden in `Debug`, left behind by a redirect to another origin.
    pub fn mark_sensitive(&mut self, name: &str) {
        self.set.mark_sensitive(name);
        self.appended.mark_sensitive(name);
    }
}

/// What one request does with the session's [`Timeouts`], one by one.
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
    /// A request with any method; it is upper-cased.
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

    /// A `HEAD` request. Redirects are handed over, not followed (rule M-25).
    pub fn head(address: impl Into<Address>) -> Self {
        Self {
            method: Method::HEAD,
            address: address.into(),
            max_redirects: Change::Remove,
            ..Self::default()
        }
    }

    /// Sets a header: it replaces the session's of that name, and an earlier one of this request.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.headers.set(name, value);
        self.noting(done)
    }

    /// Adds a header line beside those of the same name.
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

    /// Leaves a header out, the session's too (story S9).
    ///
    /// Some headers belong to every request, and are written anew where nobody gives them: `Host` by the URL (RFC 9112
    /// section 3.2), `Content-Length` or `Transfer-Encoding` by the body. To remove one of these undoes an own
    /// value of the session; the request never goes without. requests does the same.
    ///
    /// ```
    /// # use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.headers.insert("Host", "other.test")?;
    /// let request = Request::get("http://example.org/").remove_header("Host");
    /// let prepared = prepare(merge(&settings, request), &mut Jar::new(), now)?;
    /// assert_eq!(prepared.headers().get("Host"), Some("example.org"));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub fn remove_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Adds a query parameter; a first one replaces the session's of that key, further ones stand beside it.
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

    /// Adds the query parameters of a value of serde: of a struct or a map, in its order, or of a sequence of pairs. A
    /// value that is a sequence is a parameter for each element, and `None` is none (rule P-22). One that has no pairs, such
    /// as one with a map in it, is [`Kind::InvalidQuery`].
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
    /// let prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?;
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

    /// Leaves the session's query parameters of that key out.
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

    /// Leaves the session's jar out: it sends no cookies and keeps none.
    pub fn without_jar(mut self) -> Self {
        self.jar = Change::Remove;
        self
    }

    /// Authenticates this way.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Change::Set(auth);
        self
    }

    /// Authenticates with user and password.
    pub fn basic_auth(self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::basic(user, password))
    }

    /// Authenticates with a token.
    pub fn bearer_auth(self, token: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::bearer(token))
    }

    /// Does not authenticate.
    pub fn without_auth(mut self) -> Self {
        self.auth = Change::Remove;
        self
    }

    /// Goes through this proxy, redirects too, whatever session and environment say; hosts that are
    /// [excepted](Proxies::except) go without. Text is read as the URL of one; empty text is none.
    pub fn proxy<V: TryInto<Via, Error: Into<Error>>>(mut self, proxy: V) -> Self {
        match proxy.try_into() {
            Ok(via) => self.proxies = Change::Set(Proxies::from(via)),
            Err(error) => return self.noting(Err(error.into())),
        }
        self
    }

    /// Chooses proxies by these rules; where they say nothing, session and environment do.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Change::Set(proxies);
        self
    }

    /// Goes through no proxy, whatever session and environment say.
    pub fn without_proxy(mut self) -> Self {
        self.proxies = Change::Remove;
        self
    }

    /// Sends this body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends a form: see [`Body::form`].
    pub fn form<K: AsRef<str>, V: AsRef<str>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.body = Body::form(pairs);
        self
    }

    /// Sends a value of serde as a form: see [`Body::form_from`].
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Body::form_from(value) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Sends a form of several parts: see [`multipart`](crate::message::multipart).
    pub fn multipart(mut self, form: Form, seed: &mut Seed) -> Self {
        match Body::multipart(form, seed) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Sends a value as JSON: see [`Body::json`].
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match Body::json(value) {
            Ok(body) => self.body = body,
            Err(fault) => return self.noting(Err(fault.into())),
        }
        self
    }

    /// Has the server look at the head before the body goes out: `Expect: 100-continue` (RFC 9110 section 10.1.1), which
    /// can as well be set as a header. A server that refuses the request, or redirects it, does so without the body.
    ///
    /// The body waits for `100 Continue`, but not longer than `timeouts.expect`: one second unless that is changed. An
    /// answer that comes first is the answer, the body is not sent, and the connection is closed; after a redirect or a
    /// challenge even a body that cannot start over is still there. `417 Expectation Failed` has the request sent once
    /// more without the header, on a new connection (row Q11). A request without content expects nothing.
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

    /// Codes the body, and says so in `Content-Encoding`: bytes with the length that they come to, sources in chunks
    /// while they are sent. Whether the server takes that is for the caller to know (RFC 9110 section 8.4).
    ///
    /// A request that has a `Content-Encoding` of its own is coded already, and goes out as it is; so does one without a
    /// body. What is coded can be sent again if it could be without.
    pub fn compress(mut self, coding: ContentCoding) -> Self {
        self.compress = Some(coding);
        self
    }

    /// Follows at most so many redirects; with `None` a redirect is handed over as it is, and the response
    /// knows the next request.
    pub fn redirects(mut self, most: impl Into<Option<u32>>) -> Self {
        self.max_redirects = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Makes an error of redirects that lead back to a request of this call; the session's setting is
    /// [`Settings::detect_loops`](crate::Settings::detect_loops), off at first.
    pub fn detect_loops(mut self, detect: bool) -> Self {
        self.detect_loops = Change::Set(detect);
        self
    }

    /// Whether credentials go along where a redirect leads from `http` to `https` on the same host; the session's
    /// setting is [`Settings::keep_on_upgrade`](crate::Settings::keep_on_upgrade), on at first.
    pub fn keep_on_upgrade(mut self, keep: bool) -> Self {
        self.keep_on_upgrade = Change::Set(keep);
        self
    }

    /// Limits the whole call; with `None` the session's limit does not hold either.
    pub fn timeout(mut self, most: impl Into<Option<std::time::Duration>>) -> Self {
        self.timeouts.total = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Takes at most so many bytes of the answer's body, both as framed and decoded; with `None` the session's limit
    /// (`limits.body_bytes`) does not hold either. One that has more is [`Kind::BodyTooLarge`] to whoever reads it.
    pub fn body_limit(mut self, most: impl Into<Option<u64>>) -> Self {
        self.body_bytes = most.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Undoes the answer's content codings, or hands its body out as it comes.
    ///
    /// Without a word from here, what the request's `Accept-Encoding` accepts is undone, and where it has none, every
    /// coding that is known (RFC 9110 section 12.5.3). So a header of your own decides too: `identity` has nothing
    /// undone, whatever the server does. A 206 is handed out as it came: a part of something coded cannot be decoded.
    pub fn decode(mut self, decode: bool) -> Self {
        self.decode = Change::Set(decode);
        self
    }

    /// Secures connections as this says, whatever the session does.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls.get_or_insert_default().all = Change::Set(tls);
        self
    }

    /// Trusts these authorities and nobody else (rule D-08).
    pub fn roots(mut self, roots: impl Into<Roots>) -> Self {
        self.tls.get_or_insert_default().roots = Change::Set(roots.into());
        self
    }

    /// Shows this certificate to servers that ask for one (rule D-09); with `None`, none.
    pub fn identity(mut self, identity: impl Into<Option<Identity>>) -> Self {
        self.tls.get_or_insert_default().identity = identity.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Whether any certificate will do: see [`Tls::danger_accept_invalid_certs`].
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.tls.get_or_insert_default().danger_accept_invalid_certs = Change::Set(accept);
        self
    }

    /// Tells `observer` what the call does. Those of the session and earlier ones are told before it.
    pub fn observe(mut self, observer: Observer) -> Self {
        self.observer = self.observer.and(observer);
        self
    }

    /// Tells `tell` how much of the request's body has gone out, each time that the transport has taken some of it.
    ///
    /// It runs within the call, under no lock, and should be quick. If it panics the caller's future does, as with an
    /// [observer](Self::observe), and the session goes on. Where the request is sent again, after a redirect, a
    /// challenge or on a new connection, it is told 0 and then from there. The last one that was given is told.
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

    /// Tells `tell` how much of the answer's body has come, as it is read: bytes as they came, before their codings are
    /// undone, out of Content-Length where the answer has one. Bodies of redirects and challenges are not the answer's.
    /// The rest of what is [held](crate::session::range::Held::ask) is counted from there on, out of the whole length.
    /// Otherwise as [`on_upload_progress`](Self::on_upload_progress).
    pub fn on_download_progress(mut self, tell: impl Fn(BodyProgress) + Send + Sync + 'static) -> Self {
        self.meters.set(Way::Down, tell);
        self
    }

    /// Keeps the first problem; the request is prepared with it or not at all.
    fn noting(mut self, done: Result<()>) -> Self {
        if let Err(error) = done {
            self.problem.get_or_insert(error);
        }
        self
    }

    /// The URL so far, where it is one.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        self.address.url()
    }
}
