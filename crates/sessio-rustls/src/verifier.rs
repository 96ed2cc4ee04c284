//! Verification of a server's certificate.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, hash::Hash, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error as Failure, OtherError, SignatureScheme};
use sessio::Kind;
use sessio::tls::Pin;
use webpki::EndEntityCert;

use crate::diagnosis::{self, Diagnosis};

/// Verifies a chain by the roots, reports the exact fault, and compares pins.
pub(crate) struct Verifier {
    /// `None` if every certificate is accepted.
    pub(crate) roots: Option<Arc<dyn ServerCertVerifier>>,
    /// Certificates that the caller added as roots, as DER.
    pub(crate) trusted: Box<[Box<[u8]>]>,
    pub(crate) accepts_any_host: bool,
    pub(crate) pins: Box<[Pin]>,
    pub(crate) sha256: Option<&'static dyn Hash>,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn is_pinned(&self, certificate: &CertificateDer<'_>) -> bool {
        let (Some(sha256), Ok(parsed)) = (self.sha256, EndEntityCert::try_from(certificate)) else {
            return false;
        };
        let digest = sha256.hash(&parsed.subject_public_key_info());
        self.pins.iter().any(|pin| pin.sha256() == digest.as_ref())
    }

    /// Returns `true` if the server's own certificate is one of the caller's roots, and is marked
    /// as a CA certificate, as most test tools do. Its validity period was checked before. The
    /// caller checks its name afterwards.
    fn is_itself_trusted(&self, failure: &Failure, certificate: &CertificateDer<'_>) -> bool {
        let Failure::InvalidCertificate(CertificateError::Other(OtherError(cause))) = failure else {
            return false;
        };
        cause.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
            && self.trusted.iter().any(|trusted| **trusted == **certificate)
    }

    /// Checks the name of a server whose certificate is itself a root.
    fn verify_name(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Failure> {
        let parsed = EndEntityCert::try_from(certificate)
            .map_err(|_| Diagnosis::new(Kind::InvalidPeerCertificate, None))?;
        match parsed.verify_is_valid_for_subject_name(name) {
            Err(_) if !self.accepts_any_host => Err(diagnosis::wrong_host(&parsed, name).into()),
            _ => Ok(()),
        }
    }

    /// Without roots any signer is accepted. A pin still requires proof that the server has the
    /// key.
    fn needs_signature(&self) -> bool {
        self.roots.is_some() || !self.pins.is_empty()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Failure> {
        if let Some(roots) = &self.roots {
            match roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                Ok(_) => {}
                // The name is checked last, so everything else is valid.
                Err(Failure::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) if self.accepts_any_host => {}
                Err(failure) if self.is_itself_trusted(&failure, end_entity) => {
                    self.verify_name(end_entity, server_name)?;
                }
                Err(failure) => {
                    return Err(diagnosis::of_chain(failure, end_entity, intermediates, server_name));
                }
            }
        }
        if !self.pins.is_empty() && !self.is_pinned(end_entity) {
            return Err(Diagnosis::new(Kind::CertificateNotPinned, None).into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Failure> {
        if !self.needs_signature() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Failure> {
        if !self.needs_signature() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("roots", &self.roots.is_some()).finish_non_exhaustive()
    }
}
