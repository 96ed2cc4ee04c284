//! The core inside WebAssembly, on `wasm32-unknown-unknown`: without a clock, sockets and files.
//!
//! `run.mjs` runs it in node with nothing to import. A failed check traps, and the trace names the
//! function.
#![forbid(unsafe_code)]

use std::time::Duration;

use sessio::cookie::{Format, Keep};
use sessio::{
    Auth, Call, Error, Instant, Jar, Kind, Memory, Now, PreparedCall, Request, Seed, SessionState, Settings,
    Step, UnixTime, Url, merge, prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };

/// The time limit of the calls.
const TOTAL: Duration = Duration::from_secs(30);

fn main() -> Result<(), Error> {
    defaults_merge_into_the_exact_request()?;
    the_jar_keeps_what_it_may();
    a_call_follows_a_redirect_and_decodes_the_body()?;
    a_call_ends_with_its_time()
}

fn settings() -> Result<Settings, Error> {
    let mut settings = Settings::default();
    settings.auth = Auth::basic("user", "pass");
    settings.headers.insert("X-Test", "true")?;
    settings.timeouts.total = Some(TOTAL);
    Ok(settings)
}

fn request(jar: &mut Jar) -> Result<PreparedCall, Error> {
    // The codings depend on the features of the build.
    let request = Request::get("http://example.org/a b?c=d")
        .header("X-Test2", "true")
        .remove_header("accept")
        .remove_header("accept-encoding");
    prepare(merge(&settings()?, request), jar, NOW)
}

fn defaults_merge_into_the_exact_request() -> Result<(), Error> {
    let head = request(&mut Jar::new())?.head();
    let expected = "GET /a%20b?c=d HTTP/1.1\r\n\
                    Host: example.org\r\n\
                    User-Agent: sessio/0.1.0\r\n\
                    Connection: keep-alive\r\n\
                    X-Test: true\r\n\
                    X-Test2: true\r\n\
                    Authorization: Basic dXNlcjpwYXNz\r\n\
                    \r\n";
    assert_eq!(String::from_utf8_lossy(&head), expected);
    Ok(())
}

fn the_jar_keeps_what_it_may() {
    let url = Url::parse("https://www.example.co.uk/").expect("a URL");
    let mut jar = Jar::new();
    let lines = ["a=1; Max-Age=60", "b=2; Domain=co.uk", "c=3; Domain=example.co.uk; Secure"];
    let report = jar.extract(&url, lines.map(str::as_bytes), NOW.wall);
    assert_eq!((report.stored, report.refused.len()), (2, 1), "no cookie spans a public suffix");
    let mut text = Vec::new();
    jar.write(Format::Json, Keep::All, NOW.wall, &mut text);
    let mut read = Jar::new();
    assert_eq!(read.read_json(&text, NOW.wall).stored, 2);
    let header = |jar: &mut Jar, now| {
        let mut header = Vec::new();
        jar.header(&url, now, &mut header);
        String::from_utf8(header).expect("text")
    };
    assert_eq!(header(&mut read, NOW.wall), "a=1; c=3");
    assert_eq!(header(&mut read, NOW.after(TOTAL * 3).wall), "c=3", "the time of one is over");
}

/// "hello" as gzip, in two chunks.
const CHUNKS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n\
    a\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\r\n\
    f\r\n\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00\r\n\
    0\r\n\r\n";

/// Plays a call against peers that send these responses, one after the other, and nothing more.
/// Returns the final status, the body, and the bytes of the requests.
fn play(state: &mut SessionState, responses: &[&[u8]]) -> Result<(u16, Vec<u8>, Vec<u8>), Error> {
    let mut call = Call::new(request(&mut state.jar)?, Memory::default())?;
    let (mut responses, mut left, mut now) = (responses.iter(), &[][..], NOW);
    let (mut status, mut body, mut sent, mut idle) = (0, Vec::new(), Vec::new(), None);
    loop {
        match call.step(now)? {
            Step::Connect(to) => {
                let conn = match idle.take() {
                    Some(conn) => conn,
                    None => to.open(1, now, &[])?,
                };
                left = responses.next().copied().unwrap_or_default();
                call.connected(conn);
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = io.send.len();
                sent.extend_from_slice(io.send);
                call.sent(n);
            }
            Step::Io(io) if left.is_empty() => now.mono = io.deadline.expect("the call has a limit"),
            Step::Io(io) => {
                // Byte by byte, which is the finest cut.
                io.recv[0] = left[0];
                left = &left[1..];
                call.received(1);
            }
            Step::Release => idle = call.release().map(|(conn, _)| conn),
            Step::Decide => call.decide(state, now),
            Step::Head => status = call.take_head().map_or(0, |head| head.status.as_u16()),
            Step::Body(bytes) => {
                let n = bytes.len();
                body.extend_from_slice(bytes);
                call.consume(n);
            }
            Step::Done => return Ok((status, body, sent)),
            other => panic!("{other:?}"),
        }
    }
}

fn a_call_follows_a_redirect_and_decodes_the_body() -> Result<(), Error> {
    let moved = b"HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: id=7\r\nContent-Length: 0\r\n\r\n";
    let mut state = SessionState::new(Seed::new(1));
    let (status, body, sent) = play(&mut state, &[moved, CHUNKS])?;
    assert_eq!((status, &*body, state.jar.len()), (200, &b"hello"[..], 1));
    let sent = String::from_utf8_lossy(&sent);
    let second = &sent[sent.find("GET /home").expect("the redirect is followed")..];
    assert!(second.contains("\r\nCookie: id=7\r\n"), "{second}");
    Ok(())
}

fn a_call_ends_with_its_time() -> Result<(), Error> {
    let Err(error) = play(&mut SessionState::new(Seed::new(1)), &[b"HTTP/1.1 200 OK\r\n"]) else {
        panic!("half a head is no response")
    };
    assert!(matches!(error.kind(), Kind::Timeout(_)), "{error}");
    Ok(())
}

#[test]
fn the_core_holds_on_the_host_too() {
    main().unwrap();
}
