//! Who is told what calls do.

use std::fmt;
use std::sync::Arc;

use crate::call::{Call, Event};
use crate::prepared::Prepared;

/// Whoever is told what calls do: nobody at first. Those of the session and of the request are both told, the
/// session's first (story S18, row B14); a call passes them on over all its hops (rule R-26).
///
/// An observer sees and changes nothing: it is lent the [`Call`] and the [`Event`], and returns nothing
/// (unlike rule S-16). It runs within the call, under no lock: it may use the session. If it panics the caller's future does; nobody hears more of that call, and the session
/// goes on. Without an observer no event is even made.
///
/// What events and calls print holds no credentials and no cookies (story S21). What they lend is whole:
/// whoever prints a header field by field prints its secrets.
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
    /// Tells `observe` everything that calls do. To tell calls apart that run at the same time, see
    /// [`per_call`](Self::per_call).
    #[must_use]
    pub fn new(observe: impl Fn(&Call, &Event<'_>) + Send + Sync + 'static) -> Self {
        let observe = Arc::new(observe);
        Self::per_call(move |_| {
            let observe = Arc::clone(&observe);
            move |call: &Call, event: &Event<'_>| observe(call, event)
        })
    }

    /// Asks `begin` for an observer of each call, with the request that it begins with. It is dropped with the
    /// call, whose last event it may never hear: a response that is not read to its end has none.
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

    /// Both, this one first.
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

    /// Whether anybody is told.
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
