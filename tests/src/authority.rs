//! Authorities of the tests' own, and the certificates that they issue: good ones, and bad ones of every kind.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use sessio::tls::{Certificates, Identity, KeyFormat, Pin, RevocationLists};

/// Somebody who issues certificates. All keys but those of [`ecdsa`](Self::ecdsa) are Ed25519, whose signatures have
/// one length.
#[derive(Debug)]
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
    /// Those who stand between a root and this one, nearest first; itself among them, unless it is a root.
    chain: Vec<Vec<u8>>,
}

/// A certificate with those that go with it, and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its own first, each as DER.
    pub chain: Vec<Vec<u8>>,
    /// PKCS #8 as DER.
    pub key: Vec<u8>,
}

/// A certificate, or a chain of them, and the private key, in PEM.
#[derive(Clone, Debug)]
pub struct Papers {
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
    // Two of the same name would be one to who looks for them by it.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    params.serial_number = Some(NEXT.fetch_add(1, Ordering::Relaxed).into());
    params
}

impl Authority {
    /// A root.
    ///
    /// # Panics
    /// If there is no chance to draw a key from, as everything here.
    pub fn root(name: &str) -> Self {
        Self::root_with(name, key())
    }

    /// A root with a key of ECDSA, for who can sign with nothing newer.
    ///
    /// # Panics
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

    /// An authority below this one, changed in some way.
    pub fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (named(name), key());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let der = params.signed_by(&key, &self.issuer()).expect("an authority").der().to_vec();
        let chain = [vec![der.clone()], self.chain.clone()].concat();
        Self { params, key, der, chain }
    }

    /// A certificate for `localhost` and 127.0.0.1, changed in some way.
    pub fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let key = key();
        self.issue_for(&key, key.serialize_der(), change)
    }

    /// One like it, with a key of ECDSA: whose form every program can read.
    pub fn issue_ecdsa(&self) -> Issued {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        self.issue_for(&key, key.serialize_der(), |_| {})
    }

    /// The same for a key that somebody else has.
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

    /// A list of those that hold no longer, itself good until that year.
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
    pub fn papers(&self) -> Papers {
        Papers {
            certificate: pem("CERTIFICATE", &self.der),
            key: pem("PRIVATE KEY", &self.key.serialize_der()),
        }
    }

    /// Its own certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// For who trusts it alone.
    pub fn certificates(&self) -> Certificates {
        Certificates::from_der([&self.der]).expect("one certificate")
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

impl Issued {
    /// One that is signed by nobody else, changed in some way.
    pub fn by_itself(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (localhost(), key());
        change(&mut params);
        let own = params.self_signed(&key).expect("a certificate").der().to_vec();
        Self { chain: vec![own], key: key.serialize_der() }
    }

    /// Without those that go with it.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.chain.truncate(1);
        self
    }

    /// With these besides.
    #[must_use]
    pub fn with(mut self, others: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.chain.extend(others);
        self
    }

    /// With other bytes in place of these in its own certificate, wherever they stand.
    ///
    /// # Panics
    /// If they do not.
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

    /// The chain and the key, for a program.
    pub fn papers(&self) -> Papers {
        let chain = self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        Papers { certificate: chain, key: pem("PRIVATE KEY", &self.key) }
    }

    /// For a client that is to show it.
    pub fn identity(&self) -> Identity {
        Identity::from_der(&self.chain, KeyFormat::Pkcs8, &self.key).expect("a chain")
    }

    /// Its own certificate, for who trusts it by itself.
    pub fn certificates(&self) -> Certificates {
        Certificates::from_der(self.chain.iter().take(1)).expect("one certificate")
    }

    /// Its key, as a pin. The digest is drawn up by who made the key: nothing that is tested had a hand in it.
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

/// A name of a host for the certificate, whatever is in it.
///
/// # Panics
/// If it is not ASCII.
pub fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name.to_owned()).expect("ASCII"))
}
