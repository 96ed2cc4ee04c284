//! Threads that wait for sockets, for a time, or until another thread wakes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sessio_driver::clock;

use crate::bell::Bell;
use crate::waits::Waits;

/// References to a signal while no other thread can wake this one: the thread's own, and that of
/// the waker that it polls with.
const OWN: usize = 2;

/// Longest wait for sockets if a bell is needed and cannot be made, because the process has reached
/// its limit of open files.
const WITHOUT_BELL: Duration = Duration::from_millis(10);

/// Wakes one thread.
#[derive(Debug)]
pub(crate) struct Signal {
    thread: Thread,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_woken: bool,
    /// Ends a wait for sockets. It is made when it is first needed.
    bell: Option<Arc<Bell>>,
}

impl Default for Signal {
    fn default() -> Self {
        Self { thread: thread::current(), state: Mutex::default() }
    }
}

impl Signal {
    /// Clears earlier wake-ups, so that they do not end the next wait.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.is_woken)
            && let Some(bell) = &state.bell
        {
            bell.silence();
        }
    }

    /// Blocks this thread until one of these events or a wake-up. It may return early.
    pub(crate) fn wait(self: &Arc<Self>, waits: &Waits) {
        // Another thread can wake this one only by a waker cloned before now: a new clone needs an
        // old one.
        let has_others = Arc::strong_count(self) > OWN;
        let mut state = self.state();
        if state.is_woken {
            return;
        }
        let mut left = waits.alarm.map(|at| at.saturating_duration_since(clock::now()));
        if waits.sockets.is_empty() {
            drop(state);
            return match left {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            };
        }
        if has_others && state.bell.is_none() {
            state.bell = Bell::new().map(Arc::new).ok();
        }
        let bell = state.bell.clone().filter(|_| has_others);
        drop(state);
        if has_others && bell.is_none() {
            left = Some(left.map_or(WITHOUT_BELL, |left| left.min(WITHOUT_BELL)));
        }
        let sockets = waits.sockets.iter().map(|(socket, flags)| PollFd::new(&**socket, *flags));
        let bell = bell.iter().map(|bell| PollFd::new(bell.socket(), PollFlags::IN));
        let mut all: Vec<_> = sockets.chain(bell).collect();
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        // After an interruption the caller polls its future again, and reads the clock.
        let _ = poll(&mut all, left.as_ref());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_woken, true) {
            return;
        }
        if let Some(bell) = &state.bell {
            bell.ring();
        }
        drop(state);
        self.thread.unpark();
    }
}
