//! The server speaks correct HTTP/1.1 and accepts no other bytes.

use sessio_testkit::{End, Server};

use crate::client::Client;

#[test]
fn one_connection_serves_many_requests_even_sent_at_once() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.write("GET /ip HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
    for _ in 0..3 {
        assert_eq!(client.response(false).text(), "{\n  \"origin\": \"127.0.0.1\"\n}\n");
    }
    assert_eq!(client.get("/ip").status, 200);
    assert_eq!((server.accepted(), server.open_connections()), (1, 1));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn connections_are_closed_when_the_request_says_so() {
    let server = Server::start();
    let requests = [
        ("GET /ip HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "close"),
        ("GET /ip HTTP/1.0\r\n\r\n", "close"),
        ("GET /ip HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /ip HTTP/1.0\r\n\r\n", "keep-alive"),
    ];
    for (number, (request, connection)) in requests.into_iter().enumerate() {
        let mut client = Client::connect(&server);
        client.write(request);
        assert_eq!(client.response(false).header("connection"), Some(connection));
        client.read_to_end();
        assert_eq!(server.wait_closed(number).ended, Some(End::Server));
    }
}

#[test]
fn chunked_requests_are_read_with_their_trailers() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let head = "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    client.write(format!("{head}3\r\nabc\r\n2;x=1\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"));
    assert!(client.response(false).text().contains("\"data\": \"abcde\""));
    let request = &server.requests()[0];
    assert_eq!(request.body, b"abcde");
    assert_eq!(request.trailers, [(b"X-Sum".to_vec(), b"5".to_vec())]);
}

#[test]
fn a_client_that_expects_100_gets_it_before_its_body() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.write("PUT /put HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.response(false).head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write("ok");
    assert!(client.response(false).text().contains("\"data\": \"ok\""));
    // A client that sends its body at once does not wait for `100 Continue`.
    client.write("PUT /put HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(client.response(false).status, 200);
    client.write("PUT /put HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.response(false).status, 417);
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    for (target, field, value) in [
        ("/bytes/100000", "content-length", "100000"),
        ("/chunked/5", "transfer-encoding", "chunked"),
        ("/get", "content-type", "application/json"),
    ] {
        let response = client.ask("HEAD", target, "");
        assert_eq!((response.status, response.header(field)), (200, Some(value)), "{target}");
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn what_is_no_request_is_refused_and_the_reason_recorded() {
    let server = Server::start();
    let cases = [
        ("\x16\x03\x01\x02", 400, "start"),
        ("GET / HTTP/1.1\nHost: a\n\n", 400, "bare LF"),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "start"),
        ("GET /\r\n\r\n", 400, "three words"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "three words"),
        ("GET / FTP/1.1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "not HTTP/1.0"),
        ("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "target"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "no Host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "Host twice"),
        ("GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n", 400, "colon"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c: d\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", 400, "control"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400, "number"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, "twice"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "both",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "chunked"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, "chunk size"),
    ];
    for (number, (bytes, status, reason)) in cases.into_iter().enumerate() {
        let mut client = Client::connect(&server);
        client.write(bytes);
        let response = client.response(false);
        assert_eq!((response.status, response.header("connection")), (status, Some("close")), "{bytes:?}");
        drop(client);
        let recording = server.wait_closed(number);
        assert!(
            recording.fault.as_deref().is_some_and(|fault| fault.contains(reason)),
            "{bytes:?} {recording:?}"
        );
        assert_eq!(recording.requests(), []);
        assert_eq!(recording.remainder(), bytes.as_bytes());
    }
}

#[test]
fn an_absolute_target_is_served_as_by_a_proxy() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let response = client.get("http://elsewhere:81/get?a=1");
    assert!(response.text().contains("\"url\": \"http://elsewhere:81/get?a=1\""));
    assert!(response.text().contains("\"a\": \"1\""));
}
