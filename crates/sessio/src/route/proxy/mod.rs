//! Proxies: the choice of one for a URL, and its credentials and headers.
//!
//! A [`Proxy`] is a server that forwards requests. [`Proxies`] are rules that choose one for a URL.
//! [`NoProxy`] names the hosts that are reached without a proxy.
//!
//! A [`ProxySelector`] combines those of a request, its session and the environment, in that order.
//! The first of the three that has a rule for a URL decides. The first that has a list of
//! exceptions supplies it. The result is a [`ProxyChoice`], which also names the rule that decided.
//!
//! ```text
//!   request's Proxies ──▶ session's ──▶ environment's ──▶ none: direct
//!        │ a rule             │ a rule           │ a rule
//!        └──────────┬─────────┴──────────────────┘
//!                   ▼
//!        direct, or a proxy ── NoProxy: request's, else session's, else environment's ──▶ ProxyChoice
//! ```
//!
//! The selector chooses for every hop: a redirect may use another proxy, or none. The credentials
//! of a proxy are part of the [`Proxy`], so they are sent to that proxy only (law 5, row V22).
//!
//! ```
//! use sessio::proxy::{ProxySelector, Proxies, Why};
//! use sessio::Url;
//!
//! let mut session = Proxies::new();
//! session.set("http", "http://user:pass@proxy.test:3128")?;
//! session.set("https://internal.test", "")?; // explicitly none
//! session.set("all", "socks5h://127.0.0.1:9050")?;
//! session.except("localhost, .lan, 10.0.0.0/8");
//!
//! let plan = ProxySelector::new(Proxies::new(), session, Proxies::new());
//! let goes = |url: &str| plan.of(&Url::parse(url).unwrap()).map(|choice| choice.to_string());
//! assert_eq!(goes("http://a.test/")?, "http://proxy.test:3128 by the session's rule http");
//! assert_eq!(goes("https://a.test/")?, "socks5h://127.0.0.1:9050 by the session's rule all");
//! assert_eq!(goes("https://internal.test/")?, "direct by the session's rule https://internal.test");
//! assert_eq!(goes("http://10.1.2.3/")?, "direct by the session's exception 10.0.0.0/8");
//! # Ok::<(), sessio::Error>(())
//! ```

mod auth;
mod no_proxy;
mod rules;
mod selector;
mod server;

pub(crate) use auth::{ProxyAuth, ProxyRequest};
pub use no_proxy::NoProxy;
pub use rules::{Proxies, Via};
pub use selector::{ProxyChoice, ProxySelector, Source, Why};
pub use server::{Protocol, Proxy};
