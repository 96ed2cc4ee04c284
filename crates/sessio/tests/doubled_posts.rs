//! A POST is never processed twice: whatever its exchange looks like, and wherever its connection
//! ends. Retries are on.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::Duration;

use sessio::call::Direction;
use sessio::retry::RetryPolicy;
use sessio::{
    Auth, Body, Call, Conn, Flow, FlowDecision, Head, Instant, Kind, Memory, Now, Prepared, Request, Result,
    Scheme, Seed, SessionState, Settings, Step, UnixTime, merge, prepare,
};

/// An exchange, from the request to the final response.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Sized,
    Chunked,
    /// The server sends `100 Continue`.
    Expecting,
    /// The server sends nothing until it has the body.
    ExpectingInVain,
    /// The server refuses the expectation.
    Refusing,
    /// A 307 to another path.
    Redirect,
    /// A 307 to another origin.
    Away,
    /// A 401, and then credentials.
    Challenge,
    /// A 503 with `Retry-After`.
    Busy,
}

const SHAPES: [Shape; 9] = [
    Shape::Sized,
    Shape::Chunked,
    Shape::Expecting,
    Shape::ExpectingInVain,
    Shape::Refusing,
    Shape::Redirect,
    Shape::Away,
    Shape::Challenge,
    Shape::Busy,
];

/// How a connection ends at the cut.
#[derive(Clone, Copy, Debug)]
enum End {
    Reset,
    Close,
    /// The peer takes no more, and then closes.
    Full,
}

/// Adds credentials after a challenge.
#[derive(Clone, Debug)]
struct Login;

impl Scheme for Login {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

impl Flow for Login {
    fn sign(&mut self, _: &mut Prepared) -> Result<()> {
        Ok(())
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        if head.status != 401 || request.headers().contains("Authorization") {
            return Ok(FlowDecision::Accept);
        }
        request.headers_mut().insert("Authorization", "Own secret")?;
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

/// One connection, from the server's side.
#[derive(Default)]
struct Line {
    /// The bytes of the current request.
    got: Vec<u8>,
    out: VecDeque<u8>,
    has_continued: bool,
    /// Whether the client has a final head for the bytes of the request.
    heads: Vec<u8>,
}

/// The servers of all origins.
struct Peer {
    shape: Shape,
    lines: Vec<Line>,
    /// Complete requests that were processed: those with an effect.
    processed: u32,
}

impl Peer {
    fn take(&mut self, line: usize, byte: u8) {
        let shape = self.shape;
        let line = &mut self.lines[line];
        line.got.push(byte);
        let Some(end) = line.got.windows(4).position(|at| at == b"\r\n\r\n") else { return };
        let head = String::from_utf8(line.got[..end].to_vec()).unwrap().to_lowercase();
        let body = &line.got[end + 4..];
        let expects = head.contains("expect: 100-continue");
        let responds = |line: &mut Line, response: &str| line.out.extend(response.bytes());
        if expects && body.is_empty() && shape == Shape::Expecting && !line.has_continued {
            line.has_continued = true;
            return responds(line, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        if expects && shape == Shape::Refusing {
            line.got.clear();
            return responds(line, "HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno");
        }
        let is_whole = match head.contains("chunked") {
            true => body.ends_with(b"0\r\n\r\n"),
            false => body.ends_with(b"order") || head.starts_with("get"),
        };
        if !is_whole {
            return;
        }
        line.got.clear();
        let moved = "HTTP/1.1 307 X\r\nContent-Length: 4\r\nLocation: ";
        match shape {
            Shape::Redirect if head.starts_with("post /a ") => {
                responds(line, &format!("{moved}/b\r\n\r\nmove"))
            }
            Shape::Away if head.contains("host: h.test") => {
                responds(line, &format!("{moved}http://other.test/\r\n\r\nmove"));
            }
            Shape::Challenge if !head.contains("authorization: own secret") => {
                responds(line, "HTTP/1.1 401 X\r\nWWW-Authenticate: Own\r\nContent-Length: 2\r\n\r\nno");
            }
            Shape::Busy => {
                responds(line, "HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy");
                self.processed += u32::from(head.starts_with("post"));
            }
            _ => {
                responds(line, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
                self.processed += u32::from(head.starts_with("post"));
            }
        }
    }
}

/// The outcome of one run.
#[derive(Debug)]
struct Run {
    status: Result<u16, Kind>,
    /// Bytes moved, in both directions.
    moved: usize,
    processed: u32,
    attempts: usize,
    /// Whether the connection ended while the server may have been processing a request.
    is_open: bool,
}

fn request(shape: Shape) -> Request {
    let request =
        Request::post("http://h.test/a").retry(RetryPolicy::web()).timeout(Duration::from_secs(900));
    match shape {
        Shape::Chunked => request.body(Body::source(None, true)),
        Shape::Expecting | Shape::ExpectingInVain | Shape::Refusing => {
            request.body("order").expect_continue()
        }
        Shape::Challenge => request.body("order").auth(Auth::flow(Login)),
        _ => request.body("order"),
    }
}

/// Plays a POST, byte by byte. After `cut` bytes its connection ends. If it `is_reused`, an earlier
/// request has used the first connection.
fn run(shape: Shape, is_reused: bool, cut: Option<usize>, end: End) -> Run {
    let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
    let mut state = SessionState::new(Seed::new(1));
    let mut peer = Peer { shape, lines: Vec::new(), processed: 0 };
    let mut idle = None;
    if is_reused {
        peer.shape = Shape::Sized;
        let get = Request::get("http://h.test/a");
        play(get, &mut state, now, &mut peer, &mut idle, None, end);
        assert!(idle.is_some());
        peer.shape = shape;
    }
    play(request(shape), &mut state, now, &mut peer, &mut idle, cut, end)
}

fn play(
    request: Request,
    state: &mut SessionState,
    mut now: Now,
    peer: &mut Peer,
    idle: &mut Option<(Conn, usize)>,
    cut: Option<usize>,
    end: End,
) -> Run {
    let request = prepare(merge(&Settings::default(), request), &mut state.jar, now).unwrap();
    let mut call = Call::new(request, Memory::default()).unwrap();
    let (mut line, mut supplied) = (0, false);
    let mut out = Run { status: Err(Kind::Misuse), moved: 0, processed: 0, attempts: 0, is_open: false };
    let mut is_cut = false;
    for _ in 0..100_000 {
        match call.step(now) {
            Ok(Step::Connect(to)) => {
                let reused = idle.take().filter(|_| !to.fresh && to.url.host_str() == Some("h.test"));
                if let Some((conn, at)) = reused {
                    line = at;
                    call.connected(conn);
                    continue;
                }
                line = peer.lines.len();
                peer.lines.push(Line::default());
                let conn = to.open(line as u64 + 1, now, &[]).unwrap();
                call.connected(conn);
            }
            Ok(Step::Io(io)) => {
                if !is_cut && cut == Some(out.moved) {
                    is_cut = true;
                    // The client has no final head for these bytes.
                    let current = &peer.lines[line];
                    let has_head = current.heads.windows(4).any(|at| at == b"\r\n\r\n");
                    out.is_open = !has_head && (!current.got.is_empty() || !current.out.is_empty());
                    match end {
                        End::Reset => call.broken(Direction::Receive, ErrorKind::ConnectionReset.into()),
                        End::Close => call.received(0),
                        End::Full if io.send.is_empty() => call.received(0),
                        End::Full => {
                            call.broken(Direction::Send, ErrorKind::BrokenPipe.into());
                            if let Ok(Step::Io(_)) = call.step(now) {
                                call.received(0);
                            }
                        }
                    }
                } else if let [byte, ..] = io.send {
                    assert!(!out.is_open, "{:?}: sent again", peer.shape);
                    let current = &mut peer.lines[line];
                    if current.got.is_empty() {
                        current.heads.clear();
                    }
                    let byte = *byte;
                    call.sent(1);
                    out.moved += 1;
                    peer.take(line, byte);
                } else if io.body > 0 {
                    if std::mem::replace(&mut supplied, true) {
                        call.supply_end();
                    } else {
                        assert_eq!(call.supply(b"order"), 5);
                    }
                } else if let (Some(byte), false) = (peer.lines[line].out.front(), io.recv.is_empty()) {
                    io.recv[0] = *byte;
                    call.received(1);
                    out.moved += 1;
                    let current = &mut peer.lines[line];
                    current.heads.extend(current.out.pop_front());
                    if current.heads == b"HTTP/1.1 100 Continue\r\n\r\n" {
                        current.heads.clear();
                    }
                } else {
                    let deadline = io.deadline.unwrap();
                    assert!(deadline > now.mono);
                    now = now.after(deadline - now.mono);
                }
            }
            Ok(Step::Decide) => call.decide(state, now),
            Ok(Step::Release) => *idle = call.release().map(|(conn, _)| (conn, line)),
            Ok(Step::Rewind) => {
                supplied = false;
                call.rewound();
            }
            Ok(Step::Wait { until, .. }) => now = now.after(until - now.mono),
            Ok(Step::Head) => out.status = Ok(call.take_head().unwrap().status.as_u16()),
            Ok(Step::Body(bytes)) => {
                let n = bytes.len();
                call.consume(n);
            }
            Ok(Step::Done) => break,
            Ok(step) => panic!("{step:?}"),
            Err(error) => {
                if out.status.is_err() {
                    out.status = Err(error.kind());
                }
                break;
            }
        }
    }
    (out.processed, out.attempts) = (peer.processed, call.attempts().len());
    out
}

#[test]
fn a_post_is_processed_once_at_most_wherever_its_connection_ends() {
    let (mut runs, mut again, mut lost) = (0, 0, 0);
    for shape in SHAPES {
        for is_reused in [false, true] {
            let whole = run(shape, is_reused, None, End::Close);
            let status = if shape == Shape::Busy { 503 } else { 200 };
            assert_eq!((whole.status, whole.processed), (Ok(status), 1), "{shape:?}");
            for end in [End::Reset, End::Close, End::Full] {
                for cut in 0..whole.moved {
                    let run = run(shape, is_reused, Some(cut), end);
                    assert!(run.processed <= 1, "{shape:?} {end:?} {cut}: {run:?}");
                    // A request that was not sent is sent again. One that may be processed is an error.
                    match run.is_open {
                        true => assert!(run.status.is_err(), "{shape:?} {end:?} {cut}: {run:?}"),
                        false => assert_eq!(run.status, Ok(status), "{shape:?} {end:?} {cut}: {run:?}"),
                    }
                    runs += 1;
                    again += usize::from(run.moved > whole.moved || run.attempts > 1);
                    lost += usize::from(run.is_open);
                }
            }
        }
    }
    assert!(runs > 10_000 && again > 20 && lost > 5000, "{runs} {again} {lost}");
}
