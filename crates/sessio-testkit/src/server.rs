//! The server: a port, its threads, and what a test asks of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::journal::{Journal, State};
use crate::recording::Recording;
use crate::request::Request;
use crate::serve::serve;
use crate::site::Site;
use crate::wire::Wire;

/// How long a test waits for what should be a matter of milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own. It stops when it is dropped: open connections are closed, its threads have ended.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    journal: Arc<Journal>,
    site: Arc<Site>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the routes on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start() -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST)
    }

    /// Serves the routes on a free port of another address of this machine, `[127, 0, 0, 2]` for one: another origin.
    ///
    /// # Panics
    ///
    /// If the machine does not have this address.
    pub fn start_on(ip: impl Into<IpAddr>) -> Self {
        let addr = SocketAddr::new(ip.into(), 0);
        Self::listen(addr).unwrap_or_else(|error| panic!("cannot listen on {addr}: {error}"))
    }

    /// Serves the routes on this very address; port 0 is a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn listen(addr: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let (journal, site) = (Arc::new(Journal::new()), Arc::new(Site::default()));
        let acceptor = {
            let (journal, site) = (Arc::clone(&journal), Arc::clone(&site));
            thread::Builder::new()
                .name(format!("accept {addr}"))
                .spawn(move || accept(&listener, &journal, &site))?
        };
        Ok(Self { addr, journal, site, acceptor: Some(acceptor) })
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path on this server; the path starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The same under another name for the host, `localhost` for one.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.addr.port())
    }

    /// What was recorded so far, connection by connection.
    pub fn connections(&self) -> Vec<Recording> {
        self.journal.read(|state| state.connections().to_vec())
    }

    /// What was recorded of one connection; they are counted from 0.
    ///
    /// # Panics
    ///
    /// If it was not accepted yet.
    pub fn connection(&self, number: usize) -> Recording {
        self.journal.read(|state| state.connections()[number].clone())
    }

    /// All whole requests so far, those of the first connection first.
    pub fn requests(&self) -> Vec<Request> {
        self.connections().iter().flat_map(Recording::requests).collect()
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.journal.read(State::accepted)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.journal.read(State::open)
    }

    /// How many connections came when the script had none left.
    pub fn unexpected(&self) -> usize {
        self.journal.read(State::unexpected)
    }

    /// Blocks until the recording is as a test wants it.
    ///
    /// # Panics
    ///
    /// If it has not become so within 20 seconds; the message shows what was recorded.
    #[track_caller]
    pub fn wait_until(&self, mut done: impl FnMut(&State) -> bool) {
        self.wait("the state a test waits for", |state| done(state).then_some(()));
    }

    /// Blocks until this connection was accepted and has ended.
    ///
    /// # Panics
    ///
    /// As [`wait_until`](Self::wait_until), as do all that follow.
    #[track_caller]
    pub fn wait_closed(&self, number: usize) -> Recording {
        self.wait_recording("the end", number, |recording| !recording.is_open())
    }

    /// Blocks until so many bytes were received on this connection.
    #[track_caller]
    pub fn wait_received(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more bytes", number, |recording| recording.received.len() >= count)
    }

    /// Blocks until so many whole requests were received on this connection.
    #[track_caller]
    pub fn wait_requests(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more requests", number, |recording| recording.requests().len() >= count)
    }

    /// Blocks until so many connections were accepted.
    #[track_caller]
    pub fn wait_accepted(&self, count: usize) {
        self.wait("more connections", |state| (state.accepted() >= count).then_some(()));
    }

    /// Blocks until exactly so many connections are open.
    #[track_caller]
    pub fn wait_open(&self, count: usize) {
        self.wait("the number of open connections", |state| (state.open() == count).then_some(()));
    }

    #[track_caller]
    fn wait_recording(&self, what: &str, number: usize, done: impl Fn(&Recording) -> bool) -> Recording {
        self.wait(what, |state| state.connections().get(number).filter(|recording| done(recording)).cloned())
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, done: impl FnMut(&State) -> Option<T>) -> T {
        let found = self.journal.wait(PATIENCE, done);
        found.unwrap_or_else(|| panic!("waited in vain for {what}; {}", self.journal.read(State::summary)))
    }

    /// Closes all open connections and goes on listening, as a server does that has lost patience with idle clients.
    pub fn disconnect(&self) {
        self.journal.disconnect();
    }

    /// Ends all logins, as `/expire` does, and says how many there were.
    pub fn expire_logins(&self) -> usize {
        self.site.logins().expire()
    }

    /// Records the bytes of connections from now on, or only counts connections: a server that runs for days keeps nothing.
    pub fn record_bytes(&self, keep: bool) {
        self.journal.keep(keep);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.journal.stop();
        let Some(acceptor) = self.acceptor.take() else { return };
        // The thread sits in `accept`, which only a connection ends. Where none can be made, the thread is left behind
        // rather than waited for.
        for _ in 0..10 {
            if acceptor.is_finished()
                || TcpStream::connect_timeout(&self.doorbell(), Duration::from_secs(1)).is_ok()
            {
                // It panics only if a connection's thread did; that has been printed and must not abort an unwinding test.
                let _ = acceptor.join();
                return;
            }
        }
    }
}

impl Server {
    /// An address that reaches the listener, also when it listens on all of them.
    fn doorbell(&self) -> SocketAddr {
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.addr.port())
    }
}

/// Accepts until the server stops, then waits for the connections' threads.
fn accept(listener: &TcpListener, journal: &Arc<Journal>, site: &Arc<Site>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !journal.is_stopping() {
        let Ok((socket, peer)) = listener.accept() else {
            // Out of descriptors, most likely: some will come back when connections close.
            journal.pause(Duration::from_millis(10));
            continue;
        };
        // Without it, small writes would be merged or wait for acknowledgements: answers late, cuts gone.
        let _ = socket.set_nodelay(true);
        let socket = Arc::new(socket);
        let Some(number) = journal.admit(Arc::clone(&socket), peer) else { break };
        let wire = Wire::new(number, peer.ip(), socket, Arc::clone(journal));
        let site = Arc::clone(site);
        let thread =
            thread::Builder::new().name(format!("connection {number}")).spawn(move || serve(wire, &site));
        threads.retain(|thread| !thread.is_finished());
        threads.extend(thread);
    }
    for thread in threads {
        // A panic in there was printed where it happened; the wire recorded the end.
        let _ = thread.join();
    }
}
