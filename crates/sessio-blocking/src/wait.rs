//! Waiting in the calling thread.

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustix::event::PollFlags;
use sessio_driver::sessio::Instant;
use sessio_driver::socket2::Socket as Plain;

use crate::signal::Signal;
use crate::waits::Waits;

thread_local! {
    /// What the future that this thread polls now waits for.
    static WAITS: RefCell<Waits> = const { RefCell::new(Waits::new()) };
    /// What wakes this thread, kept for its next wait.
    static SIGNAL: Cell<Option<Arc<Signal>>> = const { Cell::new(None) };
}

/// The wait of this thread ends at `at` at the latest.
pub(crate) fn alarm(at: Instant) {
    WAITS.with_borrow_mut(|waits| waits.alarm = Some(waits.alarm.map_or(at, |set| set.min(at))));
}

/// The wait of this thread ends when `socket` is ready for one of these.
pub(crate) fn ready(socket: &Arc<Plain>, flags: PollFlags) {
    WAITS.with_borrow_mut(|waits| match waits.sockets.last_mut() {
        // One call waits for both directions of its socket, one after the other.
        Some((last, wanted)) if Arc::ptr_eq(last, socket) => *wanted |= flags,
        _ => waits.sockets.push((Arc::clone(socket), flags)),
    });
}

/// The wait of this thread does not keep `socket` open any more.
pub(crate) fn forget(socket: &Arc<Plain>) {
    // At the end of a thread there is no wait left to keep anything.
    let _ = WAITS.try_with(|waits| {
        waits.borrow_mut().sockets.retain(|(other, _)| !Arc::ptr_eq(other, socket));
    });
}

/// Runs a future of one call to its end, in the calling thread. Where the call wants nothing but to read, the read waits
/// in its system call; otherwise the thread waits for all that is wanted with `poll(2)`. A future that waits for several
/// calls at once is for another backend: here one call keeps the others waiting.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    // Most are ready when they are first polled. What they have waited for meanwhile is not what an outer future waits for.
    let outer = WAITS.with_borrow(|waits| waits.sockets.len());
    let first = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    WAITS.with_borrow_mut(|waits| waits.sockets.truncate(outer));
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => run(future),
    }
}

fn run<T>(mut future: Pin<&mut impl Future<Output = T>>) -> T {
    // A source of a body may wait for a call of its own, within the wait of the call that it belongs to.
    let _outer = Outer(WAITS.replace(Waits::new()));
    let signal = SIGNAL.take().unwrap_or_default();
    let waker = Waker::from(Arc::clone(&signal));
    let done = loop {
        signal.reset();
        WAITS.with_borrow_mut(Waits::clear);
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            break done;
        }
        WAITS.with_borrow(|waits| signal.wait(waits));
    };
    drop(waker);
    SIGNAL.set(Some(signal));
    done
}

/// Puts the waits of the outer future back when an inner one ends.
struct Outer(Waits);

impl Drop for Outer {
    fn drop(&mut self) {
        WAITS.replace(std::mem::replace(&mut self.0, Waits::new()));
    }
}
