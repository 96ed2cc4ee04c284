//! Verifiers for the trusted roots.

use std::sync::Arc;
#[cfg(feature = "platform")]
use std::sync::OnceLock;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use sessio::tls::{Certificates, Options, RevocationLists, Roots};
use sessio::{Fault, Kind};

/// The verifier for these roots.
pub(crate) fn of(
    options: &Options,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Fault> {
    let extra = || options.extra_roots.iter().flat_map(Certificates::iter);
    let mut store = RootCertStore::empty();
    match &options.roots {
        Roots::Platform => return platform(options, provider),
        Roots::Bundled => bundled(&mut store)?,
        Roots::Only(own) => add(&mut store, own.iter(), own.iter().count())?,
        _ => return Err(invalid("roots that rustls does not know")),
    }
    add(&mut store, extra(), extra().count())?;
    let lists = options.revocation.iter().flat_map(RevocationLists::iter);
    let lists: Vec<_> = lists.map(|der| CertificateRevocationListDer::from(der.to_vec())).collect();
    let mut builder = WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider));
    if !lists.is_empty() {
        builder = builder.with_crls(lists).enforce_revocation_expiration();
    }
    let verifier = builder.build().map_err(|cause| invalid("a revocation list").with_source(cause))?;
    Ok(verifier)
}

/// The roots of the caller.
pub(crate) fn given(options: &Options) -> impl Iterator<Item = &[u8]> {
    let only = match &options.roots {
        Roots::Only(own) => Some(own),
        _ => None,
    };
    only.into_iter().chain(&options.extra_roots).flat_map(Certificates::iter)
}

/// Adds roots. Some old certificates of a bundle may be unreadable, but one must be readable.
fn add<'a>(
    store: &mut RootCertStore,
    all: impl Iterator<Item = &'a [u8]>,
    count: usize,
) -> Result<(), Fault> {
    let all = all.map(|der| CertificateDer::from(der.to_vec()));
    let (added, _) = store.add_parsable_certificates(all);
    if added == 0 && count > 0 { Err(invalid("none of the roots is a certificate")) } else { Ok(()) }
}

#[cfg(feature = "bundled")]
#[allow(clippy::unnecessary_wraps, reason = "without the feature there are none")]
fn bundled(store: &mut RootCertStore) -> Result<(), Fault> {
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Ok(())
}

#[cfg(not(feature = "bundled"))]
fn bundled(_: &mut RootCertStore) -> Result<(), Fault> {
    Err(invalid("bundled roots need the feature `bundled` of sessio-rustls"))
}

/// Only verifiers without checks of their own report a wrong host name as the sole fault.
#[cfg(feature = "platform")]
const HAS_RULES: bool = cfg!(any(windows, target_vendor = "apple", target_os = "android"));

#[cfg(feature = "platform")]
fn platform(options: &Options, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Fault> {
    use rustls_platform_verifier::Verifier;
    // Reading the platform's files takes longer than a handshake, so sessions share the result.
    static PLAIN: OnceLock<Arc<dyn ServerCertVerifier>> = OnceLock::new();
    if !options.revocation.is_empty() {
        return Err(invalid("revocation lists go with roots of your own, or bundled ones"));
    }
    if HAS_RULES && options.accepts_invalid_hostnames {
        return Err(invalid("this platform does not verify certificates without their hosts"));
    }
    let failed = |cause| invalid("the roots of the platform").with_source(cause);
    let is_plain = options.extra_roots.is_empty() && is_built_in(provider);
    if let (true, Some(verifier)) = (is_plain, PLAIN.get()) {
        return Ok(Arc::clone(verifier));
    }
    let mut extra = Vec::new();
    for der in options.extra_roots.iter().flat_map(Certificates::iter) {
        let der = CertificateDer::from(der.to_vec());
        // The platform's verifier refuses all roots if it cannot read one of them.
        if RootCertStore::empty().add(der.clone()).is_ok() {
            extra.push(der);
        }
    }
    if extra.is_empty() && !options.extra_roots.is_empty() {
        return Err(invalid("none of the roots is a certificate"));
    }
    let verifier: Arc<dyn ServerCertVerifier> =
        Arc::new(Verifier::new_with_extra_roots(extra, Arc::clone(provider)).map_err(failed)?);
    Ok(if is_plain { Arc::clone(PLAIN.get_or_init(|| verifier)) } else { verifier })
}

#[cfg(not(feature = "platform"))]
fn platform(_: &Options, _: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Fault> {
    Err(invalid("the roots of the platform need the feature `platform` of sessio-rustls"))
}

#[cfg(feature = "platform")]
fn is_built_in(provider: &Arc<CryptoProvider>) -> bool {
    crate::provider::built_in().is_some_and(|own| Arc::ptr_eq(&own, provider))
}

pub(crate) fn invalid(why: &'static str) -> Fault {
    Fault::new(Kind::InvalidTls).with_detail(why)
}
