//! The server of these benches: one thread, and responses made in advance. A small request costs
//! three system calls: one that waits for ready sockets, one read, one write. It listens on all of
//! 127.0.0.0/8, on one port in clear text and on another over TLS. It prints both ports and the
//! file with its root certificate, and ends with its standard input.

mod answers;
mod connection;
mod gate;
mod input;
mod route;
mod socket;

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use bench_http::Outcome;
use connection::Connection;
use gate::Gate;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token};
use rustls::ServerConfig;
use socket::Socket;

/// The number of a listener is its token.
const LISTENERS: usize = 2;
/// The size of the read buffer, which all connections share.
const ROOM: usize = 64 << 10;

fn main() -> Outcome {
    // Every address of the loopback network is a host of the workload `hosts`. Only the unspecified
    // address includes them all.
    let bind = || TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let (config, root) = socket::secured()?;
    let doors = [Door { listener: bind()?, config: None }, Door { listener: bind()?, config: Some(config) }];
    let file = std::env::temp_dir().join(format!("sessio-bench-root-{}.der", std::process::id()));
    std::fs::write(&file, root)?;
    let ports = [doors[0].listener.local_addr()?.port(), doors[1].listener.local_addr()?.port()];
    println!("{} {} {}", ports[0], ports[1], file.display());
    thread::spawn(|| {
        if let Err(error) = serve(doors) {
            eprintln!("the server: {error}");
        }
    });
    // The program that started it holds the other end, so it cannot outlive that program.
    io::stdin().read_to_end(&mut Vec::new())?;
    std::fs::remove_file(file)?;
    Ok(())
}

/// A listener, and the protocol of its connections.
struct Door {
    listener: TcpListener,
    config: Option<Arc<ServerConfig>>,
}

fn serve(mut doors: [Door; LISTENERS]) -> Outcome {
    let mut poll = Poll::new()?;
    for (at, door) in doors.iter_mut().enumerate() {
        poll.registry().register(&mut door.listener, Token(at), Interest::READABLE)?;
    }
    let mut events = Events::with_capacity(1024);
    let mut connections: HashMap<Token, Connection> = HashMap::new();
    let mut next = LISTENERS;
    let mut gate = Gate::default();
    let mut room = vec![0; ROOM];
    let mut is_called = [false; LISTENERS];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let token = event.token();
            if let Some(is_called) = is_called.get_mut(token.0) {
                *is_called = true;
                continue;
            }
            let Some(connection) = connections.get_mut(&token) else { continue };
            // Clients may close at any time. They report missing responses themselves.
            let is_open = connection.go_on(event.is_read_closed(), &mut room).unwrap_or(false);
            if let (true, Some(many)) = (is_open, connection.arrival()) {
                for held in gate.arrive(token, many) {
                    if let Some(connection) = connections.get_mut(&held)
                        && !connection.let_through().unwrap_or(false)
                    {
                        connections.remove(&held);
                    }
                }
            }
            if !is_open {
                connections.remove(&token);
            }
        }
        // New connections are accepted after the reads: ten thousand connections of the last client
        // may be closing while the next client connects.
        for (is_called, door) in is_called.iter_mut().zip(&doors) {
            *is_called = *is_called && !accept(door, poll.registry(), &mut next, &mut connections)?;
        }
    }
}

/// Accepts the waiting connections from this machine. Returns whether none is left.
fn accept(
    door: &Door,
    registry: &Registry,
    next: &mut usize,
    connections: &mut HashMap<Token, Connection>,
) -> Outcome<bool> {
    loop {
        let (mut stream, peer) = match door.listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            // No file descriptor is left, so the connection waits until one is free.
            Err(_) => return Ok(false),
        };
        if !peer.ip().is_loopback() {
            continue;
        }
        stream.set_nodelay(true)?;
        *next += 1;
        registry.register(&mut stream, Token(*next), Interest::READABLE | Interest::WRITABLE)?;
        connections.insert(Token(*next), Connection::new(Socket::new(stream, door.config.as_ref())?));
    }
}
