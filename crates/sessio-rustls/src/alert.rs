//! TLS alerts of a peer.

use rustls::AlertDescription;
use sessio::{Fault, Kind};

/// The error of an alert: its registered name is in the detail.
pub(crate) fn error(alert: AlertDescription) -> Fault {
    use AlertDescription as Is;
    let kind = match alert {
        Is::HandshakeFailure | Is::InsufficientSecurity | Is::NoApplicationProtocol | Is::ProtocolVersion => {
            Kind::TlsMismatch
        }
        // A server sends an alert about a certificate only if the client has sent one, or should
        // have.
        Is::AccessDenied
        | Is::BadCertificate
        | Is::CertificateExpired
        | Is::CertificateRequired
        | Is::CertificateRevoked
        | Is::CertificateUnknown
        | Is::UnknownCA
        | Is::UnsupportedCertificate => Kind::ClientCertificate,
        _ => Kind::TlsAlert,
    };
    Fault::new(kind).with_detail(format!("alert {}", name(alert)))
}

/// The registered name: `UnknownCA` is `unknown_ca`.
fn name(alert: AlertDescription) -> String {
    let AlertDescription::Unknown(number) = alert else {
        let mut name = String::new();
        let mut was_small = false;
        for letter in format!("{alert:?}").chars() {
            if letter.is_uppercase() && was_small {
                name.push('_');
            }
            was_small = letter.is_lowercase();
            name.extend(letter.to_lowercase());
        }
        return name;
    };
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_the_registry() {
        for (number, expected, kind) in [
            (10, "unexpected_message", Kind::TlsAlert),
            (40, "handshake_failure", Kind::TlsMismatch),
            (48, "unknown_ca", Kind::ClientCertificate),
            (70, "protocol_version", Kind::TlsMismatch),
            (80, "internal_error", Kind::TlsAlert),
            (116, "certificate_required", Kind::ClientCertificate),
            (250, "250", Kind::TlsAlert),
        ] {
            let alert = AlertDescription::from(number);
            assert_eq!((name(alert).as_str(), error(alert).kind()), (expected, kind));
        }
    }
}
