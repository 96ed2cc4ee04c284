//! The thread that accepts connections and gives each a thread of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::playlist::Part;
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

    /// Waits for the thread and those of the connections. The journal has been told to stop, so none of them
    /// stays.
    ///
    /// The thread sits in `accept`, which only a connection ends. Where none can be made, the thread is left
    /// behind rather than waited for.
    pub(crate) fn join(self) {
        for _ in 0..10 {
            let rung = TcpStream::connect_timeout(&self.doorbell(), Duration::from_secs(1));
            // A port that refuses was closed by the thread, which is past accepting.
            if rung.map_or_else(|error| error.kind() == io::ErrorKind::ConnectionRefused, |_| true) {
                // A panic in there was printed where it happened, and must not abort a test that is
                // unwinding.
                let _ = self.thread.join();
                return;
            }
        }
    }

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

/// Accepts until the server stops or is to refuse, then waits for the connections.
fn run(listener: TcpListener, shared: &Shared) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut listener = Some(listener);
    while let Some(open) = &listener {
        let Ok((socket, peer)) = open.accept() else {
            if shared.journal.is_stopping() {
                break;
            }
            // Out of descriptors, most likely: some will come back when connections close.
            shared.journal.pause(Duration::from_millis(10));
            continue;
        };
        // Without it, small writes would be merged or wait for acknowledgements: answers late, cuts gone.
        let _ = socket.set_nodelay(true);
        let socket = shared.dress(Socket::Tcp(socket));
        let Some(number) = shared.journal.admit(Arc::clone(&socket), peer) else { break };
        let wire = Wire::new(number, peer.ip(), socket, Arc::clone(&shared.journal));
        let part = shared.playlist.next();
        if shared.playlist.refuses() {
            // Before the last connection is served: who has an answer on it is refused from now on.
            listener = None;
        }
        threads.retain(|thread| !thread.is_finished());
        threads.extend(spawn(wire, part, shared));
    }
    for thread in threads {
        // A panic in there was printed where it happened; the wire recorded the end.
        let _ = thread.join();
    }
}

fn spawn(wire: Wire, part: Part, shared: &Shared) -> io::Result<JoinHandle<()>> {
    let shared = shared.clone();
    let name = format!("connection {}", wire.number());
    thread::Builder::new().name(name).spawn(move || serve(wire, &part, &shared.site, &shared.playlist))
}
