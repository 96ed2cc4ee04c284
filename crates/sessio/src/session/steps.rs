//! The builder methods that set changes. Requests and mounts have the same ones.

use crate::base::escape::escape;
use crate::error::Error;

/// Writes one builder method for each option of [`Changes`](crate::Changes). The type has the
/// fields `changes` and `problem`.
macro_rules! change_steps {
    () => {
        /// Sets a header. It replaces the session's of that name, and one that was set here before.
        pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
            let done = self.changes.headers.set(name, value);
            self.noting(done)
        }

        /// Adds a header line and keeps those of the same name.
        pub fn append_header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
            let done = self.changes.headers.append(name, value);
            self.noting(done)
        }

        /// Sets each of these headers: [`Headers`], or a `HeaderMap` of the crate `http`. The first
        /// value of a name replaces the session's, and further ones are added to it. Sensitive values
        /// stay sensitive.
        ///
        /// ```
        /// use sessio::{Request, http};
        ///
        /// let mut map = http::HeaderMap::new();
        /// map.append("x-tag", http::HeaderValue::from_static("a"));
        /// map.append("x-tag", http::HeaderValue::from_static("b"));
        /// let request = Request::get("http://example.org/").headers(map);
        /// # let _ = request;
        /// ```
        pub fn headers<H: TryInto<Headers, Error: Into<Error>>>(mut self, headers: H) -> Self {
            let headers: Headers = match headers.try_into() {
                Ok(headers) => headers,
                Err(error) => return self.noting(Err(error.into())),
            };
            let mut seen: Vec<&str> = Vec::new();
            for field in headers.iter() {
                let is_further = seen.iter().any(|name| name.eq_ignore_ascii_case(field.name));
                self = match is_further {
                    true => self.append_header(field.name, field.value),
                    false => self.header(field.name, field.value),
                };
                seen.push(field.name);
                if field.is_sensitive() {
                    self.changes.headers.mark_sensitive(field.name);
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
            self.changes.headers.remove(name);
            self
        }

        /// Adds a query parameter. The first one replaces the session's of that key. Further ones are
        /// added to it.
        ///
        /// ```
        /// use sessio::Request;
        ///
        /// let request = Request::get("http://example.org/items").param("q", "a b").param("page", 2);
        /// # let _ = request;
        /// ```
        pub fn param(self, key: impl AsRef<str>, value: impl ToString) -> Self {
            self.query([(key, value)])
        }

        /// Adds each of these query parameters: pairs, references to pairs, or a map. See
        /// [`Pair`](crate::Pair).
        pub fn query<P: Pair>(mut self, pairs: impl IntoIterator<Item = P>) -> Self {
            let texts = pairs.into_iter().map(Pair::into_texts);
            self.changes.params.extend(texts.map(|(key, value)| (key, Change::Set(value))));
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
            self.changes.params.retain(|(k, _)| k != key);
            self.changes.params.push((key.to_owned(), Change::Remove));
            self
        }

        /// Sends a cookie besides those of the jar.
        pub fn cookie(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
            let name = name.as_ref();
            let done = self.changes.cookies.set(name, value.as_ref());
            let invalid = |error| crate::session::steps::invalid_cookie(name, error);
            self.noting(done.map_err(invalid))
        }

        /// Disables the session's jar: none of its cookies are sent, and none are stored.
        pub fn without_jar(mut self) -> Self {
            self.changes.jar = Change::Remove;
            self
        }

        /// Sets the authentication.
        pub fn auth(mut self, auth: Auth) -> Self {
            self.changes.auth = Change::Set(auth);
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
            self.changes.auth = Change::Remove;
            self
        }

        /// Uses this proxy for the request and its redirects, instead of those of session and
        /// environment. [Excepted](Proxies::except) hosts use no proxy. Text is parsed as a proxy URL;
        /// empty text is no proxy.
        pub fn proxy<V: TryInto<Via, Error: Into<Error>>>(mut self, proxy: V) -> Self {
            match proxy.try_into() {
                Ok(via) => self.changes.proxies = Change::Set(Proxies::from(via)),
                Err(error) => return self.noting(Err(error.into())),
            }
            self
        }

        /// Adds rules that choose proxies. If none of them matches, those of session and environment
        /// apply.
        pub fn proxies(mut self, proxies: Proxies) -> Self {
            self.changes.proxies = Change::Set(proxies);
            self
        }

        /// Uses no proxy, whatever session and environment say.
        pub fn without_proxy(mut self) -> Self {
            self.changes.proxies = Change::Remove;
            self
        }

        /// Limits the number of followed redirects. With `None` a redirect is returned as the response,
        /// and the response has the next request.
        pub fn redirects(mut self, most: impl Into<Option<u32>>) -> Self {
            self.changes.max_redirects = most.into().map_or(Change::Remove, Change::Set);
            self
        }

        /// Makes a redirect that leads back to a request of this call an error. The session's setting
        /// is [`Settings::detect_loops`](crate::Settings::detect_loops). Default: `false`.
        pub fn detect_loops(mut self, detect: bool) -> Self {
            self.changes.detect_loops = Change::Set(detect);
            self
        }

        /// Keeps or drops credentials if a redirect leads from `http` to `https` on the same host. The
        /// session's setting is [`Settings::keep_on_upgrade`](crate::Settings::keep_on_upgrade).
        /// Default: `true`.
        pub fn keep_on_upgrade(mut self, keep: bool) -> Self {
            self.changes.keep_on_upgrade = Change::Set(keep);
            self
        }

        /// Sends a request again by this [policy](crate::retry), in place of the session's. With `None`
        /// only a stale connection makes the call send it again.
        ///
        /// ```
        /// use sessio::Request;
        /// use sessio::retry::RetryPolicy;
        ///
        /// let patient = Request::get("http://example.org/").retry(RetryPolicy::background());
        /// let once = Request::get("http://example.org/").retry(None);
        /// ```
        pub fn retry(
            mut self,
            policy: impl Into<Option<std::sync::Arc<crate::policy::retry::RetryPolicy>>>,
        ) -> Self {
            self.changes.retry = policy.into().map_or(Change::Remove, Change::Set);
            self
        }

        /// Limits the time of the whole call. With `None` the session's limit does not apply either.
        pub fn timeout(mut self, most: impl Into<Option<std::time::Duration>>) -> Self {
            self.changes.timeouts.total = most.into().map_or(Change::Remove, Change::Set);
            self
        }

        /// Limits the size of the response's body in bytes, both as framed and decoded. With `None` the
        /// session's limit (`limits.body_bytes`) does not apply either. Reading a larger body fails
        /// with [`Kind::BodyTooLarge`].
        pub fn body_limit(mut self, most: impl Into<Option<u64>>) -> Self {
            self.changes.body_bytes = most.into().map_or(Change::Remove, Change::Set);
            self
        }

        /// Decodes the response's content codings, or returns its body as received.
        ///
        /// Default: the codings that the request's `Accept-Encoding` accepts are decoded. Without that
        /// header, all known codings are decoded (RFC 9110 section 12.5.3). So a header of your own
        /// decides too: with `identity` nothing is decoded, whatever the server does. By default, a 206
        /// is returned as received: a part of a coded body cannot be decoded.
        pub fn decode(mut self, decode: bool) -> Self {
            self.changes.decode = Change::Set(decode);
            self
        }

        /// Replaces the session's TLS settings.
        pub fn tls(mut self, tls: Tls) -> Self {
            self.changes.tls.get_or_insert_default().all = Change::Set(tls);
            self
        }

        /// Trusts these root certificates and no others (rule D-08).
        pub fn roots(mut self, roots: impl Into<Roots>) -> Self {
            self.changes.tls.get_or_insert_default().roots = Change::Set(roots.into());
            self
        }

        /// Sends this certificate to servers that ask for one (rule D-09). `None` sends none.
        pub fn identity(mut self, identity: impl Into<Option<Identity>>) -> Self {
            self.changes.tls.get_or_insert_default().identity =
                identity.into().map_or(Change::Remove, Change::Set);
            self
        }

        /// Accepts any certificate: see [`Tls::danger_accept_invalid_certs`].
        pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
            self.changes.tls.get_or_insert_default().danger_accept_invalid_certs = Change::Set(accept);
            self
        }

        /// Adds a [hook](crate::hook). It runs after those of the session and after earlier ones.
        ///
        /// ```
        /// use sessio::{Request, hook};
        ///
        /// let request = Request::get("http://example.org/").hook(hook::before(|request| {
        ///     Ok(request.headers_mut().insert("X-Late", "1")?)
        /// }));
        /// # let _ = request;
        /// ```
        pub fn hook(mut self, hook: impl crate::prepared::hook::Hook) -> Self {
            self.changes.hooks.add(hook);
            self
        }

        /// Adds an observer of this call. It runs after the session's and after earlier ones.
        pub fn observe(mut self, observer: Observer) -> Self {
            self.changes.observer = self.changes.observer.and(observer);
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
            self.changes.meters.set(Way::Up, tell);
            self
        }

        /// Runs `tell` with the number of received bytes of the response's body, as it is read.
        ///
        /// Bytes are counted as received, before decoding. The total is the Content-Length, if the
        /// response has one. Bodies of redirects and challenges do not count. The rest of a [partial
        /// file](crate::range::PartialFile::ask) is counted from its length on, out of the whole
        /// length. Otherwise as [`on_upload_progress`](Self::on_upload_progress).
        pub fn on_download_progress(mut self, tell: impl Fn(BodyProgress) + Send + Sync + 'static) -> Self {
            self.changes.meters.set(Way::Down, tell);
            self
        }

        /// Keeps the first error: preparing the request returns it.
        fn noting(mut self, done: Result<()>) -> Self {
            if let Err(error) = done {
                self.problem.get_or_insert(error);
            }
            self
        }
    };
}

pub(crate) use change_steps;

/// The error of a cookie of a request. It names the cookie, and never shows its value.
#[cold]
pub(crate) fn invalid_cookie(name: &[u8], error: sessio_cookie::InvalidCookie) -> Error {
    let detail = format!("\"{}\": {}", escape(name), error.reason().explanation());
    Error::from(error).with_detail(detail)
}
