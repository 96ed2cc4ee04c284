//! A runtime between a session and its backend, which plays faults of networks.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sessio::Instant;
use sessio_driver::sessio::{Environment, Now, Seed, Tcp};
use sessio_driver::{Runtime, Sleep, Stream};

/// The number of bytes that a flooding peer sends at once.
const MOST_AT_ONCE: usize = 1024;

/// A backend with scripted names, routes and sockets. A clone shares the script.
#[derive(Clone, Debug)]
pub struct FaultyRuntime<R> {
    backend: R,
    plan: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    state: Mutex<State>,
    /// The number of attempts to connect under way.
    dialling: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    names: HashMap<String, Vec<SocketAddr>>,
    /// The environment of the runtime. Nothing of the machine's environment is read.
    environment: Environment,
    silent: HashSet<SocketAddr>,
    dialled: Vec<SocketAddr>,
    drips: bool,
    /// The number of bytes after which an operation fails, and the error.
    fault: Option<(usize, io::ErrorKind)>,
    /// The number of bytes moved, and the direction of the last ones.
    moved: usize,
    direction: usize,
    turns: Vec<usize>,
    /// The lead of its clock over the backend's.
    ahead: Duration,
    /// The byte that fills reads when the peer has sent nothing, and the time of each such read.
    flood: Option<(u8, Duration)>,
    /// The number of reads that were filled this way.
    flooded: usize,
    /// The number of forks of its process.
    forks: u32,
    /// The reactor of later connections, if it is not the backend's.
    reactor: Option<u64>,
    /// The number of attempts to open a socket that still fail: the process has no descriptor left.
    without_room: usize,
}

impl<R: Runtime> FaultyRuntime<R> {
    /// The backend without changes.
    pub fn new(backend: R) -> Self {
        Self { backend, plan: Arc::default() }
    }

    /// Resolves a name to addresses, which include the port: the port of the URL is ignored.
    /// Without any address, resolving the name never ends.
    #[must_use]
    pub fn name(self, host: &str, addresses: impl Into<Vec<SocketAddr>>) -> Self {
        self.state().names.insert(host.to_owned(), addresses.into());
        self
    }

    /// Sets the environment of the runtime. Default: empty.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        self.state().environment = environment;
        self
    }

    /// Makes each attempt to connect to this address hang, as behind a firewall that drops packets.
    #[must_use]
    pub fn silent(self, address: SocketAddr) -> Self {
        self.state().silent.insert(address);
        self
    }

    /// Moves one byte at a time, and makes every operation wait once before it. Each byte of an
    /// exchange is then a point at which a future can be dropped.
    #[must_use]
    pub fn dripping(self) -> Self {
        self.drip(true);
        self
    }

    /// Sets whether later connections move single bytes, as [`dripping`](Self::dripping) does.
    pub fn drip(&self, drips: bool) {
        self.state().drips = drips;
    }

    /// Makes the peer flood: once it has sent something, each read is filled with this byte if the
    /// peer has sent nothing more. Each such read takes `each` by the clock of the runtime.
    #[must_use]
    pub fn flooding(self, byte: u8, each: Duration) -> Self {
        self.state().flood = Some((byte, each));
        self
    }

    /// The number of reads that were filled this way.
    pub fn flooded(&self) -> usize {
        self.state().flooded
    }

    /// Fails the first operation on a socket after `after` bytes were moved, in both directions
    /// together. It is the same operation for any cut of the network.
    #[must_use]
    pub fn failing(self, after: usize, kind: io::ErrorKind) -> Self {
        self.state().fault = Some((after, kind));
        self
    }

    /// Advances the clock by this time at once.
    pub fn pass(&self, time: Duration) {
        self.clock().pass(time);
    }

    /// The clock, for an observer, which may run on any thread.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Arc::clone(&self.plan))
    }

    /// From now on the runtime plays a child of the process that opened all connections so far.
    pub fn fork(&self) {
        self.state().forks += 1;
    }

    /// Makes later connections depend on this reactor.
    pub fn move_to(&self, reactor: u64) {
        self.state().reactor = Some(reactor);
    }

    /// Plays a process without free file descriptors: so many attempts to connect fail with the
    /// error of the system.
    pub fn exhaust(&self, attempts: usize) {
        self.state().without_room = attempts;
    }

    /// The addresses of all attempts to connect so far.
    pub fn dialled(&self) -> Vec<SocketAddr> {
        self.state().dialled.clone()
    }

    /// The number of attempts to connect under way.
    pub fn dialling(&self) -> usize {
        self.plan.dialling.load(Ordering::Relaxed)
    }

    /// Whether the operation of [`failing`](Self::failing) has failed.
    pub fn has_failed(&self) -> bool {
        self.state().fault.is_none()
    }

    /// The number of bytes moved, in both directions together.
    pub fn moved(&self) -> usize {
        self.state().moved
    }

    /// The number of bytes moved at each change of direction.
    pub fn turns(&self) -> Vec<usize> {
        self.state().turns.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.plan.state()
    }
}

/// The clock of a [`FaultyRuntime`].
#[derive(Clone, Debug)]
pub struct Clock(Arc<Plan>);

impl Clock {
    /// Advances the clock by this time at once.
    pub fn pass(&self, time: Duration) {
        self.0.state().ahead += time;
    }
}

impl Plan {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time `at` by the backend's clock.
    fn behind(&self, at: Instant) -> Instant {
        at - self.state().ahead
    }
}

impl<R: Runtime> Runtime for FaultyRuntime<R> {
    type Stream = FaultyStream<R::Stream>;
    type Sleep = FaultySleep<R::Sleep>;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let known = self.state().names.get(host).cloned();
        match known {
            Some(none) if none.is_empty() => pending().await,
            Some(addresses) => Ok(addresses),
            None => self.backend.resolve(host, port).await,
        }
    }

    async fn connect(
        &self,
        address: SocketAddr,
        tcp: Tcp,
        deadline: Option<Instant>,
    ) -> io::Result<Self::Stream> {
        let (is_silent, drips) = {
            let mut state = self.state();
            state.dialled.push(address);
            if let Some(left) = state.without_room.checked_sub(1) {
                state.without_room = left;
                // EMFILE on every Unix.
                return Err(io::Error::from_raw_os_error(24));
            }
            (state.silent.contains(&address), state.drips)
        };
        let _dialling = Dialling::new(&self.plan);
        if is_silent {
            return pending().await;
        }
        let inner = self.backend.connect(address, tcp, deadline.map(|end| self.plan.behind(end))).await?;
        Ok(FaultyStream::new(inner, &self.plan, drips))
    }

    async fn connect_unix(&self, path: &Path, deadline: Option<Instant>) -> io::Result<Self::Stream> {
        let drips = self.state().drips;
        let inner = self.backend.connect_unix(path, deadline.map(|end| self.plan.behind(end))).await?;
        Ok(FaultyStream::new(inner, &self.plan, drips))
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        FaultySleep { inner: self.backend.sleep_until(self.plan.behind(at)), plan: Arc::clone(&self.plan) }
    }

    fn now(&self) -> Now {
        self.backend.now().after(self.state().ahead)
    }

    fn reactor(&self) -> u64 {
        self.state().reactor.unwrap_or_else(|| self.backend.reactor())
    }

    fn process(&self) -> Option<u32> {
        Some(self.backend.process().unwrap_or_default() + self.state().forks)
    }

    fn read_authorities(&self, environment: &Environment) -> Environment {
        self.backend.read_authorities(environment)
    }

    fn environment(&self) -> Environment {
        self.state().environment.clone()
    }

    fn seed(&self) -> Seed {
        self.backend.seed()
    }
}

/// An attempt to connect that is under way.
struct Dialling<'a>(&'a Plan);

impl<'a> Dialling<'a> {
    fn new(plan: &'a Plan) -> Self {
        plan.dialling.fetch_add(1, Ordering::Relaxed);
        Self(plan)
    }
}

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        self.0.dialling.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A timer of a [`FaultyRuntime`]. Its time is that of the runtime's clock when it is set.
#[derive(Debug)]
pub struct FaultySleep<S> {
    inner: S,
    plan: Arc<Plan>,
}

impl<S: Sleep> Sleep for FaultySleep<S> {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_elapsed(cx)
    }

    fn reset(&mut self, at: Instant) {
        self.inner.reset(self.plan.behind(at));
    }
}

/// A socket of a [`FaultyRuntime`].
#[derive(Debug)]
pub struct FaultyStream<S> {
    inner: S,
    plan: Arc<Plan>,
    drips: bool,
    /// Whether the current read and the current write have waited.
    has_waited: [bool; 2],
    /// Whether the peer has sent something.
    is_answered: bool,
}

impl<S> FaultyStream<S> {
    fn new(inner: S, plan: &Arc<Plan>, drips: bool) -> Self {
        Self { inner, plan: Arc::clone(plan), drips, has_waited: [false; 2], is_answered: false }
    }

    /// Fills a read with the bytes of a flooding peer.
    fn flood(&self, room: &mut [u8]) -> Option<usize> {
        let mut state = self.plan.state();
        let (byte, each) = state.flood.filter(|_| self.is_answered)?;
        state.ahead += each;
        state.flooded += 1;
        let n = room.len().min(MOST_AT_ONCE);
        room[..n].fill(byte);
        Some(n)
    }

    /// The number of bytes that may be moved now. Fails the operation that meets the fault, and is
    /// pending if the operation has to wait first.
    fn turn(&mut self, cx: &Context<'_>, direction: usize, most: usize) -> Poll<io::Result<usize>> {
        if self.drips && !self.has_waited[direction] {
            self.has_waited[direction] = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = if self.drips { most.min(1) } else { most };
        let mut state = self.plan.state();
        let Some((after, kind)) = state.fault else { return Poll::Ready(Ok(most)) };
        let left = after - state.moved;
        if left == 0 {
            state.fault = None;
            return Poll::Ready(Err(kind.into()));
        }
        Poll::Ready(Ok(most.min(left)))
    }

    fn done(&mut self, direction: usize, moved: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if moved.is_ready() {
            self.has_waited[direction] = false;
        }
        if let Poll::Ready(Ok(bytes @ 1..)) = moved {
            let mut state = self.plan.state();
            if std::mem::replace(&mut state.direction, direction) != direction {
                let at = state.moved;
                state.turns.push(at);
            }
            state.moved += bytes;
        }
        moved
    }
}

impl<S: Stream> Stream for FaultyStream<S> {
    const BLOCKS: bool = S::BLOCKS;

    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = ready!(self.turn(cx, 0, room.len()))?;
        let mut read = self.inner.poll_read(cx, &mut room[..most]);
        self.is_answered |= matches!(read, Poll::Ready(Ok(1..)));
        if read.is_pending()
            && let Some(bytes) = self.flood(&mut room[..most])
        {
            read = Poll::Ready(Ok(bytes));
        }
        self.done(0, read)
    }

    fn poll_read_alone(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut [u8],
        deadline: Option<Instant>,
    ) -> Poll<io::Result<usize>> {
        // The runtime itself sends, so there is nothing to wait for.
        if self.is_answered && self.plan.state().flood.is_some() {
            return self.poll_read(cx, room);
        }
        let most = ready!(self.turn(cx, 0, room.len()))?;
        let deadline = deadline.map(|end| self.plan.behind(end));
        let read = self.inner.poll_read_alone(cx, &mut room[..most], deadline);
        self.is_answered |= matches!(read, Poll::Ready(Ok(1..)));
        self.done(0, read)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = ready!(self.turn(cx, 1, bytes.len()))?;
        let written = self.inner.poll_write(cx, &bytes[..most]);
        self.done(1, written)
    }

    fn is_idle_open(&self) -> bool {
        self.inner.is_idle_open()
    }
}
