//! Waiting in the calling thread.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

thread_local! {
    /// When this thread has to look again although nobody wakes it.
    static ALARM: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Sees to it that the wait of this thread ends at `at`.
pub(crate) fn alarm(at: Instant) {
    ALARM.with(|alarm| alarm.set(Some(alarm.get().map_or(at, |set| set.min(at)))));
}

/// Runs a future of [`sessio_driver`] to its end, in the calling thread. The sockets of this backend block, so
/// most futures are ready when they are first polled.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        ALARM.with(|alarm| alarm.set(None));
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
        match ALARM.with(Cell::get) {
            Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            None => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
