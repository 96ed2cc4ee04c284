//! The exact cause of a failed handshake.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, Error as Failure, InvalidMessage, OtherError, PeerIncompatible};
use sessio::{Fault, Kind, escape};
use webpki::EndEntityCert;

use crate::{alert, der};

/// The smallest RSA key in bits that verifiers accept.
const FEWEST_BITS: usize = 2048;

/// The reason why a certificate was refused. It passes through rustls as an error.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) kind: Kind,
    detail: Option<String>,
}

impl Diagnosis {
    pub(crate) fn new(kind: Kind, detail: impl Into<Option<String>>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.kind),
            None => fmt::Display::fmt(&self.kind, f),
        }
    }
}

impl std::error::Error for Diagnosis {}

impl From<Diagnosis> for Failure {
    fn from(diagnosis: Diagnosis) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(diagnosis))))
    }
}

/// The error of a connection that rustls has closed.
pub(crate) fn error(failure: Failure) -> Fault {
    let kind = match &failure {
        Failure::AlertReceived(alert) => return alert::error(*alert),
        Failure::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
            match cause.downcast_ref::<Diagnosis>() {
                Some(Diagnosis { kind, detail: Some(detail) }) => {
                    return Fault::new(*kind).with_detail(detail.clone());
                }
                Some(Diagnosis { kind, .. }) => return Fault::new(*kind),
                None => Kind::InvalidPeerCertificate,
            }
        }
        // The handshake is not signed by the certificate's key: an attacker, or a broken server.
        Failure::InvalidCertificate(CertificateError::BadSignature) => Kind::TlsBroken,
        Failure::InvalidCertificate(cause) => of_certificate(cause),
        Failure::NoCertificatesPresented => Kind::InvalidPeerCertificate,
        Failure::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(_)) => Kind::TlsBroken,
        Failure::PeerIncompatible(_) | Failure::NoApplicationProtocol => Kind::TlsMismatch,
        // For example a plain-text response, or a protocol in which the server speaks first.
        Failure::InvalidMessage(InvalidMessage::InvalidContentType) => Kind::NotTls,
        _ => Kind::TlsBroken,
    };
    Fault::new(kind).with_source(failure)
}

/// The reason why a chain was refused, derived from the certificates that the server presented.
pub(crate) fn of_chain(
    failure: Failure,
    own: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    host: &ServerName<'_>,
) -> Failure {
    let Failure::InvalidCertificate(cause) = &failure else { return failure };
    let Ok(certificate) = EndEntityCert::try_from(own) else {
        return Diagnosis::new(Kind::InvalidPeerCertificate, None).into();
    };
    let kind = of_certificate(cause);
    let is_its_own = certificate.subject() == certificate.issuer();
    let diagnosis = match kind {
        _ if is_weak(&certificate) || others.iter().any(|other| is_weak_authority(other)) => {
            Diagnosis::new(Kind::CertificateWeak, "RSA of less than 2048 bits".to_owned())
        }
        Kind::CertificateWrongHost => wrong_host(&certificate, host),
        // Most tools for test certificates mark the server's own certificate as a CA certificate.
        Kind::CertificateUnknownRoot | Kind::CertificateWrongPurpose | Kind::InvalidPeerCertificate
            if is_its_own && !is_trusted_as_authority(cause) =>
        {
            Diagnosis::new(Kind::CertificateSelfSigned, None)
        }
        Kind::CertificateUnknownRoot => missing(&certificate, own, others),
        kind => Diagnosis::new(kind, detail(cause)),
    };
    diagnosis.into()
}

/// The certificate is for other hosts.
pub(crate) fn wrong_host(certificate: &EndEntityCert<'_>, host: &ServerName<'_>) -> Diagnosis {
    Diagnosis::new(Kind::CertificateWrongHost, named(certificate, host))
}

/// Returns `true` if the server's certificate is refused for its purpose, and not for its issuer.
const fn is_trusted_as_authority(cause: &CertificateError) -> bool {
    matches!(cause, CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. })
}

#[allow(deprecated, reason = "another verifier may still say it so")]
fn of_certificate(cause: &CertificateError) -> Kind {
    use CertificateError as Is;
    match cause {
        Is::Expired | Is::ExpiredContext { .. } => Kind::CertificateExpired,
        Is::NotValidYet | Is::NotValidYetContext { .. } => Kind::CertificateNotYetValid,
        Is::Revoked => Kind::CertificateRevoked,
        Is::UnknownRevocationStatus | Is::ExpiredRevocationList | Is::ExpiredRevocationListContext { .. } => {
            Kind::CertificateRevocationUnknown
        }
        Is::UnknownIssuer => Kind::CertificateUnknownRoot,
        // A root with the same name and another key is another root.
        Is::BadSignature => Kind::CertificateUnknownRoot,
        Is::UnsupportedSignatureAlgorithm
        | Is::UnsupportedSignatureAlgorithmContext { .. }
        | Is::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Kind::CertificateWeak,
        Is::NotValidForName | Is::NotValidForNameContext { .. } => Kind::CertificateWrongHost,
        Is::InvalidPurpose | Is::InvalidPurposeContext { .. } => Kind::CertificateWrongPurpose,
        Is::Other(OtherError(cause)) => match cause.downcast_ref::<webpki::Error>() {
            Some(cause) => of_path(cause),
            None => Kind::InvalidPeerCertificate,
        },
        _ => Kind::InvalidPeerCertificate,
    }
}

/// Faults for which rustls has no error of its own.
const fn of_path(cause: &webpki::Error) -> Kind {
    use webpki::Error as Is;
    match cause {
        Is::CaUsedAsEndEntity => Kind::CertificateWrongPurpose,
        Is::EndEntityUsedAsCa
        | Is::MaximumNameConstraintComparisonsExceeded
        | Is::MaximumPathBuildCallsExceeded
        | Is::MaximumPathDepthExceeded
        | Is::MaximumSignatureChecksExceeded
        | Is::NameConstraintViolation
        | Is::PathLenConstraintViolated => Kind::CertificateConstraint,
        _ => Kind::InvalidPeerCertificate,
    }
}

fn detail(cause: &CertificateError) -> Option<String> {
    use CertificateError as Is;
    let days = |late: u64, early: u64| late.saturating_sub(early) / 86_400;
    match cause {
        Is::ExpiredContext { time, not_after } => {
            Some(format!("{} days ago by this machine's clock", days(time.as_secs(), not_after.as_secs())))
        }
        Is::NotValidYetContext { time, not_before } => {
            Some(format!("for {} days by this machine's clock", days(not_before.as_secs(), time.as_secs())))
        }
        Is::Other(OtherError(cause)) => Some(cause.to_string()),
        _ => None,
    }
}

fn is_weak(certificate: &EndEntityCert<'_>) -> bool {
    der::rsa_bits(&certificate.subject_public_key_info()).is_some_and(|bits| bits < FEWEST_BITS)
}

fn is_weak_authority(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|certificate| is_weak(&certificate))
}

/// The names in the certificate.
fn named(certificate: &EndEntityCert<'_>, host: &ServerName<'_>) -> String {
    const MOST: usize = 4;
    let mut names: Vec<_> =
        certificate.valid_dns_names().take(MOST).map(|name| escape(name.as_bytes())).collect();
    if let Err(webpki::Error::CertNotValidForName(context)) =
        certificate.verify_is_valid_for_subject_name(host)
    {
        // For IP addresses, webpki returns the names in no other form.
        let address =
            |name: &String| Some(escape(name.strip_prefix("IpAddress(")?.strip_suffix(')')?.as_bytes()));
        let left = MOST - names.len();
        names.extend(context.presented.iter().filter_map(address).take(left));
    }
    match names.is_empty() {
        true => format!("it has no name of a host, and {} was asked", host.to_str()),
        false => format!("it is for {}, and {} was asked", names.join(", "), host.to_str()),
    }
}

/// The reason why no trusted root has signed the last certificate of the chain: a missing
/// intermediate certificate, or an untrusted root.
fn missing(
    certificate: &EndEntityCert<'_>,
    own: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
) -> Diagnosis {
    let mut issuer = certificate.issuer().to_vec();
    let mut last = own;
    let mut passed = 0;
    // Follow each certificate to its issuer. The limit ends a cycle of certificates.
    while passed < others.len() {
        let next = others.iter().find_map(|other| {
            let parsed = EndEntityCert::try_from(other).ok()?;
            (parsed.subject() == issuer).then(|| (other, parsed.issuer().to_vec()))
        });
        let Some((other, next_issuer)) = next else { break };
        last = other;
        passed += 1;
        if next_issuer == issuer {
            return Diagnosis::new(Kind::CertificateUnknownRoot, None);
        }
        issuer = next_issuer;
    }
    let has_gap = passed == 0 && !others.is_empty();
    // A certificate with a URL for its issuer's certificate is usually not signed by a root.
    if has_gap || (passed == 0 && der::names_authority(last)) {
        return Diagnosis::new(Kind::CertificateIncompleteChain, None);
    }
    let detail = (passed == 0).then(|| "or the server has left one out between its own and that".to_owned());
    Diagnosis::new(Kind::CertificateUnknownRoot, detail)
}
