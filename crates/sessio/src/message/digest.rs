//! Digest access authentication: the terms of a challenge, and their proof (RFC 7616 section 3.4).

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512, Sha512_256};

use crate::message::challenge::Challenge;
use crate::message::list::has_option;

/// The terms of a challenge.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    algorithm: Algorithm,
    is_session: bool,
    protection: Protection,
    realm: Box<[u8]>,
    pub(crate) nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    /// The algorithm in the server's spelling, if it names one.
    named: Option<Box<[u8]>>,
    /// Whether the user's name is hashed too (section 3.4.4).
    hides_user: bool,
    /// Whether the server accepts UTF-8 names and their extended syntax.
    is_utf8: bool,
}

/// The request that a proof covers.
pub(crate) struct RequestParts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) count: &'a str,
    /// The client's nonce.
    pub(crate) once: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512,
    Sha512Of256,
}

/// The protection of a proof: `qop`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// The form of RFC 2069.
    None,
    Auth,
    /// The proof covers the body too.
    AuthInt,
}

impl Terms {
    /// The terms of a challenge, if this crate can meet them for this request, and whether the
    /// nonce was stale.
    /// `has_bytes` says whether its body consists of bytes.
    pub(crate) fn read(challenge: &Challenge<'_>, has_bytes: bool) -> Option<(Self, bool)> {
        if !challenge.is("Digest") {
            return None;
        }
        let says = |name, wanted: &str| {
            challenge.param(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let named = challenge.param("algorithm");
        let (algorithm, is_session) = Algorithm::read(named)?;
        let terms = Self {
            algorithm,
            is_session,
            protection: Protection::read(challenge.param("qop"), has_bytes)?,
            realm: challenge.param("realm").unwrap_or_default().into(),
            nonce: challenge.param("nonce")?.into(),
            opaque: challenge.param("opaque").map(Into::into),
            named: named.map(Into::into),
            hides_user: says("userhash", "true"),
            is_utf8: says("charset", "utf-8"),
        };
        Some((terms, says("stale", "true")))
    }

    /// Whether the proof covers the body too.
    pub(crate) fn covers_body(&self) -> bool {
        self.protection == Protection::AuthInt
    }

    /// A client nonce of 128 bits, made from random bytes and their use.
    pub(crate) fn once(&self, draw: [u8; 16], count: &str) -> String {
        let mut once = self.algorithm.hash(&[&draw, &self.nonce, count.as_bytes()]);
        once.truncate(32);
        once
    }

    /// The `response` value (section 3.4.1).
    pub(crate) fn proof(&self, user: &[u8], password: &[u8], asked: &RequestParts<'_>) -> String {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let once = asked.once.as_bytes();
        let mut secret = hash(&[user, &self.realm, password]);
        if self.is_session {
            secret = hash(&[secret.as_bytes(), &self.nonce, once]);
        }
        let of_body = hash(&[asked.body]);
        let mut of_request = vec![asked.method.as_bytes(), asked.target.as_bytes()];
        if self.protection == Protection::AuthInt {
            of_request.push(of_body.as_bytes());
        }
        let of_request = hash(&of_request);
        let mut parts = vec![secret.as_bytes(), &*self.nonce];
        if let Some(protection) = self.protection.name() {
            parts.extend([asked.count.as_bytes(), once, protection.as_bytes()]);
        }
        parts.push(of_request.as_bytes());
        hash(&parts)
    }

    /// The value of `Authorization` or `Proxy-Authorization`. Tokens of the grammar have no quotes, as
    /// some servers require.
    pub(crate) fn credentials(&self, user: &[u8], password: &[u8], asked: &RequestParts<'_>) -> Vec<u8> {
        let mut value = b"Digest ".to_vec();
        if self.hides_user {
            put(&mut value, "username", self.algorithm.hash(&[user, &self.realm]).as_bytes());
        } else if self.is_utf8 && !user.is_ascii() {
            value.extend_from_slice(extended(user).as_bytes());
        } else {
            put(&mut value, "username", user);
        }
        put(&mut value, "realm", &self.realm);
        put(&mut value, "nonce", &self.nonce);
        put(&mut value, "uri", asked.target.as_bytes());
        put(&mut value, "response", self.proof(user, password, asked).as_bytes());
        if let Some(opaque) = &self.opaque {
            put(&mut value, "opaque", opaque);
        }
        if let Some(named) = &self.named {
            value.extend_from_slice(&[b", algorithm=", &**named].concat());
        }
        if let Some(protection) = self.protection.name() {
            value.extend_from_slice(format!(", qop={protection}, nc={}", asked.count).as_bytes());
        }
        if self.is_session || self.protection != Protection::None {
            put(&mut value, "cnonce", asked.once.as_bytes());
        }
        if self.hides_user {
            value.extend_from_slice(b", userhash=true");
        }
        value
    }
}

impl Algorithm {
    /// The algorithm of this name, and whether it hashes once per session (`-sess`). Case is
    /// ignored.
    fn read(name: Option<&[u8]>) -> Option<(Self, bool)> {
        let name = name.unwrap_or(b"MD5").to_ascii_uppercase();
        let (name, is_session) = match name.strip_suffix(b"-SESS") {
            Some(name) => (name, true),
            None => (&*name, false),
        };
        let algorithm = match name {
            b"MD5" => Self::Md5,
            b"SHA-256" => Self::Sha256,
            b"SHA-512-256" => Self::Sha512Of256,
            b"SHA-512" => Self::Sha512,
            _ => return None,
        };
        Some((algorithm, is_session))
    }

    /// The hash of the parts, joined by colons, in hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> String {
        let whole = parts.join(&b':');
        match self {
            Self::Md5 => digits(&Md5::digest(&whole)),
            Self::Sha256 => digits(&Sha256::digest(&whole)),
            Self::Sha512 => digits(&Sha512::digest(&whole)),
            Self::Sha512Of256 => digits(&Sha512_256::digest(&whole)),
        }
    }
}

impl Protection {
    /// The best offered protection that is possible. Blanks around names and unknown names are
    /// ignored (row B29).
    fn read(offered: Option<&[u8]>, has_bytes: bool) -> Option<Self> {
        let Some(offered) = offered else { return Some(Self::None) };
        if has_option(offered, b"auth") {
            Some(Self::Auth)
        } else if has_option(offered, b"auth-int") && has_bytes {
            Some(Self::AuthInt)
        } else {
            offered.trim_ascii().is_empty().then_some(Self::None)
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Auth => Some("auth"),
            Self::AuthInt => Some("auth-int"),
        }
    }
}

/// Bytes for a client's nonce that a peer without the password cannot guess.
pub(crate) fn nonce_of(user: &[u8], password: &[u8]) -> [u8; 16] {
    let hash = Sha256::digest([user, password].join(&b':'));
    std::array::from_fn(|at| hash[at])
}

/// Appends a parameter in quotes.
fn put(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    if !value.ends_with(b" ") {
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(name.as_bytes());
    value.extend_from_slice(b"=\"");
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            value.push(b'\\');
        }
        value.push(byte);
    }
    value.push(b'"');
}

/// A name that is not ASCII (section 3.4, RFC 8187).
fn extended(name: &[u8]) -> String {
    let mut text = String::from("username*=UTF-8''");
    for &byte in name {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
