//! The traits of a runtime: names, sockets and time. Nothing here is about HTTP.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};

use sessio::{Environment, Instant, Now, Seed, Tcp};

/// The source of sockets and time.
///
/// A value of it is a handle, cheap to clone. Its futures are dropped when the caller drops a call
/// or a time limit ends, and must release their resources then.
///
/// The runtime and its futures, streams and timers need not be [`Send`]. The futures of a session
/// are `Send` if all of these are. Else they stay on their thread: a runtime may contain an
/// [`Rc`](std::rc::Rc).
pub trait Runtime: Clone + 'static {
    /// A connected byte stream.
    type Stream: Stream;
    /// A timer.
    type Sleep: Sleep;

    /// The addresses of a host, in order of preference. It receives no literal addresses, no pinned
    /// hosts, and no host while the session has a resolver.
    ///
    /// # Errors
    /// Any error of the resolver.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;

    /// Opens a connection, over a socket with the options of `tcp`. Several attempts may run at
    /// once. The future is dropped at `deadline`, so only a runtime that blocks needs the argument.
    ///
    /// # Errors
    /// - [`Unsupported`](io::ErrorKind::Unsupported): the system does not support an option of
    ///   `tcp`. An option without a meaning on this network may be ignored.
    /// - Any error of the network.
    fn connect(
        &self,
        address: SocketAddr,
        tcp: Tcp,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Opens a connection to the Unix socket at `path`, like [`connect`](Self::connect).
    ///
    /// # Errors
    /// - [`Unsupported`](io::ErrorKind::Unsupported): the runtime has no Unix sockets. This is the
    ///   default implementation.
    /// - Any error of the system.
    fn connect_unix(
        &self,
        path: &Path,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>> {
        let _ = (path, deadline);
        async { Err(io::Error::new(io::ErrorKind::Unsupported, "this runtime has no Unix sockets")) }
    }

    /// A timer that ends at `at`.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// The current time: `mono` for deadlines, `wall` for cookies and certificates.
    fn now(&self) -> Now;

    /// The current time by the clock of deadlines alone. The driver reads it after every wait.
    fn mono(&self) -> Instant {
        self.now().mono
    }

    /// The number of the current reactor, which a connection opened now depends on. Each reactor
    /// needs a number of its own. No connection of one reactor is used at another, because its own
    /// reactor may not run any more. Default: 0, for a single reactor.
    fn reactor(&self) -> u64 {
        0
    }

    /// The id of the process, if connections work after a fork. The child then opens its own
    /// connections, and leaves those of the parent alone. It is read before each request that needs
    /// a connection. Default: `None`, for runtimes that do not survive a fork, such as those with a
    /// reactor.
    fn process(&self) -> Option<u32> {
        None
    }

    /// The environment: proxies, logins, and the paths of certificates. A session reads it before
    /// its first request that trusts the environment, and keeps it. Default: the environment of the
    /// process. A simulated runtime overrides it.
    fn environment(&self) -> Environment {
        crate::environment::read()
    }

    /// The same environment with the certificates of the [authorities](Environment::unread) that it
    /// names. A session reads them when it first needs TLS, and keeps them. Default: from the file
    /// system, once per process and state of the files.
    fn read_authorities(&self, environment: &Environment) -> Environment {
        crate::authorities::with_certificates(environment)
    }

    /// The seed of one session, for example for the boundaries of its forms. It is called once for
    /// each session. Default: random bytes of the system. A simulated runtime overrides it.
    fn seed(&self) -> Seed {
        crate::chance::of_the_system()
    }
}

/// A timer that can be reset.
pub trait Sleep: 'static {
    /// Is ready once the time has come.
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Sets another time.
    fn reset(&mut self, at: Instant);
}

/// A connected byte stream.
pub trait Stream: Unpin + 'static {
    /// Whether [`poll_read_alone`](Self::poll_read_alone) and the futures of the runtime may block
    /// instead of being pending. Then the driver reads the clock after each of them. Default:
    /// `false`.
    const BLOCKS: bool = false;

    /// Reads into `room`, which is not empty; 0 is the end of the stream.
    ///
    /// # Errors
    /// Any error of the socket. Interrupted reads are repeated.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Reads like [`poll_read`](Self::poll_read), while the call waits only for this read and for
    /// the time. A stream that can block in its read may do so, until `deadline` at most. That
    /// saves the system call of a separate wait. Default: [`poll_read`](Self::poll_read).
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read).
    fn poll_read_alone(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut [u8],
        _deadline: Option<Instant>,
    ) -> Poll<io::Result<usize>> {
        self.poll_read(cx, room)
    }

    /// Writes from `bytes`, which is not empty.
    ///
    /// After [`Poll::Pending`] the next `bytes` begin with these bytes, unless the connection is
    /// being closed. So a write of a completion runtime may own a copy of them until it is done.
    ///
    /// # Errors
    /// Any error of the socket. Interrupted writes are repeated.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Returns `true` if nothing can be read: the peer has neither closed the connection nor sent
    /// anything. It checks the socket itself, because the runtime's last event may be outdated.
    ///
    /// The driver calls it before each request on a reused connection, and before the first bytes
    /// on a new one. Bytes that were readable before the request was written are no response to it.
    fn is_idle_open(&self) -> bool;
}
