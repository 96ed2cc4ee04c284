//! Servers that are reached without a socket.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sessio_testkit::{
    Connection, End, MemoryConnection, Network, Otherwise, Output, Packet, Script, Server, dial,
};

/// The address of the client.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A network that never advances by itself.
#[derive(Debug)]
struct Still;

impl Network for Still {
    fn advance_until(&self, done: &mut dyn FnMut() -> bool) {
        done();
    }
}

struct Client {
    connection: MemoryConnection,
    now: Instant,
}

impl Client {
    fn of(server: &Server) -> Self {
        let now = Instant::now();
        Self { connection: dial(HERE, server.addr(), Arc::new(Still), now).expect("a server"), now }
    }

    fn send(&self, bytes: impl AsRef<[u8]>) -> Output {
        self.connection.deliver(Packet::Bytes(bytes.as_ref().to_vec()));
        self.output()
    }

    fn output(&self) -> Output {
        self.connection.run(self.now, 1000)
    }
}

fn text(output: &Output) -> String {
    let bytes = output.packets.iter().flat_map(|packet| match packet {
        Packet::Bytes(bytes) => bytes.clone(),
        Packet::End => b"<end>".to_vec(),
        Packet::Reset => b"<reset>".to_vec(),
    });
    String::from_utf8(bytes.collect()).expect("UTF-8")
}

const GET: &str = "GET /ip HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn a_server_answers_and_records_as_over_a_socket() {
    let server = Server::start();
    let client = Client::of(&server);
    assert!(client.output().packets.is_empty());
    assert!(client.send(&GET[..10]).packets.is_empty());
    let output = client.send(&GET[10..]);
    assert!(text(&output).starts_with("HTTP/1.1 200 OK\r\n"), "{output:?}");
    assert_eq!((output.unread, output.until, output.is_over), (0, None, false));
    let recording = server.connection(0);
    assert_eq!((recording.received.as_slice(), recording.sent_text()), (GET.as_bytes(), text(&output)));
    client.connection.deliver(Packet::End);
    assert!(client.output().is_over);
    assert_eq!(server.wait_closed(0).ended, Some(End::Client));
}

#[test]
fn no_server_is_reached_that_a_socket_would_not_reach() {
    let refused = |addr| dial(HERE, addr, Arc::new(Still), Instant::now()).unwrap_err().kind();
    let script = Script::from(Connection::new().expect_request()).otherwise(Otherwise::Refuse);
    let server = Server::scripted(script);
    let client = Client::of(&server);
    assert_eq!(refused(server.addr()), ErrorKind::ConnectionRefused);
    let addr = server.addr();
    drop(server);
    let output = client.output();
    assert_eq!((output.packets.as_slice(), output.is_over), (&[Packet::End][..], true));
    assert_eq!(refused(addr), ErrorKind::ConnectionRefused);
}

#[test]
fn pauses_are_of_the_networks_time() {
    let server = Server::scripted([
        Connection::new().send("ab").cut_every(1).pace(Duration::from_secs(1000)),
        Connection::new().routes(),
    ]);
    let mut client = Client::of(&server);
    let output = client.output();
    assert_eq!((text(&output).as_str(), output.until), ("a", Some(client.now + Duration::from_secs(1000))));
    client.now += Duration::from_secs(999);
    assert_eq!(text(&client.output()), "");
    client.now += Duration::from_secs(1);
    assert_eq!(text(&client.output()), "b");

    let mut client = Client::of(&server);
    // The next request has already been received when the pause begins.
    let output = client.send("GET /delay/1000 HTTP/1.1\r\nHost: test\r\n\r\n".to_owned() + GET);
    assert_eq!((text(&output).as_str(), output.until), ("", Some(client.now + Duration::from_secs(1000))));
    client.now += Duration::from_secs(1000);
    assert_eq!(text(&client.output()).matches("HTTP/1.1 200 OK").count(), 2);
}

#[test]
fn connections_end_as_they_end_on_a_socket() {
    let request = Connection::new().expect_request();
    let server = Server::scripted([
        request.clone().send("x").reset(),
        request.clone().send("x").close(),
        request.clone().send("x").half_close(),
        request.send("x".repeat(5000)),
    ]);
    let client = Client::of(&server);
    assert_eq!(text(&client.send(GET)), "x<reset>");
    assert_eq!(server.wait_closed(0).ended, Some(End::ServerReset));

    let client = Client::of(&server);
    assert_eq!(text(&client.send(GET)), "x<end>");
    assert_eq!(server.wait_closed(1).ended, Some(End::Server));
    assert_eq!(text(&client.send("more")), "<reset>");

    let client = Client::of(&server);
    assert_eq!(text(&client.send(GET)), "x<end>");
    assert!(!client.send("more").is_over);
    assert!(server.connection(2).is_open());

    // The server waits for space, and notices that it will never get any.
    let client = Client::of(&server);
    assert_eq!(text(&client.send(GET)), "x".repeat(1000));
    client.connection.deliver(Packet::Reset);
    assert!(client.output().is_over);
    let recording = server.wait_closed(3);
    assert_eq!((recording.ended, recording.sent.len()), (Some(End::ClientReset), 1000));
}

#[test]
fn tests_hold_scripts_up_and_let_them_go_on() {
    let server = Server::scripted([
        Connection::new().gate("one").send("1").stall().send("2"),
        Connection::new().stall(),
        Connection::new(),
    ]);
    let client = Client::of(&server);
    assert!(client.output().packets.is_empty() && server.connection(0).stalled);
    server.open_gate("other");
    assert_eq!(text(&client.output()), "");
    server.open_gate("one");
    assert_eq!(text(&client.output()), "1");
    server.release();
    assert_eq!(text(&client.output()), "2");
    server.disconnect();
    assert_eq!(text(&client.output()), "<end>");
    assert_eq!(server.wait_closed(0).ended, Some(End::Server));
    // A client that is dropped has reset its connection. A server that stops ends all others
    // normally.
    let (gone, stays) = (Client::of(&server), Client::of(&server));
    drop(gone.output());
    drop(gone);
    drop(stays.output());
    drop(server);
    assert!(stays.output().is_over);
}

#[test]
#[should_panic(expected = "waited in vain for the end; 1 connections")]
fn to_wait_for_what_cannot_happen_is_told_at_once() {
    let server = Server::start();
    let client = Client::of(&server);
    drop(client.output());
    server.wait_closed(0);
}
