//! Logs of calls, for the crates `log` and `tracing`.
//!
//! A logger is an observer of its call. It is added when the call begins, and only if something
//! receives its records. So a session without a receiver pays for the question alone.

mod level;
mod line;
#[cfg(feature = "tracing")]
mod spans;

use std::mem;

use sessio::call::Event;
use sessio::{Call, CallOptions, Instant, Observer, PreparedCall};

use self::level::{Level, TARGET};
use self::line::Line;
#[cfg(feature = "tracing")]
use self::spans::Spans;

/// The target of the dump.
const WIRE: &str = "sessio::wire";

/// Adds the logger to a call, as its first observer.
#[inline]
pub(crate) fn logged(call: Box<PreparedCall>) -> Box<PreparedCall> {
    let mut call = call;
    // Without a policy of retries no record is a warning. Most receivers want nothing else.
    let is_wanted = Level::Debug.is_enabled()
        || has_spans()
        || (call.options.retry.is_some() && Level::Warn.is_enabled())
        || is_dumped();
    if is_wanted {
        log_call(&mut call.options);
    }
    call
}

#[cold]
fn log_call(options: &mut CallOptions) {
    let mut observer = Observer::per_call(|_| {
        let mut logger = Logger::new();
        move |call: &Call, event: &Event<'_>| logger.event(call, event)
    });
    if is_dumped() {
        observer = observer.and(Observer::dump(|lines| lines.lines().for_each(emit_dumped)));
    }
    options.observer = observer.and(mem::take(&mut options.observer));
}

/// The logger of one call.
struct Logger {
    /// The time at which the current attempt began.
    began: Option<Instant>,
    #[cfg(feature = "tracing")]
    spans: Spans,
}

impl Logger {
    fn new() -> Self {
        Self {
            began: None,
            #[cfg(feature = "tracing")]
            spans: Spans::new(),
        }
    }

    fn event(&mut self, call: &Call, event: &Event<'_>) {
        if let Event::Connecting { .. } = event {
            self.began = now();
        }
        #[cfg(feature = "tracing")]
        self.spans.before(call, event);
        if let Some(level) = Line::level(event).filter(|level| level.is_enabled()) {
            let time = now().zip(self.began).map(|(now, began)| now.saturating_duration_since(began));
            self.emit(level, &Line { call, event, time });
        }
        #[cfg(feature = "tracing")]
        self.spans.after(event);
    }

    fn emit(&self, level: Level, line: &Line<'_>) {
        #[cfg(feature = "log")]
        log::log!(target: TARGET, level.of_log(), "{line}");
        #[cfg(feature = "tracing")]
        self.spans.emit(level, line);
        #[cfg(not(feature = "tracing"))]
        let _ = self;
    }
}

/// The time by the clock of the system. `None` where the standard library has none.
fn now() -> Option<Instant> {
    (!cfg!(all(target_family = "wasm", target_os = "unknown"))).then(crate::clock::now)
}

/// Whether something receives spans.
#[inline]
fn has_spans() -> bool {
    #[cfg(feature = "tracing")]
    return tracing::span_enabled!(target: TARGET, tracing::Level::INFO);
    #[cfg(not(feature = "tracing"))]
    false
}

/// Whether something receives the dump.
#[inline]
fn is_dumped() -> bool {
    #[cfg(feature = "log")]
    if log::log_enabled!(target: WIRE, log::Level::Trace) {
        return true;
    }
    #[cfg(feature = "tracing")]
    if tracing::event_enabled!(target: WIRE, tracing::Level::TRACE) {
        return true;
    }
    false
}

fn emit_dumped(line: &str) {
    #[cfg(feature = "log")]
    log::trace!(target: WIRE, "{line}");
    #[cfg(feature = "tracing")]
    tracing::trace!(target: WIRE, "{line}");
}
