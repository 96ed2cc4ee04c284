//! Building a request and sending it.

use std::fmt;

use sessio::{Body, PreparedCall, Request, Result};

use crate::mode::{Async, BlockOn, Blocking};
use crate::multipart::Form;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::source::{Feed, Source};
use crate::upload::Supply;

/// Defines the methods that a builder shares with [`Request`].
macro_rules! request_steps {
    ($($name:ident[$($generic:tt)*]($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("See [`Request::", stringify!($name), "`](sessio::Request::", stringify!($name), ").")]
            pub fn $name<$($generic)*>(mut self, $($argument: $type),*) -> Self {
                self.request = self.request.$name($($argument),*);
                self
            }
        )*
    };
}

/// A request of a session that is being built. [`Request`] documents each method.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<R: Runtime, M = Async> {
    session: Session<R, M>,
    request: Request,
    supply: Supply,
}

impl<R: Runtime, M> RequestBuilder<R, M> {
    pub(crate) fn new(session: Session<R, M>, request: Request) -> Self {
        Self { session, request, supply: Supply::Nothing }
    }

    /// The session and the request so far. A source is dropped.
    pub(crate) fn into_parts(self) -> (Session<R, M>, Request) {
        (self.session, self.request)
    }

    request_steps! {
        header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        append_header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        headers[H: TryInto<sessio::Headers, Error: Into<sessio::Error>>](headers: H);
        remove_header[](name: &str);
        param[](key: impl AsRef<str>, value: impl ToString);
        query[P: sessio::Pair](pairs: impl IntoIterator<Item = P>);
        remove_param[](key: &str);
        cookie[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        without_jar[]();
        auth[](auth: sessio::Auth);
        basic_auth[](user: impl AsRef<[u8]>, password: impl AsRef<[u8]>);
        bearer_auth[](token: impl AsRef<[u8]>);
        without_auth[]();
        body[](body: impl Into<sessio::Body>);
        form[P: sessio::Pair](pairs: impl IntoIterator<Item = P>);
        compress[](coding: sessio::coding::ContentCoding);
        redirects[](most: impl Into<Option<u32>>);
        detect_loops[](detect: bool);
        keep_on_upgrade[](keep: bool);
        timeout[](most: impl Into<Option<std::time::Duration>>);
        retry[](policy: impl Into<Option<std::sync::Arc<sessio::retry::RetryPolicy>>>);
        expect_continue[]();
        on_upload_progress[](tell: impl Fn(sessio::BodyProgress) + Send + Sync + 'static);
        on_download_progress[](tell: impl Fn(sessio::BodyProgress) + Send + Sync + 'static);
        body_limit[](most: impl Into<Option<u64>>);
        decode[](decode: bool);
        tls[](tls: sessio::Tls);
        roots[](roots: impl Into<sessio::tls::Roots>);
        identity[](identity: impl Into<Option<sessio::tls::Identity>>);
        danger_accept_invalid_certs[](accept: bool);
        proxy[V: TryInto<sessio::proxy::Via, Error: Into<sessio::Error>>](proxy: V);
        proxies[](proxies: sessio::Proxies);
        without_proxy[]();
        observe[](observer: sessio::Observer);
        hook[](hook: impl sessio::Hook);
    }

    /// Sends a body that is read piece by piece: `length` bytes, or chunks if it is `None`.
    /// `replayable` means that the source can start over for a redirect, a challenge or a retry.
    pub fn source(self, source: impl Source, length: Option<u64>, replayable: bool) -> Self {
        self.feed(Feed::new(source, length, replayable))
    }

    /// Sends a body that is read piece by piece, such as a file that the backend opens.
    pub fn feed(mut self, feed: Feed) -> Self {
        self.request.body = Body::source(feed.length, feed.is_replayable);
        self.supply = Supply::Source(feed.source);
        self
    }

    /// Sends a form of several parts, `multipart/form-data`: see [`multipart`](crate::multipart).
    /// The boundary is random, or the one of the request's own Content-Type (row B28).
    pub fn multipart(mut self, form: Form) -> Self {
        let (form, sources) = form.into_parts();
        self.request = self.request.multipart(form, &mut self.session.chance());
        self.supply = Supply::Parts(sources);
        self
    }

    /// Sets the header `Idempotency-Key` to a random value, unless the request has one. See
    /// [`Request::idempotency_key`].
    pub fn idempotency_key(mut self) -> Self {
        self.request = self.request.idempotency_key(&mut self.session.chance());
        self
    }

    /// See [`Request::json`].
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.json(value);
        self
    }

    /// See [`Request::query_from`].
    #[cfg(feature = "json")]
    pub fn query_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.query_from(value);
        self
    }

    /// See [`Request::form_from`].
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.form_from(value);
        self
    }

    /// Changes the request itself, for options without a method here.
    pub fn map(mut self, change: impl FnOnce(Request) -> Request) -> Self {
        self.request = change(self.request);
        self
    }

    /// A copy of the request, for sending it more than once. It shares the session and the bytes of
    /// the body. `None` if the body has a [source](Self::source), which can be read only once:
    /// readers, streams, files, and forms with a part of these. For such requests, build one for each
    /// sending.
    ///
    /// It is not `Clone`, because that could not fail.
    ///
    /// ```
    /// # fn copies<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) {
    /// let search = session.get("http://localhost:8080/items").header("X-Client", "1");
    /// let pages = (1..=3).map(|page| search.try_clone().map(|request| request.param("page", page)));
    /// assert!(pages.into_iter().all(|request| request.is_some()));
    /// # }
    /// ```
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let (session, request) = (self.session.clone(), self.request.clone());
        Some(Self { session, request, supply: self.supply.try_clone()? })
    }

    /// The exact request, which can be read, edited and [executed](Session::execute). A
    /// [source](Self::source) is dropped, and so are the sources of a form's parts.
    ///
    /// # Errors
    /// The first error in the request, such as an invalid URL.
    pub fn prepare(self) -> Result<PreparedCall> {
        self.session.prepare(self.request)
    }
}

impl<R: Runtime> RequestBuilder<R> {
    /// Sends the request and waits for the head of the response. Redirects are followed.
    ///
    /// # Errors
    /// The reason why there is no response. A response with an error status is a response: see
    /// [`Response::error_for_status`].
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection. Nothing else is lost, and the session continues.
    #[allow(clippy::manual_async_fn, reason = "it would move the request once more, and that is large")]
    pub fn send(mut self) -> impl Future<Output = Result<Response<R>>> {
        async move {
            let flight = self.session.launch(&mut self.request, std::mem::take(&mut self.supply))?;
            Response::of(flight).await
        }
    }
}

impl<R: BlockOn> RequestBuilder<R, Blocking> {
    /// Sends the request and waits for the head of the response. Redirects are followed.
    ///
    /// # Errors
    /// The reason why there is no response. A response with an error status is a response: see
    /// [`Response::error_for_status`].
    pub fn send(mut self) -> Result<Response<R, Blocking>> {
        R::block_on(async {
            let flight = self.session.launch(&mut self.request, std::mem::take(&mut self.supply))?;
            Response::of(flight).await
        })
    }
}

/// The response to one request of a session that is dropped then: the one-shot functions of
/// [`backend!`](crate::backend).
#[doc(hidden)]
pub async fn one_shot<R: Runtime + Default, M>(mut request: Request) -> Result<Response<R, M>> {
    let flight = Session::<R, M>::new().launch(&mut request, Supply::Nothing)?;
    Response::of(flight).await
}

impl<R: Runtime, M> fmt::Debug for RequestBuilder<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}
