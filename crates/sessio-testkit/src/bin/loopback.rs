//! `loopback [port]` runs the server until it is killed. It serves manual use and programs that are
//! not tests.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use sessio_testkit::Server;

fn main() -> ExitCode {
    let port = match std::env::args().nth(1).map(|port| port.parse()) {
        None => 0,
        Some(Ok(port)) => port,
        Some(Err(_)) => {
            eprintln!("usage: loopback [port]");
            return ExitCode::from(2);
        }
    };
    match run(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot listen on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(addr: SocketAddr) -> io::Result<()> {
    let server = Server::listen(addr)?;
    server.record_bytes(false);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", server.url(""))?;
    // A reader of the address reads from a pipe, and a pipe is not flushed at the end of a line.
    out.flush()?;
    loop {
        std::thread::park();
    }
}
