//! The server of these benches: answers that were made before, a thread for each connection, one read and one
//! write for a small request. It listens on 127.0.0.1, prints its port, and ends with its standard input.

mod answers;
mod connection;
mod gate;
mod route;

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use bench_http::Outcome;
use gate::Gate;

fn main() -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || accept(&listener));
    // Whoever started it holds the other end: it cannot outlive them.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn accept(listener: &TcpListener) {
    let gate = Arc::new(Gate::default());
    for stream in listener.incoming().flatten() {
        let gate = Arc::clone(&gate);
        let served = thread::Builder::new().stack_size(256 << 10).spawn(move || {
            // Clients come and go as they like; what they miss they report themselves.
            let _ = connection::serve(&stream, &gate);
        });
        if let Err(error) = served {
            eprintln!("no thread for a connection: {error}");
        }
    }
}
