//! What a session wants of TLS, as plain values; and the seam for whoever does it.
//!
//! [`Tls`] says whom to trust, who we are and what is agreed on. It does nothing itself: an [`TlsConnector`] makes a
//! [`TlsSession`](crate::TlsSession) filter of it for each connection, such as that of the crate `sessio-rustls`, which the
//! backends bring along. Without one an `https://` URL is [`Kind::UnsupportedScheme`](crate::Kind::UnsupportedScheme).
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
//! All of it is part of the pool's [`Key`](crate::pool::Key): a connection that was made under other settings is never
//! used.

mod bundle;
mod change;
mod engine;
mod identity;
mod options;
mod pem;
mod pin;
pub(crate) mod session;

pub use bundle::{Certificates, RevocationLists};
pub use change::TlsChanges;
pub use engine::{ConnectInfo, Scope, StartTls, TlsConnector};
pub use identity::{Identity, KeyFormat};
pub(crate) use options::TlsKey;
pub use options::{Options, Roots, Tls, Version};
pub use pin::Pin;
