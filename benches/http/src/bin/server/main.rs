//! The server of these benches: one thread, answers that were made before, three system calls for a small request:
//! one that waits for whoever has something to say, one read, one write. It listens on all of 127.0.0.0/8, prints its
//! port, and ends with its standard input.

mod answers;
mod connection;
mod gate;
mod input;
mod route;

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use bench_http::Outcome;
use connection::Connection;
use gate::Gate;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token};

const LISTENER: Token = Token(0);
/// How much is read at once, for whichever connection.
const ROOM: usize = 64 << 10;

fn main() -> Outcome {
    // Every address of the loopback network is a host of the workload `hosts`, and only this one means them all.
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(|| {
        if let Err(error) = serve(listener) {
            eprintln!("the server: {error}");
        }
    });
    // Whoever started it holds the other end: it cannot outlive them.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn serve(mut listener: TcpListener) -> io::Result<()> {
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: HashMap<Token, Connection> = HashMap::new();
    let mut next = LISTENER.0;
    let mut gate = Gate::default();
    let mut room = vec![0; ROOM];
    let mut is_called = false;
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let token = event.token();
            if token == LISTENER {
                is_called = true;
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
        is_called = is_called && !accept(&listener, poll.registry(), &mut next, &mut connections)?;
    }
}

/// Whoever waits comes in, if it comes from this machine; whether that is all.
fn accept(
    listener: &TcpListener,
    registry: &Registry,
    next: &mut usize,
    connections: &mut HashMap<Token, Connection>,
) -> io::Result<bool> {
    loop {
        let (mut stream, peer) = match listener.accept() {
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
        connections.insert(Token(*next), Connection::new(stream));
    }
}
