//! The servers of this process by address, for connections without a socket.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::memory_client::MemoryClient;
use crate::memory_connection::MemoryConnection;
use crate::network::Network;
use crate::pipe::{Pipe, SharedPipe, Turns};
use crate::serve::serve;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::wire::Wire;

static SERVERS: Mutex<BTreeMap<SocketAddr, Shared>> = Mutex::new(BTreeMap::new());

fn servers() -> MutexGuard<'static, BTreeMap<SocketAddr, Shared>> {
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn add(addr: SocketAddr, server: Shared) {
    servers().insert(addr, server);
}

/// Removes a server, unless another one has taken over its address.
pub(crate) fn remove(addr: SocketAddr, server: &Shared) {
    let mut servers = servers();
    if servers.get(&addr).is_some_and(|added| Arc::ptr_eq(&added.recorder, &server.recorder)) {
        servers.remove(&addr);
    }
}

/// Connects without a socket from the address `from` to the [`Server`](crate::Server) of this
/// process that has the address `to`. The server treats it like any other connection, but in the
/// time of the network. Pauses and time limits of scripts and routes take no real time. A thread
/// that waits for the server advances the network.
///
/// # Errors
///
/// `ConnectionRefused` if there is no server at `to`, or if it does not accept.
pub fn dial(
    from: IpAddr,
    to: SocketAddr,
    network: Arc<dyn Network>,
    now: Instant,
) -> io::Result<MemoryConnection> {
    let found = servers().get(&to).cloned();
    let server =
        found.filter(|server| !server.script_queue.refuses()).ok_or(io::ErrorKind::ConnectionRefused)?;
    server.recorder.join(network);
    let middle = SharedPipe::new(now);
    let socket = server.adapt(Socket::Memory(Pipe::new(Arc::clone(&middle))));
    let peer = SocketAddr::new(from, 0);
    let number = server.recorder.admit(Arc::clone(&socket), peer).ok_or(io::ErrorKind::ConnectionRefused)?;
    let wire = Wire::new(number, from, socket, Arc::clone(&server.recorder));
    let part = server.script_queue.next();
    let (site, script_queue) = (Arc::clone(&server.site), Arc::clone(&server.script_queue));
    let turns = Arc::clone(&middle);
    let thread = thread::Builder::new().name(format!("line {number}")).spawn(move || {
        let _turns = Turns::of(turns);
        serve(wire, &part, &site, &script_queue);
    })?;
    server.memory_clients().push(MemoryClient { middle: Arc::clone(&middle), thread });
    Ok(MemoryConnection::new(middle))
}
