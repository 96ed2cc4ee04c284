//! TLS for sessio: rustls as a filter of bytes, the same for every backend.
//!
//! The backends bring it along (feature `rustls`, on by default), and [`sessio::Tls`] in a session's settings says what
//! is wanted of it; the [chapter about TLS](guide) tells how. This crate itself is for those who drive
//! [`sessio::Call`] by hand, bring cryptography of their own, or want to know which root store is which.
//!
//! ```
//! use sessio::{Settings, tls::TlsConnector};
//! use sessio_rustls::Rustls;
//!
//! let mut settings = Settings::default();
//! settings.engine = TlsConnector::new(Rustls::new()?);
//! # Ok::<(), sessio::Error>(())
//! ```
//!
//! It opens no socket and reads no clock: time comes with each connection that is to be secured. The roots of the
//! platform are read from its files when they are first wanted, by `rustls-platform-verifier`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `ring` (default) | cryptography by ring |
//! | `aws-lc-rs` | cryptography by aws-lc-rs, which goes before ring where both are there |
//! | `platform` (default) | the roots of the platform: [`Roots::Platform`](sessio::tls::Roots::Platform) |
//! | `bundled` | Mozilla's roots, compiled in: [`Roots::Bundled`](sessio::tls::Roots::Bundled) |
//!
//! Without either of the first two, [`Rustls::with_provider`] takes a provider of your own.
#![forbid(unsafe_code)]

mod alert;
mod clock;
mod config;
mod der;
mod diagnosis;
mod engine;
mod filter;
mod provider;
mod roots;
mod sessions;
mod verifier;

#[doc = include_str!("../docs/tls.md")]
pub mod guide {}

pub use engine::{Rustls, engine};
pub use rustls;
