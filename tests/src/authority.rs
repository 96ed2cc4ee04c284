//! Certificate authorities of the tests, and the certificates that they issue: valid ones, and
//! invalid ones of every kind.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use sessio::tls::{Certificates, Identity, KeyFormat, Pin, RevocationLists};

/// A certificate authority. All keys but those of [`ecdsa`](Self::ecdsa) are Ed25519, whose
/// signatures have one length.
#[derive(Debug)]
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
    /// The intermediate authorities between a root and this one, nearest first. This one is
    /// included, unless it is a root.
    chain: Vec<Vec<u8>>,
}

/// A certificate with its chain and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificates as DER. The own certificate is first.
    pub chain: Vec<Vec<u8>>,
    /// The key: PKCS #8 as DER.
    pub key: Vec<u8>,
}

/// A certificate, or a chain of them, and the private key, in PEM.
#[derive(Clone, Debug)]
pub struct Pem {
    /// The certificates.
    pub certificate: String,
    /// The key.
    pub key: String,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("a key")
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    // Certificates with equal serial numbers would be one to a program that looks them up by
    // number.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    params.serial_number = Some(NEXT.fetch_add(1, Ordering::Relaxed).into());
    params
}

impl Authority {
    /// A root authority.
    ///
    /// # Panics
    ///
    /// If the system has no randomness for a key. That applies to everything in this module.
    pub fn root(name: &str) -> Self {
        Self::root_with(name, key())
    }

    /// A root with an ECDSA key, for programs that cannot sign with a newer algorithm.
    ///
    /// # Panics
    ///
    /// As [`root`](Self::root).
    pub fn ecdsa(name: &str) -> Self {
        Self::root_with(name, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"))
    }

    fn root_with(name: &str, key: KeyPair) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).expect("a root").der().to_vec();
        Self { params, key, der, chain: Vec::new() }
    }

    /// An authority below this one, with a change to its parameters.
    pub fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (named(name), key());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let der = params.signed_by(&key, &self.issuer()).expect("an authority").der().to_vec();
        let chain = [vec![der.clone()], self.chain.clone()].concat();
        Self { params, key, der, chain }
    }

    /// Issues a certificate for `localhost` and 127.0.0.1, with a change to its parameters.
    pub fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let key = key();
        self.issue_for(&key, key.serialize_der(), change)
    }

    /// Issues such a certificate with an ECDSA key, whose format every program can read.
    pub fn issue_ecdsa(&self) -> Issued {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        self.issue_for(&key, key.serialize_der(), |_| {})
    }

    /// Issues such a certificate for a key that another certificate has.
    pub fn issue_for(
        &self,
        public: &impl PublicKeyData,
        key: Vec<u8>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let mut params = localhost();
        change(&mut params);
        let own = params.signed_by(public, &self.issuer()).expect("a certificate").der().to_vec();
        Issued { chain: [vec![own], self.chain.clone()].concat(), key }
    }

    /// A certificate revocation list of these serial numbers. The list is valid until `until`, a
    /// year.
    pub fn revoke(&self, serials: &[u64], until: i32) -> RevocationLists {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2001, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2001, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer()).expect("a list");
        RevocationLists::from_der([list.der()]).expect("one list")
    }

    /// Its certificate and its key, for a program that issues certificates itself.
    pub fn pem(&self) -> Pem {
        Pem { certificate: pem("CERTIFICATE", &self.der), key: pem("PRIVATE KEY", &self.key.serialize_der()) }
    }

    /// Its own certificate as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its own certificate, for a client that trusts only this authority.
    pub fn certificates(&self) -> Certificates {
        Certificates::from_der([&self.der]).expect("one certificate")
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

impl Issued {
    /// A self-signed certificate, with a change to its parameters.
    pub fn by_itself(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (localhost(), key());
        change(&mut params);
        let own = params.self_signed(&key).expect("a certificate").der().to_vec();
        Self { chain: vec![own], key: key.serialize_der() }
    }

    /// The certificate without its chain.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.chain.truncate(1);
        self
    }

    /// The certificate with these others after its chain.
    #[must_use]
    pub fn with(mut self, others: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.chain.extend(others);
        self
    }

    /// Replaces bytes of its own certificate, wherever they occur.
    ///
    /// # Panics
    ///
    /// If they do not occur.
    #[must_use]
    pub fn patched(mut self, from: &[u8], to: &[u8]) -> Self {
        let own = &mut self.chain[0];
        let mut found = 0;
        for at in 0..own.len() - from.len() {
            if own[at..].starts_with(from) {
                own[at..at + from.len()].copy_from_slice(to);
                found += 1;
            }
        }
        assert!(found > 0, "nothing to patch");
        self
    }

    /// The chain and the key in PEM, for a program.
    pub fn pem(&self) -> Pem {
        let chain = self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        Pem { certificate: chain, key: pem("PRIVATE KEY", &self.key) }
    }

    /// The client certificate of a client.
    pub fn identity(&self) -> Identity {
        Identity::from_der(&self.chain, KeyFormat::Pkcs8, &self.key).expect("a chain")
    }

    /// Its own certificate, for a client that trusts it directly.
    pub fn certificates(&self) -> Certificates {
        Certificates::from_der(self.chain.iter().take(1)).expect("one certificate")
    }

    /// The pin of its key. The library that made the key computes the digest, so no tested code
    /// takes part.
    pub fn pin(&self) -> Pin {
        let key = KeyPair::try_from(self.key.as_slice()).expect("a key");
        let info = key.subject_public_key_info();
        let provider = rustls::crypto::ring::default_provider();
        let suite = provider.cipher_suites.iter().find_map(|suite| suite.tls13());
        let hash = suite.map(|_| rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256);
        let hash = hash.and_then(|suite| suite.tls13()).expect("a suite of 1.3").common.hash_provider;
        Pin::from_sha256(hash.hash(&info).as_ref().try_into().expect("32 bytes"))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn localhost() -> CertificateParams {
    let mut params = named("a server");
    params.subject_alt_names = vec![dns("localhost"), SanType::IpAddress([127, 0, 0, 1].into())];
    params.use_authority_key_identifier_extension = true;
    params
}

/// A host name for a certificate. Its syntax is not checked.
///
/// # Panics
///
/// If it is not ASCII.
pub fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name.to_owned()).expect("ASCII"))
}
