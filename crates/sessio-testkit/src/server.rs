//! The server: a port, its threads, and what a test asks of it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::acceptor::Acceptor;
use crate::coat::{self, Wardrobe};
use crate::guest::Guest;
use crate::journal::{Journal, State};
use crate::playlist::Playlist;
use crate::recording::Recording;
use crate::register;
use crate::request::Request;
use crate::script::{Connection, Otherwise, Script};
use crate::shared::Shared;
use crate::site::Site;

/// How long a test waits for what should be a matter of milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own. It stops when it is dropped: open connections are closed, its threads have
/// ended.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    shared: Shared,
    acceptor: Option<Acceptor>,
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

    /// Serves the routes on a free port of another address of this machine, `[127, 0, 0, 2]` for one: another
    /// origin.
    ///
    /// # Panics
    ///
    /// If the machine does not have this address.
    pub fn start_on(ip: impl Into<IpAddr>) -> Self {
        Self::scripted_on(ip, Script::new().otherwise(Otherwise::Routes))
    }

    /// Plays a script on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn scripted(script: impl Into<Script>) -> Self {
        Self::scripted_on(Ipv4Addr::LOCALHOST, script)
    }

    /// Plays a script on a free port of another address of this machine.
    ///
    /// # Panics
    ///
    /// If the machine does not have this address.
    pub fn scripted_on(ip: impl Into<IpAddr>, script: impl Into<Script>) -> Self {
        let addr = SocketAddr::new(ip.into(), 0);
        Self::open(addr, script.into(), None)
            .unwrap_or_else(|error| panic!("cannot listen on {addr}: {error}"))
    }

    /// Serves the routes on this very address; port 0 is a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn listen(addr: SocketAddr) -> io::Result<Self> {
        Self::open(addr, Script::new().otherwise(Otherwise::Routes), None)
    }

    /// Serves the routes on a free port of 127.0.0.1, in these coats: its URLs are `https`.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn dressed(wardrobe: Wardrobe) -> Self {
        Self::dressed_scripted(wardrobe, Script::new().otherwise(Otherwise::Routes))
    }

    /// Plays a script on a free port of 127.0.0.1, in these coats.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn dressed_scripted(wardrobe: Wardrobe, script: impl Into<Script>) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::open(addr, script.into(), Some(wardrobe))
            .unwrap_or_else(|error| panic!("cannot listen on {addr}: {error}"))
    }

    fn open(addr: SocketAddr, script: Script, wardrobe: Option<Wardrobe>) -> io::Result<Self> {
        let listener = bind(addr)?;
        let addr = listener.local_addr()?;
        let shared = Shared {
            journal: Arc::new(Journal::new()),
            site: Arc::new(Site::default()),
            playlist: Arc::new(Playlist::new(script)),
            guests: Arc::default(),
            wardrobe: coat::dressed(wardrobe),
        };
        // A server that is to refuse everybody has refused before anyone knows its address.
        let refuses = shared.playlist.refuses();
        let acceptor = if refuses { None } else { Some(Acceptor::start(listener, shared.clone())?) };
        if !refuses {
            register::enter(addr, shared.clone());
        }
        Ok(Self { addr, shared, acceptor })
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path on this server; the path starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.addr)
    }

    /// The same under another name for the host, `localhost` for one.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme(), self.addr.port())
    }

    fn scheme(&self) -> &'static str {
        match &self.shared.wardrobe {
            Some(wardrobe) if !wardrobe.is_clear() => "https",
            _ => "http",
        }
    }

    /// What was recorded so far, connection by connection.
    pub fn connections(&self) -> Vec<Recording> {
        self.shared.journal.read(|state| state.connections().to_vec())
    }

    /// What was recorded of one connection; they are counted from 0.
    ///
    /// # Panics
    ///
    /// If it was not accepted yet.
    pub fn connection(&self, number: usize) -> Recording {
        self.shared.journal.read(|state| state.connections()[number].clone())
    }

    /// All whole requests so far, those of the first connection first.
    pub fn requests(&self) -> Vec<Request> {
        self.connections().iter().flat_map(Recording::requests).collect()
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.shared.journal.read(State::accepted)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.shared.journal.read(State::open)
    }

    /// How many connections came when the script had none left.
    pub fn unexpected(&self) -> usize {
        self.shared.journal.read(State::unexpected)
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
        let found = self.shared.journal.wait(PATIENCE, done);
        found.unwrap_or_else(|| {
            panic!("waited in vain for {what}; {}", self.shared.journal.read(State::summary))
        })
    }

    /// Blocks until so many steps of this connection's script were played.
    #[track_caller]
    pub fn wait_steps(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more steps", number, |recording| recording.steps >= count)
    }

    /// Blocks until this connection's script waits at a stall or at a gate.
    #[track_caller]
    pub fn wait_stalled(&self, number: usize) -> Recording {
        self.wait_recording("a stall", number, |recording| recording.stalled)
    }

    /// Plays this on the next connection for which there is no script yet.
    pub fn script_next(&self, connection: Connection) {
        self.shared.playlist.push(connection);
    }

    /// Plays this for the next request of this path that the routes would answer; another call, for the one
    /// after it.
    ///
    /// The request has not been read when the script begins: its first step is to. When its steps are used
    /// up, the connection goes back to the routes.
    pub fn script_path(&self, path: &str, connection: Connection) {
        self.shared.playlist.push_for_path(path, connection);
    }

    /// Lets all scripts go on that are stalled, and those that stall later.
    pub fn release(&self) {
        self.shared.journal.release();
    }

    /// Opens the gate of this name, for good.
    pub fn open_gate(&self, name: &str) {
        self.shared.journal.open_gate(name);
    }

    /// Closes all open connections and goes on listening, as a server does that has lost patience with idle
    /// clients.
    pub fn disconnect(&self) {
        self.shared.journal.disconnect();
    }

    /// Ends all logins, as `/expire` does, and says how many there were.
    pub fn expire_logins(&self) -> usize {
        self.shared.site.logins().expire()
    }

    /// Records the bytes of connections from now on, or only that there were connections: a server that runs
    /// for days must not keep all it has seen.
    pub fn record_bytes(&self, keep: bool) {
        self.shared.journal.keep(keep);
    }
}

thread_local! {
    static BEFORE: RefCell<BTreeSet<SocketAddr>> = const { RefCell::new(BTreeSet::new()) };
}

/// Listens. A port that may be any is not one that this thread has had before: the client of a test would
/// take the server for an earlier one, and use what it has of that.
fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let mut had = Vec::new();
    loop {
        let listener = TcpListener::bind(addr)?;
        let bound = listener.local_addr()?;
        if BEFORE.with_borrow_mut(|before| before.insert(bound)) || addr.port() != 0 || had.len() > 100 {
            return Ok(listener);
        }
        // Held, so that the next one is another.
        had.push(listener);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        register::strike(self.addr, &self.shared);
        self.shared.journal.stop();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join();
        }
        let guests = std::mem::take(&mut *self.shared.guests());
        guests.into_iter().for_each(Guest::join);
    }
}
