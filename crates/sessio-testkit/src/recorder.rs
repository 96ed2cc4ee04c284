//! The state that all threads of a server share: recordings, open sockets, and the gates that
//! scripts wait for.

use std::collections::{BTreeMap, HashSet};
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::network::Network;
use crate::pipe::Pipe;
use crate::recording::{End, Recording};
use crate::socket::Socket;

/// The connections that a server has recorded so far.
#[derive(Debug, Default)]
pub struct State {
    connections: Vec<Recording>,
}

impl State {
    /// All connections in the order in which they were accepted, with the closed ones.
    pub fn connections(&self) -> &[Recording] {
        &self.connections
    }

    /// The number of connections that were accepted.
    pub fn accepted(&self) -> usize {
        self.connections.len()
    }

    /// The number of connections that are open now.
    pub fn open(&self) -> usize {
        self.connections.iter().filter(|c| c.is_open()).count()
    }

    /// The number of connections that came after the script was used up.
    pub fn unexpected(&self) -> usize {
        self.connections.iter().filter(|c| c.unexpected).count()
    }

    /// A short summary, for the message of a test whose wait timed out.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{} connections", self.accepted());
        for c in &self.connections {
            let (received, sent) = (c.received.len(), c.sent.len());
            text.push_str(&format!("\n  {}: {received} bytes received, {sent} sent, ", c.number));
            text.push_str(&format!(
                "{} steps, stalled {}, ended {:?}, fault {:?}",
                c.steps, c.stalled, c.ended, c.fault
            ));
            for request in c.requests() {
                text.push_str(&format!("\n     {}", String::from_utf8_lossy(&request.request_line)));
            }
        }
        text
    }
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// The open sockets, so that another thread can shut them down. No socket has a second
    /// descriptor: the kernel closes the connection when the last `Arc` is dropped.
    sockets: BTreeMap<usize, Arc<Socket>>,
    /// The network in memory that last connected to the server.
    network: Option<Arc<dyn Network>>,
    /// Connections that the server itself has shut down.
    shut: HashSet<usize>,
    /// Gates that were opened. They stay open.
    gates: HashSet<String>,
    /// Whether stalled scripts may continue, also those that stall later.
    released: bool,
    stopping: bool,
    keeping: bool,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Stalled scripts wait on this condition variable. A thousand of them must not be woken for
    /// each received byte.
    opened: Condvar,
}

impl Inner {
    /// Wakes the scripts of connections in memory, so that they check their conditions again.
    fn notify(&self) {
        self.sockets.values().filter_map(|socket| socket.pipe()).for_each(Pipe::notify);
    }
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            state: State::default(),
            sockets: BTreeMap::new(),
            network: None,
            shut: HashSet::new(),
            gates: HashSet::new(),
            released: false,
            stopping: false,
            keeping: true,
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), opened: Condvar::new() }
    }

    /// Locks the state. A panic leaves no half-finished change, so a poisoned lock is used as it
    /// is.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Like [`change`](Self::change), for a change that may let a stalled script continue.
    fn open_up<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = self.change(change);
        self.opened.notify_all();
        result
    }

    fn change_one(&self, number: usize, change: impl FnOnce(&mut Recording)) {
        self.change(|inner| inner.state.connections.get_mut(number).map(change));
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock().state)
    }

    /// Blocks until `done` returns a value, or until the time limit. If the server is reached in
    /// memory, the limit is the moment at which nothing more can happen.
    pub(crate) fn wait<T>(&self, limit: Duration, mut done: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let network = self.lock().network.clone();
        if let Some(network) = network {
            let mut found = None;
            network.advance_until(&mut || {
                found = done(&self.lock().state);
                found.is_some()
            });
            return found;
        }
        let deadline = Instant::now() + limit;
        let mut inner = self.lock();
        loop {
            if let Some(found) = done(&inner.state) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sets the network that threads advance while they wait.
    pub(crate) fn join(&self, network: Arc<dyn Network>) {
        self.lock().network = Some(network);
    }

    /// The number of a new connection, unless the server is stopping.
    pub(crate) fn admit(&self, socket: Arc<Socket>, peer: SocketAddr) -> Option<usize> {
        self.change(|inner| {
            let number = inner.state.connections.len();
            (!inner.stopping).then(|| {
                inner.state.connections.push(Recording::new(number, peer));
                inner.sockets.insert(number, socket);
                number
            })
        })
    }

    /// Drops the recorder's reference to a socket, so that its connection can close.
    pub(crate) fn forget_socket(&self, number: usize) {
        let socket = self.lock().sockets.remove(&number);
        drop(socket);
    }

    pub(crate) fn received(&self, number: usize, bytes: &[u8]) {
        self.change(|inner| {
            if inner.keeping {
                inner.state.connections[number].received.extend_from_slice(bytes);
            }
        });
    }

    pub(crate) fn sending(&self, number: usize, bytes: &[u8]) {
        self.change(|inner| {
            if inner.keeping {
                inner.state.connections[number].sent.extend_from_slice(bytes);
            }
        });
    }

    /// Removes the end of the bytes that [`sending`](Self::sending) recorded: the kernel did not
    /// accept them.
    pub(crate) fn unsent(&self, number: usize, count: usize) {
        self.change_one(number, |recording| {
            recording.sent.truncate(recording.sent.len().saturating_sub(count));
        });
    }

    pub(crate) fn fault(&self, number: usize, reason: &str) {
        self.change_one(number, |recording| recording.fault = Some(reason.to_owned()));
    }

    pub(crate) fn unexpected(&self, number: usize) {
        self.change_one(number, |recording| recording.unexpected = true);
    }

    pub(crate) fn step_done(&self, number: usize) {
        self.change_one(number, |recording| recording.steps += 1);
    }

    pub(crate) fn ended(&self, number: usize, end: End) {
        self.change_one(number, |recording| recording.ended = Some(end));
    }

    /// The end of a connection that the server itself ended. `None` if the client ended it.
    pub(crate) fn shut_by_server(&self, number: usize) -> Option<End> {
        let inner = self.lock();
        if inner.stopping {
            return Some(End::Stopped);
        }
        inner.shut.contains(&number).then_some(End::Server)
    }

    /// Shuts down all open connections. Their threads notice and end.
    pub(crate) fn disconnect(&self) {
        self.open_up(|inner| {
            for (number, socket) in &inner.sockets {
                inner.shut.insert(*number);
                // A connection that its client has reset cannot be shut down, and need not be.
                let _ = socket.shutdown(Shutdown::Both);
            }
        });
    }

    pub(crate) fn stop(&self) {
        self.open_up(|inner| inner.stopping = true);
        self.disconnect();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    pub(crate) fn open_gate(&self, name: &str) {
        self.open_up(|inner| {
            inner.gates.insert(name.to_owned());
            inner.notify();
        });
    }

    pub(crate) fn release(&self) {
        self.open_up(|inner| {
            inner.released = true;
            inner.notify();
        });
    }

    /// Blocks a script until its gate is open, or, without a gate, until all scripts are released.
    pub(crate) fn wait_for_gate(&self, number: usize, gate: Option<&str>) -> Result<(), End> {
        self.change_one(number, |recording| recording.stalled = true);
        let mut inner = self.lock();
        let result = loop {
            if inner.stopping {
                break Err(End::Stopped);
            }
            if inner.shut.contains(&number) {
                break Err(End::Server);
            }
            if gate.map_or(inner.released, |name| inner.gates.contains(name)) {
                break Ok(());
            }
            let socket = inner.sockets.get(&number).cloned();
            let pipe = socket.as_deref().and_then(Socket::pipe);
            inner = if let Some(pipe) = pipe.filter(|pipe| pipe.has_network()) {
                drop(inner);
                pipe.wait_for_notification();
                self.lock()
            } else {
                self.opened.wait(inner).unwrap_or_else(PoisonError::into_inner)
            };
        };
        inner.state.connections[number].stalled = false;
        drop(inner);
        self.changed.notify_all();
        result
    }

    /// Waits for `time`, or until the server stops.
    pub(crate) fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut inner = self.lock();
        while !inner.stopping {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(crate) fn keep(&self, keeping: bool) {
        self.change(|inner| inner.keeping = keeping);
    }
}
