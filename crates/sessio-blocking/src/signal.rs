//! Threads that wait for sockets, for the time, or to be woken by another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sessio_driver::clock;

use crate::bell::Bell;
use crate::waits::Waits;

/// How many there are while nobody else can wake the thread: its own, and the one in the waker that it polls with.
const OWN: usize = 2;

/// How long a thread waits at most where a bell is wanted and there is none: the process may open no more files.
const WITHOUT_BELL: Duration = Duration::from_millis(10);

/// What wakes one thread.
#[derive(Debug)]
pub(crate) struct Signal {
    thread: Thread,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_woken: bool,
    /// What ends a wait for sockets. It is made when it is first needed.
    bell: Option<Arc<Bell>>,
}

impl Default for Signal {
    fn default() -> Self {
        Self { thread: thread::current(), state: Mutex::default() }
    }
}

impl Signal {
    /// What has woken the thread so far does not end its next wait.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.is_woken)
            && let Some(bell) = &state.bell
        {
            bell.silence();
        }
    }

    /// Waits in this thread until one of these has come, or somebody wakes it; perhaps for less.
    pub(crate) fn wait(self: &Arc<Self>, waits: &Waits) {
        // Who may wake us has a waker that was cloned before: no new one comes to be while nobody has one.
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
        // If it was interrupted, whoever waits looks again, and at the clock.
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
