//! TLS for sessio: rustls as a state machine over bytes, the same for every backend.
//!
//! The backends include it (feature `rustls`, on by default), and [`sessio::Tls`] in a session's
//! settings configures it; see the [chapter about TLS](guide). Use this crate directly to drive
//! [`sessio::Call`] by hand, to supply other cryptography, or to learn about root stores.
//!
//! ```
//! use sessio::{Settings, tls::TlsConnector};
//! use sessio_rustls::Rustls;
//!
//! let mut settings = Settings::default();
//! settings.tls_connector = TlsConnector::new(Rustls::new()?);
//! # Ok::<(), sessio::Error>(())
//! ```
//!
//! It opens no socket and reads no clock: each new connection supplies the time.
//! `rustls-platform-verifier` reads the platform's roots from files when they are first needed.
//!
//! # Features
//!
//! | feature | provides |
//! |---|---|
//! | `ring` (default) | cryptography by ring |
//! | `aws-lc-rs` | cryptography by aws-lc-rs, which is preferred to ring if both are enabled |
//! | `platform` (default) | the roots of the platform: [`Roots::Platform`](sessio::tls::Roots::Platform) |
//! | `bundled` | Mozilla's roots, compiled in: [`Roots::Bundled`](sessio::tls::Roots::Bundled) |
//!
//! Without the first two, use [`Rustls::with_provider`].
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod alert;
mod clock;
mod config;
mod connector;
mod der;
mod diagnosis;
mod provider;
mod roots;
mod sessions;
mod tls_session;
mod verifier;

#[doc = include_str!("../docs/tls.md")]
pub mod guide {}

pub use connector::{Rustls, connector};
pub use rustls;

/// Compiles the program of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
