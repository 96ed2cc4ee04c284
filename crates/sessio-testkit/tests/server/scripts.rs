//! Each step of a script, and the end of a script.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sessio_testkit::{Connection, End, Otherwise, Script, Server};

use crate::client::Client;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_request_is_read_whole_before_the_next_step() {
    let server = Server::scripted([Connection::new().expect_request().send(OK)]);
    let mut client = Client::connect(&server);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(server.wait_steps(0, 1).sent, b"");
    client.write("ab");
    assert_eq!(client.response(false).body, b"ok");
    assert_eq!(server.connection(0).requests()[0].body, b"ab");
}

#[test]
fn an_early_answer_precedes_the_body() {
    let script = Connection::new().read_head().send(OK).read_body().send("more");
    let server = Server::scripted([script]);
    let mut client = Client::connect(&server);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.response(false).body, b"ok");
    client.write("2\r\nab\r\n0\r\n\r\n");
    assert_eq!(client.read_some().unwrap(), b"more");
}

#[test]
fn bytes_are_read_by_number_and_to_the_end() {
    let server =
        Server::scripted([Connection::new().read(3).send("three").read_to_end().send("end").close()]);
    let mut client = Client::connect(&server);
    client.write("12345");
    assert_eq!(client.read_some().unwrap(), b"three");
    client.write("67");
    client.finish_writing();
    assert_eq!(client.read_to_end(), b"end");
    let recording = server.wait_closed(0);
    assert_eq!((recording.received.as_slice(), recording.ended), (&b"1234567"[..], Some(End::Server)));
}

#[test]
fn garbage_is_sent_unasked() {
    let server = Server::scripted([Connection::new().send(b"\x00\xff\r").close()]);
    assert_eq!(Client::connect(&server).read_to_end(), b"\x00\xff\r");
}

#[test]
fn cuts_change_nothing_but_the_pieces() {
    let body: Vec<u8> = (0..500).map(|i| (i % 256) as u8).collect();
    for script in [
        Connection::new().send(&body).cut_every(1),
        Connection::new().send(&body).cut_every(499),
        Connection::new().send(&body).cut_at([0, 1, 250, 500]),
        Connection::new().send(&body[..5]).times(1).send(&body[5..]),
    ] {
        let server = Server::scripted([script.close()]);
        assert_eq!(Client::connect(&server).read_to_end(), body);
        assert_eq!(server.wait_closed(0).sent, body);
    }
}

#[test]
fn a_gate_between_pieces_makes_each_a_read_of_its_own() {
    let server =
        Server::scripted([Connection::new().send("a").gate("b").send("b").gate("c").send("c").close()]);
    let mut client = Client::connect(&server);
    assert_eq!(client.read_some().unwrap(), b"a");
    assert_eq!(server.wait_stalled(0).steps, 1);
    server.open_gate("b");
    assert_eq!(client.read_some().unwrap(), b"b");
    server.open_gate("c");
    assert_eq!(client.read_to_end(), b"c");
}

#[test]
fn a_send_is_repeated_so_often_or_until_the_client_goes() {
    let server = Server::scripted([
        Connection::new().send("ab").times(3).close(),
        Connection::new().send("x".repeat(1000)).forever(),
    ]);
    assert_eq!(Client::connect(&server).read_to_end(), b"ababab");
    let mut client = Client::connect(&server);
    assert!(!client.read_some().unwrap().is_empty());
    drop(client);
    assert_eq!(server.wait_closed(1).ended, Some(End::ClientReset));
}

#[test]
fn a_pace_slows_the_pieces_down() {
    let pace = Duration::from_millis(20);
    let server = Server::scripted([Connection::new().send("abc").cut_every(1).pace(pace).close()]);
    let started = Instant::now();
    assert_eq!(Client::connect(&server).read_to_end(), b"abc");
    assert!(started.elapsed() >= pace * 3);
}

#[test]
fn a_reset_is_a_reset_after_what_was_sent_before() {
    let server = Server::scripted([
        Connection::new().expect_request().send(OK).reset(),
        Connection::new().reset(),
        Connection::new().expect_request().send(OK).expect_request().reset(),
    ]);
    let mut client = Client::connect(&server);
    client.write(GET);
    server.wait_closed(0);
    if cfg!(target_os = "linux") {
        assert_eq!(client.response(false).body, b"ok");
    }
    assert_eq!(client.read_some().unwrap_err().kind(), ErrorKind::ConnectionReset);

    let mut client = Client::connect(&server);
    client.write("x");
    assert_eq!(client.read_some().unwrap_err().kind(), ErrorKind::ConnectionReset);

    let mut client = Client::connect(&server);
    client.write(GET);
    assert_eq!(client.response(false).body, b"ok");
    client.write(GET);
    assert_eq!(client.read_some().unwrap_err().kind(), ErrorKind::ConnectionReset);

    for (number, received) in [GET.to_owned(), "x".to_owned(), GET.repeat(2)].into_iter().enumerate() {
        let recording = server.wait_closed(number);
        assert_eq!((recording.ended, recording.received_text()), (Some(End::ServerReset), received));
    }
}

#[test]
fn a_close_is_none_even_over_unread_bytes() {
    let server = Server::scripted([Connection::new().read_head().gate("sent").close()]);
    let mut client = Client::connect(&server);
    client.write(format!("{GET}and more"));
    server.wait_stalled(0);
    client.write(", and still more");
    server.open_gate("sent");
    assert_eq!(client.read_to_end(), b"");
    assert_eq!(server.wait_closed(0).received_text(), format!("{GET}and more, and still more"));
}

#[test]
fn a_half_closed_connection_is_still_read() {
    let server = Server::scripted([Connection::new().send("bye").half_close().read(4).read_to_end()]);
    let mut client = Client::connect(&server);
    assert_eq!(client.read_to_end(), b"bye");
    client.write("late");
    server.wait_steps(0, 3);
    drop(client);
    let recording = server.wait_closed(0);
    assert_eq!((recording.received_text().as_str(), recording.ended), ("late", Some(End::Client)));
}

#[test]
fn a_stalled_server_reads_nothing_until_it_is_released() {
    let server = Server::scripted([Connection::new().stall().read(100).send("done")]);
    let mut client = Client::connect(&server);
    client.write([b'x'; 100]);
    assert_eq!(server.wait_stalled(0).received, b"");
    server.release();
    assert_eq!(client.read_some().unwrap(), b"done");
    assert!(!server.connection(0).stalled);
}

#[test]
fn a_script_at_its_end_holds_the_connection_and_listens() {
    let server = Server::scripted([Connection::new()]);
    let mut client = Client::connect(&server);
    client.write("anything");
    server.wait_received(0, 8);
    assert_eq!(server.open_connections(), 1);
    drop(client);
    assert_eq!(server.wait_closed(0).ended, Some(End::Client));
}

#[test]
fn a_script_ends_when_its_request_does_not_come() {
    let server = Server::scripted([Connection::new().expect_request(), Connection::new().expect_request()]);
    let mut client = Client::connect(&server);
    client.write("?\r\n");
    client.finish_writing();
    assert_eq!(client.read_to_end(), b"");
    assert!(
        server.wait_closed(0).fault.is_some_and(|fault| fault.contains("colon") || fault.contains("start"))
    );
    drop(Client::connect(&server));
    let recording = server.wait_closed(1);
    assert_eq!((recording.ended, recording.steps), (Some(End::Client), 0));
}

#[test]
fn connections_beyond_the_script_are_closed_and_counted() {
    let server = Server::scripted([Connection::new().ok("1")]);
    assert_eq!(Client::connect(&server).response(false).body, b"1");
    assert_eq!(server.unexpected(), 0);
    assert_eq!(Client::connect(&server).read_to_end(), b"");
    assert!(server.wait_closed(1).unexpected);
    assert_eq!(server.unexpected(), 1);
    server.script_next(Connection::new().ok("3"));
    assert_eq!(Client::connect(&server).response(false).body, b"3");
}

#[test]
fn connections_beyond_the_script_are_refused_repeated_or_routed_if_so_told() {
    let script =
        |otherwise| Script::from(Connection::new().expect_request().ok("scripted")).otherwise(otherwise);

    let server = Server::scripted(script(Otherwise::Refuse));
    assert_eq!(Client::connect(&server).get("/").body, b"scripted");
    let refused = TcpStream::connect(server.addr());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    drop(server);
    let server = Server::scripted(Script::new().otherwise(Otherwise::Refuse));
    assert_eq!(TcpStream::connect(server.addr()).unwrap_err().kind(), ErrorKind::ConnectionRefused);

    let server = Server::scripted(script(Otherwise::Repeat));
    for _ in 0..3 {
        assert_eq!(Client::connect(&server).get("/").body, b"scripted");
    }

    let server = Server::scripted(script(Otherwise::Routes));
    assert_eq!(Client::connect(&server).get("/ip").body, b"scripted");
    assert!(Client::connect(&server).get("/ip").text().contains("origin"));
}

#[test]
fn a_path_is_scripted_for_a_request_each_and_then_routed() {
    let server = Server::start();
    server.script_path("/ip", Connection::new().expect_request().ok("first"));
    server.script_path("/ip", Connection::new().expect_request().ok("second").close());
    let mut client = Client::connect(&server);
    assert!(client.get("/user-agent").text().contains("user-agent"));
    assert_eq!(client.get("/ip?x=1").body, b"first");
    assert_eq!(client.ask("GET", "/get", "").status, 200);
    assert_eq!(client.get("/ip").body, b"second");
    assert_eq!(client.read_to_end(), b"");
    assert!(Client::connect(&server).get("/ip").text().contains("origin"));
}

#[test]
fn a_path_can_reset_the_connection_it_was_asked_for_on() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/ip").status, 200);
    server.script_path("/ip", Connection::new().expect_request().reset());
    client.write("GET /ip HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_some().unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.wait_closed(0).ended, Some(End::ServerReset));
}

#[test]
#[should_panic(expected = "the step before is")]
fn a_cut_without_a_send_is_a_mistake_of_the_test() {
    let _ = Connection::new().stall().cut_every(1);
}
