//! Digest access authentication (RFC 7616).

#[cfg(test)]
mod tests;

use std::fmt;

use super::{Flow, FlowDecision, Scheme, Secret};
use crate::base::time::Seed;
use crate::error::Result;
use crate::message::challenge;
use crate::message::digest::{RequestParts, Terms};
use crate::message::head::Head;
use crate::prepared::Prepared;
use crate::uri::origin::Origin;

/// Maximum number of remembered origins. Beyond it, the least recently used one is forgotten, and
/// challenges again.
const MOST_KNOWN: usize = 256;

/// Digest authentication: it proves the password without sending it. A value, like a jar, that
/// changes with requests and responses.
///
/// The first request to an origin is challenged. Later ones carry their credentials from the start
/// (rule A-06). The challenges of an origin are used for that origin only (rows B30, V21).
///
/// It supports MD5, SHA-256, SHA-512-256 and SHA-512, also as `-sess`. It supports the protection
/// `auth`, none, and `auth-int` for bodies in memory if no other is offered. Names that are not
/// ASCII are sent as UTF-8.
///
/// As a [`Scheme`] it begins every call with the state that it had when the session received it. To
/// share its state between calls, put it under a lock, as the drivers' own `Digest` does.
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
    /// Ordered by last use: the most recent is last.
    known: Vec<Known>,
    seed: Seed,
}

/// The challenge of an origin, and the number of its uses.
#[derive(Clone)]
struct Known {
    origin: Origin,
    terms: Terms,
    count: u32,
}

impl Digest {
    /// Creates credentials that no server has challenged yet. Text is taken as UTF-8, bytes
    /// unchanged. The seed is for client nonces.
    #[must_use]
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>, seed: Seed) -> Self {
        let [user, password] = [user.as_ref(), password.as_ref()].map(|text| Secret(text.into()));
        Self { user, password, known: Vec::new(), seed }
    }

    /// Adds the credentials for the last challenge of the request's origin. The request must be
    /// otherwise complete.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`](crate::Kind::InvalidHeader): the user's name has a control
    ///   character.
    pub fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        match Origin::of(request.url()).and_then(|origin| self.find(&origin)) {
            Some(known) => self.answer(known, request),
            None => Ok(()),
        }
    }

    /// Receives a response. If it is a challenge that can be answered, adds the credentials to the
    /// request, which is to be sent again.
    ///
    /// `was_answered` says whether this exchange already carried [credentials](Self::sign). If so,
    /// they were wrong and the challenge is the response, unless the server says that only the
    /// nonce is stale.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn challenged(
        &mut self,
        head: &Head,
        request: &mut Prepared,
        was_answered: bool,
    ) -> Result<FlowDecision> {
        let Some(origin) = Origin::of(request.url()) else { return Ok(FlowDecision::Accept) };
        if head.status != 401 {
            if let Some(at) = self.find(&origin) {
                self.known[at].renew(head);
            }
            return Ok(FlowDecision::Accept);
        }
        let has_bytes = request.body().as_bytes().is_some();
        let lines = head.headers.get_all("WWW-Authenticate").flat_map(challenge::challenges);
        let Some((terms, is_stale)) = lines.filter_map(|one| Terms::read(&one, has_bytes)).next() else {
            return Ok(FlowDecision::Accept);
        };
        // A repeated nonce keeps its count.
        let mut count = 0;
        if let Some(at) = self.find(&origin) {
            let before = self.known.remove(at);
            if before.terms.nonce == terms.nonce {
                count = before.count;
            }
        }
        if was_answered && !is_stale {
            return Ok(FlowDecision::Accept);
        }
        if self.known.len() == MOST_KNOWN {
            self.known.remove(0);
        }
        self.known.push(Known { origin, terms, count });
        self.answer(self.known.len() - 1, request)?;
        Ok(FlowDecision::Again)
    }

    /// The index of an origin, after it became the most recently used.
    fn find(&mut self, origin: &Origin) -> Option<usize> {
        let at = self.known.iter().position(|known| known.origin == *origin)?;
        self.known[at..].rotate_left(1);
        Some(self.known.len() - 1)
    }

    /// Adds the credentials for the challenge at this index to the request.
    fn answer(&mut self, at: usize, request: &mut Prepared) -> Result<()> {
        let (draw, Known { terms, count, .. }) = (self.seed.draw_bytes(), &mut self.known[at]);
        let body = request.body().as_bytes();
        if terms.covers_body() && body.is_none() {
            return Ok(());
        }
        *count = count.saturating_add(1);
        let count = &format!("{count:08x}");
        let once = &terms.once(draw, count);
        let (method, target, body) = (request.method().as_str(), request.target(), body.unwrap_or_default());
        let parts = RequestParts { method, target, body, count, once };
        let value = terms.credentials(&self.user.0, &self.password.0, &parts);
        Ok(request.headers_mut().insert("Authorization", value)?)
    }
}

impl Known {
    /// Takes the next nonce, if the server sends one (section 3.5).
    fn renew(&mut self, head: &Head) {
        for line in head.headers.get_all("Authentication-Info") {
            if let Some(next) = challenge::find(&challenge::params(line), "nextnonce") {
                (self.terms.nonce, self.count) = (next.into(), 0);
            }
        }
    }
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

/// The flow of one call.
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

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        let decision = self.digest.challenged(head, request, self.was_answered)?;
        self.was_answered = decision == FlowDecision::Again;
        Ok(decision)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}
