//! What a runtime supplies: names, sockets and time. Nothing about HTTP.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};

use sessio::{Environment, Instant, Now, Seed, Tcp};

/// A runtime: where sockets and time come from.
///
/// A value of it is a handle, cheap to clone. Its futures are dropped whenever a caller gives up or a time
/// limit ends, and must give back then what they hold.
///
/// Neither the runtime nor its futures, streams and timers need be [`Send`]. The futures of a session are `Send` where all
/// of these are, and stay on their thread where one of them is not: it may have an [`Rc`](std::rc::Rc).
pub trait Runtime: Clone + 'static {
    /// A connected byte stream.
    type Stream: Stream;
    /// A timer.
    type Sleep: Sleep;

    /// The addresses of a host, best first. Literal addresses never get here, nor do hosts that are pinned, nor
    /// any while the session has a resolver of its own.
    ///
    /// # Errors
    /// Whatever the resolver says.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;

    /// Opens a connection, over a socket that is as `tcp` says. Several may be under way at once. The future is dropped at
    /// `deadline`; only a runtime that blocks has to look at it.
    ///
    /// # Errors
    /// Whatever the network says. What the system cannot do of `tcp` is
    /// [`Unsupported`](io::ErrorKind::Unsupported); what has no meaning on this network may be left aside.
    fn connect(
        &self,
        address: SocketAddr,
        tcp: Tcp,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Opens a connection to the Unix socket at `path`, as [`connect`](Self::connect) does to an address.
    ///
    /// # Errors
    /// Whatever the system says; of itself it is [`Unsupported`](io::ErrorKind::Unsupported).
    fn connect_unix(
        &self,
        path: &Path,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>> {
        let _ = (path, deadline);
        async { Err(io::Error::new(io::ErrorKind::Unsupported, "this runtime has no Unix sockets")) }
    }

    /// A timer that goes off at `at`.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// What time it is.
    fn now(&self) -> Now;

    /// What time it is by the clock of deadlines alone, which is asked for after every wait.
    fn mono(&self) -> Instant {
        self.now().mono
    }

    /// The reactor that a connection opened now depends on, by a number that no other reactor has; 0, as it is of itself, if
    /// there is only one. No connection of one reactor is used at another: nobody may drive its own any more.
    fn reactor(&self) -> u64 {
        0
    }

    /// The process, by its number, if its connections can be used after a fork: the child opens its own then, and leaves
    /// those of the parent alone. It is asked before each request that wants a connection. `None`, as it is of itself,
    /// is for runtimes that do not survive a fork, as those with a reactor do not.
    fn process(&self) -> Option<u32> {
        None
    }

    /// What the environment says of proxies and logins, and where certificates are: read when a session first sends
    /// something that trusts it, and kept. That of the process unless the runtime knows better: one that simulates
    /// everything has one of its own.
    fn environment(&self) -> Environment {
        crate::environment::read()
    }

    /// The same environment with the certificates of the [authorities](Environment::unread) that it names. A session wants
    /// them when it first wants TLS, and keeps them. They are read from the file system, once per process and state of the
    /// files, unless the runtime knows better.
    fn read_authorities(&self, environment: &Environment) -> Environment {
        crate::authorities::with_certificates(environment)
    }

    /// The chance of one session, such as the boundaries of its forms: once for each, and from the system unless the
    /// runtime knows better. One that simulates everything does.
    fn seed(&self) -> Seed {
        crate::chance::of_the_system()
    }
}

/// A timer that can be moved.
pub trait Sleep: 'static {
    /// Whether it has gone off.
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets it go off at another time.
    fn reset(&mut self, at: Instant);
}

/// A connected byte stream.
pub trait Stream: Unpin + 'static {
    /// Whether [`poll_read_alone`](Self::poll_read_alone) and the futures of the runtime may wait rather than be pending:
    /// the clock is read after each one then.
    const BLOCKS: bool = false;

    /// Reads into `room`, which is not empty; 0 is the end of the stream.
    ///
    /// # Errors
    /// Whatever the socket says; interruptions are not told.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// As [`poll_read`](Self::poll_read), while the call waits for nothing but this read and the time. A stream that can
    /// wait in its system call may do so, until `deadline` at most, and saves the call that waits. Of itself it does not.
    ///
    /// # Errors
    /// As [`poll_read`](Self::poll_read).
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
    /// # Errors
    /// Whatever the socket says; interruptions are not told.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Whether nothing is there to be read: the peer has neither closed the connection nor sent anything on it. The
    /// socket itself is asked, not what the runtime last heard of it.
    ///
    /// It is asked before each request on a connection that was used before, and before the first bytes on a new one:
    /// what was readable before the request was written is no response to it.
    fn is_idle_open(&self) -> bool;
}
