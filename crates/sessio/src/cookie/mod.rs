#![doc = include_str!("../../docs/cookies.md")]
#![doc = include_str!("../../docs/cookies-cost.svg")]

mod admit;
mod branch;
mod contents;
#[cfg(feature = "cookie")]
mod convert;
mod cookies_txt;
mod date;
#[cfg(feature = "serde")]
mod document;
mod extract;
mod format;
mod header;
mod host;
mod index;
mod insert;
mod jar;
#[cfg(feature = "json")]
mod json;
mod lwp;
mod parse;
mod path;
mod policy;
mod reason;
mod record;
mod request;
mod restore;
mod scan;
mod site;
mod store;
mod suffix;

pub use date::parse_date;
pub(crate) use extract::Offer;
pub use extract::{Extracted, Refused};
pub use format::Format;
pub use insert::NewCookie;
pub use jar::Jar;
pub use parse::{SameSite, SetCookie};
pub use policy::{Limits, Policy, Prefixes, Unscoped};
pub use reason::{InvalidCookie, Reason};
pub use record::Cookie;
pub use request::{RequestCookies, line, line_from};
pub use restore::{Fault, Keep, Loaded, Problem, Saved};
pub use site::Site;
pub use store::Outcome;
pub use suffix::PublicSuffixes;
