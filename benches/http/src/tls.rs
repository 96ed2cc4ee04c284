//! TLS as the clients speak it that do not bring it along: rustls with ring, as sessio has it by default.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use crate::Outcome;
use crate::plan::{Plan, Workload};

/// What all of them are told: the plan's root and no other, and sessions where the plan resumes them.
///
/// # Errors
/// A root that is none.
pub fn config(plan: &Plan) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if !plan.root.is_empty() {
        roots.add(CertificateDer::from(plan.root.clone()))?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if plan.workload == Workload::Handshakes {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}
