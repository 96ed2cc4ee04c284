//! The server of these benches: one thread, answers that were made before, three system calls for a small request:
//! one that waits for whoever has something to say, one read, one write. It listens on all of 127.0.0.0/8, on one port
//! as it is and on another by TLS, prints both and the file that its root lies in, and ends with its standard input.

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

/// Its number is its token.
const LISTENERS: usize = 2;
/// How much is read at once, for whichever connection.
const ROOM: usize = 64 << 10;

fn main() -> Outcome {
    // Every address of the loopback network is a host of the workload `hosts`, and only this one means them all.
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
    // Whoever started it holds the other end: it cannot outlive them.
    io::stdin().read_to_end(&mut Vec::new())?;
    std::fs::remove_file(file)?;
    Ok(())
}

/// Where connections come in, and what those have to speak.
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
            // Clients come and go as they like; what they miss they report themselves.
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
        // After those who leave: the next client may come while ten thousand connections of the last one are closed.
        for (is_called, door) in is_called.iter_mut().zip(&doors) {
            *is_called = *is_called && !accept(door, poll.registry(), &mut next, &mut connections)?;
        }
    }
}

/// Whoever waits comes in, if it comes from this machine; whether that is all.
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
            // No file is left for it: it waits until one is.
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
