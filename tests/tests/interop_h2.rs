//! `sessio-h2` against seven real servers, over TLS and by prior knowledge.
//!
//! The checks are responses and uploads, many requests at once, large bodies, responses without
//! bodies, trailers, and connections that stay usable after streams were reset.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sessio_testkit::pattern;
use sessio_tests::authority::{Authority, Pem};
use sessio_tests::folder::Folder;
use sessio_tests::h2_client::{Client, H2Request, H2Response};
use sessio_tests::program::{Script, apache, h2o, haproxy, nghttpd, nginx};

/// More than windows and socket buffers hold at once.
const LARGE: usize = 3_000_000;

/// The text of the scripts' `/text`.
fn text() -> Vec<u8> {
    (0..20_000).map(|n| format!("line {n}\n")).collect::<String>().into_bytes()
}

struct Place {
    authority: Authority,
    pem: Pem,
}

impl Place {
    fn new() -> Self {
        let authority = Authority::ecdsa("an authority");
        let pem = authority.issue_ecdsa().pem();
        Self { authority, pem }
    }

    /// The certificate over TLS. `None` by prior knowledge.
    fn pem(&self, has_tls: bool) -> Option<&Pem> {
        has_tls.then_some(&self.pem)
    }

    /// The files that `node h2.js` and `asgi.py` need, and the script itself.
    fn script(&self, start: impl FnOnce(&[&std::path::Path]) -> Script) -> (Script, Folder) {
        let folder = Folder::new();
        std::fs::write(folder.file("cert.pem"), &self.pem.certificate).unwrap();
        std::fs::write(folder.file("key.pem"), &self.pem.key).unwrap();
        (start(&[&folder.file("cert.pem"), &folder.file("key.pem")]), folder)
    }

    /// Runs all checks against a server, over its own connection.
    fn check(&self, address: SocketAddr, has_tls: bool, server: &Server) {
        println!("{} {}", server.name, if has_tls { "over TLS" } else { "by prior knowledge" });
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
        let authority = format!("localhost:{}", address.port());
        if !has_tls {
            return programme(&mut Client::new(socket, "http", authority), server);
        }
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().to_vec().into()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls =
            ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        programme(&mut Client::new(StreamOwned::new(tls, socket), "https", authority), server);
    }
}

/// The features of a server besides `/text`.
#[derive(Default)]
struct Server {
    name: &'static str,
    /// A file of `LARGE` bytes.
    large: Option<&'static str>,
    /// The path that echoes the body of a POST.
    echo: Option<&'static str>,
    /// The folder that stores bodies by PUT, for a GET afterwards.
    store: Option<&'static str>,
    /// The trailer after each response.
    trailer: Option<(&'static str, &'static str)>,
    has_tags: bool,
}

fn good(came: &H2Response) -> bool {
    came.status == 200 && came.outcome == Some(Ok(()))
}

fn programme<S: Read + Write>(client: &mut Client<S>, server: &Server) {
    let (text, name) = (text(), server.name);
    let one = |client: &mut Client<S>, asked: H2Request| client.all(&[asked]).unwrap().remove(0);

    let first = one(client, H2Request::get("/text"));
    assert!(good(&first) && first.body == text, "{name}: {} {:?}", first.status, first.outcome);
    if let Some((field, value)) = server.trailer {
        assert_eq!(first.trailers.get(field).map(String::as_str), Some(value), "{name}");
    }
    let head = one(client, H2Request { method: "HEAD", ..H2Request::get("/text") });
    assert!(good(&head) && head.body.is_empty(), "{name}: {head:?}");
    let missing = one(client, H2Request::get("/nowhere"));
    assert_eq!((missing.status, missing.outcome), (404, Some(Ok(()))), "{name}");
    if server.has_tags {
        let tag = first.fields.get("etag").unwrap().clone();
        let same = one(client, H2Request { fields: vec![("if-none-match", tag)], ..H2Request::get("/text") });
        assert_eq!((same.status, same.body.len(), same.outcome), (304, 0, Some(Ok(()))), "{name}");
    }

    // A hundred at once. Some are reset as soon as a part of the response was received.
    let mut many = vec![H2Request::get("/text"); 100];
    for asked in many.iter_mut().step_by(7) {
        asked.is_dropped = true;
    }
    for (asked, came) in many.iter().zip(client.all(&many).unwrap()) {
        assert!(
            asked.is_dropped || good(&came) && came.body == text,
            "{name}: {} {:?}",
            came.status,
            came.outcome
        );
    }
    for came in client.all(&vec![H2Request::get("/text"); 20]).unwrap() {
        assert!(
            good(&came) && came.body == text,
            "{name}: the connection is of use after streams were reset"
        );
    }

    if let Some(path) = server.large {
        let large = one(client, H2Request::get(path));
        assert!(good(&large) && large.body == pattern(LARGE), "{name}: {} bytes", large.body.len());
    }
    let post = |method, path: &str| H2Request { method, body: Some(pattern(LARGE)), ..H2Request::get(path) };
    if let Some(path) = server.echo {
        for came in client.all(&[post("POST", path), H2Request::get("/text"), post("POST", path)]).unwrap() {
            assert!(good(&came), "{name}: {} {:?}", came.status, came.outcome);
            assert!(came.body == text || came.body == pattern(LARGE), "{name}: {} bytes", came.body.len());
        }
    }
    if let Some(path) = server.store {
        let put = one(client, post("PUT", path));
        assert!(matches!(put.status, 201 | 204) && put.outcome == Some(Ok(())), "{name}: {put:?}");
        let back = one(client, H2Request::get(path));
        assert!(good(&back) && back.body == pattern(LARGE), "{name}: {} bytes", back.body.len());
    }
    let last = one(client, H2Request::get("/text"));
    assert!(good(&last) && last.body == text, "{name}");
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn nghttpd_serves() {
    let place = Place::new();
    for has_tls in [false, true] {
        let large = pattern(LARGE);
        let one = nghttpd(place.pem(has_tls), &[("text", &text()), ("large", &large), ("echo", b"")]);
        let server = Server {
            name: "nghttpd",
            large: Some("/large"),
            echo: Some("/echo"),
            trailer: Some(("x-end", "yes")),
            ..Server::default()
        };
        place.check(one.address(), has_tls, &server);
    }
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn nginx_serves() {
    let place = Place::new();
    for has_tls in [false, true] {
        let tls =
            if has_tls { "ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key;" } else { "" };
        let server = format!(
            "{tls} root {{folder}}/files; http2_max_concurrent_streams 17; keepalive_requests 100000;
             location /store/ {{ alias {{folder}}/store/; dav_methods PUT; client_max_body_size 0; }}"
        );
        let one = nginx(if has_tls { "ssl http2" } else { "http2" }, &server, |folder| {
            std::fs::create_dir(folder.join("store")).unwrap();
            std::fs::create_dir(folder.join("files")).unwrap();
            std::fs::write(folder.join("files/text"), text()).unwrap();
            std::fs::write(folder.join("files/large"), pattern(LARGE)).unwrap();
            std::fs::write(folder.join("cert"), &place.pem.certificate).unwrap();
            std::fs::write(folder.join("key"), &place.pem.key).unwrap();
        });
        let (large, store) = (Some("/large"), Some("/store/one"));
        let server = Server { name: "nginx", large, store, has_tags: true, ..Server::default() };
        place.check(one.address(), has_tls, &server);
    }
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn apache_serves() {
    let place = Place::new();
    for has_tls in [false, true] {
        let protocols = if has_tls { "h2 http/1.1" } else { "h2c http/1.1" };
        let one = apache(place.pem(has_tls), protocols, &text());
        let server =
            Server { name: "Apache", store: Some("/store/one"), has_tags: true, ..Server::default() };
        place.check(one.address(), has_tls, &server);
    }
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn h2o_serves() {
    let place = Place::new();
    for has_tls in [false, true] {
        let large = pattern(LARGE);
        let one = h2o(place.pem(has_tls), &[("text", &text()), ("large", &large)]);
        let server = Server { name: "H2O", large: Some("/large"), has_tags: true, ..Server::default() };
        place.check(one.address(), has_tls, &server);
    }
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn node_serves_and_haproxy_passes_on() {
    let place = Place::new();
    let (node, _folder) = place.script(|files| Script::node("sites/h2.js", files));
    let echo = Some("/echo");
    for has_tls in [false, true] {
        let server = Server { name: "node", echo, ..Server::default() };
        place.check(node.address(usize::from(!has_tls)), has_tls, &server);
        let haproxy = haproxy(place.pem(has_tls), "h2", node.address(2));
        place.check(haproxy.address(), has_tls, &Server { name: "HAProxy", echo, ..Server::default() });
    }
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn hypercorn_serves() {
    let place = Place::new();
    let (hypercorn, _folder) = place.script(|files| Script::python_with("sites/asgi.py", files));
    for has_tls in [false, true] {
        let server = Server { name: "Hypercorn", echo: Some("/echo"), ..Server::default() };
        place.check(hypercorn.address(usize::from(!has_tls)), has_tls, &server);
    }
}
