//! Runs the calls of a [`sessio`] session over any runtime.
//!
//! A [`Runtime`] supplies sockets and time. This crate has the API for users of a session:
//! [`Session`], [`RequestBuilder`], [`Response`]. There is no executor, channel or task. The
//! caller's own future moves the bytes of its connection, so a request pays for no handover between
//! tasks.
//!
//! Users depend on a backend, such as `sessio-tokio`. This crate is for authors of backends:
//! [`writing_a_backend`] explains each step.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "mock")]
pub mod mock;
#[macro_use]
pub mod mode;

#[cfg(feature = "digest")]
mod any_auth;
mod assembled;
mod atomic_file;
mod authorities;
mod backend;
mod beside;
mod body;
mod builder;
mod chance;
pub mod clock;
mod connect;
mod cookie_file;
mod cookies;
#[cfg(feature = "digest")]
mod digest;
mod download;
mod environment;
mod events;
mod failure;
mod file_failure;
#[doc(hidden)]
pub mod files;
mod front_page;
mod in_flight;
#[cfg(any(feature = "futures-io", feature = "http-body", feature = "stream"))]
mod interop;
mod iterators;
mod lines;
mod login;
#[cfg(any(feature = "log", feature = "tracing"))]
mod logs;
pub mod multipart;
#[cfg(feature = "oauth2")]
mod oauth2;
mod pace;
mod partial_download;
mod pooled_connection;
mod readers;
mod renewals;
mod response;
mod resume;
mod runtime;
mod session;
mod session_builder;
mod session_pool;
mod shared;
#[cfg(feature = "sockets")]
mod socket;
mod source;
mod status_error;
mod transport;
mod turns;
mod upload;

#[doc = include_str!("../docs/bodies.md")]
pub mod bodies {}

#[doc = include_str!("../docs/writing-a-backend.md")]
pub mod writing_a_backend {}

#[cfg(feature = "digest")]
pub use any_auth::AnyAuth;
pub use builder::RequestBuilder;
#[doc(hidden)]
pub use builder::one_shot;
#[cfg(feature = "digest")]
pub use digest::Digest;
pub use events::Events;
pub use failure::{Attempt, ConnectFailure, Endpoint};
pub use files::Files;
#[cfg(feature = "http-body")]
#[doc(hidden)]
pub use http_body;
#[cfg(feature = "http-body")]
pub use interop::{BodySource, ResponseBody};
#[cfg(feature = "stream")]
pub use interop::{BytesStream, StreamSource};
#[cfg(feature = "tower")]
pub use interop::{InProcess, InProcessBody, Serve};
pub use iterators::Chunks;
pub use lines::Lines;
pub use login::Login;
pub use mode::BlockOn;
#[cfg(feature = "oauth2")]
pub use oauth2::OAuth2;
pub use readers::{ReadFrom, ReaderSource, WriteTo};
pub use renewals::{Part, Renewals, Seat};
pub use response::Response;
pub use runtime::{Runtime, Sleep, Stream};
pub use sessio;
pub use session::Session;
pub use session_builder::SessionBuilder;
#[cfg(feature = "sockets")]
pub use socket::tcp_socket;
#[cfg(feature = "sockets")]
pub use socket2;
pub use source::{Feed, Source};
pub use status_error::StatusError;

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
