//! The server: a port, its threads, and the methods for tests.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::acceptor::Acceptor;
use crate::adapter::{self, AdapterFactory};
use crate::memory_client::MemoryClient;
use crate::recorder::{Recorder, State};
use crate::recording::Recording;
use crate::register;
use crate::request::Request;
use crate::route_state::RouteState;
use crate::script::{Connection, Otherwise, Script};
use crate::script_queue::ScriptQueue;
use crate::shared::Shared;

/// The time limit of a wait in a test. The wait should take milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on its own port. It stops on drop: open connections are closed and its threads have
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

    /// Serves the routes on a free port of another address of this machine, such as `[127, 0, 0,
    /// 2]`. This makes another origin.
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

    /// Serves the routes on exactly this address. Port 0 takes a free port.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn listen(addr: SocketAddr) -> io::Result<Self> {
        Self::open(addr, Script::new().otherwise(Otherwise::Routes), None)
    }

    /// Serves the routes on a free port of 127.0.0.1, through these adapters. Its URLs
    /// are `https`, unless the factory is [`clear`](AdapterFactory::clear).
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn adapted(adapters: AdapterFactory) -> Self {
        Self::adapted_scripted(adapters, Script::new().otherwise(Otherwise::Routes))
    }

    /// Plays a script on a free port of 127.0.0.1, through these adapters.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn adapted_scripted(adapters: AdapterFactory, script: impl Into<Script>) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::open(addr, script.into(), Some(adapters))
            .unwrap_or_else(|error| panic!("cannot listen on {addr}: {error}"))
    }

    fn open(addr: SocketAddr, script: Script, adapters: Option<AdapterFactory>) -> io::Result<Self> {
        let listener = bind(addr)?;
        let addr = listener.local_addr()?;
        let shared = Shared {
            recorder: Arc::new(Recorder::new()),
            site: Arc::new(RouteState::default()),
            script_queue: Arc::new(ScriptQueue::new(script)),
            memory_clients: Arc::default(),
            adapters: adapter::replaced(adapters),
        };
        // A server that refuses all clients has to refuse before its address is known.
        let refuses = shared.script_queue.refuses();
        let acceptor = if refuses { None } else { Some(Acceptor::start(listener, shared.clone())?) };
        if !refuses {
            register::add(addr, shared.clone());
        }
        Ok(Self { addr, shared, acceptor })
    }

    /// The address on which the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path on this server; the path starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.addr)
    }

    /// The URL of a path with another name for the host, such as `localhost`.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme(), self.addr.port())
    }

    fn scheme(&self) -> &'static str {
        match &self.shared.adapters {
            Some(adapters) if !adapters.is_clear() => "https",
            _ => "http",
        }
    }

    /// The recordings so far, connection by connection.
    pub fn connections(&self) -> Vec<Recording> {
        self.shared.recorder.read(|state| state.connections().to_vec())
    }

    /// The recording of one connection. The first is 0.
    ///
    /// # Panics
    ///
    /// If it was not accepted yet.
    pub fn connection(&self, number: usize) -> Recording {
        self.shared.recorder.read(|state| state.connections()[number].clone())
    }

    /// All complete requests so far, in the order of their connections.
    pub fn requests(&self) -> Vec<Request> {
        self.connections().iter().flat_map(Recording::requests).collect()
    }

    /// The number of connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.shared.recorder.read(State::accepted)
    }

    /// The number of connections that are open.
    pub fn open_connections(&self) -> usize {
        self.shared.recorder.read(State::open)
    }

    /// The number of connections that came after the script was used up.
    pub fn unexpected(&self) -> usize {
        self.shared.recorder.read(State::unexpected)
    }

    /// Blocks until `done` returns `true` for the recording.
    ///
    /// # Panics
    ///
    /// If that takes longer than 20 seconds. The message shows the recording.
    #[track_caller]
    pub fn wait_until(&self, mut done: impl FnMut(&State) -> bool) {
        self.wait("the state a test waits for", |state| done(state).then_some(()));
    }

    /// Blocks until this connection was accepted and has ended.
    ///
    /// # Panics
    ///
    /// If that takes longer than 20 seconds, as in [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_closed(&self, number: usize) -> Recording {
        self.wait_recording("the end", number, |recording| !recording.is_open())
    }

    /// Blocks until `count` bytes were received on this connection. Panics like
    /// [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_received(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more bytes", number, |recording| recording.received.len() >= count)
    }

    /// Blocks until `count` complete requests were received on this connection. Panics like
    /// [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_requests(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more requests", number, |recording| recording.requests().len() >= count)
    }

    /// Blocks until `count` connections were accepted. Panics like
    /// [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_accepted(&self, count: usize) {
        self.wait("more connections", |state| (state.accepted() >= count).then_some(()));
    }

    /// Blocks until exactly `count` connections are open. Panics like
    /// [`wait_until`](Self::wait_until).
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
        let found = self.shared.recorder.wait(PATIENCE, done);
        found.unwrap_or_else(|| {
            panic!("waited in vain for {what}; {}", self.shared.recorder.read(State::summary))
        })
    }

    /// Blocks until `count` steps of this connection's script were played. Panics like
    /// [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_steps(&self, number: usize, count: usize) -> Recording {
        self.wait_recording("more steps", number, |recording| recording.steps >= count)
    }

    /// Blocks until this connection's script waits at a stall or a gate. Panics like
    /// [`wait_until`](Self::wait_until).
    #[track_caller]
    pub fn wait_stalled(&self, number: usize) -> Recording {
        self.wait_recording("a stall", number, |recording| recording.stalled)
    }

    /// Plays this on the next connection that has no script yet.
    pub fn script_next(&self, connection: Connection) {
        self.shared.script_queue.push(connection);
    }

    /// Plays this for the next request of this path that the routes would serve. A second call
    /// applies to the request after that.
    ///
    /// The request has not been read when the script begins, so the first step has to read it. When
    /// its steps are used up, the connection returns to the routes.
    pub fn script_path(&self, path: &str, connection: Connection) {
        self.shared.script_queue.push_for_path(path, connection);
    }

    /// Releases all scripts that are stalled, and those that stall later.
    pub fn release(&self) {
        self.shared.recorder.release();
    }

    /// Opens the gate of this name permanently.
    pub fn open_gate(&self, name: &str) {
        self.shared.recorder.open_gate(name);
    }

    /// Closes all open connections and continues to listen, as a server does that closes idle
    /// connections.
    pub fn disconnect(&self) {
        self.shared.recorder.disconnect();
    }

    /// Ends all logins, as `/expire` does, and returns their number.
    pub fn expire_logins(&self) -> usize {
        self.shared.site.logins().expire()
    }

    /// Ends the last token of `/oauth/token`, as `/oauth/revoke` does.
    pub fn revoke_token(&self) {
        self.shared.site.tokens().revoke();
    }

    /// Sets whether bytes of connections are recorded from now on. Without it only the connections
    /// are recorded, so a server that runs for days does not keep all bytes.
    pub fn record_bytes(&self, keep: bool) {
        self.shared.recorder.keep(keep);
    }
}

thread_local! {
    static BEFORE: RefCell<BTreeSet<SocketAddr>> = const { RefCell::new(BTreeSet::new()) };
}

/// Listens. A random port is never one that this thread had before. Otherwise the client of a test
/// could reuse connections and state of an earlier server.
fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let mut had = Vec::new();
    loop {
        let listener = TcpListener::bind(addr)?;
        let bound = listener.local_addr()?;
        if BEFORE.with_borrow_mut(|before| before.insert(bound)) || addr.port() != 0 || had.len() > 100 {
            return Ok(listener);
        }
        // Kept open, so that the system picks another port next.
        had.push(listener);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        register::remove(self.addr, &self.shared);
        self.shared.recorder.stop();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join();
        }
        let memory_clients = std::mem::take(&mut *self.shared.memory_clients());
        memory_clients.into_iter().for_each(MemoryClient::join);
    }
}
