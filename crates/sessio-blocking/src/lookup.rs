//! Name lookups in threads: the system's resolver cannot be interrupted, and time limits must hold.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Maximal number of threads that look up names at once, for all sessions of the process. An
/// abandoned lookup occupies its thread until the system's resolver returns, so all of these
/// threads may be abandoned ones.
const MOST_THREADS: usize = 64;

static QUEUE: Mutex<Queue> = Mutex::new(Queue { waiting: BTreeMap::new(), next: 0, threads: 0 });

/// The lookups that no thread has started.
struct Queue {
    /// In order of arrival.
    waiting: BTreeMap<u64, Arc<Lookup>>,
    next: u64,
    threads: usize,
}

/// The lookup of one name.
#[derive(Default)]
struct Lookup {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The function that looks it up, until a thread has taken it.
    job: Option<Job>,
    found: Option<Found>,
    waker: Option<Waker>,
}

type Found = io::Result<Vec<SocketAddr>>;
type Job = Box<dyn FnOnce() -> Found + Send>;

/// The future of a lookup. A lookup whose future is dropped before a thread takes it is never
/// started.
pub(crate) struct Looking {
    number: u64,
    lookup: Arc<Lookup>,
}

impl Looking {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.to_owned();
        Self::of(Box::new(move || (host, port).to_socket_addrs().map(Iterator::collect)))
    }

    fn of(job: Job) -> Self {
        let lookup = Arc::new(Lookup::default());
        lookup.state().job = Some(job);
        let mut queue = queue();
        let number = queue.next;
        queue.next += 1;
        queue.waiting.insert(number, Arc::clone(&lookup));
        let needs_thread = queue.threads < MOST_THREADS;
        queue.threads += usize::from(needs_thread);
        drop(queue);
        if needs_thread && thread::Builder::new().name("sessio-lookup".to_owned()).spawn(work).is_err() {
            // The process may have reached its limit of threads. A lookup without a time limit is
            // better than none.
            work();
        }
        Self { number, lookup }
    }
}

impl Future for Looking {
    type Output = Found;

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.lookup.state();
        if let Some(found) = state.found.take() {
            return Poll::Ready(found);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        queue().waiting.remove(&self.number);
    }
}

impl Lookup {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks up one name after the other until none is waiting.
fn work() {
    loop {
        let mut queue = queue();
        let Some((_, lookup)) = queue.waiting.pop_first() else {
            queue.threads -= 1;
            return;
        };
        drop(queue);
        let Some(job) = lookup.state().job.take() else { continue };
        let found = job();
        let mut state = lookup.state();
        state.found = Some(found);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use sessio_driver::clock;
    use sessio_driver::sessio::Instant;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use sessio_driver::sessio::{Kind, Now, Tcp, Timeout};
    use sessio_driver::{Runtime, Session};

    use super::*;
    use crate::{Blocking, Socket, Timer};

    /// These tests share the threads of the process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        all_end();
        guard
    }

    fn all_end() {
        while queue().threads > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn fw1_names_are_found() {
        let _guard = alone();
        let all: Vec<_> = (0..200).map(|port| Looking::new("localhost", port)).collect();
        for (looking, port) in all.into_iter().zip(0..) {
            let found = crate::wait(looking).unwrap();
            assert!(!found.is_empty() && found.iter().all(|to| to.port() == port && to.ip().is_loopback()));
        }
        assert!(crate::wait(Looking::new("no-such-name.invalid", 80)).is_err());
    }

    #[test]
    fn fw1_threads_are_bounded_and_end() {
        let _guard = alone();
        let (begun, begins) = channel();
        let mut ends = Vec::new();
        let mut all = Vec::new();
        for number in 0..MOST_THREADS * 3 {
            let (begun, (end, ended)) = (begun.clone(), channel::<()>());
            ends.push(end);
            all.push(Looking::of(Box::new(move || {
                begun.send(number).unwrap();
                let _ = ended.recv();
                Ok(Vec::new())
            })));
        }
        let mut first: Vec<_> = begins.iter().take(MOST_THREADS).collect();
        first.sort_unstable();
        assert_eq!(first, (0..MOST_THREADS).collect::<Vec<_>>());
        assert_eq!(queue().threads, MOST_THREADS);
        assert_eq!(queue().waiting.len(), MOST_THREADS * 2);
        // These lookups are abandoned: no thread that is still running starts one.
        all.truncate(MOST_THREADS * 2);
        drop(all.drain(..MOST_THREADS));
        assert_eq!(queue().waiting.len(), MOST_THREADS);
        drop(ends);
        for looking in all {
            crate::wait(looking).unwrap();
        }
        drop(begun);
        assert!(begins.iter().all(|number| (MOST_THREADS..MOST_THREADS * 2).contains(&number)));
        all_end();
    }

    /// Plain sockets with a resolver that does not return.
    #[derive(Clone)]
    struct Stuck;

    impl Runtime for Stuck {
        type Stream = Socket;
        type Sleep = Timer;

        async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Looking::of(Box::new(|| {
                let (_keep, never) = channel::<()>();
                let _ = never.recv_timeout(Duration::from_secs(2));
                Ok(Vec::new())
            }))
            .await
        }

        async fn connect(&self, to: SocketAddr, tcp: Tcp, until: Option<Instant>) -> io::Result<Socket> {
            Blocking.connect(to, tcp, until).await
        }

        fn sleep_until(&self, at: Instant) -> Timer {
            Blocking.sleep_until(at)
        }

        fn now(&self) -> Now {
            Blocking.now()
        }
    }

    #[test]
    fn fw1_limits_hold_while_the_resolver_does_not_return() {
        let _guard = alone();
        let session = Session::with_runtime(Stuck);
        for which in [Timeout::Resolve, Timeout::Total] {
            session.update(|settings| {
                let limits = &mut settings.timeouts;
                let limit = Some(Duration::from_millis(30));
                (limits.resolve, limits.total) =
                    if which == Timeout::Total { (None, limit) } else { (limit, None) };
            });
            let began = clock::now();
            let error = crate::wait(session.get("http://a.test/").send()).unwrap_err();
            assert_eq!(error.kind(), Kind::Timeout(which));
            let took = clock::now() - began;
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
}
