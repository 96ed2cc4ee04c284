//! A loopback TLS server for the examples, and the certificate that its clients trust.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use sessio::tls::{Certificates, Roots};
use sessio_testkit::{Adapter, AdapterFactory, Script, Server};

/// Starts a server with its own certificate for 127.0.0.1. Returns it and the roots that trust it.
pub(crate) fn start(script: impl Into<Script>) -> (Server, Roots) {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("the parameters of a certificate");
    let certificate = params.self_signed(&key).expect("a certificate");
    let roots = Roots::Only(Certificates::from_der([certificate.der()]).expect("a root"));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    let config = Arc::new(config.expect("a certificate with its key"));
    let adapters = AdapterFactory::new(move || {
        Box::new(Tls(ServerConnection::new(Arc::clone(&config)).expect("a TLS session")))
    });
    // The handshake is complete before the script begins.
    (Server::adapted_scripted(adapters.handshake_first(), script), roots)
}

/// The server's side of a connection.
struct Tls(ServerConnection);

impl Tls {
    fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(out)?;
        }
        Ok(())
    }
}

impl Adapter for Tls {
    fn decode(&mut self, mut sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while !sealed.is_empty() {
            self.0.read_tls(&mut sealed)?;
            let processed = self.0.process_new_packets();
            self.write(out)?;
            processed.map_err(io::Error::other)?;
            match self.0.reader().read_to_end(plain) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.0.writer().write_all(plain)?;
        self.write(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.0.send_close_notify();
        let _ = self.write(out);
    }

    fn is_established(&self) -> bool {
        !self.0.is_handshaking()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
