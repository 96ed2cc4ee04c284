//! HTTP sessions as pure functions and small state machines. No IO.
#![forbid(unsafe_code)]

mod address;
pub mod cookie;
mod error;
mod head;
mod headers;
mod history;
mod now;
mod origin;
#[doc(hidden)]
pub mod testing;

pub use address::Address;
pub use error::{Blame, Error, Kind, Progress, Repeat, Result, Stage, Timeout, escape};
pub use head::Head;
pub use headers::{Field, Headers};
pub use history::Exchange;
pub use http;
pub use now::{Now, Seed, UnixTime};
pub use origin::Origin;
pub use url::Url;
