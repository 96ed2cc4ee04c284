//! The public face that all backends share.

/// Writes the public face of an asynchronous backend: its `Session`, `RequestBuilder`, `Response` and
/// `StatusError`, the one-shot functions, and the types of the core that its users need.
///
/// ```text
/// mod runtime;
/// pub use runtime::Tokio;
/// sessio_driver::backend!(Tokio);
/// ```
#[macro_export]
macro_rules! backend {
    ($runtime:ty) => {
        pub use $crate::sessio::{
            self, Address, Auth, Body, Bytes, Environment, Error, Exchange, Guard, Head, Headers, KeepAlive,
            Kind, NoProxy, Observer, Params, Prepared, PreparedCall, Proxies, Proxy, Request, Resolver,
            Result, Routes, Settings, Tcp, Timeout, Timeouts, Tls, Url, coding, cookie, http, pool, tls,
        };
        pub use $crate::{ConnectFailure, Endpoint, Source};

        /// A session on this backend: see [`sessio_driver::Session`]($crate::Session).
        pub type Session = $crate::Session<$runtime>;
        /// A request of a [`Session`], being built: see [`sessio_driver::RequestBuilder`]($crate::RequestBuilder).
        pub type RequestBuilder = $crate::RequestBuilder<$runtime>;
        /// The answer to a request of a [`Session`]: see [`sessio_driver::Response`]($crate::Response).
        pub type Response = $crate::Response<$runtime>;
        /// A [`Response`] with an error status: see [`sessio_driver::StatusError`]($crate::StatusError).
        pub type StatusError = $crate::StatusError<$runtime>;

        /// The lines of a body: see [`Response::lines`](sessio_driver::Response::lines).
        pub type Lines = $crate::Lines<$runtime>;
        /// The server-sent events of a body: see [`Response::events`](sessio_driver::Response::events).
        pub type Events = $crate::Events<$runtime>;

        $crate::one_shots! {
            get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS"
        }

        /// One request that remembers nothing, with any method, to be built further.
        pub fn request(method: impl AsRef<str>, address: impl Into<Address>) -> RequestBuilder {
            Session::new().request(method, address)
        }
    };
}

/// The one-shot functions of a [`backend!`](crate::backend).
#[doc(hidden)]
#[macro_export]
macro_rules! one_shots {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("One `", $verb, "` request that remembers nothing and is remembered by nothing (story S20).")]
            ///
            /// # Errors
            /// Why there is no answer.
            ///
            /// # Cancel safety
            /// Dropping the future closes its connection.
            pub async fn $name(address: impl Into<Address>) -> Result<Response> {
                Session::new().$name(address).send().await
            }
        )*
    };
}
