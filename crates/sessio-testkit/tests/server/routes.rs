//! The routes that echo a request, and those that send bodies.

use std::time::{Duration, Instant};

use sessio_testkit::{Server, pattern};

use crate::client::Client;

#[test]
fn echoes_tell_what_was_asked() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let text = client.ask("GET", "/get?a=1&b=x%20y&a=2", "X-One: 1\r\nx-one: 2\r\n").text();
    let expected = r#"{
  "args": {
    "a": [
      "1",
      "2"
    ],
    "b": "x y"
  },
  "headers": {
    "Host": "test",
    "X-One": "1,2"
  },
  "origin": "127.0.0.1",
  "url": "http://test/get?a=1&b=x%20y&a=2"
}
"#;
    assert_eq!(text, expected);

    let text = client.ask("GET", "/headers", "x-A: 1\r\nX-b: \u{e9}\r\nX-a: 2\r\n").text();
    let flat: String = text.split_whitespace().collect();
    assert!(flat.contains(r#""raw":[["Host","test"],["x-A","1"],["X-b","Ã©"],["X-a","2"]]"#), "{text}");

    assert!(
        client.ask("GET", "/user-agent", "User-Agent: me/1\r\n").text().contains(r#""user-agent": "me/1""#)
    );
}

#[test]
fn bodies_are_told_as_form_files_json_or_data() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let flat = |text: String| text.split_whitespace().collect::<String>();

    let text =
        flat(client.send("POST", "/post", "application/x-www-form-urlencoded", "a=1&b=%2B&a=2").text());
    assert!(text.ends_with(r#""data":"","files":{},"form":{"a":["1","2"],"b":"+"},"json":null}"#), "{text}");

    let text = flat(client.send("PUT", "/put", "application/json", r#"{"a":[1,"x"]}"#).text());
    assert!(
        text.ends_with(r#""data":"{\"a\":[1,\"x\"]}","files":{},"form":{},"json":{"a":[1,"x"]}}"#),
        "{text}"
    );

    let form = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\nhere\r\n--b--\r\n";
    let text = flat(client.send("PATCH", "/patch", "multipart/form-data; boundary=b", form).text());
    assert!(text.ends_with(r#""data":"","files":{"f":"here"},"form":{},"json":null}"#), "{text}");

    let text = flat(client.send("DELETE", "/delete", "text/plain", "no json").text());
    assert!(text.ends_with(r#""data":"nojson","files":{},"form":{},"json":null}"#), "{text}");

    client.write(
        b"POST /anything/x HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nCookie: c=d\r\n\r\n\xff\xfe",
    );
    let text = flat(client.response(false).text());
    assert!(text.contains(r#""data":"data:application/octet-stream;base64,//4=""#), "{text}");
    assert!(text.ends_with(r#""method":"POST","cookies":{"c":"d"}}"#), "{text}");
}

#[test]
fn each_route_serves_its_method() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let response = client.ask("POST", "/get", "");
    assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    let response = client.ask("OPTIONS", "/post", "");
    assert_eq!((response.status, response.header("allow")), (200, Some("POST, OPTIONS")));
    for nothing in ["/nothing", "/redirect/0", "/redirect/x", "/bytes/-1", "/delay/soon", "/delay/-1"] {
        assert_eq!(client.get(nothing).status, 404, "{nothing}");
    }
    assert_eq!(client.get("/").text(), sessio_testkit::ROUTES);
}

#[test]
fn bodies_come_in_every_framing() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    for size in [0, 1, 250, 251, 252, 100_000] {
        for target in
            [format!("/bytes/{size}"), format!("/chunked/{size}?chunk=777"), format!("/stream-bytes/{size}")]
        {
            assert!(client.get(&target).body == pattern(size), "{target}");
        }
        let mut other = Client::connect(&server);
        let response = other.get(&format!("/close/{size}"));
        assert_eq!((response.header("connection"), response.header("content-length")), (Some("close"), None));
        assert!(other.read_to_end() == pattern(size));
    }
    let response = client.get("/chunked/4?chunk=3&trailers=1");
    assert_eq!(response.header("trailer"), Some("X-Body-Size, X-Trailer"));
    let recording = server.connection(0);
    let end = "\r\n1\r\n\x03\r\n0\r\nX-Body-Size: 4\r\nX-Trailer: after the body\r\n\r\n";
    assert!(recording.sent.ends_with(end.as_bytes()), "{:?}", recording.sent_text());

    let lines = client.get("/stream/3").text();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[2].starts_with(r#"{"args": {}, "headers": {"Host": "test"}"#)
            && lines[2].ends_with(r#""id": 2}"#)
    );
    assert!(client.get("/html").text().contains("<h1>"));
    assert!(client.get("/encoding/utf8").text().contains('∮'));
}

#[test]
fn http10_clients_are_not_sent_chunks() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    client.write("GET /chunked/10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let response = client.response(false);
    assert_eq!((response.header("transfer-encoding"), response.header("connection")), (None, Some("close")));
    assert_eq!(client.read_to_end(), pattern(10));
}

#[test]
fn redirects_count_down() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let location = |response: crate::client::Response| {
        assert_eq!(response.status, 302);
        assert!(!response.body.is_empty());
        response.header("location").map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(location(client.get("/redirect/3")), "/redirect/2");
    assert_eq!(location(client.get("/redirect/1")), "/get");
    assert_eq!(location(client.get("/relative-redirect/2")), "/relative-redirect/1");
    assert_eq!(location(client.get("/absolute-redirect/2")), "http://test/absolute-redirect/1");
    assert_eq!(location(client.get("/redirect/2?absolute=1")), "http://test/redirect/1?absolute=1");
    let response = client.get("/redirect/2?cookies=1");
    assert_eq!(response.header("set-cookie"), Some("hop2=set; Path=/"));
    assert_eq!(location(response), "/redirect/1?cookies=1");
}

#[test]
fn one_redirect_goes_anywhere_with_any_bytes() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let response = client.get("/redirect-to?url=http://b/%E9%20x&status_code=307");
    assert_eq!((response.status, response.header("location")), (307, Some("http://b/\u{e9} x")));
    let response =
        client.send("POST", "/redirect-to", "application/x-www-form-urlencoded", "url=/x&status_code=999");
    assert_eq!((response.status, response.header("location")), (302, Some("/x")));
    assert_eq!(client.get("/redirect-to").status, 400);
    assert_eq!(client.get("/redirect-to?url=/%0d%0aX:y").status, 400);
}

#[test]
fn statuses_come_as_asked_and_in_turn() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    for status in [200, 204, 304, 404, 500] {
        let response = client.get(&format!("/status/{status}"));
        assert_eq!((response.status, response.body.len()), (status, 0));
    }
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(client.get(&format!("/status/{status}")).header("location"), Some("/redirect/1"));
    }
    let turns: Vec<_> = (0..4).map(|_| client.get("/status/503,429,200").status).collect();
    assert_eq!(turns, [503, 429, 200, 503]);
    assert!(client.get("/status/407").header("proxy-authenticate").is_some());
    assert_eq!(client.get("/status/99").status, 400);
}

#[test]
fn response_headers_are_those_of_the_query() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let response = client.get("/response-headers?X-A=1%FF&Set-Cookie=a%3Db&Content-Type=text/plain");
    assert_eq!(response.header("x-a"), Some("1\u{ff}"));
    assert_eq!(response.header("set-cookie"), Some("a=b"));
    assert_eq!(response.header("content-type"), Some("text/plain"));
    for refused in ["Content-Length=1", "a=%0a", "a%20b=1"] {
        assert_eq!(client.get(&format!("/response-headers?{refused}")).status, 400, "{refused}");
    }
}

#[test]
fn a_delay_is_kept_and_ends_when_the_client_goes() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let started = Instant::now();
    // The second request is received while the first is delayed. It must not shorten the delay.
    client.write("GET /delay/0.05 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
    client.response(false);
    client.response(false);
    assert!(started.elapsed() >= Duration::from_millis(100));
    client.write("GET /delay/1000 HTTP/1.1\r\nHost: a\r\n\r\n");
    server.wait_requests(0, 3);
    drop(client);
    server.wait_closed(0);
}
