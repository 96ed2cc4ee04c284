//! The thread that accepts connections and starts a thread for each.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::script_queue::Part;
use crate::serve::serve;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::wire::Wire;

#[derive(Debug)]
pub(crate) struct Acceptor {
    addr: SocketAddr,
    thread: JoinHandle<()>,
}

impl Acceptor {
    pub(crate) fn start(listener: TcpListener, shared: Shared) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let name = format!("accept {addr}");
        let thread = thread::Builder::new().name(name).spawn(move || run(listener, &shared))?;
        Ok(Self { addr, thread })
    }

    /// Waits for the accepting thread and the threads of the connections. The recorder has already
    /// been stopped, so they all end.
    ///
    /// The thread blocks in `accept`, which only a connection ends. If no connection can be made,
    /// the thread is left running, because a wait for it could last forever.
    pub(crate) fn join(self) {
        for _ in 0..10 {
            let woken = TcpStream::connect_timeout(&self.reachable_address(), Duration::from_secs(1));
            // If the port refuses, the thread has closed it and is not in `accept` any more.
            if woken.map_or_else(|error| error.kind() == io::ErrorKind::ConnectionRefused, |_| true) {
                // The panic of the thread was printed when it happened. Another panic here would
                // abort a test that is unwinding.
                let _ = self.thread.join();
                return;
            }
        }
    }

    /// An address that reaches the listener, also if it listens on all addresses.
    fn reachable_address(&self) -> SocketAddr {
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.addr.port())
    }
}

/// Accepts until the server stops or starts to refuse, then waits for the connections.
fn run(listener: TcpListener, shared: &Shared) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut listener = Some(listener);
    while let Some(open) = &listener {
        let Ok((socket, peer)) = open.accept() else {
            if shared.recorder.is_stopping() {
                break;
            }
            // Probably out of file descriptors. Some become free when connections close.
            shared.recorder.pause(Duration::from_millis(10));
            continue;
        };
        // Without it, the kernel merges small writes, or delays them until an acknowledgement. Then
        // responses are late, and the cuts of a script are lost.
        let _ = socket.set_nodelay(true);
        let socket = shared.adapt(Socket::Tcp(socket));
        let Some(number) = shared.recorder.admit(Arc::clone(&socket), peer) else { break };
        let wire = Wire::new(number, peer.ip(), socket, Arc::clone(&shared.recorder));
        let part = shared.script_queue.next();
        if shared.script_queue.refuses() {
            // Closed before the last connection is served. A client that has read a response on it
            // is refused if it connects again.
            listener = None;
        }
        threads.retain(|thread| !thread.is_finished());
        threads.extend(spawn(wire, part, shared));
    }
    for thread in threads {
        // The panic of the thread was printed when it happened. The wire has recorded the end.
        let _ = thread.join();
    }
}

fn spawn(wire: Wire, part: Part, shared: &Shared) -> io::Result<JoinHandle<()>> {
    let shared = shared.clone();
    let name = format!("connection {}", wire.number());
    thread::Builder::new().name(name).spawn(move || serve(wire, &part, &shared.site, &shared.script_queue))
}
