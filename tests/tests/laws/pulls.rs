//! The pull rule: all bytes received are readable without another event of the socket. It holds for
//! any stages of a connection, any buffer sizes, and any cut of the bytes.
//!
//! `SESSIO_PULLS=100000` sets the number of calls that are tried.

use std::time::Duration;

use sessio::coding::{BodyDecoder, Decoders};
use sessio::{Call, Conn, Jar, Kind, Memory, Request, Seed, SessionState, Settings, Step, merge, prepare};
use sessio_tests::buffering_tls::{Sizes, WELCOME, close_record, connector, opened, records};
use sessio_tests::clear::silent;
use sessio_tests::coded::{CODINGS, coded, text};
use sessio_tests::replay::now;

/// The number of calls in a normal run.
const CALLS: u64 = 300;

fn draw(seed: &mut Seed, below: usize) -> usize {
    (seed.draw() % below as u64) as usize
}

fn one<T: Copy>(seed: &mut Seed, of: &[T]) -> T {
    of[draw(seed, of.len())]
}

/// The scheme of a URL and the proxy to it, which decide the messages before HTTP.
#[derive(Clone, Copy, Debug)]
struct Carrier {
    scheme: &'static str,
    proxy: Option<&'static str>,
}

const CARRIERS: [Carrier; 8] = [
    Carrier { scheme: "http", proxy: None },
    Carrier { scheme: "https", proxy: None },
    Carrier { scheme: "http", proxy: Some("http://p") },
    Carrier { scheme: "https", proxy: Some("http://p") },
    Carrier { scheme: "http", proxy: Some("https://p") },
    Carrier { scheme: "https", proxy: Some("https://p") },
    Carrier { scheme: "http", proxy: Some("socks5h://p") },
    Carrier { scheme: "https", proxy: Some("socks5h://p") },
];

/// A peer with a list of messages. It sends each once the client has nothing more to send.
struct Peer {
    carrier: Carrier,
    /// The sizes of the TLS session to the proxy, and of that to the host.
    outer: Option<Sizes>,
    inner: Option<Sizes>,
}

impl Peer {
    fn new(carrier: Carrier, seed: &mut Seed) -> Self {
        let mut sizes = || Sizes {
            room: one(seed, &[1, 3, 100, 5_000, 40_000]),
            record: one(seed, &[1, 10, 500, 16_384, 60_000]),
            sip: one(seed, &[1, 7, 1_000, usize::MAX]),
        };
        let outer = carrier.proxy.is_some_and(|proxy| proxy.starts_with("https")).then(&mut sizes);
        let inner = (carrier.scheme == "https").then(&mut sizes);
        Self { carrier, outer, inner }
    }

    fn sizes(&self) -> Vec<Sizes> {
        self.outer.into_iter().chain(self.inner).collect()
    }

    /// The messages before HTTP.
    fn greetings(&self) -> Vec<Vec<u8>> {
        let outside = |plain: &[u8]| match self.outer {
            Some(sizes) => records(plain, sizes.record),
            None => plain.to_vec(),
        };
        let mut said = Vec::new();
        if self.outer.is_some() {
            said.push(vec![WELCOME]);
        }
        match self.carrier.proxy {
            Some("socks5h://p") => said.extend([vec![5, 0], vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0]]),
            Some(_) if self.inner.is_some() => said.push(outside(b"HTTP/1.1 200 OK\r\n\r\n")),
            _ => {}
        }
        if self.inner.is_some() {
            said.push(outside(&[WELCOME]));
        }
        said
    }

    fn seal(&self, plain: &[u8], says_close_record: bool) -> Vec<u8> {
        let mut said = plain.to_vec();
        for (sizes, is_last) in [(self.inner, true), (self.outer, self.inner.is_none())] {
            if let Some(sizes) = sizes {
                said = records(&said, sizes.record);
                if says_close_record && is_last {
                    said.extend(close_record());
                }
            }
        }
        said
    }

    /// The number of plaintext bytes in the complete records of this part of the ciphertext.
    fn there(&self, sealed: &[u8]) -> usize {
        let mut plain = sealed.to_vec();
        for _ in self.sizes() {
            plain = opened(&plain);
        }
        plain.len()
    }
}

/// A response, with the part of its body that each received part makes readable.
struct Response {
    wire: Vec<u8>,
    /// The position on the wire of each byte of the coded body.
    places: Vec<usize>,
    coding: &'static str,
    coded: Vec<u8>,
    body: Vec<u8>,
    has_trailers: bool,
    /// Whether the body ends with the connection.
    until_close: bool,
}

impl Response {
    fn drawn(seed: &mut Seed, status: u16, is_last: bool) -> Self {
        let mut wire = Vec::new();
        for _ in 0..draw(seed, 3) {
            let long = "x".repeat(one(seed, &[0, 10, 5_000]));
            wire.extend(format!("HTTP/1.1 103 Early Hints\r\nLink: {long}\r\n\r\n").into_bytes());
        }
        let long = "y".repeat(one(seed, &[0, 10, 4_000, 9_000]));
        wire.extend(format!("HTTP/1.1 {status} X\r\nX-Long: {long}\r\nLocation: /next\r\n").into_bytes());
        if draw(seed, 2) == 0 {
            wire.extend(b"Set-Cookie: a=1\r\n");
        }
        let coding = one(seed, &CODINGS);
        let body = text(one(seed, &[0, 1, 300, 9_000, 30_000]));
        let coded = coded(coding, &body);
        wire.extend(format!("Content-Encoding: {coding}\r\n").into_bytes());
        let framing = draw(seed, if is_last { 3 } else { 2 });
        let mut places = Vec::new();
        let mut put = |wire: &mut Vec<u8>, bytes: &[u8]| {
            places.extend(wire.len()..wire.len() + bytes.len());
            wire.extend_from_slice(bytes);
        };
        let mut has_trailers = false;
        match framing {
            0 => {
                wire.extend(format!("Content-Length: {}\r\n\r\n", coded.len()).into_bytes());
                put(&mut wire, &coded);
            }
            1 => {
                wire.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in coded.chunks(one(seed, &[5, 1_000, 20_000])) {
                    wire.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    put(&mut wire, chunk);
                    wire.extend(b"\r\n");
                }
                has_trailers = draw(seed, 2) == 0;
                wire.extend(if has_trailers { &b"0\r\nX-Sum: 1\r\n\r\n"[..] } else { b"0\r\n\r\n" });
            }
            _ => {
                wire.extend(b"\r\n");
                put(&mut wire, &coded);
            }
        }
        Self { wire, places, coding, coded, body, has_trailers, until_close: framing == 2 }
    }

    /// The number of body bytes that can be read once `there` bytes of the response were received.
    fn readable(&self, there: usize) -> usize {
        let coded = &self.coded[..self.places.partition_point(|place| *place < there)];
        let decoding = BodyDecoder::of(&Decoders::default(), [self.coding.as_bytes()]).unwrap();
        let Some(mut decoding) = decoding else { return coded.len() };
        let (mut rest, mut made) = (coded, 0);
        loop {
            let taken = decoding.push(rest).unwrap();
            rest = &rest[taken..];
            let ready = decoding.ready().len();
            decoding.consume(ready);
            made += ready;
            if taken + ready == 0 {
                return made;
            }
        }
    }
}

/// One call over one connection. Returns how often it waited for bytes in the middle of the last
/// body.
fn run(number: u64) -> usize {
    let mut seed = Seed::new(number);
    let seed = &mut seed;
    let peer = Peer::new(one(seed, &CARRIERS), seed);
    let mut settings = Settings::default();
    settings.tls_connector = connector(peer.sizes());
    settings.limits.drain_time = Duration::from_secs(3600);
    settings.limits.drain_bytes = 1 << 20;
    if let Some(proxy) = peer.carrier.proxy {
        settings.proxies.set("all", proxy).unwrap();
    }
    let mut responses = Vec::new();
    if draw(seed, 3) == 0 {
        responses.push(Response::drawn(seed, 302, false));
    }
    responses.push(Response::drawn(seed, 200, true));
    let mut said = peer.greetings();
    for response in &responses {
        said.push(peer.seal(&response.wire, response.until_close));
    }
    let what = format!("{number}: {:?} {:?}", peer.carrier, peer.sizes());
    let last = responses.pop().unwrap();

    let url = format!("{}://h/", peer.carrier.scheme);
    let mut request = Request::get(&url).header("Accept-Encoding", "gzip, br, zstd");
    if draw(seed, 3) == 0 {
        request = Request::put(&url).body(vec![b'u'; one(seed, &[1, 9_000, 30_000])]);
    }
    let mut state = SessionState::new(Seed::new(1));
    let prepared = prepare(merge(&settings, request), &mut state.jar, now()).unwrap();
    let mut call = Call::new(prepared, Memory::default()).unwrap();
    let (cut, bite) = (one(seed, &[1, 50, 3_000, usize::MAX]), one(seed, &[20, 999, usize::MAX]));
    let (mut kept, mut at, mut fed, mut waits) = (None::<Conn>, 0, 0, 0);
    let (mut body, mut has_ended, mut next_look) = (Vec::new(), false, 0);
    loop {
        match call.step(now()).unwrap_or_else(|error| panic!("{what}: {error}")) {
            Step::Connect(to) => {
                let conn = kept.take().map_or_else(|| to.open(1, now(), &[]), Ok);
                call.connected(conn.unwrap());
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = io.send.len().min(cut);
                call.sent(n);
            }
            Step::Io(io) => {
                assert!(!io.recv.is_empty(), "{what}: nothing can move");
                if fed == said[at].len() && at + 1 < said.len() {
                    (at, fed) = (at + 1, 0);
                }
                let is_last = at + 1 == said.len();
                if is_last && (fed == said[at].len() || fed >= next_look) {
                    next_look = fed + said[at].len() / 16;
                    let readable = last.readable(peer.there(&said[at][..fed]));
                    assert_eq!(body.len(), readable, "{what}: more was there to be read");
                    waits += usize::from(!body.is_empty());
                }
                let n = io.recv.len().min(cut).min(said[at].len() - fed);
                if n == 0 {
                    // Only the end of a plain socket can end this body.
                    let is_plain = peer.sizes().is_empty() && last.until_close && !has_ended;
                    assert!(is_last && is_plain, "{what}: the socket has nothing more to say");
                    has_ended = true;
                }
                io.recv[..n].copy_from_slice(&said[at][fed..fed + n]);
                fed += n;
                call.received(n);
            }
            Step::Release => kept = call.release().map(|(conn, _)| conn),
            Step::Decide => call.decide(&mut state, now()),
            Step::Head => assert_eq!(call.take_head().unwrap().status, 200),
            Step::Body(bytes) => {
                let n = bytes.len().min(bite);
                body.extend_from_slice(&bytes[..n]);
                call.consume(n);
            }
            Step::Done => break,
            other => panic!("{what}: {other:?}"),
        }
    }
    assert!(body == last.body, "{what}");
    assert_eq!(call.trailers().get("x-sum"), last.has_trailers.then_some("1"), "{what}");
    assert_eq!(call.hop() as usize, responses.len(), "{what}");
    assert_eq!(kept.is_some(), !last.until_close, "{what}: the connection");
    assert_eq!((at + 1, fed), (said.len(), said[at].len()), "{what}");
    waits
}

#[test]
fn fn1_fm1_fm2_received_bytes_are_readable_without_another_event() {
    let calls = std::env::var("SESSIO_PULLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(CALLS);
    let waits: usize = (0..calls).map(run).sum();
    println!("{calls} calls waited {waits} times in the midst of a body");
    assert!(waits > calls as usize, "the bodies came in pieces");
}

#[test]
fn fa0_a_call_takes_only_a_connection_with_the_stages_that_it_wants() {
    let call = |carrier: Carrier| {
        let mut settings = Settings::default();
        settings.tls_connector = silent();
        if let Some(proxy) = carrier.proxy {
            settings.proxies.set("all", proxy).unwrap();
        }
        let request = Request::get(format!("{}://h/", carrier.scheme)).basic_auth("user", "secret");
        let request = prepare(merge(&settings, request), &mut Jar::new(), now()).unwrap();
        Call::new(request, Memory::default()).unwrap()
    };
    let open = |carrier: Carrier| call(carrier).wanted().unwrap().open(1, now(), &[]).unwrap();
    // The stages of each carrier. A proxy that forwards requests has none of its own.
    let stages = |carrier: Carrier| match (carrier.scheme, carrier.proxy) {
        ("http", Some("http://p")) => ("http", None),
        other => other,
    };
    let mut refused = 0;
    for wanted in CARRIERS {
        for given in CARRIERS {
            let mut call = call(wanted);
            call.connected(open(given));
            let is_same = match (stages(wanted), stages(given)) {
                // By CONNECT or by SOCKS: a tunnel and TLS.
                (("https", Some(one)), ("https", Some(other))) => {
                    one.starts_with("https") == other.starts_with("https")
                }
                // TLS to the proxy only, or to the host only.
                (("https", None), ("http", Some("https://p")))
                | (("http", Some("https://p")), ("https", None)) => true,
                (one, other) => one == other,
            };
            match call.step(now()) {
                Ok(Step::Io(_)) => assert!(is_same, "{given:?} for {wanted:?}"),
                Err(error) => {
                    assert!(!is_same, "{given:?} for {wanted:?}: {error}");
                    assert_eq!(error.kind(), Kind::Misuse);
                    assert_eq!(error.progress().unwrap().bytes_sent, 0);
                    assert!(!format!("{error} {error:?}").contains("secret"));
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(refused > 40, "{refused}");
    // A case that failed once: a plain connection for an https URL.
    for carrier in CARRIERS.into_iter().filter(|carrier| carrier.scheme == "https") {
        let mut call = call(carrier);
        call.connected(Conn::plain(1, now().mono));
        assert_eq!(call.step(now()).unwrap_err().kind(), Kind::Misuse);
    }
}
