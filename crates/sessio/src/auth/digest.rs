//! Digest access authentication (RFC 7616).

use std::fmt::{self, Write as _};

use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512, Sha512_256};

use super::challenge::{self, Challenge};
use super::{Answer, Flow, Scheme, Secret};
use crate::error::Result;
use crate::head::Head;
use crate::now::Seed;
use crate::origin::Origin;
use crate::prepared::Prepared;

/// As many origins are remembered; beyond that, the one that was asked longest ago is asked anew.
const MOST_KNOWN: usize = 256;

/// A user who proves the password without sending it, and what servers have said to that: a value, like a jar, that
/// changes with what is sent and answered. The first request to an origin is challenged; those after it bring their
/// answer along (rule A-06). What is known belongs to the origin that said it (rows B30, V21).
///
/// MD5, SHA-256, SHA-512-256 and SHA-512, also as `-sess`; protection `auth`, `auth-int` for bodies of bytes where
/// nothing else is offered, and none. Names that are not ASCII go as UTF-8.
///
/// As a [`Scheme`] by itself it begins every call with what it knew when the session was given it; whoever shares it
/// between calls brings the lock, as the drivers' own `Digest` does.
///
/// ```
/// use sessio::auth::Digest;
/// use sessio::{Auth, Seed};
///
/// let auth = Auth::flow(Digest::new("user", "pass", Seed::new(7)));
/// assert_eq!(format!("{auth:?}"), "Flow(***)");
/// ```
#[derive(Clone)]
pub struct Digest {
    user: Secret,
    password: Secret,
    /// The one that was used last is the last.
    known: Vec<Known>,
    seed: Seed,
}

/// What an origin has said, and how often that was used.
#[derive(Clone)]
struct Known {
    origin: Origin,
    terms: Terms,
    count: u32,
}

/// What a challenge wants.
#[derive(Clone)]
struct Terms {
    algorithm: Algorithm,
    is_session: bool,
    protection: Protection,
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    /// The algorithm as the server spells it, if it names one.
    named: Option<Box<[u8]>>,
    /// The user's name is to be hashed, too (section 3.4.4).
    hides_user: bool,
    /// The server knows names in UTF-8, and how they are written.
    is_utf8: bool,
}

/// What a proof is about.
struct Asked<'a> {
    method: &'a str,
    target: &'a str,
    body: &'a [u8],
    count: &'a str,
    /// The client's nonce.
    once: &'a str,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512,
    Sha512Of256,
}

/// What the proof speaks of: `qop`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// As RFC 2069 had it.
    None,
    Auth,
    /// The body, too.
    AuthInt,
}

impl Digest {
    /// A user of whom no server has heard. Text is taken as UTF-8, bytes as they are; the seed is for client nonces.
    #[must_use]
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>, seed: Seed) -> Self {
        let [user, password] = [user.as_ref(), password.as_ref()].map(|text| Secret(text.into()));
        Self { user, password, known: Vec::new(), seed }
    }

    /// Puts the answer to what is known of the request's origin into the request, whole as it is otherwise.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`](crate::Kind::InvalidHeader) if the user's name has a control character.
    pub fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        match Origin::of(request.url()).and_then(|origin| self.find(&origin)) {
            Some(known) => self.answer(known, request),
            None => Ok(()),
        }
    }

    /// Sees a response. If it is a challenge that can be answered, the answer is put into the request, which is to be sent
    /// again. If it [was answered](Self::sign) before within this exchange, that proof was wrong, and the challenge stands,
    /// unless the server says that nothing but the nonce is too old.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn challenged(&mut self, head: &Head, request: &mut Prepared, was_answered: bool) -> Result<Answer> {
        let Some(origin) = Origin::of(request.url()) else { return Ok(Answer::Accept) };
        if head.status != 401 {
            if let Some(at) = self.find(&origin) {
                self.known[at].renew(head);
            }
            return Ok(Answer::Accept);
        }
        let lines = head.headers.get_all("WWW-Authenticate").flat_map(challenge::challenges);
        let Some((terms, is_stale)) = lines.filter_map(|one| Terms::read(&one, request)).next() else {
            return Ok(Answer::Accept);
        };
        // A nonce that was said once more has been counted.
        let mut count = 0;
        if let Some(at) = self.find(&origin) {
            let before = self.known.remove(at);
            if before.terms.nonce == terms.nonce {
                count = before.count;
            }
        }
        if was_answered && !is_stale {
            return Ok(Answer::Accept);
        }
        if self.known.len() == MOST_KNOWN {
            self.known.remove(0);
        }
        self.known.push(Known { origin, terms, count });
        self.answer(self.known.len() - 1, request)?;
        Ok(Answer::Again)
    }

    /// The place of an origin, now that of who was used last.
    fn find(&mut self, origin: &Origin) -> Option<usize> {
        let at = self.known.iter().position(|known| known.origin == *origin)?;
        self.known[at..].rotate_left(1);
        Some(self.known.len() - 1)
    }

    /// Puts the answer to what is known at this place into the request.
    fn answer(&mut self, at: usize, request: &mut Prepared) -> Result<()> {
        let (draw, Known { terms, count, .. }) = (self.seed.draw(), &mut self.known[at]);
        let body = request.body().as_bytes();
        if terms.protection == Protection::AuthInt && body.is_none() {
            return Ok(());
        }
        *count = count.saturating_add(1);
        let count = &format!("{count:08x}");
        let once = &terms.algorithm.hash(&[&draw.to_be_bytes(), &terms.nonce, count.as_bytes()])[..16];
        let (method, target, body) = (request.method().as_str(), request.target(), body.unwrap_or_default());
        let value =
            terms.answer(&self.user.0, &self.password.0, &Asked { method, target, body, count, once });
        request.headers_mut().insert("Authorization", value)
    }
}

impl Known {
    /// The next nonce, if the server names one (section 3.5).
    fn renew(&mut self, head: &Head) {
        for line in head.headers.get_all("Authentication-Info") {
            if let Some(next) = challenge::find(&challenge::params(line), "nextnonce") {
                (self.terms.nonce, self.count) = (next.into(), 0);
            }
        }
    }
}

impl Terms {
    /// What a challenge wants, if we can do it for this request, and whether it says that the nonce was too old.
    fn read(challenge: &Challenge<'_>, request: &Prepared) -> Option<(Self, bool)> {
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
            protection: Protection::read(challenge.param("qop"), request.body().as_bytes().is_some())?,
            realm: challenge.param("realm").unwrap_or_default().into(),
            nonce: challenge.param("nonce")?.into(),
            opaque: challenge.param("opaque").map(Into::into),
            named: named.map(Into::into),
            hides_user: says("userhash", "true"),
            is_utf8: says("charset", "utf-8"),
        };
        Some((terms, says("stale", "true")))
    }

    /// Section 3.4.1.
    fn proof(&self, user: &[u8], password: &[u8], asked: &Asked<'_>) -> String {
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

    /// The value of `Authorization`. What the grammar has as a word has no quotes, which some servers insist on.
    fn answer(&self, user: &[u8], password: &[u8], asked: &Asked<'_>) -> Vec<u8> {
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
    /// The algorithm of this name, and whether it is of the kind that hashes once per session. Case does not matter.
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

    /// The hash of the parts with colons between them, in hexadecimal digits.
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
    /// The best that is offered and can be had: blanks around names and unknown names do not matter (row B29).
    fn read(offered: Option<&[u8]>, has_bytes: bool) -> Option<Self> {
        let Some(offered) = offered else { return Some(Self::None) };
        let offers = |wanted: &str| {
            offered
                .split(|byte| *byte == b',')
                .any(|one| one.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
        };
        if offers("auth") {
            Some(Self::Auth)
        } else if offers("auth-int") && has_bytes {
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

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

impl Scheme for Digest {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(Conversation { digest: self.clone(), was_answered: false })
    }
}

/// One call's.
#[derive(Clone, Debug)]
struct Conversation {
    digest: Digest,
    was_answered: bool,
}

impl Flow for Conversation {
    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        self.was_answered = false;
        self.digest.sign(request)
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<Answer> {
        let answer = self.digest.challenged(head, request, self.was_answered)?;
        self.was_answered = answer == Answer::Again;
        Ok(answer)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{Headers, Jar, Kind, Now, Request, Settings, UnixTime, merge, prepare};

    fn prepared(request: Request) -> Prepared {
        let now = Now { mono: Instant::now(), wall: UnixTime(0) };
        prepare(merge(&Settings::default(), request), &mut Jar::new(), now).unwrap()
    }

    /// What the challenge wants of a request without a body.
    fn terms(line: &str) -> Terms {
        let request = prepared(Request::get("http://example.org/"));
        let all = challenge::challenges(line.as_bytes());
        all.iter().find_map(|one| Terms::read(one, &request)).unwrap().0
    }

    fn asked<'a>(target: &'a str, once: &'a str) -> Asked<'a> {
        Asked { method: "GET", target, body: b"", count: "00000001", once }
    }

    #[test]
    fn a11_the_examples_of_the_standards() {
        let once = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let challenge = |algorithm| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        for (algorithm, proof) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let asked = asked("/dir/index.html", once);
            assert_eq!(terms(&challenge(algorithm)).proof(b"Mufasa", b"Circle of Life", &asked), proof);
        }
        // RFC 2617 section 3.5, and without a protection as RFC 2069 has it.
        let old = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
        for (more, proof) in
            [(", qop=auth", "6629fae49393a05397450978507c4ef1"), ("", "670fd8c2df070c60b045671b8b24ff02")]
        {
            let asked = asked("/dir/index.html", "0a4f113b");
            assert_eq!(terms(&(old.to_owned() + more)).proof(b"Mufasa", b"Circle Of Life", &asked), proof);
        }
    }

    /// The answer to this challenge.
    fn answered(user: &str, challenge: &str) -> Result<Option<String>> {
        let mut request = prepared(Request::get("http://example.org/a%20b?c"));
        let mut headers = Headers::new();
        headers.insert("WWW-Authenticate", challenge)?;
        let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
        let mut digest = Digest::new(user, "pass", Seed::new(7));
        digest.challenged(&head, &mut request, false)?;
        Ok(request.headers().get("Authorization").map(str::to_owned))
    }

    #[test]
    fn a13_b29_names_are_quoted_written_out_or_hidden() {
        let line = answered(r#"a "b" \c"#, r#"Digest realm="\"r\"", nonce="n", qop=auth"#).unwrap().unwrap();
        assert!(
            line.starts_with(r#"Digest username="a \"b\" \\c", realm="\"r\"", nonce="n", uri="/a%20b?c""#),
            "{line}"
        );
        assert!(line.contains(r#"", qop=auth, nc=00000001, cnonce=""#), "{line}");
        for (more, name) in [
            ("", r#"username="Jürgen""#),
            (", charset=UTF-8", "username*=UTF-8''J%C3%BCrgen"),
            // By `printf 'Jürgen:r' | md5sum`.
            (", charset=UTF-8, userhash=true", r#"username="78d69fc70e62d084c46d2d6dc594fbb7""#),
        ] {
            let challenge = format!(r#"Digest realm="r", nonce="n", algorithm=md5{more}"#);
            let line = answered("Jürgen", &challenge).unwrap().unwrap();
            let value = line.strip_prefix("Digest ").unwrap().split(", ").next().unwrap();
            assert_eq!(value, name);
            assert_eq!(line.ends_with(", userhash=true"), more.ends_with("true"));
            assert!(line.contains(", algorithm=md5") && !line.contains("nc="), "{line}");
        }
        let error = answered("a\nb", r#"Digest realm="r", nonce="n""#).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidHeader);
        assert_eq!(answered("a", r#"Basic realm="r""#).unwrap(), None);
    }

    #[test]
    fn a12_a_nonce_that_comes_once_more_is_counted_on() {
        let mut headers = Headers::new();
        headers.insert("WWW-Authenticate", r#"Digest realm="r", nonce="n", qop="auth""#).unwrap();
        let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
        let mut digest = Digest::new("user", "pass", Seed::new(7));
        for count in ["nc=00000001", "nc=00000002"] {
            let mut request = prepared(Request::get("http://example.org/"));
            assert_eq!(digest.challenged(&head, &mut request, false).unwrap(), Answer::Again);
            assert!(request.headers().get("Authorization").unwrap().contains(count));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes() {
        let mut headers = Headers::new();
        headers.insert("WWW-Authenticate", r#"Digest realm="r", nonce="n""#).unwrap();
        let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
        let mut digest = Digest::new("user", "pass", Seed::new(7));
        let request = |host: usize| prepared(Request::get(format!("http://h{host}.example/")));
        for host in 0..=MOST_KNOWN {
            digest.challenged(&head, &mut request(host), false).unwrap();
            // It is used all the while.
            digest.sign(&mut request(0)).unwrap();
        }
        assert_eq!(digest.known.len(), MOST_KNOWN);
        for (host, is_known) in [(0, true), (1, false), (2, true)] {
            let mut request = request(host);
            digest.sign(&mut request).unwrap();
            assert_eq!(request.headers().contains("Authorization"), is_known, "{host}");
        }
    }
}
