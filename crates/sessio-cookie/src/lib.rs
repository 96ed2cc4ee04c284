//! A cookie jar by RFC 6265bis. It opens no file and reads no clock: time is an argument, and files
//! are byte slices.
//!
//! ```
//! use sessio_cookie::{Jar, UnixTime, Url};
//!
//! let now = UnixTime::from(std::time::SystemTime::now());
//! let mut jar = Jar::new();
//! // The Set-Cookie lines of a response, and the URL of the request.
//! let lines = [&b"sid=31d4; Path=/; Secure"[..]];
//! let report = jar.extract(&Url::parse("https://example.com/login")?, lines, now);
//! assert_eq!((report.stored, report.refused.len()), (1, 0));
//! // The Cookie header of a later request.
//! let mut header = Vec::new();
//! assert_eq!(jar.header(&Url::parse("https://example.com/account")?, now, &mut header), 1);
//! assert_eq!(header, b"sid=31d4");
//! # Ok::<(), url::ParseError>(())
//! ```
//!
//! | feature | adds |
//! |---|---|
//! | `psl` (default) | the compiled-in list of public suffixes |
//! | `json` | jars as JSON, and as the `storageState` of Playwright |
//! | `serde` | `Serialize` and `Deserialize` for the jar |
//! | `cookie` | conversions from and to the cookies of the crate `cookie` |
//! | `reqwest` | `SharedJar`, the cookie store of a reqwest client |
//!
//! A panic in this crate, on any input, is a bug in this crate.
//!
#![doc = include_str!("../docs/cookies.md")]
#![doc = include_str!("../docs/cookies-cost.svg")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod admit;
mod branch;
mod contents;
#[cfg(feature = "cookie")]
mod convert;
mod date;
mod extract;
mod format;
mod header;
mod host;
mod index;
mod insert;
mod jar;
mod parse;
mod path;
mod policy;
mod reason;
mod record;
mod request;
mod scan;
#[cfg(all(feature = "reqwest", not(target_arch = "wasm32")))]
mod shared;
mod site;
mod store;
mod suffix;
mod unix_time;

pub use date::parse_date;
pub use extract::{Extracted, Refused, ResponseCookies};
pub use format::{Fault, Format, Keep, Loaded, Problem, Saved};
pub use insert::NewCookie;
pub use jar::Jar;
pub use parse::{SameSite, SetCookie};
pub use policy::{Limits, Policy, Prefixes, Unscoped};
pub use reason::{InvalidCookie, Reason};
pub use record::Cookie;
pub use request::{RequestCookies, line, line_from};
#[cfg(all(feature = "reqwest", not(target_arch = "wasm32")))]
pub use shared::SharedJar;
pub use site::Site;
pub use store::Outcome;
pub use suffix::{InvalidSuffixList, PublicSuffixes};
pub use unix_time::UnixTime;
pub use url::Url;

/// Compiles the program of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
