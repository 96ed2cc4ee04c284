//! Hazards beyond one static response: upgrades, tunnels, limits, back-pressure, cost.

use http::Method;

use super::super::{Event, Limits, NoReuse, RequestContext, ResponseDecoder, Reuse};
use super::wire::{End, Wire};
use crate::base::kind::Kind;

fn receiver(asked: RequestContext, bytes: &[u8]) -> ResponseDecoder {
    let mut receiver = ResponseDecoder::new(asked, Limits::default(), Vec::new());
    give(&mut receiver, bytes);
    receiver
}

fn give(receiver: &mut ResponseDecoder, bytes: &[u8]) {
    receiver.room()[..bytes.len()].copy_from_slice(bytes);
    receiver.received(bytes.len());
}

fn status(receiver: &mut ResponseDecoder) -> u16 {
    let event = receiver.poll().unwrap();
    let Event::Head(head) = event else { panic!("{event:?}") };
    head.status.as_u16()
}

fn get() -> RequestContext {
    RequestContext::new(&Method::GET)
}

#[test]
fn q01_an_upgrade_nobody_asked_for_is_an_error() {
    let wire = Wire::new(get(), b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes");
    let seen = wire.everyhow();
    assert!(matches!(seen.end, End::Failed(Kind::UnexpectedUpgrade, _)), "{:?}", seen.end);
    assert_eq!(seen.head, None);
}

#[test]
fn q02_an_upgrade_hands_out_what_came_behind_it() {
    let mut asked = get();
    asked.upgrade = true;
    let mut receiver =
        receiver(asked, b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\nbytes");
    assert!(matches!(receiver.poll(), Ok(Event::Interim(_))));
    assert_eq!(status(&mut receiver), 101);
    assert!(matches!(receiver.poll(), Ok(Event::End)));
    assert_eq!(receiver.leftover(), b"bytes");
    assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Upgraded));
    assert!(receiver.room().is_empty());
}

#[test]
fn q03_a_granted_tunnel_starts_behind_the_head() {
    let connect = RequestContext::new(&Method::CONNECT);
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n"] {
        let mut receiver = receiver(connect, format!("HTTP/1.1 200 OK\r\n{fields}\r\n\x16\x03").as_bytes());
        assert_eq!(status(&mut receiver), 200);
        assert!(matches!(receiver.poll(), Ok(Event::End)));
        assert_eq!(receiver.leftover(), b"\x16\x03");
        assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Upgraded));
    }
}

#[test]
fn q05_q06_a_refused_tunnel_is_a_usual_response() {
    let connect = RequestContext::new(&Method::CONNECT);
    let wire = Wire::new(connect, b"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello");
    let seen = wire.everyhow();
    assert_eq!((&*seen.body, seen.reuse), (&b"hello"[..], Reuse::Yes { idle_for: None, max: None }));
    let wire = Wire::new(connect, b"SOCKS is better");
    assert!(matches!(wire.everyhow().end, End::Failed(Kind::NotHttp, _)));
}

#[test]
fn q18_v109_a_body_that_is_not_read_keeps_the_connection_from_reuse() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    assert_eq!(receiver.left(), None);
    assert_eq!(status(&mut receiver), 200);
    assert_eq!(receiver.left(), Some(10));
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"hello"))));
    receiver.consume(2);
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"llo"))));
    assert_eq!((receiver.left(), receiver.body_received()), (Some(8), 5));
    receiver.consume(3);
    assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Unfinished));
    give(&mut receiver, b"world");
    assert_eq!(receiver.left(), Some(5));
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"world"))));
    assert!(receiver.is_complete(), "the connection has carried it all, read or not");
    receiver.consume(5);
    assert!(matches!(receiver.poll(), Ok(Event::End)));
    assert_eq!(receiver.left(), Some(0));
    assert_eq!(receiver.reuse(), Reuse::Yes { idle_for: None, max: None });
}

#[test]
fn f14_a_close_behind_a_complete_response_is_fine_and_final() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    receiver.received(0);
    assert_eq!(status(&mut receiver), 200);
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"hello"))));
    receiver.consume(5);
    assert!(matches!(receiver.poll(), Ok(Event::End)));
    assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Closed));
}

#[test]
fn q26_v115_a_million_chunks_of_one_byte() {
    let count = 1_000_000;
    let mut wire = Wire::new(get(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.bytes.extend(b"1\r\nx\r\n".repeat(count));
    wire.bytes.extend(b"0\r\n\r\n");
    let seen = wire.cut(&[]);
    assert_eq!((seen.end, seen.body.len()), (End::Complete, count));
}

#[test]
fn v115_data_of_many_chunks_is_handed_out_in_one_piece() {
    let mut receiver = receiver(
        get(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n",
    );
    assert_eq!(status(&mut receiver), 200);
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"abcd"))));
    receiver.consume(4);
    assert!(matches!(receiver.poll(), Ok(Event::End)));
}

#[test]
fn long_chunks_are_not_moved_and_nothing_is_lost() {
    for long in [4095, 4096, 4097, 20_000] {
        let piece = vec![b'x'; long];
        let mut wire = Wire::new(get(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..20 {
            wire.bytes.extend(format!("{long:X}\r\n").as_bytes());
            wire.bytes.extend(&piece);
            wire.bytes.extend(b"\r\n1\r\ny\r\n");
        }
        wire.bytes.extend(b"0\r\n\r\n");
        for cuts in [vec![], (0..wire.bytes.len()).step_by(1009).collect()] {
            let seen = wire.cut(&cuts);
            assert_eq!((seen.end, seen.body.len()), (End::Complete, 20 * (long + 1)));
            assert!(seen.body.chunks(long + 1).all(|c| c[..long] == piece && c[long] == b'y'));
        }
    }
}

/// Limit 21 of ureq-proto in the table of peers: it is quadratic there.
#[test]
fn v110_a_head_of_60_kb_byte_by_byte() {
    let mut wire = Wire::new(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for n in 0..200 {
        wire.bytes.extend(format!("X-{n}: {}\r\n", "x".repeat(300)).as_bytes());
    }
    wire.bytes.extend(b"\r\n");
    let cuts: Vec<usize> = (1..wire.bytes.len()).collect();
    let seen = wire.cut(&cuts);
    assert_eq!(seen.end, End::Complete);
    assert_eq!(seen.head.unwrap().headers.len(), 201);
}

#[test]
fn v110_many_folds_cost_no_more_than_their_bytes() {
    let mut wire = Wire::new(get(), b"HTTP/1.1 200 OK\r\nNothing");
    wire.bytes.extend(b"\r\n ".repeat(87_000));
    wire.bytes.extend(b"\r\n\r\n");
    assert!(matches!(wire.cut(&[]).end, End::Failed(Kind::BadHead, _)));
}

#[test]
fn memory_stays_within_the_heads_and_one_buffer() {
    let limits = Limits::default();
    let endless = b"HTTP/1.1 200 OK\r\nA: ".iter().copied().chain(std::iter::repeat(b'x'));
    let mut receiver = ResponseDecoder::new(get(), limits, Vec::new());
    let mut bytes = endless;
    let mut most = 0;
    while !receiver.room().is_empty() {
        let room = receiver.room();
        most = most.max(room.len());
        let n = room.len();
        room.iter_mut().zip(&mut bytes).for_each(|(to, byte)| *to = byte);
        receiver.received(n);
    }
    assert_eq!(receiver.poll().unwrap_err().kind(), Kind::HeadTooLarge);
    assert!(receiver.bytes_received() <= limits.head_bytes as u64 + 64 * 1024);
    assert!(most <= limits.head_bytes);
    assert!(receiver.into_buffer().len() <= 64 * 1024, "a large head is not paid for for ever");
}

#[test]
fn the_buffer_starts_small_grows_with_the_reads_and_is_given_back() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(status(&mut receiver), 200);
    let mut rooms = Vec::new();
    for _ in 0..5 {
        let n = receiver.room().len();
        rooms.push(n);
        receiver.received(n);
        assert!(matches!(receiver.poll(), Ok(Event::Body(bytes)) if bytes.len() == n));
        receiver.consume(n);
    }
    assert_eq!(rooms, [8 << 10, 32 << 10, 128 << 10, 256 << 10, 256 << 10]);
    let buffer = receiver.into_buffer();
    let memory = buffer.as_ptr();
    let mut next = ResponseDecoder::new(get(), Limits::default(), buffer);
    assert_eq!(next.room().len(), 64 << 10);
    assert_eq!(next.room().as_ptr(), memory);
    let mut cleared = ResponseDecoder::new(get(), Limits::default(), Vec::with_capacity(10_000));
    assert_eq!(cleared.room().len(), 10_000, "memory that was cleared is used whole");
}

#[test]
fn v119_a_body_larger_than_allowed() {
    let limits = Limits { body_bytes: Some(5), ..Limits::default() };
    let wire = |bytes: &str| {
        let mut wire = Wire::new(get(), bytes.as_bytes());
        (wire.limits, wire.eof) = (limits, true);
        wire.everyhow()
    };
    let length = "HTTP/1.1 200 OK\r\nContent-Length: ";
    let seen = wire(&format!("{length}6\r\n\r\nhello!"));
    assert!(matches!(seen.end, End::Failed(Kind::BodyTooLarge, _)));
    assert!(seen.head.is_some() && seen.body.is_empty(), "told before any of it is read");
    assert_eq!(wire(&format!("{length}5\r\n\r\nhello")).end, End::Complete);

    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n";
    let seen = wire(&format!("{chunked}3\r\nlo!\r\n0\r\n\r\n"));
    assert!(matches!(seen.end, End::Failed(Kind::BodyTooLarge, _)));
    assert_eq!(seen.body, b"hel");
    assert_eq!(wire(&format!("{chunked}2\r\nlo\r\n0\r\n\r\n")).end, End::Complete);

    let seen = wire("HTTP/1.1 200 OK\r\n\r\nhello!");
    assert!(matches!(seen.end, End::Failed(Kind::BodyTooLarge, _)));
    assert_eq!(seen.body, b"hello");
    assert_eq!(wire("HTTP/1.1 200 OK\r\n\r\nhello").end, End::Complete);
}

#[test]
fn small_limits_are_kept_to_the_byte() {
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;e\r\nx\r\n0\r\nA: b\r\n\r\n";
    let heads = response.len() - "1;e\r\nx\r\n0\r\n".len();
    for (head_bytes, fields, ext, want) in [
        (heads, 2, 2, None),
        (heads - 1, 2, 2, Some(Kind::HeadTooLarge)),
        (heads, 1, 2, Some(Kind::TooManyFields)),
        (heads, 0, 2, Some(Kind::TooManyFields)),
        (heads, 2, 1, Some(Kind::BadChunk)),
        (10, 2, 2, Some(Kind::HeadTooLarge)),
        (3, 2, 2, Some(Kind::HeadTooLarge)),
    ] {
        let mut wire = Wire::new(get(), response.as_bytes());
        (wire.limits.head_bytes, wire.limits.fields, wire.limits.chunk_ext_bytes) = (head_bytes, fields, ext);
        let end = wire.everyhow().end;
        match want {
            None => assert_eq!(end, End::Complete),
            Some(kind) => assert!(matches!(end, End::Failed(k, _) if k == kind), "{end:?}, not {kind}"),
        }
    }
}

#[test]
fn p139_v110_interim_heads_are_handed_out_and_share_the_budget() {
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut wire = Wire::new(get(), format!("{hint}{hint}{last}").as_bytes());
    wire.limits.head_bytes = wire.bytes.len();
    let seen = wire.everyhow();
    assert_eq!(seen.interim.len(), 2);
    assert_eq!(seen.interim[1].headers.get("link"), Some("</a>"));
    wire.limits.head_bytes -= 1;
    assert!(matches!(wire.everyhow().end, End::Failed(Kind::HeadTooLarge, _)));
    wire.limits.head_bytes += 1;
    wire.limits.interim = 1;
    assert!(matches!(wire.everyhow().end, End::Failed(Kind::TooManyInterim, _)));
}

#[test]
fn a_wrong_answer_is_misuse() {
    let mut early = ResponseDecoder::new(get(), Limits::default(), Vec::new());
    early.received(1);
    assert_eq!(early.poll().unwrap_err().kind(), Kind::Misuse);
    let mut much = ResponseDecoder::new(get(), Limits::default(), Vec::new());
    let n = much.room().len();
    much.received(n + 1);
    assert_eq!(much.poll().unwrap_err().kind(), Kind::Misuse);
    let mut greedy = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(status(&mut greedy), 200);
    assert!(matches!(greedy.poll(), Ok(Event::Body(b"hello"))));
    greedy.consume(6);
    assert_eq!(greedy.poll().unwrap_err().kind(), Kind::Misuse);
    assert_eq!(greedy.reuse(), Reuse::No(NoReuse::Unfinished));
}

#[test]
fn v99_what_a_peer_says_is_escaped() {
    let mut wire = Wire::new(get(), b"HTTP/1.1 200 OK\r\nContent-Length: \xff\x1b");
    wire.bytes.extend([b'9'; 1000]);
    wire.bytes.extend(b"\r\n\r\n");
    wire.bytes.retain(|&b| b != 0x1b);
    let End::Failed(_, text) = wire.cut(&[]).end else { panic!() };
    assert!(text.is_ascii() && text.len() < 300, "{text}");
}

/// The driver may report the end before the decoder has seen all bytes.
#[test]
fn q26_all_runs_of_data_before_the_end_of_the_stream_are_returned() {
    let run = format!("1400\r\n{}\r\n", "x".repeat(0x1400));
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(status(&mut receiver), 200);
    // The first chunk fills the room, so that the next one is large enough for two runs.
    let first = receiver.room().len() - 8;
    give(&mut receiver, format!("{first:04x}\r\n{}\r\n", "x".repeat(first)).as_bytes());
    let Ok(Event::Body(bytes)) = receiver.poll() else { panic!("a body") };
    assert_eq!(bytes.len(), first);
    receiver.consume(first);
    give(&mut receiver, format!("{run}{run}{run}0\r\n\r\n").as_bytes());
    receiver.received(0);
    let mut count = 0;
    loop {
        match receiver.poll().unwrap() {
            Event::Body(bytes) => {
                let n = bytes.len();
                count += n;
                receiver.consume(n);
            }
            event => break assert!(matches!(event, Event::End), "{event:?}"),
        }
    }
    assert_eq!(count, 3 * 0x1400);
    assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Closed));
}

#[test]
fn there_is_no_room_after_the_last_byte_even_without_a_poll() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(status(&mut receiver), 200);
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"hello"))));
    receiver.consume(5);
    assert!(receiver.room().is_empty(), "without a poll in between");
    for (head, is_complete) in
        [("204 No", true), ("304 Not", true), ("200 OK\r\nContent-Length: 0", true), ("200 OK", false)]
    {
        let mut receiver = self::receiver(get(), format!("HTTP/1.1 {head}\r\n\r\n").as_bytes());
        receiver.advance();
        assert_eq!(receiver.is_complete(), is_complete, "{head}: before its head is taken");
        assert!(receiver.room().is_empty());
        assert!(matches!(receiver.poll(), Ok(Event::Head(_))));
        assert_eq!(receiver.room().is_empty(), is_complete, "{head}");
    }
}

#[test]
fn bytes_without_room_are_misuse_and_not_counted() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    assert_eq!(status(&mut receiver), 200);
    assert!(receiver.room().is_empty(), "five bytes were not read yet");
    let before = receiver.bytes_received();
    receiver.received(4);
    assert_eq!(receiver.bytes_received(), before);
    assert!(matches!(receiver.poll(), Ok(Event::Body(b"hello"))));
    receiver.consume(5);
    assert_eq!(receiver.poll().unwrap_err().kind(), Kind::Misuse);
}

#[test]
fn length_and_reuse_are_known_from_the_head_on() {
    for (head, announced, is_last) in [
        ("200 OK\r\nContent-Length: 10", Some(10), false),
        ("200 OK\r\nContent-Length: 10\r\nConnection: close", Some(10), true),
        ("200 OK\r\nTransfer-Encoding: chunked", None, false),
        ("200 OK", None, true),
        ("204 No", Some(0), false),
    ] {
        let bytes = format!("HTTP/1.1 {head}\r\n\r\n");
        let mut receiver = receiver(get(), &bytes.as_bytes()[..15]);
        receiver.advance();
        assert!(receiver.is_within_head() && !receiver.is_last(), "{head}");
        give(&mut receiver, &bytes.as_bytes()[15..]);
        receiver.advance();
        assert!(!receiver.is_within_head(), "{head}");
        assert_eq!((receiver.announced(), receiver.is_last()), (announced, is_last), "{head}");
        status(&mut receiver);
        assert!(!receiver.is_within_head(), "{head}");
        if announced == Some(10) {
            give(&mut receiver, b"hello");
            receiver.advance();
            assert_eq!(
                (receiver.announced(), receiver.body_received(), receiver.left()),
                (Some(10), 5, Some(10))
            );
            receiver.consume(3);
            give_if_room(&mut receiver);
            assert_eq!((receiver.announced(), receiver.left()), (Some(10), Some(7)));
        }
    }
    let fresh = ResponseDecoder::default();
    assert!(!fresh.is_within_head(), "nothing has arrived");
}

fn give_if_room(receiver: &mut ResponseDecoder) {
    assert!(receiver.room().is_empty(), "two bytes were not read yet");
}

#[test]
fn memory_is_taken_out_of_a_decoder_that_is_over() {
    let mut receiver = receiver(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    assert_eq!(status(&mut receiver), 200);
    receiver.advance();
    assert_eq!(receiver.unread(), b"hello");
    let memory = receiver.take_buffer();
    assert_eq!(memory.len(), 8 << 10);
    assert!(receiver.unread().is_empty(), "the unread bytes go with it");
}

#[test]
fn a_malformed_head_is_described() {
    for (bytes, detail) in [
        ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "invalid field name"),
        ("HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n", "invalid byte in a field's value"),
        ("HTTP/1.1 2x0 OK\r\n\r\n", "invalid status"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b: c\r\n\r\n",
            "trailers: invalid field name",
        ),
    ] {
        let End::Failed(_, text) = Wire::new(get(), bytes.as_bytes()).cut(&[]).end else { panic!("{bytes}") };
        assert!(text.contains(detail), "{text}");
    }
}
