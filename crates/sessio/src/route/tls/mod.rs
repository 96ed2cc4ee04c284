//! TLS settings of a session, as plain values, and the interface of TLS implementations.
//!
//! [`Tls`] sets trusted roots, the client certificate and protocol versions. It does nothing
//! itself: a [`TlsConnector`] makes a [`TlsSession`](crate::TlsSession) from it for each
//! connection. The backends use the connector of the crate `sessio-rustls`. Without one an
//! `https://` URL is [`Kind::UnsupportedScheme`](crate::Kind::UnsupportedScheme).
//!
//! ```
//! use sessio::{Request, Settings, tls::{Tls, Version}};
//!
//! let mut settings = Settings::default();
//! settings.tls = Tls::default().min_version(Version::Tls13).https_only(true);
//! // One request may differ.
//! let request = Request::get("https://localhost:8443/").danger_accept_invalid_certs(true);
//! ```
//!
//! All settings are part of the pool's [`Key`](crate::routing::Key): a connection that was made with
//! other settings is never used.

mod bundle;
mod change;
mod connector;
mod identity;
mod options;
mod pem;
mod pin;
pub(crate) mod session;

pub use bundle::{Certificates, RevocationLists};
pub use change::TlsChanges;
pub use connector::{ConnectInfo, Scope, StartTls, TlsConnector};
pub use identity::{Identity, KeyFormat};
pub(crate) use options::TlsKey;
pub use options::{Options, Roots, Tls, Version};
pub use pin::Pin;
