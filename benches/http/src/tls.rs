//! TLS for the clients without their own: rustls with ring, as in sessio by default.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use crate::Outcome;
use crate::plan::{Plan, Workload};

/// The configuration of all of them: only the plan's root, and resumption if the plan says so.
///
/// # Errors
///
/// If the root is invalid.
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
