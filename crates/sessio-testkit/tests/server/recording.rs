//! The recording is complete, and the methods that wait for it return.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sessio_testkit::{Connection, End, Server};

use crate::client::Client;

#[test]
fn every_byte_is_recorded_on_its_connection() {
    let server = Server::start();
    let (mut first, mut second) = (Client::connect(&server), Client::connect(&server));
    server.wait_accepted(2);
    first.get("/ip");
    second.get("/html");
    first.write("GET /half");
    let recording = server.wait_received(0, 41);
    assert_eq!(recording.received_text(), "GET /ip HTTP/1.1\r\nHost: test\r\n\r\nGET /half");
    assert_eq!(recording.remainder(), b"GET /half");
    assert_eq!(recording.requests().len(), 1);
    assert!(recording.sent_text().ends_with("\"127.0.0.1\"\n}\n"));
    assert_eq!(server.connections()[1].requests()[0].target(), "/html");

    drop(first);
    assert_eq!(server.wait_closed(0).ended, Some(End::Client));
    assert_eq!(server.open_connections(), 1);
    drop(second);
    server.wait_open(0);
    server.wait_until(|state| state.accepted() == 2 && state.unexpected() == 0);
}

#[test]
fn requests_are_as_they_were_received() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.write(
        b"POST /post?q=1 HTTP/1.1\r\nhOST: a\r\nX-B:\t\xe9 \r\nx-b: 2\r\nContent-Length: 4\r\n\r\nbody",
    );
    client.response(false);
    let request = &server.requests()[0];
    assert_eq!((request.method(), request.path(), request.query()), ("POST", "/post", Some("q=1")));
    assert_eq!(request.request_line, b"POST /post?q=1 HTTP/1.1");
    assert_eq!(request.header_names(), ["hOST", "X-B", "x-b", "Content-Length"]);
    assert_eq!(request.headers[1], (b"X-B".to_vec(), b"\xe9".to_vec()));
    assert_eq!(request.header_all("x-B"), ["é", "2"]);
    assert_eq!((request.text().as_str(), request.is_http10()), ("body", false));
}

#[test]
fn a_tunnel_is_not_taken_for_requests() {
    let tunnel = Connection::new().read_head().send("HTTP/1.1 200 OK\r\n\r\n").routes();
    let server = Server::scripted([tunnel]);
    let mut client = Client::connect(&server);
    client.write("CONNECT far:80 HTTP/1.1\r\nHost: far:80\r\n\r\n");
    assert_eq!(client.response(true).status, 200);
    assert_eq!(client.get("/ip").status, 200);
    let recording = server.connection(0);
    assert_eq!(recording.requests().len(), 1);
    assert_eq!(recording.requests()[0].target(), "far:80");
    assert_eq!(recording.remainder(), b"GET /ip HTTP/1.1\r\nHost: test\r\n\r\n");
}

#[test]
fn nothing_need_be_kept() {
    let server = Server::start();
    server.record_bytes(false);
    let mut client = Client::connect(&server);
    client.get("/ip");
    let recording = server.connection(0);
    assert!(recording.received.is_empty() && recording.sent.is_empty() && recording.is_open());
}

#[test]
fn a_panic_while_waiting_harms_nobody_else() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.get("/ip");
    let waited = catch_unwind(AssertUnwindSafe(|| server.wait_until(|_| panic!("a test that fails"))));
    assert!(waited.is_err());
    assert_eq!(client.get("/ip").status, 200);
    server.wait_requests(0, 2);
}
