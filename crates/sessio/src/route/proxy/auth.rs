//! The credentials of one call for its proxy.

use std::fmt;

use http::StatusCode;

use super::server::Proxy;
use crate::message::challenge::challenges;
#[cfg(feature = "digest")]
use crate::message::digest::{RequestParts, Terms, nonce_of};
use crate::message::head::Head;
use crate::message::headers::Headers;
#[cfg(feature = "digest")]
use crate::policy::proxy_challenges::ProxyChallenges;

/// Maximum number of challenges of a proxy that one call answers. A proxy can say each time that
/// its nonce is stale.
const MOST_ROUNDS: u32 = 8;

/// The scheme by which a call meets the challenges of its proxy, and the state of that scheme.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ProxyAuth {
    /// Whether the proxy has asked for Basic.
    is_basic: bool,
    /// The number of challenges so far.
    rounds: u32,
    #[cfg(feature = "digest")]
    digest: Option<Box<Proof>>,
    /// Random bytes for the client's nonces.
    #[cfg(feature = "digest")]
    draw: Option<[u8; 16]>,
}

/// The challenge that the proofs of a call are for.
#[cfg(feature = "digest")]
#[derive(Clone, PartialEq, Eq)]
struct Proof {
    terms: Terms,
    /// The number of this use of the nonce.
    count: u32,
    /// Whether the session does not know the challenge yet.
    is_new: bool,
    /// Whether the current request was challenged with it. Otherwise it is remembered, and may be
    /// outdated.
    is_of_this_request: bool,
}

/// A request to a proxy, as a proof covers it.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "digest"), allow(dead_code, reason = "without the feature there is no proof"))]
pub(crate) struct ProxyRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// `None` if the body does not consist of bytes.
    pub(crate) body: Option<&'a [u8]>,
}

/// The scheme of a challenge that a call can meet.
enum Offer {
    Basic,
    #[cfg(feature = "digest")]
    Digest(Terms),
}

impl ProxyAuth {
    /// Takes a challenge. Returns whether the proxy gets credentials now that it did not have.
    pub(crate) fn challenge(&mut self, proxy: &Proxy, head: &Head, has_bytes: bool) -> bool {
        let Some(offer) = self.offer(proxy, head, has_bytes) else { return false };
        self.rounds += 1;
        match offer {
            Offer::Basic => self.is_basic = true,
            #[cfg(feature = "digest")]
            Offer::Digest(terms) => {
                // A repeated nonce keeps its count.
                let before = self.digest.as_ref().filter(|before| before.terms.nonce == terms.nonce);
                let count = before.map_or(1, |before| before.count.saturating_add(1));
                self.digest = Some(Box::new(Proof { terms, count, is_new: true, is_of_this_request: true }));
            }
        }
        true
    }

    /// Whether the proxy would get credentials for this challenge.
    pub(crate) fn can_meet(&self, proxy: &Proxy, head: &Head, has_bytes: bool) -> bool {
        self.offer(proxy, head, has_bytes).is_some()
    }

    /// The strongest scheme that the challenge offers and the credentials allow. A password that was
    /// refused is not sent again, and not by a weaker scheme.
    fn offer(&self, proxy: &Proxy, head: &Head, has_bytes: bool) -> Option<Offer> {
        let is_possible = head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && self.rounds < MOST_ROUNDS
            && proxy.has_credentials()
            && !proxy.headers().contains("Proxy-Authorization");
        if !is_possible {
            return None;
        }
        let all: Vec<_> = head.headers.get_all("Proxy-Authenticate").flat_map(challenges).collect();
        let offers_basic = all.iter().any(|one| one.is("Basic"));
        let had_basic = proxy.is_eager() || self.is_basic;
        if had_basic && offers_basic {
            return None;
        }
        #[cfg(feature = "digest")]
        if let Some((terms, is_stale)) = all.iter().find_map(|one| Terms::read(one, has_bytes)) {
            let is_refused = !is_stale && self.digest.as_ref().is_some_and(|proof| proof.is_of_this_request);
            return (!is_refused).then_some(Offer::Digest(terms));
        }
        #[cfg(not(feature = "digest"))]
        let _ = has_bytes;
        (offers_basic && !proxy.is_digest_only()).then_some(Offer::Basic)
    }

    /// The headers for the proxy, beside those of the request.
    pub(crate) fn headers(&self, proxy: &Proxy, request: ProxyRequest<'_>) -> Headers {
        let mut headers = proxy.adds(self.is_basic);
        if let Some(proof) = self.proof(proxy, request)
            && !proxy.headers().contains("Proxy-Authorization")
            && headers.insert("Proxy-Authorization", proof).is_ok()
        {
            headers.mark_sensitive("Proxy-Authorization");
        }
        headers
    }

    #[cfg(not(feature = "digest"))]
    #[allow(clippy::unused_self, reason = "without the feature there is no proof")]
    fn proof(&self, _: &Proxy, _: ProxyRequest<'_>) -> Option<Vec<u8>> {
        None
    }

    #[cfg(feature = "digest")]
    fn proof(&self, proxy: &Proxy, request: ProxyRequest<'_>) -> Option<Vec<u8>> {
        let (Some(Proof { terms, count, .. }), Some((user, password))) =
            (self.digest.as_deref(), proxy.credentials())
        else {
            return None;
        };
        if terms.covers_body() && request.body.is_none() {
            return None;
        }
        // A proxy with a password by Basic is asked before the session is. It has the password, and
        // so has everyone on the way, so its nonce hides nothing.
        let draw = self.draw.unwrap_or_else(|| nonce_of(user, password));
        let count = &format!("{count:08x}");
        let once = &terms.once(draw, count);
        let (method, target, body) = (request.method, request.target, request.body.unwrap_or_default());
        Some(terms.credentials(user, password, &RequestParts { method, target, body, count, once }))
    }
}

/// The memory of a session.
#[cfg(feature = "digest")]
impl ProxyAuth {
    /// Whether a proof is sent or may be: each request needs one of its own.
    pub(crate) fn may_prove(&self, proxy: &Proxy) -> bool {
        let is_asked_first = proxy.has_credentials() && !proxy.is_eager() && !proxy.protocol().is_socks();
        is_asked_first || self.digest.is_some()
    }

    /// Whether there is a challenge that the session does not know.
    pub(crate) fn has_news(&self) -> bool {
        self.digest.as_ref().is_some_and(|proof| proof.is_new)
    }

    /// Tells the session the last challenge.
    pub(crate) fn remember(&mut self, proxy: &Proxy, known: &mut ProxyChallenges) {
        if let Some(proof) = self.digest.as_mut().filter(|proof| proof.is_new) {
            proof.is_new = false;
            known.put(&proxy.full_identity(), &proof.terms, proof.count);
        }
    }

    /// Prepares the proof of the next request: for the challenge to it, or else for the last one
    /// that the session knows.
    pub(crate) fn renew(&mut self, proxy: &Proxy, known: &mut ProxyChallenges, draw: [u8; 16]) {
        self.draw = Some(draw);
        if self.has_news() {
            return self.remember(proxy, known);
        }
        match (known.next_use(&proxy.full_identity()), &mut self.digest) {
            (Some((terms, count)), own) => {
                *own = Some(Box::new(Proof { terms, count, is_new: false, is_of_this_request: false }));
            }
            (None, Some(own)) => {
                own.count = own.count.saturating_add(1);
                own.is_of_this_request = false;
            }
            (None, None) => {}
        }
    }
}

impl fmt::Debug for ProxyAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyAuth(***)")
    }
}
