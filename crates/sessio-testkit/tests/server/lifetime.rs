//! The start and the end of servers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use sessio_testkit::{Connection, End, Server};

use crate::client::Client;

/// Far shorter than any wait in the server, and far longer than a stop takes.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn a_server_stops_whatever_its_connections_do() {
    let server = Server::scripted([
        Connection::new().stall(),
        Connection::new().gate("never"),
        Connection::new().expect_request(),
        Connection::new().send("x".repeat(1 << 20)).forever(),
        Connection::new().send("x").pace(Duration::from_secs(1000)),
        Connection::new().expect_request().reset(),
        Connection::new().routes(),
        Connection::new(),
    ]);
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(&server)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        if number == 6 {
            client.write("GET /delay/1000 HTTP/1.1\r\nHost: a\r\n\r\n");
        }
    }
    server.wait_stalled(0);
    server.wait_stalled(1);
    server.wait_requests(6, 1);
    // No client reads, so the send fills the buffers of the kernel. The number of bytes does not
    // matter.
    server.wait_until(|state| {
        state.connections()[3].sent.len() > 1 << 20 && !state.connections()[4].sent.is_empty()
    });
    let started = Instant::now();
    let addr = server.addr();
    drop(server);
    assert!(started.elapsed() < AT_ONCE);
    assert_eq!(TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(clients[7].read_some().map_or(true, |bytes| bytes.is_empty()));
}

#[test]
fn servers_are_origins_of_their_own() {
    let (first, second) = (Server::start(), Server::start());
    assert_ne!(first.addr(), second.addr());
    assert_eq!(first.url("/x"), format!("http://127.0.0.1:{}/x", first.addr().port()));
    assert_eq!(first.url_at("localhost", "/x"), format!("http://localhost:{}/x", first.addr().port()));
    // Only Linux has all of 127/8 without configuration.
    if cfg!(target_os = "linux") {
        let third = Server::start_on([127, 0, 0, 2]);
        assert!(third.url("/").starts_with("http://127.0.0.2:"));
        assert_eq!(Client::connect(&third).get("/ip").status, 200);
    }
}

#[test]
fn a_server_on_all_addresses_stops_too() {
    let server = Server::start_on(Ipv4Addr::UNSPECIFIED);
    let started = Instant::now();
    drop(server);
    assert!(started.elapsed() < AT_ONCE);
}

#[test]
fn an_address_in_use_is_an_error() {
    let server = Server::start();
    assert_eq!(Server::listen(server.addr()).unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn idle_connections_can_be_dropped() {
    let server =
        Server::scripted([Connection::new().routes(), Connection::new().stall(), Connection::new().routes()]);
    let mut clients = [Client::connect(&server), Client::connect(&server)];
    clients[0].get("/ip");
    server.wait_stalled(1);
    server.disconnect();
    assert_eq!(clients[0].read_to_end(), b"");
    assert_eq!(clients[1].read_to_end(), b"");
    assert_eq!(server.wait_closed(0).ended, Some(End::Server));
    assert_eq!(server.wait_closed(1).ended, Some(End::Server));
    assert_eq!(Client::connect(&server).get("/ip").status, 200);
}

#[test]
fn a_client_that_writes_to_a_closed_connection_is_told() {
    let server = Server::scripted([Connection::new().close()]);
    let mut client = Client::connect(&server);
    assert_eq!(client.read_to_end(), b"");
    server.wait_closed(0);
    // The first write causes a reset, which a later write reports.
    let failed = (0..1_000_000).any(|_| client.try_write(b"x").is_err());
    assert!(failed);
}
