//! Digest authentication whose state is shared by requests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::auth::Digest as Known;
use sessio::{Flow, FlowDecision, Head, Prepared, Result, Scheme};

use crate::chance;

/// Digest authentication (RFC 7616), for [`Auth::flow`](sessio::Auth::flow). It proves the password
/// to the server without sending it.
///
/// It keeps the challenges of servers, and clones share them. So the first request to an origin is
/// challenged, and later ones send their proof at once (rule A-06). It is not bound to a thread.
/// The challenge of one origin is never used for another (row B30). See [`sessio::auth::Digest`]
/// for the supported algorithms.
///
/// It responds to challenges of servers. For those of a proxy, see
/// [`Proxy::digest_auth`](sessio::Proxy::digest_auth).
///
/// ```
/// use sessio_driver::Digest;
/// use sessio_driver::sessio::{Auth, Settings};
///
/// let mut settings = Settings::default();
/// settings.auth = Auth::flow(Digest::new("user", "pass"));
/// ```
#[derive(Clone)]
pub struct Digest(Arc<Mutex<Known>>);

impl Digest {
    /// Credentials without a challenge yet. Text is sent as UTF-8, bytes are sent unchanged.
    #[must_use]
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        Self(Arc::new(Mutex::new(Known::new(user, password, chance::of_the_system()))))
    }

    /// Adds the proof for the last challenge of the request's origin.
    pub(crate) fn sign(&self, request: &mut Prepared) -> Result<()> {
        self.known().sign(request)
    }

    /// Receives a response, as [`Known::challenged`].
    pub(crate) fn challenged(
        &self,
        head: &Head,
        request: &mut Prepared,
        was_answered: bool,
    ) -> Result<FlowDecision> {
        self.known().challenged(head, request, was_answered)
    }

    /// No code that can panic runs under the lock.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

impl Scheme for Digest {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(DigestFlow { digest: self.clone(), was_answered: false })
    }
}

/// The flow of one call.
#[derive(Clone, Debug)]
struct DigestFlow {
    digest: Digest,
    was_answered: bool,
}

impl Flow for DigestFlow {
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
