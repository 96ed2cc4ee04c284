//! Everything that can be set of TLS, as plain values.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use super::bundle::{Certificates, RevocationLists};
use super::identity::Identity;
use super::pin::Pin;
use crate::base::fnv::Fnv;

/// What a session or a request wants of TLS. A clone costs nothing, and the default allocates nothing.
///
/// By default certificates are verified against the roots of the platform, for the host of the URL, with TLS 1.2 or
/// 1.3, and `http/1.1` is offered by ALPN.
#[derive(Clone, Default)]
pub struct Tls(Option<Arc<Options>>);

/// Everything that can be said of TLS, to be read by who acts on it: see [`Tls::options`]. Each field is a method of
/// [`Tls`].
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
    /// A digest of all that makes a difference to a connection; 0 if none of it differs from the default.
    digest: u64,
}

/// Which authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the platform, and by its own rules where it has any.
    #[default]
    Platform,
    /// Mozilla's, compiled in. An engine without them says so.
    Bundled,
    /// These and nobody else.
    Only(Certificates),
}

/// A version of the protocol. Older ones are broken, and not spoken.
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
    /// Trusts these authorities. What is trusted besides, [`add_roots`](Self::add_roots) says.
    #[must_use]
    pub fn roots(self, roots: impl Into<Roots>) -> Self {
        self.with(|options| options.roots = roots.into())
    }

    /// Trusts these authorities too.
    #[must_use]
    pub fn add_roots(self, roots: Certificates) -> Self {
        self.with(|options| options.extra_roots.push(roots))
    }

    /// Shows this certificate to servers that ask for one (rule D-09); with `None`, none. It is a credential: a redirect to
    /// another origin leaves it behind, and it does not come back on a later hop. The same goes for a request to another
    /// origin than that of [`base_url`](crate::Settings::base_url).
    #[must_use]
    pub fn identity(self, identity: impl Into<Option<Identity>>) -> Self {
        self.with(|options| options.identity = identity.into())
    }

    /// Accepts servers with one of these keys alone. Certificates are verified as ever before that.
    #[must_use]
    pub fn pins(self, pins: impl IntoIterator<Item = Pin>) -> Self {
        self.with(|options| options.pins = pins.into_iter().collect())
    }

    /// Refuses certificates that these lists name, and all of whose authority there is no current list. Not with
    /// [`Roots::Platform`], which has rules of its own: an engine may say so.
    #[must_use]
    pub fn add_revocation_lists(self, lists: RevocationLists) -> Self {
        self.with(|options| options.revocation.push(lists))
    }

    /// Speaks no older version than this: TLS 1.2 at first.
    #[must_use]
    pub fn min_version(self, version: Version) -> Self {
        self.with(|options| options.min_version = version)
    }

    /// Speaks no newer version than this: TLS 1.3 at first.
    #[must_use]
    pub fn max_version(self, version: Version) -> Self {
        self.with(|options| options.max_version = version)
    }

    /// The protocols to offer by ALPN (RFC 7301), best first: `http/1.1` at first. With none the extension is left out.
    ///
    /// HTTP/1.1 is what is spoken. If the server chooses another protocol, the call fails with
    /// [`Kind::TlsProtocol`](crate::Kind::TlsProtocol) before a byte of the request is sent.
    #[must_use]
    pub fn alpn<P: AsRef<[u8]>>(self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.with(|options| options.alpn = protocols.into_iter().map(|name| name.as_ref().into()).collect())
    }

    /// Whether servers are told which host is wanted, `true` at first. Those with many need it (RFC 6066).
    #[must_use]
    pub fn sni(self, sni: bool) -> Self {
        self.with(|options| options.sni = sni)
    }

    /// Whether sessions of TLS are resumed, `true` at first. A ticket is used for the very origin and the very settings
    /// under which it was given (row V86).
    #[must_use]
    pub fn tickets(self, tickets: bool) -> Self {
        self.with(|options| options.tickets = tickets)
    }

    /// Whether URLs and redirects without TLS are refused: [`Kind::HttpsOnly`](crate::Kind::HttpsOnly). `false` at
    /// first.
    #[must_use]
    pub fn https_only(self, https_only: bool) -> Self {
        self.with(|options| options.https_only = https_only)
    }

    /// Accepts every certificate, for whatever host, expired or forged (rule D-08). Anybody on the way can read and change
    /// what is sent then, credentials included: for tests against servers of your own.
    #[must_use]
    pub fn danger_accept_invalid_certs(self, accept: bool) -> Self {
        self.with(|options| options.accepts_invalid_certs = accept)
    }

    /// Accepts certificates of trusted authorities for whatever host. Whoever has any certificate can pose as the server
    /// then.
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

    /// Takes the client certificate out; says whether there was one.
    pub(crate) fn forget_identity(&mut self) -> bool {
        let has_one = self.options().identity.is_some();
        if has_one {
            *self = std::mem::take(self).identity(None);
        }
        has_one
    }

    /// Whether nothing was said at all.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// What tells its connections apart; `None` if nothing differs from the default.
    pub(crate) fn key(&self) -> Option<TlsKey> {
        let options = self.0.as_ref().filter(|options| options.digest != 0)?;
        Some(TlsKey(Arc::clone(options)))
    }

    /// Whether URLs without TLS are refused.
    pub(crate) fn is_https_only(&self) -> bool {
        self.0.as_ref().is_some_and(|options| options.https_only)
    }

    /// Everything that was said.
    #[must_use]
    pub fn options(&self) -> &Options {
        static DEFAULT: LazyLock<Options> = LazyLock::new(Options::default);
        self.0.as_deref().unwrap_or(&DEFAULT)
    }
}

impl Options {
    /// All that makes a difference to a connection.
    fn parts(&self) -> impl PartialEq + Hash + '_ {
        // Without `..`: an option that is added must be considered here.
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
            // What is refused never gets a connection.
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

/// Settings of TLS as a part of a key: equal if connections of one can be used for the other.
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
                // Debug escapes whatever a name may have in it.
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

/// Two are equal if connections of one can be used for the other, and both refuse the same URLs.
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
