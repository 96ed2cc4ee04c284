//! HTTP sessions as pure functions and small state machines. No IO.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take an Instant to count from"))]

mod address;
pub mod auth;
mod body;
pub mod call;
mod conn;
pub mod cookie;
mod error;
mod fingerprint;
pub mod h1;
mod head;
mod headers;
mod history;
#[cfg(feature = "json")]
mod json;
mod merge;
mod now;
mod origin;
mod params;
pub mod pool;
mod prepare;
mod prepared;
pub mod redirect;
mod request;
pub mod retry;
mod secure;
mod settings;
pub mod text;

pub use address::Address;
pub use auth::{Answer, Auth, Flow, Scheme, Secret};
pub use body::Body;
pub use bytes::Bytes;
pub use call::{Call, Memory, Step};
pub use conn::Conn;
pub use cookie::Jar;
pub use error::{Blame, Error, Kind, Progress, Repeat, Result, Stage, Timeout, escape};
pub use head::Head;
pub use headers::{Field, Headers};
pub use history::Exchange;
pub use http;
pub use merge::{Merged, Override, Part, merge};
pub use now::{Now, Seed, UnixTime};
pub use origin::Origin;
pub use params::Params;
pub use prepare::prepare;
pub use prepared::Prepared;
pub use request::{Change, HeaderChanges, Request, TimeoutChanges};
pub use secure::Secure;
pub use settings::{Settings, Timeouts};
pub use url::Url;
