//! A request on its way to being sent.

use std::fmt;

use sessio::{Auth, Body, Headers, Prepared, Request, Result};

use crate::response::Response;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::upload::Source;

/// A request of a session, being built. What each step means is written at [`Request`].
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<R: Runtime> {
    session: Session<R>,
    request: Request,
    source: Option<Box<dyn Source>>,
}

/// Steps that are the request's own.
macro_rules! steps {
    ($($(#[$attribute:meta])* $name:ident[$($generic:tt)*]($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("See [`Request::", stringify!($name), "`].")]
            $(#[$attribute])*
            pub fn $name<$($generic)*>(mut self, $($argument: $type),*) -> Self {
                self.request = self.request.$name($($argument),*);
                self
            }
        )*
    };
}

impl<R: Runtime> RequestBuilder<R> {
    pub(crate) fn new(session: Session<R>, request: Request) -> Self {
        Self { session, request, source: None }
    }

    steps! {
        header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        append_header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        headers[](headers: &Headers);
        remove_header[](name: &str);
        param[](key: impl Into<String>, value: impl Into<String>);
        query[K: Into<String>, V: Into<String>](pairs: impl IntoIterator<Item = (K, V)>);
        remove_param[](key: &str);
        cookie[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
        without_jar[]();
        auth[](auth: Auth);
        basic_auth[](user: impl AsRef<[u8]>, password: impl AsRef<[u8]>);
        bearer_auth[](token: impl AsRef<[u8]>);
        without_auth[]();
        body[](body: impl Into<Body>);
        form[K: AsRef<str>, V: AsRef<str>](pairs: impl IntoIterator<Item = (K, V)>);
        #[cfg(feature = "json")]
        json[T: serde::Serialize + ?Sized](value: &T);
        redirects[](most: impl Into<Option<u32>>);
        timeout[](most: impl Into<Option<std::time::Duration>>);
    }

    /// Sends a body that comes piece by piece: `length` bytes, or as many as come. `replayable` says whether
    /// the source can start over for a redirect or a challenge.
    pub fn source(mut self, source: impl Source, length: Option<u64>, replayable: bool) -> Self {
        self.request.body = Body::source(length, replayable);
        self.source = Some(Box::new(source));
        self
    }

    /// Changes the request itself, for what has no step here.
    pub fn map(mut self, change: impl FnOnce(Request) -> Request) -> Self {
        self.request = change(self.request);
        self
    }

    /// The exact request, to be read, edited and [executed](Session::execute). A [source](Self::source) does
    /// not come along.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn prepare(self) -> Result<Prepared> {
        self.session.prepare(self.request)
    }

    /// Sends the request and waits for the head of the answer; redirects are followed.
    ///
    /// # Errors
    /// Why there is no answer. An answer with an error status is an answer: see
    /// [`Response::error_for_status`].
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection; nothing else is lost, and the session goes on.
    pub async fn send(self) -> Result<Response<R>> {
        let prepared = self.session.prepare(self.request)?;
        self.session.fly(prepared, self.source).await
    }
}

impl<R: Runtime> fmt::Debug for RequestBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}
