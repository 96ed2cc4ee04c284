//! The public names that all backends share.

/// Defines the public names of a backend: `Session`, `RequestBuilder`, `Response` and the other
/// types of a session on this runtime, the one-shot functions, and the names of the core that users
/// need.
///
/// ```text
/// mod runtime;
/// pub use runtime::Tokio;
/// sessio_driver::backend!(Tokio, files);
/// ```
///
/// - `files`: adds the modules `multipart` and `upload`, for a runtime with
///   [`Files`](crate::Files).
/// - `blocking`: omits `.await`, for a runtime that can [block on](crate::BlockOn) a future.
#[macro_export]
macro_rules! backend {
    ($runtime:ty $(, $files:ident)?) => {
        $crate::backend! { @names $runtime, $crate::mode::Async, async $(, $files)? }
        $crate::service! { $runtime }
    };
    ($runtime:ty, blocking, files) => {
        $crate::backend! { @names $runtime, $crate::mode::Blocking, blocking, files }
    };
    (@names $runtime:ty, $mode:ty, $kind:tt $(, $files:ident)?) => {
        #[doc(inline)]
        pub use $crate::sessio::{
            Auth, Body, Bytes, Error, Headers, Kind, Mount, Request, Result, Settings, Timeout, Timeouts, Tls, Url,
        };
        #[doc(inline)]
        pub use $crate::Login;
        #[doc(no_inline)]
        pub use $crate::sessio;
        #[doc(no_inline)]
        pub use $crate::sessio::{cookie, http};
        $crate::digest_names! {}
        $crate::oauth2_names! {}
        $crate::sigv4_names! {}
        $crate::mock_names! {}
        $crate::in_process_names! {}

        /// Bodies: sources that are sent, and ways to read a response.
        pub mod body {
            use super::*;

            #[doc(inline)]
            pub use $crate::sessio::BodyProgress;
            #[doc(inline)]
            pub use $crate::Source;

            /// The lines of a body: see [`Response::lines`](sessio_driver::Response::lines).
            pub type Lines = $crate::Lines<$runtime, $mode>;
            /// The server-sent events of a body: see [`Response::events`](sessio_driver::Response::events).
            pub type Events = $crate::Events<$runtime, $mode>;
            /// A reader as a [`Source`]: see [`sessio_driver::ReaderSource`]($crate::ReaderSource).
            pub type ReaderSource<T> = $crate::ReaderSource<$runtime, T>;

            $crate::backend! { @bodies $kind $runtime }
        }

        /// Requests as they are sent, and the parts of responses.
        pub mod call {
            #[doc(inline)]
            pub use $crate::sessio::{
                Address, ConnectionInfo, Exchange, Head, Observer, Params, Prepared, PreparedCall, Secrets, Timings,
            };
        }

        /// Content codings that are selected by name.
        pub mod coding {
            pub use $crate::sessio::coding::ContentCoding;
        }

        /// The requests of a [`Login`], and their responses.
        pub mod auth {
            pub use $crate::sessio::auth::{Received, SubRequest};
        }

        /// Hooks, which edit requests and decide about responses.
        pub mod hook {
            pub use $crate::sessio::hook::{FinalResponse, Hook, Hooks, Reaction, after, before, body, response};
        }

        /// The limits and counters of the pool of connections.
        pub mod pool {
            pub use $crate::sessio::pool::{Policy, Stats};
        }

        /// Proxies, and the rules that choose them.
        pub mod proxy {
            pub use $crate::sessio::proxy::{NoProxy, Proxies, Proxy, Via};
        }

        /// The pace of the requests to one host.
        pub mod pace {
            pub use $crate::sessio::pace::{
                AutoThrottle, CircuitBreaker, FailureShare, Hold, Pace, Rate, Reason, Refusal,
            };
        }

        /// The policy by which requests are sent again, and the decisions of it.
        pub mod retry {
            pub use $crate::sessio::retry::{
                Again, Attempt, AttemptEnd, Backoff, Beyond, Budget, FailureClass, FailureSet, Jitter, Methods,
                RetryAfter, RetryPolicy, StatusSet, Stop, Verdict,
            };
        }

        /// The ways to hosts: routes, resolvers, socket options, guards, and failures to connect.
        pub mod route {
            #[doc(inline)]
            pub use $crate::sessio::{Environment, Guard, KeepAlive, Resolver, Routes, Tcp};
            #[doc(inline)]
            pub use $crate::{ConnectFailure, Endpoint};
        }

        /// The parts of a [`Tls`]($crate::sessio::Tls).
        pub mod tls {
            pub use $crate::sessio::tls::{
                Certificates, Identity, KeyFormat, Pin, RevocationLists, Roots, Version,
            };
        }

        /// A session on this backend: see [`sessio_driver::Session`]($crate::Session).
        pub type Session = $crate::Session<$runtime, $mode>;
        /// Builds a [`Session`]: see [`sessio_driver::SessionBuilder`]($crate::SessionBuilder).
        pub type SessionBuilder = $crate::SessionBuilder<$runtime, $mode>;
        /// A request of a [`Session`] that is being built: see
        /// [`sessio_driver::RequestBuilder`]($crate::RequestBuilder).
        pub type RequestBuilder = $crate::RequestBuilder<$runtime, $mode>;
        /// The response to a request of a [`Session`]: see [`sessio_driver::Response`]($crate::Response).
        pub type Response = $crate::Response<$runtime, $mode>;
        /// A [`Response`] with an error status: see [`sessio_driver::StatusError`]($crate::StatusError).
        pub type StatusError = $crate::StatusError<$runtime, $mode>;

        $crate::backend! { @one_shots $kind $runtime, $mode:
            get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS"
        }

        /// Begins a single request with any method. It has its own session, with default
        /// settings and an empty jar.
        pub fn request(method: impl AsRef<str>, address: impl Into<$crate::sessio::Address>) -> RequestBuilder {
            Session::new().request(method, address)
        }

        $( $crate::backend! { @$files $kind $runtime } )?
    };
    (@bodies async $runtime:ty) => {
        $crate::stream_names! { $runtime }
        $crate::http_body_names! { $runtime }
    };
    (@bodies blocking $runtime:ty) => {
        /// The pieces of a body: see [`Response::chunks`](sessio_driver::Response::chunks).
        pub type Chunks = $crate::Chunks<$runtime>;
    };
    (@one_shots $kind:tt $runtime:ty, $mode:ty: $($name:ident $verb:literal)*) => {
        $(
            $crate::backend! { @function $kind $runtime;
                #[doc = concat!("Sends one `", $verb, "` request in its own session.")]
                ///
                /// # Errors
                /// The reason why there is no response.
                async {
                    /// # Cancel safety
                    /// Dropping the future closes its connection.
                }
                $name(address: impl Into<$crate::sessio::Address>) -> Result<Response>:
                $crate::one_shot::<$runtime, $mode>(Request::$name(address))
            }
        )*
    };
    (@files $kind:tt $runtime:ty) => {
        /// Forms of several parts, `multipart/form-data`, for
        /// [`RequestBuilder::multipart`]($crate::RequestBuilder::multipart).
        pub mod multipart {
            use std::path::Path;

            use super::*;

            pub use $crate::multipart::{Form, Part};

            $crate::backend! { @function $kind $runtime;
                /// A part from the file at `path`. Its file name is the last component of the path.
                /// It has no content type unless [one is set](Part::content_type). See [`file()`].
                ///
                /// # Errors
                /// [`Kind::File`], with the path: the file cannot be opened.
                async {
                    /// # Cancel safety
                    /// Dropping the future closes the file. Nothing else is lost.
                }
                open(path: impl AsRef<Path>) -> Result<Part>:
                $crate::files::open_part::<$runtime>(path.as_ref())
            }

            $crate::backend! { @function $kind $runtime;
                /// A part from an open file: see [`upload::file`](super::upload::file).
                ///
                /// # Errors
                /// [`Kind::File`]: an error of the system.
                async {
                    /// # Cancel safety
                    /// Dropping the future closes the file. Nothing else is lost.
                }
                file(file: <$runtime as $crate::Files>::File) -> Result<Part>:
                $crate::files::part::<$runtime>(file)
            }
        }

        /// Files as bodies of requests, for [`RequestBuilder::feed`]($crate::RequestBuilder::feed).
        pub mod upload {
            use std::path::Path;

            use super::*;

            pub use $crate::Feed;

            $crate::backend! { @function $kind $runtime;
                /// A body from the file at `path`. See [`file()`].
                ///
                /// # Errors
                /// [`Kind::File`], with the path: the file cannot be opened.
                async {
                    /// # Cancel safety
                    /// Dropping the future closes the file. Nothing else is lost.
                }
                open(path: impl AsRef<Path>) -> Result<Feed>:
                $crate::files::open_feed::<$runtime>(path.as_ref())
            }

            $crate::backend! { @function $kind $runtime;
                /// A body from an open file: the bytes from its position to its current end, with
                /// that length. It can be sent again, for redirects, challenges and retries. The
                /// request is aborted if the file shrinks. Bytes that are added later are not sent.
                /// A file that is not regular, such as a pipe, is sent to its end, in chunks and
                /// once.
                ///
                /// # Errors
                /// [`Kind::File`]: an error of the system.
                async {
                    /// # Cancel safety
                    /// Dropping the future closes the file. Nothing else is lost.
                }
                file(file: <$runtime as $crate::Files>::File) -> Result<Feed>:
                $crate::files::feed::<$runtime>(file)
            }
        }
    };
    (
        @function async $runtime:ty; $(#[$meta:meta])* async { $(#[$more:meta])* }
        $name:ident($argument:ident: $type:ty) -> $output:ty: $future:expr
    ) => {
        $(#[$meta])*
        #[doc = ""]
        $(#[$more])*
        pub async fn $name($argument: $type) -> $output {
            $future.await
        }
    };
    (
        @function blocking $runtime:ty; $(#[$meta:meta])* async { $(#[$more:meta])* }
        $name:ident($argument:ident: $type:ty) -> $output:ty: $future:expr
    ) => {
        $(#[$meta])*
        pub fn $name($argument: $type) -> $output {
            <$runtime as $crate::BlockOn>::block_on($future)
        }
    };
}

/// The names of the feature `mock`.
#[cfg(feature = "mock")]
#[doc(hidden)]
#[macro_export]
macro_rules! mock_names {
    () => {
        #[doc(inline)]
        pub use $crate::mock;
    };
}

/// The names of the feature `mock`, which is off.
#[cfg(not(feature = "mock"))]
#[doc(hidden)]
#[macro_export]
macro_rules! mock_names {
    () => {};
}

/// The transport of the feature `tower`.
#[cfg(feature = "tower")]
#[doc(hidden)]
#[macro_export]
macro_rules! in_process_names {
    () => {
        #[doc(inline)]
        pub use $crate::{InProcess, InProcessBody};
    };
}

/// The transport of the feature `tower`, which is off.
#[cfg(not(feature = "tower"))]
#[doc(hidden)]
#[macro_export]
macro_rules! in_process_names {
    () => {};
}

/// The names of the feature `digest`.
#[cfg(feature = "digest")]
#[doc(hidden)]
#[macro_export]
macro_rules! digest_names {
    () => {
        #[doc(inline)]
        pub use $crate::{AnyAuth, Digest};
    };
}

/// The names of the feature `digest`, which is off.
#[cfg(not(feature = "digest"))]
#[doc(hidden)]
#[macro_export]
macro_rules! digest_names {
    () => {};
}

/// The names of the feature `oauth2`.
#[cfg(feature = "oauth2")]
#[doc(hidden)]
#[macro_export]
macro_rules! oauth2_names {
    () => {
        #[doc(inline)]
        pub use $crate::OAuth2;
    };
}

/// The names of the feature `oauth2`, which is off.
#[cfg(not(feature = "oauth2"))]
#[doc(hidden)]
#[macro_export]
macro_rules! oauth2_names {
    () => {};
}

/// The names of the feature `sigv4`.
#[cfg(feature = "sigv4")]
#[doc(hidden)]
#[macro_export]
macro_rules! sigv4_names {
    () => {
        #[doc(inline)]
        pub use $crate::sessio::auth::SigV4;
    };
}

/// The names of the feature `sigv4`, which is off.
#[cfg(not(feature = "sigv4"))]
#[doc(hidden)]
#[macro_export]
macro_rules! sigv4_names {
    () => {};
}

/// The names of the feature `stream`.
#[cfg(feature = "stream")]
#[doc(hidden)]
#[macro_export]
macro_rules! stream_names {
    ($runtime:ty) => {
        #[doc(inline)]
        pub use $crate::StreamSource;

        /// The body of a [`Response`] as a stream of bytes: see
        /// [`sessio_driver::BytesStream`]($crate::BytesStream).
        pub type BytesStream = $crate::BytesStream<$runtime>;
    };
}

/// The names of the feature `stream`, which is off.
#[cfg(not(feature = "stream"))]
#[doc(hidden)]
#[macro_export]
macro_rules! stream_names {
    ($runtime:ty) => {};
}

/// The names of the feature `http-body`.
#[cfg(feature = "http-body")]
#[doc(hidden)]
#[macro_export]
macro_rules! http_body_names {
    ($runtime:ty) => {
        #[doc(inline)]
        pub use $crate::BodySource;

        /// The body of a [`Response`] as a `http_body::Body`: see
        /// [`sessio_driver::ResponseBody`]($crate::ResponseBody).
        pub type ResponseBody = $crate::ResponseBody<$runtime>;
    };
}

/// The names of the feature `http-body`, which is off.
#[cfg(not(feature = "http-body"))]
#[doc(hidden)]
#[macro_export]
macro_rules! http_body_names {
    ($runtime:ty) => {};
}

/// The session as a service: the feature `tower`.
#[cfg(feature = "tower")]
#[doc(hidden)]
#[macro_export]
macro_rules! service {
    ($runtime:ty) => {
        impl<B> $crate::Serve<B> for $runtime
        where
            B: $crate::http_body::Body<Data: Send, Error: Into<Box<dyn ::std::error::Error + Send + Sync>>>
                + Send
                + 'static,
        {
            type Future = ::std::pin::Pin<
                Box<
                    dyn Future<
                            Output = $crate::sessio::Result<
                                $crate::sessio::http::Response<$crate::ResponseBody<$runtime>>,
                            >,
                        > + Send,
                >,
            >;

            fn serve(
                session: $crate::Session<$runtime>,
                request: $crate::sessio::http::Request<B>,
            ) -> Self::Future {
                Box::pin(async move { session.send_http(request).await })
            }
        }
    };
}

/// The feature `tower`, which is off.
#[cfg(not(feature = "tower"))]
#[doc(hidden)]
#[macro_export]
macro_rules! service {
    ($runtime:ty) => {};
}
