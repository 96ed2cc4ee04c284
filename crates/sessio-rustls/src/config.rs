//! Conversion of a session's TLS settings to those of rustls.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, hash::HashAlgorithm};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error as Failure, SupportedCipherSuite, SupportedProtocolVersion};
use sessio::tls::{Identity, KeyFormat, Options, Tls, Version};
use sessio::{Fault, Kind};

use crate::clock::Clock;
use crate::roots::{self, invalid};
use crate::sessions::Sessions;
use crate::verifier::Verifier;

/// The rustls configuration of these settings; [each scope](Scoped) stores its own TLS sessions.
pub(crate) fn of(tls: &Tls, provider: &Arc<CryptoProvider>, clock: &Clock) -> Result<ClientConfig, Fault> {
    let options = tls.options();
    let versions = versions(options);
    if versions.is_empty() {
        return Err(invalid("no version between `min_version` and `max_version`"));
    }
    let verifier = Verifier {
        roots: if options.accepts_invalid_certs { None } else { Some(roots::of(options, provider)?) },
        trusted: roots::given(options).map(Into::into).collect(),
        accepts_any_host: options.accepts_invalid_hostnames,
        pins: options.pins.as_slice().into(),
        sha256: provider.cipher_suites.iter().find_map(|suite| {
            let hash = match suite {
                SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
                SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
            };
            (hash.algorithm() == HashAlgorithm::SHA256).then_some(hash)
        }),
        provider: Arc::clone(provider),
    };
    let builder = ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(clock.clone()))
        .with_protocol_versions(&versions)
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &options.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = identity.chain().map(|der| CertificateDer::from(der.to_vec())).collect();
            builder.with_client_auth_cert(chain, key(identity)?).map_err(refused)?
        }
    };
    config.alpn_protocols = options.alpn.iter().map(|name| name.to_vec()).collect();
    config.enable_sni = options.sni;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The rustls configuration of one scope, and its store of TLS sessions: they are resumed within
/// the scope only.
#[derive(Clone)]
pub(crate) struct Scoped {
    pub(crate) config: Arc<ClientConfig>,
    /// `None` if no TLS session is resumed.
    pub(crate) sessions: Option<Arc<Sessions>>,
}

impl Scoped {
    pub(crate) fn new(config: &ClientConfig, tls: &Tls, clock: &Clock) -> Self {
        let (mut config, options) = (config.clone(), tls.options());
        let sessions = options.tickets.then(|| Sessions::new(clock.clone(), !options.accepts_invalid_certs));
        if let Some(sessions) = &sessions {
            config.resumption = Resumption::store(sessions.clone());
        }
        Self { config: Arc::new(config), sessions }
    }
}

fn versions(options: &Options) -> Vec<&'static SupportedProtocolVersion> {
    [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)]
        .into_iter()
        .filter(|(version, _)| (options.min_version..=options.max_version).contains(version))
        .map(|(_, spoken)| spoken)
        .collect()
}

fn key(identity: &Identity) -> Result<PrivateKeyDer<'static>, Fault> {
    let (format, der) = identity.key();
    let der = der.to_vec();
    Ok(match format {
        KeyFormat::Pkcs8 => PrivateKeyDer::Pkcs8(der.into()),
        KeyFormat::Pkcs1 => PrivateKeyDer::Pkcs1(der.into()),
        KeyFormat::Sec1 => PrivateKeyDer::Sec1(der.into()),
        _ => return Err(invalid("a private key in a format that rustls does not know")),
    })
}

/// rustls does not show keys in its errors.
fn refused(failure: Failure) -> Fault {
    let detail = match &failure {
        Failure::InconsistentKeys(_) => "the client's key does not fit its certificate",
        _ => "what was given cannot be used",
    };
    Fault::new(Kind::InvalidTls).with_detail(detail).with_source(failure)
}
