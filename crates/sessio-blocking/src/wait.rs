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
    /// The events that the future which this thread polls waits for.
    static WAITS: RefCell<Waits> = const { RefCell::new(Waits::new()) };
    /// The signal of this thread, kept for its next wait.
    static SIGNAL: Cell<Option<Arc<Signal>>> = const { Cell::new(None) };
}

/// Ends the wait of this thread at `at` at the latest.
pub(crate) fn alarm(at: Instant) {
    WAITS.with_borrow_mut(|waits| waits.alarm = Some(waits.alarm.map_or(at, |set| set.min(at))));
}

/// Ends the wait of this thread when `socket` is ready for one of these.
pub(crate) fn ready(socket: &Arc<Plain>, flags: PollFlags) {
    WAITS.with_borrow_mut(|waits| match waits.sockets.last_mut() {
        // A call waits for both directions of its socket, one after the other.
        Some((last, wanted)) if Arc::ptr_eq(last, socket) => *wanted |= flags,
        _ => waits.sockets.push((Arc::clone(socket), flags)),
    });
}

/// Releases the reference of this thread's wait to `socket`.
pub(crate) fn forget(socket: &Arc<Plain>) {
    // At the end of a thread the waits may be dropped already, and keep nothing open.
    let _ = WAITS.try_with(|waits| {
        waits.borrow_mut().sockets.retain(|(other, _)| !Arc::ptr_eq(other, socket));
    });
}

/// Runs the future of one call to its end, in the calling thread. If the call only wants to read,
/// the read blocks in its system call. Else the thread waits with `poll(2)` for all wanted events.
/// Do not use it for a future that joins several calls: one call would delay the others.
/// Asynchronous backends run several calls at once.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    // Most futures are ready at the first poll. The waits of this one do not belong to an outer
    // future.
    let outer = WAITS.with_borrow(|waits| waits.sockets.len());
    let first = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    WAITS.with_borrow_mut(|waits| waits.sockets.truncate(outer));
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => run(future),
    }
}

fn run<T>(mut future: Pin<&mut impl Future<Output = T>>) -> T {
    // The source of a body may wait for a call of its own, within the wait of the outer call.
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

/// Restores the waits of the outer future when an inner one ends.
struct Outer(Waits);

impl Drop for Outer {
    fn drop(&mut self) {
        WAITS.replace(std::mem::replace(&mut self.0, Waits::new()));
    }
}
