//! Calls that a transport carries as messages: the same response in messages and in the bytes of
//! HTTP/1.1 has the same outcome.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_types, reason = "the observer of a test writes into a shared list")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use sessio::call::{Carrier, Event, Io, MessageIo};
use sessio::h1::{Event as Came, Limits, RequestContext, ResponseDecoder};
use sessio::http::Method;
use sessio::transport::Fate;
use sessio::{
    Body, Call, Error, Head, Headers, Instant, Jar, Kind, Memory, Now, Observer, Prepared, PreparedCall,
    Request, Seed, SessionState, Settings, Step, UnixTime, merge, prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };

/// A part of a response.
#[derive(Clone, Debug)]
enum Message {
    Head(Head),
    Body(Vec<u8>),
    End(Headers),
    Failed(Kind),
}

/// The messages of a response that a server sends as these bytes and then closes.
fn messages(asked: RequestContext, bytes: &[u8]) -> VecDeque<Message> {
    let mut decoder = ResponseDecoder::new(asked, Limits::default(), Vec::new());
    let (mut messages, mut bytes, mut has_ended) = (VecDeque::new(), bytes, false);
    loop {
        let has_length = decoder.left().is_some();
        match decoder.poll() {
            Ok(Came::Interim(head) | Came::Head(head)) => messages.push_back(Message::Head(head)),
            Ok(Came::Body(body)) => {
                messages.push_back(Message::Body(body.to_vec()));
                let n = body.len();
                decoder.consume(n);
            }
            Ok(Came::More) => {
                let room = decoder.room();
                let n = room.len().min(bytes.len());
                assert!(n > 0 || !has_ended);
                room[..n].copy_from_slice(&bytes[..n]);
                bytes = &bytes[n..];
                has_ended = n == 0;
                decoder.received(n);
            }
            Ok(Came::End) => {
                messages.push_back(Message::End(decoder.take_trailers()));
                return messages;
            }
            // The end of a message that is shorter than announced.
            Err(fault) if fault.kind() == Kind::IncompleteBody && has_length => {
                messages.push_back(Message::End(Headers::new()));
                return messages;
            }
            Err(fault) => {
                messages.push_back(Message::Failed(fault.kind()));
                return messages;
            }
        }
    }
}

/// The outcome of a call: its events, its requests, and its response or error.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<String>,
    requests: Vec<(String, Vec<u8>)>,
    status: Option<u16>,
    headers: Vec<String>,
    body: Vec<u8>,
    trailers: Vec<String>,
    cookies: Vec<String>,
    history: Vec<u16>,
    error: Option<Kind>,
}

type Log = Arc<Mutex<Vec<String>>>;

/// An observer that notes events. Facts about a connection's further use are left out: a transport
/// keeps its own connections.
fn observer(log: &Log) -> Observer {
    let log = Arc::clone(log);
    Observer::per_call(move |_| {
        let log = Arc::clone(&log);
        move |_: &Call, event: &Event<'_>| {
            let text = match event {
                Event::Done { body, .. } => format!("done {body}"),
                Event::Skipped { .. } => "skipped".to_owned(),
                Event::Failed(error) => format!("failed {:?}", error.kind()),
                event => event.to_string(),
            };
            log.lock().unwrap().push(text);
        }
    })
}

/// The way of a call.
#[derive(Clone, Copy)]
enum Way {
    Bytes,
    Messages,
}

/// A script: the bytes of each response, and the sizes of the parts that arrive at once.
#[derive(Clone, Debug)]
struct Script {
    method: Method,
    body: Option<Vec<u8>>,
    /// The body comes from a source, in pieces of this size. Its length is declared or not.
    source: Option<(usize, bool)>,
    responses: Vec<Vec<u8>>,
    cuts: Vec<usize>,
}

fn request(script: &Script, observer: Observer) -> PreparedCall {
    let mut request = Request::new(script.method.clone(), "http://a.test/x");
    if let Some(body) = &script.body {
        request = match script.source {
            Some((_, true)) => request.body(Body::source(Some(body.len() as u64), false)),
            Some((_, false)) => request.body(Body::source(None, false)),
            None => request.body(body.clone()),
        };
    }
    let mut settings = Settings::default();
    settings.observer = observer;
    prepare(merge(&settings, request), &mut Jar::new(), NOW).unwrap()
}

fn fields(headers: &Headers) -> Vec<String> {
    headers.iter().map(|field| format!("{}: {}", field.name, field.value.escape_ascii())).collect()
}

/// The request's line and fields, without the framing of HTTP/1.1.
fn shown(request: &Prepared) -> String {
    format!("{} {} {:?}", request.method(), request.url(), fields(request.headers()))
}

fn run(script: &Script, way: Way) -> Outcome {
    let log = Log::default();
    let mut state = SessionState::new(Seed::new(7));
    let mut call = Call::new(request(script, observer(&log)), Memory::default()).unwrap();
    let mut outcome = Outcome::default();
    let mut responses = script.responses.iter();
    let mut cuts = script.cuts.iter().copied().cycle();
    let mut cut = || cuts.next().unwrap();
    let (mut bytes, mut incoming) = (Vec::new(), VecDeque::new());
    let mut supplied = 0;
    let mut id = 0;
    let error = loop {
        let step = match call.step(NOW) {
            Ok(step) => step,
            Err(error) => break Some(error.kind()),
        };
        match step {
            Step::Connect(to) => {
                id += 1;
                supplied = 0;
                let conn = to.open(id, NOW, &[]).unwrap();
                match way {
                    Way::Bytes => call.connected(conn),
                    Way::Messages => call.attached(Carrier::new(id, NOW.mono)),
                }
                outcome.requests.push((shown(call.request()), Vec::new()));
                bytes = responses.next().cloned().unwrap_or_default();
                incoming = messages(RequestContext::new(call.request().method()), &bytes);
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = cut().min(io.send.len());
                call.sent(n);
            }
            Step::Message(io) if io.has_request() => {
                let n = cut().min(io.body.len());
                outcome.requests.last_mut().unwrap().1.extend_from_slice(&io.body[..n]);
                call.request_taken(n);
            }
            Step::Io(Io { body: 1.., .. }) | Step::Message(MessageIo { source: 1.., .. }) => {
                let (size, _) = script.source.unwrap();
                let body = script.body.as_deref().unwrap();
                let piece = &body[supplied..body.len().min(supplied + size)];
                if let Way::Bytes = way {
                    outcome.requests.last_mut().unwrap().1.extend_from_slice(piece);
                }
                match piece.is_empty() {
                    true => call.supply_end(),
                    false => supplied += call.supply(piece),
                }
            }
            Step::Io(io) => {
                let n = cut().min(bytes.len()).min(io.recv.len());
                io.recv[..n].copy_from_slice(&bytes[..n]);
                bytes.drain(..n);
                call.received(n);
            }
            Step::Message(io) => {
                assert_eq!(io.wants_head, io.recv.is_empty(), "a call reads what it has");
                match incoming.pop_front().unwrap() {
                    Message::Head(head) => call.response_head(head),
                    Message::Body(body) => {
                        let n = cut().min(body.len()).min(io.recv.len());
                        io.recv[..n].copy_from_slice(&body[..n]);
                        if n < body.len() {
                            incoming.push_front(Message::Body(body[n..].to_vec()));
                        }
                        call.response_body(n);
                    }
                    Message::End(trailers) => call.response_end(trailers),
                    Message::Failed(kind) => call.transport_failed(Fate::Unknown, Error::from(kind)),
                }
            }
            Step::Release => drop(call.release()),
            Step::Decide => call.decide(&mut state, NOW),
            Step::Rewind => call.rewound(),
            Step::Head => {
                let head = call.take_head().unwrap();
                outcome.status = Some(head.status.as_u16());
                outcome.headers = fields(&head.headers);
            }
            Step::Body(body) => {
                let n = cut().min(body.len());
                outcome.body.extend_from_slice(&body[..n]);
                call.consume(n);
            }
            Step::Done => break None,
            other => panic!("{other:?}"),
        }
    };
    if let Way::Bytes = way {
        // Bodies in memory are not seen piece by piece.
        if let (Some(body), None) = (&script.body, script.source) {
            for (request, sent) in &mut outcome.requests {
                if request.starts_with(script.method.as_str()) {
                    sent.clone_from(body);
                }
            }
        }
    }
    outcome.error = error;
    outcome.trailers = fields(call.trailers());
    outcome.history = call.history().iter().map(|it| it.head.status.as_u16()).collect();
    outcome.cookies = state.jar.iter().map(|it| format!("{:?}={:?}", it.name(), it.value())).collect();
    outcome.events = log.lock().unwrap().clone();
    outcome
}

fn compare(script: &Script) {
    let (bytes, messages) = (run(script, Way::Bytes), run(script, Way::Messages));
    assert_eq!(bytes, messages, "{script:?}");
}

/// One response: status, fields, and the framing of its body.
fn response() -> impl Strategy<Value = Vec<u8>> {
    let status = prop::sample::select(vec![200, 201, 204, 304, 301, 302, 303, 307, 401, 404, 407, 417, 500]);
    let field = prop::sample::select(vec![
        "Set-Cookie: a=1; Path=/",
        "Set-Cookie: b=2",
        "Location: /next",
        "Location: http://b.test/",
        "Connection: close",
        "Content-Encoding: gzip",
        "Content-Encoding: identity",
        "X-A: 1",
    ]);
    let fields = prop::collection::vec(field, 0..4);
    let interim = prop::sample::select(vec!["", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]);
    let body = prop::collection::vec(any::<u8>(), 0..40);
    (status, fields, interim, body, 0..6_u8).prop_map(|(status, fields, interim, body, framing)| {
        let mut bytes = format!("{interim}HTTP/1.1 {status} R\r\n").into_bytes();
        for field in fields {
            bytes.extend_from_slice(format!("{field}\r\n").as_bytes());
        }
        let is_bodiless = matches!(status, 204 | 304);
        match framing {
            _ if is_bodiless => bytes.extend_from_slice(b"\r\n"),
            0 | 1 => {
                bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(&body);
            }
            // The connection ends too soon.
            2 => {
                bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len() + 3).as_bytes());
                bytes.extend_from_slice(&body);
            }
            3 => {
                bytes.extend_from_slice(b"\r\n");
                bytes.extend_from_slice(&body);
            }
            _ => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(7) {
                    bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                    bytes.extend_from_slice(piece);
                    bytes.extend_from_slice(b"\r\n");
                }
                if framing == 4 {
                    bytes.extend_from_slice(b"0\r\nX-Trailer: t\r\nSet-Cookie: no=1\r\n\r\n");
                }
            }
        }
        bytes
    })
}

fn script() -> impl Strategy<Value = Script> {
    let method = prop::sample::select(vec![Method::GET, Method::HEAD, Method::POST, Method::PUT]);
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..50));
    let source = prop::option::of((1..20_usize, any::<bool>()));
    let responses = prop::collection::vec(response(), 1..5);
    let cuts = prop::collection::vec(1..40_usize, 1..8);
    (method, body, source, responses, cuts).prop_map(|(method, body, source, responses, cuts)| {
        let body = body.filter(|_| method == Method::POST || method == Method::PUT);
        let source = source.filter(|_| body.is_some());
        Script { method, body, source, responses, cuts }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn law_a_response_in_messages_is_the_same_response_in_bytes(script in script()) {
        compare(&script);
    }
}

/// A call whose request is sent over a carrier.
fn carried(request: Request) -> (Call, SessionState) {
    let mut state = SessionState::new(Seed::new(7));
    let prepared = prepare(merge(&Settings::default(), request), &mut state.jar, NOW).unwrap();
    let mut call = Call::new(prepared, Memory::default()).unwrap();
    call.attached(Carrier::new(1, NOW.mono));
    let body = match call.step(NOW).unwrap() {
        Step::Message(io) => io.body.len(),
        other => panic!("{other:?}"),
    };
    call.request_taken(body);
    (call, state)
}

fn head(status: u16, fields: &[(&str, &str)]) -> Head {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(name, value).unwrap();
    }
    Head::new(status.try_into().unwrap(), headers)
}

/// Writes a part of the body, and returns its length.
fn give(call: &mut Call, body: &[u8]) {
    match call.step(NOW).unwrap() {
        Step::Message(io) => io.recv[..body.len()].copy_from_slice(body),
        other => panic!("{other:?}"),
    }
    call.response_body(body.len());
}

/// Reads the response to its end, with these trailers.
fn read(call: &mut Call, state: &mut SessionState, trailers: Headers) -> Result<Vec<u8>, Error> {
    let (mut body, mut end) = (Vec::new(), Some(trailers));
    loop {
        match call.step(NOW)? {
            Step::Body(bytes) => {
                body.extend_from_slice(bytes);
                let n = bytes.len();
                call.consume(n);
            }
            Step::Message(_) => call.response_end(end.take().expect("the end was reported")),
            Step::Release => assert!(call.release().is_none(), "a transport keeps its connections"),
            Step::Head => drop(call.take_head()),
            Step::Decide => call.decide(state, NOW),
            Step::Done => return Ok(body),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn law_4_a_body_that_does_not_fit_its_length_is_an_error() {
    for (method, fields, body, expected) in [
        (Method::GET, &[("Content-Length", "3")][..], "abc", Ok("abc")),
        (Method::GET, &[("Content-Length", "3")], "ab", Err(Kind::IncompleteBody)),
        (Method::GET, &[("Content-Length", "3")], "abcd", Err(Kind::BadLength)),
        (Method::GET, &[("Content-Length", "0")], "a", Err(Kind::BadLength)),
        (Method::GET, &[], "abc", Ok("abc")),
        (Method::GET, &[], "", Ok("")),
        (Method::HEAD, &[("Content-Length", "3")], "", Ok("")),
        (Method::HEAD, &[("Content-Length", "3")], "abc", Err(Kind::BadLength)),
    ] {
        let (mut call, mut state) = carried(Request::new(method.clone(), "http://a.test/"));
        call.response_head(head(200, fields));
        assert!(matches!(call.step(NOW).unwrap(), Step::Head));
        drop(call.take_head());
        if !body.is_empty() {
            give(&mut call, body.as_bytes());
        }
        let got = read(&mut call, &mut state, Headers::new()).map_err(|error| error.kind());
        assert_eq!(got, expected.map(|body| body.as_bytes().to_vec()), "{method} {fields:?} {body}");
    }
    for fields in [&[("Content-Length", "x")][..], &[("Content-Length", "1"), ("Content-Length", "2")]] {
        let (mut call, _) = carried(Request::get("http://a.test/"));
        call.response_head(head(200, fields));
        let kind = call.step(NOW).unwrap_err().kind();
        assert!(matches!(kind, Kind::BadLength | Kind::ConflictingLength), "{kind:?}");
    }
}

#[test]
fn a_request_that_was_not_processed_is_sent_again_once() {
    for (method, fate, repeats) in [
        (Method::POST, Fate::Unprocessed, true),
        (Method::POST, Fate::Unknown, false),
        (Method::GET, Fate::Unknown, false),
    ] {
        let (mut call, _) = carried(Request::new(method, "http://a.test/").body("x"));
        call.transport_failed(fate, Error::from(Kind::Io));
        if repeats {
            assert!(matches!(call.step(NOW).unwrap(), Step::Connect(to) if to.fresh));
            call.attached(Carrier::new(2, NOW.mono));
            match call.step(NOW).unwrap() {
                Step::Message(io) => assert_eq!((io.request.is_some(), io.body), (true, &b"x"[..])),
                other => panic!("{other:?}"),
            }
            call.request_taken(1);
            call.transport_failed(fate, Error::from(Kind::Io));
        }
        let error = call.step(NOW).unwrap_err();
        let progress = error.progress().unwrap();
        // The body alone counts.
        assert_eq!((error.kind(), progress.bytes_sent, progress.bytes_received), (Kind::Io, 1, 0));
    }
}

#[test]
fn trailers_and_informational_heads_arrive() {
    let (mut call, mut state) = carried(Request::get("http://a.test/"));
    call.response_head(head(103, &[("Link", "</a>")]));
    call.response_head(head(200, &[]));
    assert!(matches!(call.step(NOW).unwrap(), Step::Head));
    assert_eq!(call.take_head().unwrap().status, 200);
    give(&mut call, b"hi");
    let trailers = head(200, &[("X-Sum", "1"), ("Set-Cookie", "a=1")]).headers;
    assert_eq!(read(&mut call, &mut state, trailers).unwrap(), b"hi");
    assert_eq!(fields(call.trailers()), ["X-Sum: 1"]);
    // Nothing comes after the end.
    call.response_end(Headers::new());
    assert_eq!(call.step(NOW).unwrap_err().kind(), Kind::Misuse);
}

#[test]
fn a_connection_and_a_carrier_are_not_mistaken_for_each_other() {
    let misuses: [fn(&mut Call); 9] = [
        |call| call.sent(0),
        |call| call.received(1),
        |call| call.broken(sessio::call::Direction::Receive, std::io::ErrorKind::Other.into()),
        |call| call.request_taken(0),
        |call| call.response_body(1),
        |call| call.response_end(Headers::new()),
        |call| call.attached(Carrier::new(2, NOW.mono)),
        |call| call.rewound(),
        |call| drop(call.release()),
    ];
    for misuse in misuses {
        let (mut call, _) = carried(Request::get("http://a.test/"));
        misuse(&mut call);
        assert_eq!(call.step(NOW).unwrap_err().kind(), Kind::Misuse);
    }
    let misuses: [fn(&mut Call); 5] = [
        |call| call.request_taken(0),
        |call| call.response_head(head(200, &[])),
        |call| call.response_body(1),
        |call| call.response_end(Headers::new()),
        |call| call.transport_failed(Fate::Unprocessed, Error::from(Kind::Io)),
    ];
    for misuse in misuses {
        for is_connected in [false, true] {
            let request = merge(&Settings::default(), Request::get("http://a.test/"));
            let prepared = prepare(request, &mut Jar::new(), NOW).unwrap();
            let mut call = Call::new(prepared, Memory::default()).unwrap();
            if is_connected {
                let conn = call.wanted().unwrap().open(1, NOW, &[]).unwrap();
                call.connected(conn);
            }
            misuse(&mut call);
            assert_eq!(call.step(NOW).unwrap_err().kind(), Kind::Misuse);
        }
    }
}

#[test]
fn b19_a_body_of_bytes_is_carried_without_framing() {
    let request = Request::post("http://h/").header("Transfer-Encoding", "chunked").body("hello");
    let prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), NOW).unwrap();
    let mut call = Call::new(prepared, Memory::default()).unwrap();
    assert!(matches!(call.step(NOW), Ok(Step::Connect(_))));
    call.attached(Carrier::new(1, NOW.mono));
    let Ok(Step::Message(io)) = call.step(NOW) else { panic!("{call:?}") };
    assert_eq!((io.body, io.is_last), (&b"hello"[..], true));
}
