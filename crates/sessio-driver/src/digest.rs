//! A user whom servers challenge once and not at every call.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::auth::Digest as Known;
use sessio::{Answer, Flow, Head, Prepared, Result, Scheme};

use crate::chance;

/// Digest authentication (RFC 7616), for [`Auth::flow`](sessio::Auth::flow): user and password, of whom the password is
/// proved and not sent, and what servers have said to that. Whoever has a clone shares it: the first request to an origin
/// is challenged, those after it bring their proof along (rule A-06). It belongs to no thread, and what one origin has said
/// is for no other (row B30). See [`sessio::auth::Digest`] for what is understood.
///
/// It answers the server, never a proxy.
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
    /// A user of whom no server has heard. Text goes as UTF-8, bytes as they are.
    #[must_use]
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        Self(Arc::new(Mutex::new(Known::new(user, password, chance::of_the_system()))))
    }

    /// Nothing that can panic is done under the lock.
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
        self.digest.known().sign(request)
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<Answer> {
        let answer = self.digest.known().challenged(head, request, self.was_answered)?;
        self.was_answered = answer == Answer::Again;
        Ok(answer)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}
