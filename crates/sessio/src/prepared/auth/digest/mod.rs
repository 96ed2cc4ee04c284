//! Digest access authentication (RFC 7616).

mod terms;
#[cfg(test)]
mod tests;

use std::fmt;

use self::terms::{Asked, Terms};
use super::{Answer, Flow, Scheme, Secret};
use crate::base::time::Seed;
use crate::error::Result;
use crate::message::challenge;
use crate::message::head::Head;
use crate::prepared::Prepared;
use crate::uri::origin::Origin;

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
        let (draw, Known { terms, count, .. }) = (self.seed.draw_bytes(), &mut self.known[at]);
        let body = request.body().as_bytes();
        if terms.covers_body() && body.is_none() {
            return Ok(());
        }
        *count = count.saturating_add(1);
        let count = &format!("{count:08x}");
        let once = &terms.once(draw, count);
        let (method, target, body) = (request.method().as_str(), request.target(), body.unwrap_or_default());
        let value =
            terms.answer(&self.user.0, &self.password.0, &Asked { method, target, body, count, once });
        Ok(request.headers_mut().insert("Authorization", value)?)
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
