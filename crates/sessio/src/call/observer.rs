//! Observers: callbacks that receive the events of calls.

use std::fmt;
use std::sync::Arc;

use crate::call::{Call, Event};
use crate::prepared::Prepared;

/// A callback that receives the events of calls. Default: none.
///
/// The session's observer runs first, then the request's (story S18, row B14). A call reports all
/// its hops to both (rule R-26).
///
/// An observer cannot change the call: it borrows the [`Call`] and the [`Event`], and returns
/// nothing (unlike rule S-16). It runs within the call, under no lock, and may use the session. If
/// it panics, the caller's future panics. No further event of that call is reported, and the
/// session stays usable. Without an observer no event is created.
///
/// Events and calls print no credentials and no cookies (story S21). The values that they lend are
/// complete: code that prints a header field by field prints its secrets.
///
/// ```
/// use sessio::{Observer, Settings};
///
/// let mut settings = Settings::default();
/// settings.observer = Observer::new(|call, event| eprintln!("hop {}: {event}", call.hop()));
/// ```
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Begin>>);

type Begin = dyn Fn(&Prepared) -> Watch + Send + Sync;

/// An observer of one call.
pub(crate) type Watch = Box<dyn FnMut(&Call, &Event<'_>) + Send>;

impl Observer {
    /// Runs `observe` for all events of all calls. To tell concurrent calls apart, see
    /// [`per_call`](Self::per_call).
    #[must_use]
    pub fn new(observe: impl Fn(&Call, &Event<'_>) + Send + Sync + 'static) -> Self {
        let observe = Arc::new(observe);
        Self::per_call(move |_| {
            let observe = Arc::clone(&observe);
            move |call: &Call, event: &Event<'_>| observe(call, event)
        })
    }

    /// Runs `begin` for each call, with its first request, to make the observer of that call. The
    /// observer is dropped with the call. It may not receive a last event: a response that is not
    /// read to its end has none.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use sessio::Observer;
    /// use sessio::call::Event;
    ///
    /// let calls = AtomicU64::new(0);
    /// let observer = Observer::per_call(move |_| {
    ///     let number = calls.fetch_add(1, Ordering::Relaxed);
    ///     let mut failures = 0;
    ///     move |_, event| {
    ///         failures += u32::from(matches!(event, Event::Retry { .. } | Event::Failed(_)));
    ///         eprintln!("call {number}: {event} ({failures} failures so far)");
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn per_call<W>(begin: impl Fn(&Prepared) -> W + Send + Sync + 'static) -> Self
    where
        W: FnMut(&Call, &Event<'_>) + Send + 'static,
    {
        Self(Some(Arc::new(move |request| Box::new(begin(request)))))
    }

    /// Combines both observers, this one first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self::per_call(move |request| {
                let (mut one, mut other) = (one(request), other(request));
                move |call: &Call, event: &Event<'_>| {
                    one(call, event);
                    other(call, event);
                }
            }),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Whether an observer is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn begin(&self, request: &Prepared) -> Option<Watch> {
        self.0.as_ref().map(|begin| begin(request))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Observer(set)" } else { "Observer(none)" })
    }
}
