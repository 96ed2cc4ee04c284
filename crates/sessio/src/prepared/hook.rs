//! Hooks: code of the caller that edits requests, and decides about responses.
//!
//! An [`Observer`](crate::Observer) only looks. A hook changes a call. The hooks of the session run
//! first, then those of the mount, then those of the request (story S18). All of them run.
//!
//! - [`before`](Hook::before) edits a request before it is sent: on each hop, and for each attempt.
//! - [`after`](Hook::after) sees the head of each hop's response. It can fail the call, or send the
//!   request again.
//! - [`body`](Hook::body) sees the start of its body, and decides as `after` does.
//! - [`response`](Hook::response) sees the response that the caller receives. It is the hook
//!   `response` of requests.
//!
//! The call checks every edit as it checks a request of the caller: header syntax, framing, and the
//! URL with its proxy, mount and guard. Secrets keep their rules: a header that a hook adds is
//! dropped by a redirect as if the caller had set it.
//!
//! Hooks run within the call, under no lock, and may use the session. They do not run for the
//! requests that an authentication flow sends itself (see [`Need`](crate::auth::Need)).
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use sessio::{Error, Kind, Request, Settings, hook};
//!
//! let hops = AtomicU64::new(0);
//! let mut settings = Settings::default();
//! settings.hooks.add(hook::before(move |request| {
//!     let number = hops.fetch_add(1, Ordering::Relaxed);
//!     Ok(request.headers_mut().insert("X-Hop", number.to_string())?)
//! }));
//! let request = Request::get("http://example.org/").hook(hook::response(|response| {
//!     match response.head.headers.get("X-Api-Error") {
//!         Some(error) => Err(Error::new(Kind::Status).with_detail(error.to_owned())),
//!         None => Ok(()),
//!     }
//! }));
//! # let _ = request;
//! ```

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::message::exchange::Exchange;
use crate::message::head::Head;
use crate::prepared::Prepared;
use crate::prepared::auth::Received;

/// Code of the caller that edits the requests of a call, and decides about its responses.
///
/// Each method has a default that changes nothing. For a closure, see [`before`], [`after`] and
/// [`response`].
pub trait Hook: Send + Sync + 'static {
    /// Edits a request before it is sent. It runs once for each hop of a call, and again for each
    /// attempt that a policy of [retries](crate::retry) or a hook makes. It does not run again if
    /// only the connection was stale, or to answer a challenge.
    ///
    /// The request is complete apart from its credentials, so that a signature covers the edits. If
    /// the hook sets `Authorization`, the `auth` of session and request is not used (row B03). The
    /// request of another attempt has the edits of earlier ones: replace a header, and do not append
    /// one.
    ///
    /// # Errors
    /// An error ends the call.
    fn before(&self, request: &mut Prepared) -> Result<()> {
        let _ = request;
        Ok(())
    }

    /// Decides about the final head of a hop: that of a redirect, and that of the response. It runs
    /// after the authentication flow has accepted the head, and before a redirect is followed or a
    /// policy of retries is asked. The edits of the request count with [`Reaction::Again`] only.
    fn after(&self, head: &Head, request: &mut Prepared) -> Reaction {
        let _ = (head, request);
        Reaction::Continue
    }

    /// Returns the number of bytes that the hook wants to see of the body of a response with this
    /// head. At most 64 KiB are read. The caller receives them, too. Default: 0.
    ///
    /// The call reads them before it returns the head. So it waits for a server that sends its body
    /// slowly. Return 0 for a stream that stays open.
    fn body_bytes(&self, head: &Head) -> usize {
        let _ = head;
        0
    }

    /// Decides about the start of the body that it [wanted](Self::body_bytes), after its codings were
    /// decoded. Otherwise as [`after`](Self::after), and after it. A body that ends too soon, or cannot
    /// be decoded, is shorter.
    fn body(&self, response: &Received<'_>, request: &mut Prepared) -> Reaction {
        let _ = (response, request);
        Reaction::Continue
    }

    /// Sees the response that the caller receives, once in a call. It may change its head.
    ///
    /// It runs before the body is read. The framing of the body is that of the received head. The
    /// content codings are those of the changed head, unless a hook has seen the start of the body.
    ///
    /// # Errors
    /// An error ends the call, in place of the response.
    fn response(&self, response: &mut FinalResponse<'_>) -> Result<()> {
        let _ = response;
        Ok(())
    }
}

/// The decision of a [`Hook`] about a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reaction {
    /// Continues with this response.
    Continue,
    /// Sends the edited request again. Hooks and challenges send it again at most eight times in one
    /// call; after that the response counts. A body that cannot be sent again is
    /// [`Kind::NotReplayable`](crate::Kind::NotReplayable).
    Again,
    /// Fails the call. The error gets the response.
    Fail(Error),
}

/// The response that the caller is about to receive.
#[derive(Debug)]
#[non_exhaustive]
pub struct FinalResponse<'a> {
    /// The head of the response.
    pub head: &'a mut Head,
    /// Its request, as it was sent.
    pub request: &'a Prepared,
    /// The exchanges before it, first to last.
    pub history: &'a [Exchange],
}

/// The hooks of a session, a mount or a request. Default: none.
#[derive(Clone, Default)]
pub struct Hooks(Option<Arc<Vec<Arc<dyn Hook>>>>);

impl Hooks {
    /// Adds a hook that runs after those that are set.
    pub fn add(&mut self, hook: impl Hook) {
        Arc::make_mut(self.0.get_or_insert_default()).push(Arc::new(hook));
    }

    /// All hooks of both, these first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(Arc::new([&one[..], &other[..]].concat()))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Whether there is any hook.
    #[must_use]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    fn all(&self) -> &[Arc<dyn Hook>] {
        self.0.as_ref().map_or(&[], |all| all)
    }

    pub(crate) fn before(&self, request: &mut Prepared) -> Result<()> {
        self.all().iter().try_for_each(|hook| hook.before(request))
    }

    /// The number of bytes of the body that the hooks want to see.
    pub(crate) fn body_bytes(&self, head: &Head) -> usize {
        self.all().iter().map(|hook| hook.body_bytes(head)).max().unwrap_or(0)
    }

    /// Runs all hooks. `Again` if one of them says so. `look` lends the start of the body, at most so
    /// many bytes of it.
    pub(crate) fn after(&self, head: &Head, request: &mut Prepared, look: &mut Look<'_>) -> Reaction {
        let mut all = Reaction::Continue;
        for hook in self.all() {
            let by_head = hook.after(head, request);
            let by_body = match hook.body_bytes(head) {
                most if most > 0 && !matches!(by_head, Reaction::Fail(_)) => {
                    look(most, &mut |start| hook.body(start, request))
                }
                _ => Reaction::Continue,
            };
            for reaction in [by_head, by_body] {
                match reaction {
                    Reaction::Continue => {}
                    Reaction::Again => all = Reaction::Again,
                    Reaction::Fail(error) => return Reaction::Fail(error),
                }
            }
        }
        all
    }

    pub(crate) fn response(&self, response: &mut FinalResponse<'_>) -> Result<()> {
        self.all().iter().try_for_each(|hook| hook.response(response))
    }
}

/// Lends the start of a body to a hook.
type Look<'a> = dyn FnMut(usize, &mut dyn FnMut(&Received<'_>) -> Reaction) -> Reaction + 'a;

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({})", self.all().len())
    }
}

/// A hook that edits requests: see [`Hook::before`].
pub fn before(edit: impl Fn(&mut Prepared) -> Result<()> + Send + Sync + 'static) -> impl Hook {
    Before(edit)
}

/// A hook that decides about heads: see [`Hook::after`].
///
/// ```
/// use sessio::hook::{Reaction, after};
/// use sessio::{Error, Kind, Settings};
///
/// let mut settings = Settings::default();
/// settings.hooks.add(after(|head, request| match head.status.as_u16() {
///     // A server that wants a field which it names itself.
///     428 if !request.headers().contains("If-Match") => match request.headers_mut().insert("If-Match", "*") {
///         Ok(()) => Reaction::Again,
///         Err(fault) => Reaction::Fail(fault.into()),
///     },
///     451 => Reaction::Fail(Error::new(Kind::Status)),
///     _ => Reaction::Continue,
/// }));
/// ```
pub fn after(decide: impl Fn(&Head, &mut Prepared) -> Reaction + Send + Sync + 'static) -> impl Hook {
    After(decide)
}

/// A hook that decides about the start of bodies, at most so many bytes of each: see [`Hook::body`].
/// It sees responses whose head `is_wanted`.
///
/// ```
/// use sessio::hook::{Reaction, body};
/// use sessio::{Error, Kind, Settings};
///
/// let is_html = |head: &sessio::Head| head.headers.get("Content-Type").is_some_and(|kind| kind.starts_with("text/html"));
/// let mut settings = Settings::default();
/// // A page that reports an error with status 200.
/// settings.hooks.add(body(4096, is_html, |response, _| match response.text().contains("class=\"error\"") {
///     true => Reaction::Fail(Error::new(Kind::Status).with_detail("the page is an error")),
///     false => Reaction::Continue,
/// }));
/// ```
pub fn body(
    most: usize,
    is_wanted: impl Fn(&Head) -> bool + Send + Sync + 'static,
    decide: impl Fn(&Received<'_>, &mut Prepared) -> Reaction + Send + Sync + 'static,
) -> impl Hook {
    Start { most, is_wanted, decide }
}

/// A hook that sees the response of a call: see [`Hook::response`].
pub fn response(see: impl Fn(&mut FinalResponse<'_>) -> Result<()> + Send + Sync + 'static) -> impl Hook {
    Response(see)
}

struct Before<F>(F);

impl<F: Fn(&mut Prepared) -> Result<()> + Send + Sync + 'static> Hook for Before<F> {
    fn before(&self, request: &mut Prepared) -> Result<()> {
        (self.0)(request)
    }
}

struct After<F>(F);

impl<F: Fn(&Head, &mut Prepared) -> Reaction + Send + Sync + 'static> Hook for After<F> {
    fn after(&self, head: &Head, request: &mut Prepared) -> Reaction {
        (self.0)(head, request)
    }
}

struct Start<W, F> {
    most: usize,
    is_wanted: W,
    decide: F,
}

impl<W, F> Hook for Start<W, F>
where
    W: Fn(&Head) -> bool + Send + Sync + 'static,
    F: Fn(&Received<'_>, &mut Prepared) -> Reaction + Send + Sync + 'static,
{
    fn body_bytes(&self, head: &Head) -> usize {
        if (self.is_wanted)(head) { self.most } else { 0 }
    }

    fn body(&self, response: &Received<'_>, request: &mut Prepared) -> Reaction {
        (self.decide)(response, request)
    }
}

struct Response<F>(F);

impl<F: Fn(&mut FinalResponse<'_>) -> Result<()> + Send + Sync + 'static> Hook for Response<F> {
    fn response(&self, response: &mut FinalResponse<'_>) -> Result<()> {
        (self.0)(response)
    }
}
