//! User and password by the strongest scheme that a server offers.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::auth::{basic_value, offers};
use sessio::netrc::Login;
use sessio::{Flow, FlowDecision, Head, Origin, Prepared, Result, Scheme};

use crate::digest::Digest;

/// Maximum number of origins that are known to want Basic. Beyond it, the first one is forgotten.
const MOST_KNOWN: usize = 256;

/// A user and a password, for [`Auth::flow`](sessio::Auth::flow): sent by the strongest scheme that
/// the server offers in its challenge. Digest comes before Basic.
///
/// Nothing is sent before a challenge. Later requests to the same origin carry their credentials at
/// once. Clones share what they know. A server that offers Basic alone reads the password, and over
/// `http` so does the network: use [`Digest`] to prevent that.
///
/// ```
/// use sessio_driver::AnyAuth;
/// use sessio_driver::sessio::{Auth, Settings};
///
/// let mut settings = Settings::default();
/// settings.auth = Auth::flow(AnyAuth::new("user", "pass")).only("https://site.example.org");
/// ```
#[derive(Clone)]
pub struct AnyAuth(Arc<Shared>);

struct Shared {
    /// `None` for those of the URL or of the netrc file.
    own: Option<Credentials>,
    /// The origins that offer Basic and no Digest.
    basic: Mutex<Vec<Origin>>,
}

#[derive(Clone)]
struct Credentials {
    /// The value of Basic.
    basic: Arc<[u8]>,
    digest: Digest,
}

impl Credentials {
    fn new(user: &[u8], password: &[u8]) -> Self {
        Self { basic: basic_value(user, password).into(), digest: Digest::new(user, password) }
    }
}

impl AnyAuth {
    /// This user and this password. Text is sent as UTF-8, bytes are sent unchanged.
    #[must_use]
    pub fn new(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        Self::of(Some(Credentials::new(user.as_ref(), password.as_ref())))
    }

    /// The user and the password in the URL of each request, or else those of the netrc file for its
    /// host. A request without either sends none. Each call is challenged: the nonce of a server is
    /// not kept.
    ///
    /// Without this scheme, both are sent by Basic at once. A redirect to another origin ends the
    /// scheme. A login of the netrc file for that host is then sent by Basic.
    ///
    /// ```
    /// use sessio_driver::AnyAuth;
    /// use sessio_driver::sessio::{Auth, Request};
    ///
    /// let request = Request::get("https://user:pass@site.example.org/").auth(Auth::flow(AnyAuth::of_url()));
    /// ```
    #[must_use]
    pub fn of_url() -> Self {
        Self::of(None)
    }

    fn of(own: Option<Credentials>) -> Self {
        Self(Arc::new(Shared { own, basic: Mutex::default() }))
    }

    /// No code that can panic runs under the lock.
    fn basic(&self) -> MutexGuard<'_, Vec<Origin>> {
        self.0.basic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheme for AnyAuth {
    fn begin(&self) -> Box<dyn Flow> {
        self.begin_with(None)
    }

    fn wants_login(&self) -> bool {
        self.0.own.is_none()
    }

    fn begin_with(&self, login: Option<Login>) -> Box<dyn Flow> {
        let credentials = match login {
            Some(login) => Some(Credentials::new(login.user(), login.password())),
            None => self.0.own.clone(),
        };
        Box::new(AnyFlow { credentials, scheme: self.clone(), sent: Sent::Nothing })
    }
}

impl fmt::Debug for AnyAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyAuth(***)")
    }
}

/// The scheme of the credentials that a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    /// A proof for an earlier challenge: it may be outdated.
    Known,
    Digest,
    Basic,
}

/// The flow of one call.
#[derive(Clone)]
struct AnyFlow {
    scheme: AnyAuth,
    credentials: Option<Credentials>,
    sent: Sent,
}

impl Flow for AnyFlow {
    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        self.sent = Sent::Nothing;
        let (Some(credentials), Some(origin)) = (&self.credentials, Origin::of(request.url())) else {
            return Ok(());
        };
        if self.scheme.basic().contains(&origin) {
            self.sent = Sent::Basic;
            return Ok(request.headers_mut().insert("Authorization", &credentials.basic)?);
        }
        credentials.digest.sign(request)?;
        if request.headers().contains("Authorization") {
            self.sent = Sent::Known;
        }
        Ok(())
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        let (Some(credentials), Some(origin)) = (&self.credentials, Origin::of(request.url())) else {
            return Ok(FlowDecision::Accept);
        };
        // A proof for an earlier challenge may be outdated, although the server does not say so.
        let is_answered = self.sent == Sent::Digest;
        if credentials.digest.challenged(head, request, is_answered)? == FlowDecision::Again {
            self.scheme.basic().retain(|known| *known != origin);
            self.sent = Sent::Digest;
            return Ok(FlowDecision::Again);
        }
        if head.status != 401 || self.sent != Sent::Nothing || !offers(head, "Basic") {
            return Ok(FlowDecision::Accept);
        }
        let mut known = self.scheme.basic();
        if known.len() == MOST_KNOWN {
            known.remove(0);
        }
        known.push(origin);
        drop(known);
        self.sent = Sent::Basic;
        request.headers_mut().insert("Authorization", &credentials.basic)?;
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

impl fmt::Debug for AnyFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyFlow(***, {:?})", self.sent)
    }
}
