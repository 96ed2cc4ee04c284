//! The interface of TLS sessions, with a toy session that is easy to check by hand. Its handshake
//! is two words, followed by records: a length and that many bytes, each of them XORed.

use std::io;
use std::sync::mpsc::{Receiver as Told, channel};
use std::time::Duration;

use super::*;
use crate::base::fault::Fault;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Instant;
use crate::call::{Call, Direction, Step};
use crate::{Jar, Memory, Now, Observer, Request, SessionState, Settings, UnixTime, merge, prepare};

const KEY: u8 = 0x55;
/// A record of this length requests an `!` in return, as a key update does.
const ASK: u8 = 255;

#[derive(Debug)]
struct Toy {
    out: Vec<u8>,
    sealed: Vec<u8>,
    room: [u8; 1024],
    plain: Vec<u8>,
    is_open: bool,
    is_closed: bool,
    is_ended: bool,
}

impl Toy {
    fn new() -> Self {
        Self {
            out: b"HELLO".to_vec(),
            sealed: Vec::new(),
            room: [0; 1024],
            plain: Vec::new(),
            is_open: false,
            is_closed: false,
            is_ended: false,
        }
    }
}

fn record(plain: &[u8]) -> Vec<u8> {
    let mut sealed = vec![u8::try_from(plain.len()).unwrap()];
    sealed.extend(plain.iter().map(|b| b ^ KEY));
    sealed
}

impl TlsSession for Toy {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        (&self.out, &mut self.room)
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n);
    }

    fn received(&mut self, n: usize) -> Result<()> {
        self.is_ended |= n == 0;
        self.sealed.extend_from_slice(&self.room[..n]);
        if !self.is_open && self.sealed.len() >= 7 {
            if !self.sealed.starts_with(b"WELCOME") {
                return Err(Fault::new(Kind::Connect).with_detail("a bad handshake"));
            }
            self.sealed.drain(..7);
            self.is_open = true;
        }
        while self.is_open && !self.sealed.is_empty() && !self.is_closed {
            match usize::from(self.sealed[0]) {
                0 => self.is_closed = true,
                255 => {
                    self.sealed.remove(0);
                    self.out.push(b'!');
                }
                len if self.sealed.len() > len => {
                    self.plain.extend(self.sealed.drain(..=len).skip(1).map(|b| b ^ KEY));
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        !self.is_open
    }

    fn secured(&self) -> TlsInfo<'_> {
        TlsInfo { version: "toy", ..TlsInfo::default() }
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize> {
        if !self.is_open || self.out.len() > 100 {
            return Ok(0);
        }
        let n = plain.len().min(20);
        self.out.extend(record(&plain[..n]));
        Ok(n)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>> {
        // A little at a time, as a TLS session may do.
        let n = plain.len().min(self.plain.len()).min(9);
        plain[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        match n {
            0 if self.is_closed => Ok(None),
            0 if self.is_ended => Err(Fault::new(Kind::IncompleteBody).with_detail("without a closing word")),
            n => Ok(Some(n)),
        }
    }
}

/// The outcome of a call over the toy session: the body or the error, and the connection if it is
/// reusable.
struct Outcome {
    result: Result<Vec<u8>, Kind>,
    conn: Option<Conn>,
    /// All bytes sent after the handshake.
    sent: Vec<u8>,
}

/// Runs a GET against a peer that sends these bytes. Up to `size` bytes move at once in both
/// directions. The peer stops reading after `most` bytes.
fn run(conn: Conn, incoming: &[u8], size: usize, most: usize) -> Outcome {
    let now = Now { mono: Instant::ZERO, wall: UnixTime(0) };
    let mut state = SessionState::new(crate::Seed::new(1));
    let request = Request::post("https://h/").body(vec![b'x'; 1000]);
    let request = prepare(merge(&Settings::default(), request), &mut state.jar, now).unwrap();
    let mut call = Call::new(request, Memory::default()).unwrap();
    // The words of the handshakes: data in one piece with them arrived before the request went out.
    let ahead = conn.ahead.as_ref().map_or(0, |ahead| ahead.stages.len());
    let words = if ahead == 2 { 15 } else { 7_usize };
    let (mut conn, mut kept) = (Some(conn), None);
    let (mut body, mut sent, mut rest) = (Vec::new(), Vec::new(), incoming);
    for _ in 0..100_000 {
        match call.step(now) {
            Ok(Step::Connect(_)) => call.connected(conn.take().unwrap()),
            Ok(Step::Io(io)) => {
                let out = io.send.len().min(size).min(most - sent.len());
                sent.extend_from_slice(&io.send[..out]);
                // The response comes once nothing more goes out.
                let may_read = out == 0;
                let greeting = words.saturating_sub(incoming.len() - rest.len());
                let size_in = if greeting > 0 && size < 20_000 { size.min(greeting) } else { size };
                let into = if may_read { io.recv.len().min(size_in).min(rest.len()) } else { 0 };
                let ends = may_read && rest.is_empty() && !io.recv.is_empty() && out == 0;
                io.recv[..into].copy_from_slice(&rest[..into]);
                rest = &rest[into..];
                assert!(out > 0 || into > 0 || ends, "nothing can move");
                if out > 0 {
                    call.sent(out);
                }
                if (into > 0 || ends) && matches!(call.step(now), Ok(Step::Io(_))) {
                    call.received(into);
                }
            }
            Ok(Step::Release) => kept = call.release().map(|(conn, _)| conn),
            Ok(Step::Decide) => call.decide(&mut state, now),
            Ok(Step::Head) => drop(call.take_head()),
            Ok(Step::Body(bytes)) => {
                let n = bytes.len();
                body.extend_from_slice(bytes);
                call.consume(n);
            }
            Ok(Step::Done) => return Outcome { result: Ok(body), conn: kept, sent },
            Ok(other) => panic!("{other:?}"),
            Err(error) => return Outcome { result: Err(error.kind()), conn: kept, sent },
        }
    }
    panic!("no end");
}

/// The toy session through another one, which carries its ciphertext as plaintext.
fn stacked() -> Conn {
    let stages = [Stage::Secure(Box::new(Toy::new())), Stage::Secure(Box::new(Toy::new()))];
    let conn = Conn::staged(1, Instant::from_nanos(1 << 42), stages);
    // No call needs exactly this: a tunnel would be between the two.
    Conn { route: secured().route(), ..conn }
}

fn secured() -> Conn {
    Conn::secured(1, Instant::from_nanos(1 << 42), Box::new(Toy::new()))
}

fn records(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = b"WELCOME".to_vec();
    for part in parts {
        all.extend(part.chunks(100).flat_map(record));
    }
    all
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello, you.";

#[test]
fn a_filter_sees_a_handshake_and_seals_both_ways_however_it_is_cut() {
    for size in [1, 2, 7, 33, 10_000] {
        let outcome = run(secured(), &records(&[ANSWER]), size, usize::MAX);
        assert_eq!(outcome.result.unwrap(), b"hello, you.", "{size}");
        assert!(outcome.sent.starts_with(b"HELLO"));
        let mut plain = Vec::new();
        let mut rest = &outcome.sent[5..];
        while let [len, more @ ..] = rest {
            plain.extend(more[..usize::from(*len)].iter().map(|b| b ^ KEY));
            rest = &more[usize::from(*len)..];
        }
        assert!(plain.starts_with(b"POST / HTTP/1.1\r\nHost: h\r\n"), "{}", plain.escape_ascii());
        assert!(plain.ends_with(&[b'x'; 1000]));
        assert_eq!(outcome.conn.map(|conn| conn.exchanges()), Some(1), "{size}");
    }
}

#[test]
fn v100_plaintext_behind_a_response_stays_with_its_connection() {
    for excess in [&b"x"[..], ANSWER, b"\r\n"] {
        for size in [10_000, 33] {
            // In a record of its own, and in the record of the response.
            for stream in [records(&[ANSWER, excess]), records(&[&[ANSWER, excess].concat()])] {
                let outcome = run(secured(), &stream, size, usize::MAX);
                assert_eq!(outcome.result.unwrap(), b"hello, you.");
                // The owner of the socket must notice bytes that were not read yet.
                assert!(outcome.conn.is_none_or(|_| size == 33), "{excess:?} would answer the next request");
            }
        }
    }
}

#[test]
fn q16_an_end_without_a_closing_word_is_not_the_end_of_a_body() {
    let until_close = b"HTTP/1.1 200 OK\r\n\r\nhello, you.";
    let mut closed = records(&[until_close]);
    let cut = run(secured(), &closed, 1, usize::MAX);
    assert_eq!(cut.result.unwrap_err(), Kind::IncompleteBody);
    closed.push(0);
    assert_eq!(run(secured(), &closed, 1, usize::MAX).result.unwrap(), b"hello, you.");
    // A body with a length needs no close_notify (row Q17).
    let mut closed = records(&[ANSWER]);
    closed.push(0);
    let outcome = run(secured(), &closed, 10_000, usize::MAX);
    assert_eq!(outcome.result.unwrap(), b"hello, you.");
    assert!(outcome.conn.is_none(), "the peer has closed");
}

#[test]
fn q07_an_answer_is_read_while_ciphertext_cannot_leave() {
    let refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
    for size in [1, 10_000] {
        let outcome = run(secured(), &records(&[refusal]), size, 60);
        assert_eq!(outcome.result.unwrap(), b"too large");
        assert!(outcome.conn.is_none(), "half a request has gone out on it");
    }
}

#[test]
fn a_filter_speaks_while_the_body_is_read() {
    let (head, body) = ANSWER.split_at(ANSWER.len() - 5);
    let mut stream = records(&[head]);
    stream.push(ASK);
    stream.extend(record(body));
    for size in [1, 10_000] {
        let outcome = run(secured(), &stream, size, usize::MAX);
        assert_eq!(outcome.result.unwrap(), b"hello, you.");
        if size == 1 {
            assert!(outcome.sent.ends_with(b"!"), "what was asked in between is answered in between");
        }
    }
}

#[test]
fn q13_an_answer_that_comes_with_the_handshake_answers_nothing() {
    let outcome = run(secured(), &records(&[ANSWER]), 20_000, usize::MAX);
    assert_eq!(outcome.result.unwrap_err(), Kind::UnsolicitedData);
}

#[test]
fn a_bad_handshake_ends_the_call() {
    assert_eq!(run(secured(), b"GOODBYE", 3, usize::MAX).result.unwrap_err(), Kind::Connect);
}

#[test]
fn a_filter_runs_through_a_filter_whose_handshake_is_over() {
    // The outer toy's WELCOME, then records that carry the inner peer's bytes.
    let stream = records(&[b"WELCOME", &record(ANSWER)]);
    for size in [1, 2, 7, 33] {
        let outcome = run(stacked(), &stream, size, usize::MAX);
        assert_eq!(outcome.result.unwrap(), b"hello, you.", "{size}");
        assert!(outcome.sent.starts_with(b"HELLO"));
        let open = |sealed: &[u8]| {
            let (mut plain, mut rest) = (Vec::new(), sealed);
            while let [len, more @ ..] = rest {
                plain.extend(more[..usize::from(*len)].iter().map(|b| b ^ KEY));
                rest = &more[usize::from(*len)..];
            }
            plain
        };
        let inner = open(&outcome.sent[5..]);
        assert!(inner.starts_with(b"HELLO"), "{}", inner.escape_ascii());
        let plain = open(&inner[5..]);
        assert!(plain.starts_with(b"POST / HTTP/1.1\r\nHost: h\r\n"), "{}", plain.escape_ascii());
        assert!(plain.ends_with(&[b'x'; 1000]));
        assert_eq!(outcome.conn.map(|conn| conn.exchanges()), Some(1), "{size}");
    }
}

/// A call that has its connection, with all handshakes still to come.
fn shaking(conn: Conn, settings: &Settings) -> (Call, Now, Told<String>) {
    let now = Now { mono: Instant::ZERO, wall: UnixTime(0) };
    let (tell, told) = channel();
    let observer = Observer::new(move |_, event| drop(tell.send(event.to_string())));
    let request = merge(settings, Request::get("https://h/").observe(observer));
    let request = prepare(request, &mut Jar::new(), now).unwrap();
    let mut call = Call::new(request, Memory::default()).unwrap();
    assert!(matches!(call.step(now), Ok(Step::Connect(_))));
    call.resolved(now);
    call.connected(conn);
    (call, now, told)
}

fn hear(call: &mut Call, bytes: &[u8], now: Now) {
    let Ok(Step::Io(io)) = call.step(now) else { panic!("bytes are wanted") };
    io.recv[..bytes.len()].copy_from_slice(bytes);
    call.received(bytes.len());
}

#[test]
fn nothing_of_the_request_goes_out_before_the_last_handshake_is_over() {
    let (mut call, now, told) = shaking(stacked(), &Settings::default());
    let sends = |call: &mut Call| {
        let Ok(Step::Io(io)) = call.step(now) else { panic!("bytes are wanted") };
        assert_eq!(io.body, 0);
        let n = io.send.len();
        if n > 0 {
            call.sent(n);
        }
        n
    };
    assert_eq!((sends(&mut call), sends(&mut call)), (5, 0));
    hear(&mut call, b"WELCOME", now);
    assert_eq!((sends(&mut call), sends(&mut call)), (6, 0), "the inner one's HELLO, as a record");
    hear(&mut call, &record(b"WELCOME"), now);
    assert!(sends(&mut call) > 50);
    let events: Vec<_> = told.try_iter().collect();
    assert_eq!(events.iter().filter(|event| event.starts_with("secured")).count(), 2, "{events:?}");
    assert!(events[1].starts_with("connected") && events[2].starts_with("secured"), "{events:?}");
}

#[test]
fn f08_what_fails_in_the_handshake_says_so_and_is_safe_to_repeat() {
    let fails = |act: &dyn Fn(&mut Call, Now)| {
        let mut settings = Settings::default();
        settings.timeouts.connect = Some(Duration::from_secs(5));
        let (mut call, now, _told) = shaking(secured(), &settings);
        hear(&mut call, b"WEL", now);
        act(&mut call, now);
        let late = Now { mono: now.mono + Duration::from_secs(5), ..now };
        let error = call.step(late).unwrap_err();
        let at = error.progress().unwrap();
        assert_eq!((at.stage, at.bytes_sent, at.bytes_received), (crate::Stage::Tls, 0, 0));
        assert!(error.is_connect() && error.is_safe_to_repeat());
        (error.kind(), std::error::Error::source(&error).map(ToString::to_string))
    };
    let reset = || io::Error::other("reset");
    assert_eq!(fails(&|call, _| call.received(0)), (Kind::TlsClosed, None));
    let broken = (Kind::TlsClosed, Some("reset".to_owned()));
    assert_eq!(fails(&|call, _| call.broken(Direction::Receive, reset())), broken);
    // The connect limit keeps running, and the time is the same if nothing can be sent.
    assert_eq!(fails(&|_, _| {}), (Kind::Timeout(Timeout::Connect), None));
    let (kind, _) = fails(&|call, now| {
        call.broken(Direction::Send, reset());
        assert!(call.step(now).is_ok(), "what the peer says of it is waited for");
    });
    assert!(matches!(kind, Kind::TlsClosed | Kind::Timeout(Timeout::Connect)));
}

#[test]
fn f11_a_stale_connection_behind_a_filter_is_replaced() {
    // It has carried an exchange, and ends without close_notify when it is used again.
    let kept = run(secured(), &records(&[ANSWER]), 1, usize::MAX).conn.unwrap();
    let outcome = run(kept, b"", 10_000, usize::MAX);
    assert_eq!(outcome.result.unwrap_err(), Kind::ClosedBeforeResponse, "a POST is not repeated");
}
