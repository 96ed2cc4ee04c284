//! What a runtime supplies: names, sockets and time. Nothing about HTTP.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Instant;

use sessio::{Environment, Now, Seed, Tcp};

/// A runtime: where sockets and time come from.
///
/// A value of it is a handle, cheap to clone. Its futures are dropped whenever a caller gives up or a time
/// limit ends, and must give back then what they hold.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A connected byte stream.
    type Stream: Stream;
    /// A timer.
    type Sleep: Sleep;

    /// The addresses of a host, best first. Literal addresses never get here, nor do hosts that are pinned, nor
    /// any while the session has a resolver of its own.
    ///
    /// # Errors
    /// Whatever the resolver says.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Opens a connection, over a socket that is as `tcp` says. The future is dropped at `deadline`; only a
    /// runtime that blocks has to look at it.
    ///
    /// # Errors
    /// Whatever the network says. What the system cannot do of `tcp` is
    /// [`Unsupported`](io::ErrorKind::Unsupported); what has no meaning on this network may be left aside.
    fn connect(
        &self,
        address: SocketAddr,
        tcp: Tcp,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Opens a connection to the Unix socket at `path`, as [`connect`](Self::connect) does to an address.
    ///
    /// # Errors
    /// Whatever the system says; of itself it is [`Unsupported`](io::ErrorKind::Unsupported).
    fn connect_unix(
        &self,
        path: &Path,
        deadline: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send {
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

    /// What the environment says of proxies, certificates and logins: read when a session first sends something that
    /// trusts it, and kept. That of the process unless the runtime knows better: one that simulates everything has one
    /// of its own.
    fn environment(&self) -> Environment {
        crate::environment::read()
    }

    /// The chance of one session, such as the boundaries of its forms: once for each, and from the system unless the
    /// runtime knows better. One that simulates everything does.
    fn seed(&self) -> Seed {
        crate::chance::of_the_system()
    }
}

/// A timer that can be moved.
pub trait Sleep: Send + 'static {
    /// Whether it has gone off.
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets it go off at another time.
    fn reset(&mut self, at: Instant);
}

/// A connected byte stream.
pub trait Stream: Send + Unpin + 'static {
    /// Whether a poll may wait rather than be pending: the clock is read after each one then.
    const BLOCKS: bool = false;

    /// Reads into `room`, which is not empty; 0 is the end of the stream.
    ///
    /// # Errors
    /// Whatever the socket says; interruptions are not told.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from `bytes`, which is not empty.
    ///
    /// # Errors
    /// Whatever the socket says; interruptions are not told.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Until when the polls that follow may wait, for a stream that blocks: it is pending then, and wakes
    /// itself. A time that has passed is a glance, which does not wait at all. Whoever does not block has no use for it.
    fn wait_until(&mut self, _deadline: Option<Instant>) {}

    /// Whether nothing is there to be read: the peer has neither closed the connection nor sent anything on it. The
    /// socket itself is asked, not what the runtime last heard of it.
    ///
    /// It is asked before each request on a connection that was used before, and before the first bytes on a new one:
    /// what was readable before the request was written is no response to it.
    fn is_idle_open(&self) -> bool;
}
