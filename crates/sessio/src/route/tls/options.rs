//! All TLS options, as plain values.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use super::bundle::{Certificates, RevocationLists};
use super::identity::Identity;
use super::pin::Pin;
use crate::base::fnv::Fnv;

/// TLS settings of a session or a request. Neither the default nor a clone allocates.
///
/// Defaults: certificates are verified against the roots of the platform, for the host of the URL.
/// TLS 1.2 or 1.3 is used, and ALPN offers `http/1.1`.
#[derive(Clone, Default)]
pub struct Tls(Option<Arc<Options>>);

/// All TLS settings, to be read by an implementation: see [`Tls::options`]. Each field is a method
/// of [`Tls`].
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is a method of Tls")]
pub struct Options {
    pub roots: Roots,
    pub extra_roots: Vec<Certificates>,
    pub identity: Option<Identity>,
    pub pins: Vec<Pin>,
    pub revocation: Vec<RevocationLists>,
    pub min_version: Version,
    pub max_version: Version,
    pub alpn: Vec<Box<[u8]>>,
    pub sni: bool,
    pub tickets: bool,
    pub https_only: bool,
    pub accepts_invalid_certs: bool,
    pub accepts_invalid_hostnames: bool,
    /// A digest of all settings that make a difference to a connection; 0 if all of them have their
    /// defaults.
    digest: u64,
}

/// The trusted certificate authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the platform, and by its own rules if it has any.
    #[default]
    Platform,
    /// Mozilla's, compiled in. An implementation without them reports an error.
    Bundled,
    /// These authorities only.
    Only(Certificates),
}

/// A TLS version. Older ones are broken, and not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            roots: Roots::default(),
            extra_roots: Vec::new(),
            identity: None,
            pins: Vec::new(),
            revocation: Vec::new(),
            min_version: Version::Tls12,
            max_version: Version::Tls13,
            alpn: vec![b"http/1.1".as_slice().into()],
            sni: true,
            tickets: true,
            https_only: false,
            accepts_invalid_certs: false,
            accepts_invalid_hostnames: false,
            digest: 0,
        }
    }
}

impl Tls {
    /// Sets the trusted authorities. [`add_roots`](Self::add_roots) adds further ones.
    #[must_use]
    pub fn roots(self, roots: impl Into<Roots>) -> Self {
        self.with(|options| options.roots = roots.into())
    }

    /// Trusts these authorities, too.
    #[must_use]
    pub fn add_roots(self, roots: Certificates) -> Self {
        self.with(|options| options.extra_roots.push(roots))
    }

    /// Presents this certificate to servers that ask for one (rule D-09). Default: `None`.
    ///
    /// It is a credential: a redirect to another origin drops it, and later hops do not get it
    /// back. The same holds for a request to another origin than that of
    /// [`base_url`](crate::Settings::base_url).
    #[must_use]
    pub fn identity(self, identity: impl Into<Option<Identity>>) -> Self {
        self.with(|options| options.identity = identity.into())
    }

    /// Accepts only servers with one of these keys. Certificates are verified as usual before that.
    #[must_use]
    pub fn pins(self, pins: impl IntoIterator<Item = Pin>) -> Self {
        self.with(|options| options.pins = pins.into_iter().collect())
    }

    /// Refuses certificates that these lists name, and certificates of an authority without a
    /// current list. [`Roots::Platform`] has rules of its own: an implementation may refuse the
    /// combination.
    #[must_use]
    pub fn add_revocation_lists(self, lists: RevocationLists) -> Self {
        self.with(|options| options.revocation.push(lists))
    }

    /// Sets the oldest version to negotiate. Default: TLS 1.2.
    #[must_use]
    pub fn min_version(self, version: Version) -> Self {
        self.with(|options| options.min_version = version)
    }

    /// Sets the newest version to negotiate. Default: TLS 1.3.
    #[must_use]
    pub fn max_version(self, version: Version) -> Self {
        self.with(|options| options.max_version = version)
    }

    /// Sets the protocols to offer by ALPN (RFC 7301), best first. Default: `http/1.1`. An empty
    /// list omits the extension.
    ///
    /// The core speaks HTTP/1.1. If the server chooses another protocol, the call fails with
    /// [`Kind::TlsProtocol`](crate::Kind::TlsProtocol) before a byte of the request is sent.
    #[must_use]
    pub fn alpn<P: AsRef<[u8]>>(self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.with(|options| options.alpn = protocols.into_iter().map(|name| name.as_ref().into()).collect())
    }

    /// Sends the host name to the server (SNI, RFC 6066). Default: `true`. Servers of many hosts
    /// need it.
    #[must_use]
    pub fn sni(self, sni: bool) -> Self {
        self.with(|options| options.sni = sni)
    }

    /// Resumes TLS sessions. Default: `true`. A ticket is used only for the same origin and the
    /// same settings under which it was issued (row V86).
    #[must_use]
    pub fn tickets(self, tickets: bool) -> Self {
        self.with(|options| options.tickets = tickets)
    }

    /// Refuses URLs and redirects without TLS: [`Kind::HttpsOnly`](crate::Kind::HttpsOnly).
    /// Default: `false`.
    #[must_use]
    pub fn https_only(self, https_only: bool) -> Self {
        self.with(|options| options.https_only = https_only)
    }

    /// Accepts every certificate, for any host, expired or forged (rule D-08). Default: `false`.
    ///
    /// An attacker on the network can then read and change all data, credentials included. Use it
    /// for tests against servers of your own.
    #[must_use]
    pub fn danger_accept_invalid_certs(self, accept: bool) -> Self {
        self.with(|options| options.accepts_invalid_certs = accept)
    }

    /// Accepts certificates of trusted authorities for any host. Default: `false`.
    ///
    /// The owner of any valid certificate can then pose as the server.
    #[must_use]
    pub fn danger_accept_invalid_hostnames(self, accept: bool) -> Self {
        self.with(|options| options.accepts_invalid_hostnames = accept)
    }

    pub(super) fn without_extra_roots(self) -> Self {
        self.with(|options| options.extra_roots.clear())
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        let options = Arc::make_mut(self.0.get_or_insert_default());
        change(options);
        options.digest = options.digest();
        self
    }

    /// Removes the client certificate; returns `true` if there was one.
    pub(crate) fn forget_identity(&mut self) -> bool {
        let has_one = self.options().identity.is_some();
        if has_one {
            *self = std::mem::take(self).identity(None);
        }
        has_one
    }

    /// Returns `true` if all settings have their defaults.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// The part of a pool key; `None` if all settings have their defaults.
    pub(crate) fn key(&self) -> Option<TlsKey> {
        let options = self.0.as_ref().filter(|options| options.digest != 0)?;
        Some(TlsKey(Arc::clone(options)))
    }

    /// Returns `true` if URLs without TLS are refused.
    pub(crate) fn is_https_only(&self) -> bool {
        self.0.as_ref().is_some_and(|options| options.https_only)
    }

    /// All settings.
    #[must_use]
    pub fn options(&self) -> &Options {
        static DEFAULT: LazyLock<Options> = LazyLock::new(Options::default);
        self.0.as_deref().unwrap_or(&DEFAULT)
    }
}

impl Options {
    /// All settings that make a difference to a connection.
    fn parts(&self) -> impl PartialEq + Hash + '_ {
        // Without `..`, so that a new option does not compile before it is considered here.
        let Self {
            roots,
            extra_roots,
            identity,
            pins,
            revocation,
            min_version,
            max_version,
            alpn,
            sni,
            tickets,
            // A refused URL never gets a connection.
            https_only: _,
            accepts_invalid_certs,
            accepts_invalid_hostnames,
            digest: _,
        } = self;
        let who = (
            roots,
            extra_roots,
            identity,
            pins,
            revocation,
            accepts_invalid_certs,
            accepts_invalid_hostnames,
        );
        (who, min_version, max_version, alpn, sni, tickets)
    }

    fn digest(&self) -> u64 {
        static DEFAULT: LazyLock<Options> = LazyLock::new(Options::default);
        if self.parts() == DEFAULT.parts() {
            return 0;
        }
        let mut digest = Fnv::default();
        self.parts().hash(&mut digest);
        digest.finish().max(1)
    }
}

/// TLS settings as a part of a key. Equal ones can share connections.
#[derive(Clone)]
pub(crate) struct TlsKey(Arc<Options>);

impl PartialEq for TlsKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.digest == other.0.digest && self.0.parts() == other.0.parts())
    }
}

impl Eq for TlsKey {}

impl Hash for TlsKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.digest);
    }
}

/// The options that differ from the default, without any secret.
impl fmt::Display for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &*self.0;
        f.write_str("tls")?;
        match &options.roots {
            Roots::Platform => {}
            Roots::Bundled => f.write_str(" bundled roots")?,
            Roots::Only(own) => write!(f, " own roots {:016x}", own.digest())?,
        }
        for more in &options.extra_roots {
            write!(f, " more roots {:016x}", more.digest())?;
        }
        if options.identity.is_some() {
            f.write_str(" client certificate")?;
        }
        for pin in &options.pins {
            write!(f, " {pin}")?;
        }
        for lists in &options.revocation {
            write!(f, " revocation lists {:016x}", lists.digest())?;
        }
        if (options.min_version, options.max_version) != (Version::Tls12, Version::Tls13) {
            write!(f, " {:?}-{:?}", options.min_version, options.max_version)?;
        }
        if !options.alpn.iter().map(|name| &**name).eq([&b"http/1.1"[..]]) {
            f.write_str(" alpn")?;
            for name in &options.alpn {
                // `Debug` escapes control characters of a name.
                write!(f, " {:?}", name.escape_ascii().to_string())?;
            }
        }
        for (differs, says) in [
            (!options.sni, " no sni"),
            (!options.tickets, " no tickets"),
            (options.accepts_invalid_certs, " any certificate"),
            (options.accepts_invalid_hostnames, " any host"),
        ] {
            if differs {
                f.write_str(says)?;
            }
        }
        Ok(())
    }
}

impl From<Certificates> for Roots {
    fn from(own: Certificates) -> Self {
        Self::Only(own)
    }
}

/// Settings are equal if they can share connections, and refuse the same URLs.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && self.is_https_only() == other.is_https_only()
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key().map(|key| key.to_string());
        let text = key.as_deref().map_or("default", |text| text.trim_start_matches("tls "));
        write!(f, "Tls({text}{})", if self.is_https_only() { ", https only" } else { "" })
    }
}
