//! The request encoder: its output parses back, however it is sent and supplied.

use bytes::Bytes;
use http::Method;
use proptest::prelude::*;

use super::super::{BodyKind, Limits, RequestContext, RequestEncoder, ResponseDecoder};
use super::wire::{End, Wire};
use crate::base::kind::Kind;
use crate::message::headers::Headers;

fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(name, value).unwrap();
    }
    headers
}

fn sender(body: BodyKind) -> RequestEncoder {
    RequestEncoder::new(&Method::POST, b"/a?b=c", &headers(&[("Host", "h")]), body, Vec::new())
}

const HEAD: &[u8] = b"POST /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends all bytes, `n` at once.
fn send(sender: &mut RequestEncoder, n: usize, out: &mut Vec<u8>) {
    while !sender.unsent().is_empty() {
        let taken = sender.unsent().len().min(n);
        out.extend_from_slice(&sender.unsent()[..taken]);
        sender.sent(taken);
    }
}

#[test]
fn a_head_and_a_small_body_are_one_piece() {
    let mut none = sender(BodyKind::None);
    assert_eq!(none.unsent(), HEAD);
    assert!(!none.is_done());
    none.sent(HEAD.len() - 1);
    assert!(!none.is_done());
    none.sent(1);
    assert!(none.is_done() && none.unsent().is_empty() && none.wanted() == 0);
    assert_eq!(none.bytes_sent(), HEAD.len() as u64);

    let mut small = sender(BodyKind::Bytes(Bytes::from_static(b"hello")));
    assert_eq!(small.unsent(), [HEAD, b"hello"].concat());
    small.sent(usize::MAX);
    assert!(small.is_done());
    assert_eq!(small.bytes_sent(), HEAD.len() as u64 + 5);
}

#[test]
fn trailers_go_behind_chunks_and_nowhere_else() {
    let mut chunked = sender(BodyKind::Source { length: None });
    let mut out = Vec::new();
    chunked.supply(b"hello").unwrap();
    chunked.supply_end_with(&headers(&[("X-Sum", "5"), ("x-b", "")])).unwrap();
    send(&mut chunked, 3, &mut out);
    assert_eq!(out, [HEAD, b"5\r\nhello\r\n0\r\nX-Sum: 5\r\nx-b: \r\n\r\n"].concat());
    assert!(chunked.is_done());
    assert_eq!(chunked.body_sent(), 5);
    for name in ["content-length", "Transfer-Encoding", "HOST", "Authorization", "Trailer", "If-Match"] {
        let mut chunked = sender(BodyKind::Source { length: None });
        let error = chunked.supply_end_with(&headers(&[("X-Sum", "5"), (name, "1")])).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidHeader, "{name}");
        assert!(chunked.unsent().is_empty() && !chunked.is_done(), "it never looks complete");
    }
    for body in [BodyKind::Source { length: Some(0) }, BodyKind::None] {
        let error = sender(body).supply_end_with(&headers(&[("X-Sum", "5")])).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidHeader);
    }
}

#[test]
fn what_is_out_of_a_body_is_counted_without_its_framing() {
    for (body, n) in [(BodyKind::Source { length: None }, 7), (BodyKind::Source { length: Some(9000) }, 7)] {
        let mut sender = sender(body);
        let mut last = 0;
        for round in 1..=3_u64 {
            assert_eq!(sender.supply(&[b'x'; 3000]).unwrap(), 3000);
            while !sender.unsent().is_empty() {
                sender.sent(n);
                assert!(last <= sender.body_sent() && sender.body_sent() <= round * 3000);
                last = sender.body_sent();
            }
            assert_eq!(last, round * 3000);
        }
    }
}

#[test]
fn a_large_body_is_sent_from_where_it_lies() {
    let bytes = Bytes::from(vec![b'x'; 100_000]);
    let at = bytes.as_ptr();
    let mut sender = sender(BodyKind::Bytes(bytes));
    assert_eq!(sender.unsent(), HEAD);
    sender.sent(HEAD.len());
    assert_eq!((sender.unsent().as_ptr(), sender.unsent().len()), (at, 100_000));
    sender.sent(60_000);
    assert_eq!(sender.unsent().len(), 40_000);
    assert!(!sender.is_done());
    sender.sent(40_000);
    assert!(sender.is_done() && sender.unsent().is_empty());
    assert_eq!(sender.bytes_sent(), HEAD.len() as u64 + 100_000);
}

#[test]
fn a_long_piece_of_a_source_is_sent_from_where_it_lies_and_then_let_go() {
    let bytes = Bytes::from(vec![b'x'; 100_000]);
    let mut sender = sender(BodyKind::Source { length: Some(100_005) });
    assert_eq!(sender.supply_shared(&bytes.slice(..5)).unwrap(), 5, "a short one is copied");
    assert_eq!(sender.unsent().len(), HEAD.len() + 5);
    assert_eq!(sender.supply_shared(&bytes).unwrap(), 100_000);
    assert_eq!((sender.wanted(), sender.supply_shared(&bytes).unwrap_err().kind()), (0, Kind::BodyLength));

    sender = self::sender(BodyKind::Source { length: Some(150_000) });
    assert_eq!(sender.supply_shared(&bytes).unwrap(), 100_000);
    assert_eq!(sender.unsent(), HEAD, "what was queued goes first");
    sender.sent(HEAD.len());
    assert_eq!((sender.unsent().as_ptr(), sender.unsent().len()), (bytes.as_ptr(), 100_000));
    assert_eq!(sender.supply_shared(&bytes.slice(..50_000)).unwrap(), 0, "one at a time");
    sender.sent(99_999);
    assert!(!bytes.is_unique() && sender.wanted() == 0);
    sender.sent(1);
    assert!(bytes.is_unique(), "the source may write to its memory again");
    assert_eq!(sender.wanted(), 50_001);
    assert_eq!(sender.supply_shared(&bytes.slice(..50_000)).unwrap(), 50_000);
    sender.supply_end().unwrap();
    assert!(!sender.is_done());
    sender.sent(50_000);
    assert!(sender.is_done() && sender.unsent().is_empty());
    assert_eq!(sender.body_sent(), 150_000);
}

#[test]
fn a_held_piece_waits_behind_the_head() {
    let mut sender = sender(BodyKind::Source { length: Some(20_000) });
    sender.hold();
    let bytes = Bytes::from(vec![b'x'; 20_000]);
    assert_eq!(sender.supply_shared(&bytes).unwrap(), 0);
    sender.sent(usize::MAX);
    sender.release();
    assert_eq!(sender.supply_shared(&bytes).unwrap(), 20_000);
    assert_eq!(sender.unsent().as_ptr(), bytes.as_ptr());
}

#[test]
fn f30_more_than_declared_never_leaves() {
    let mut sender = sender(BodyKind::Source { length: Some(5) });
    assert_eq!(sender.wanted(), 6, "one more, to see whether there is more");
    assert_eq!(sender.supply(b"hel").unwrap(), 3);
    assert_eq!(sender.wanted(), 3);
    assert_eq!(sender.supply(b"lo!").unwrap_err().kind(), Kind::BodyLength);
    assert!(sender.unsent().is_empty() && sender.wanted() == 0 && !sender.is_done());
    assert_eq!(sender.supply(b"").unwrap_err().kind(), Kind::BodyLength);
    assert_eq!(sender.supply_end().unwrap_err().kind(), Kind::BodyLength);
}

#[test]
fn f30_f29_less_than_declared_is_never_complete() {
    let mut short = sender(BodyKind::Source { length: Some(5) });
    assert_eq!(short.supply(b"hel").unwrap(), 3);
    short.sent(usize::MAX);
    assert_eq!(short.supply_end().unwrap_err().kind(), Kind::BodyLength);
    assert!(!short.is_done() && short.unsent().is_empty());

    let mut chunked = sender(BodyKind::Source { length: None });
    assert_eq!(chunked.supply(b"hel").unwrap(), 3);
    assert!(chunked.unsent().ends_with(b"3\r\nhel\r\n"));
    chunked.sent(usize::MAX);
    assert!(!chunked.is_done(), "a source that breaks leaves no last chunk");
}

#[test]
fn a_declared_length_is_complete_with_its_last_byte() {
    let mut exact = sender(BodyKind::Source { length: Some(5) });
    assert_eq!(exact.supply(b"hello").unwrap(), 5);
    assert_eq!(exact.unsent(), [HEAD, b"hello"].concat(), "with the head in one piece");
    assert!(!exact.is_done());
    exact.sent(usize::MAX);
    assert!(exact.is_done() && exact.wanted() == 1);
    exact.supply_end().unwrap();
    exact.supply_end().unwrap();
    assert!(exact.is_done() && exact.wanted() == 0);
    let mut empty = sender(BodyKind::Source { length: Some(0) });
    assert_eq!(empty.wanted(), 1);
    empty.sent(usize::MAX);
    assert!(empty.is_done());
}

#[test]
fn chunks_are_encoded_and_an_empty_piece_is_not_the_end() {
    let mut sender = sender(BodyKind::Source { length: None });
    sender.sent(HEAD.len());
    assert_eq!(sender.supply(b"").unwrap(), 0);
    assert!(sender.unsent().is_empty());
    assert_eq!(sender.supply(&[b'x'; 26]).unwrap(), 26);
    assert_eq!(sender.unsent(), [b"1a\r\n", &[b'x'; 26][..], b"\r\n"].concat());
    assert_eq!(sender.supply(&[b'y'; 0x1000]).unwrap(), 0x1000);
    sender.supply_end().unwrap();
    assert!(sender.unsent().ends_with(b"y\r\n0\r\n\r\n"));
    assert_eq!(sender.wanted(), 0);
    assert_eq!(sender.supply(b"z").unwrap_err().kind(), Kind::Misuse);
}

#[test]
fn a_body_that_nobody_asked_for_is_misuse() {
    for body in [BodyKind::None, BodyKind::Bytes(Bytes::from(vec![0; 10_000]))] {
        let mut sender = sender(body);
        assert_eq!(sender.wanted(), 0);
        assert_eq!(sender.supply(b"x").unwrap_err().kind(), Kind::Misuse);
    }
}

#[test]
fn the_queue_is_bounded() {
    let mut sender = sender(BodyKind::Source { length: None });
    let piece = vec![b'x'; 200_000];
    let mut taken = 0;
    while sender.wanted() > 0 {
        let n = sender.supply(&piece).unwrap();
        assert!(n > 0);
        taken += n;
    }
    assert_eq!(sender.supply(&piece).unwrap(), 0, "it has to be sent first");
    assert!(taken <= 64 * 1024 && sender.unsent().len() <= 65 * 1024);
    sender.sent(usize::MAX);
    assert_eq!(sender.wanted(), 64 * 1024);
}

#[test]
fn a_held_body_waits_behind_the_head() {
    for body in [
        BodyKind::Bytes(Bytes::from_static(b"hello")),
        BodyKind::Bytes(Bytes::from(vec![b'x'; 20_000])),
        BodyKind::Source { length: Some(5) },
        BodyKind::Source { length: None },
    ] {
        let mut sender = sender(body);
        sender.hold();
        assert_eq!((sender.unsent(), sender.wanted()), (HEAD, 0));
        sender.sent(10);
        sender.sent(HEAD.len() - 10);
        assert!(sender.unsent().is_empty() && sender.wanted() == 0 && !sender.is_done());
        assert!(sender.is_held());
        sender.release();
        assert!(sender.wanted() > 0 || !sender.unsent().is_empty());
        sender.hold();
        assert!(!sender.is_held(), "too late");
        if sender.wanted() > 0 {
            assert_eq!(sender.supply(b"hello").unwrap(), 5);
            sender.supply_end().unwrap();
        }
        sender.sent(usize::MAX);
        assert!(sender.is_done());
    }
}

#[test]
fn v41_nothing_in_a_target_ends_the_request_line() {
    for (target, line) in [
        (&b"/a b\r\nX: y"[..], &b"GET /a%20b%0D%0AX:%20y HTTP/1.1\r\n"[..]),
        (b"/caf\xc3\xa9\0\x7f", b"GET /caf%C3%A9%00%7F HTTP/1.1\r\n"),
        (b"", b"GET / HTTP/1.1\r\n"),
        (b"http://h/?q=%20", b"GET http://h/?q=%20 HTTP/1.1\r\n"),
    ] {
        let sender = RequestEncoder::new(&Method::GET, target, &Headers::new(), BodyKind::None, Vec::new());
        assert_eq!(sender.unsent(), [line, b"\r\n"].concat());
    }
}

#[test]
fn memory_goes_round() {
    let mut buffer = Vec::with_capacity(4096);
    buffer.extend_from_slice(b"of an earlier request");
    let memory = buffer.as_ptr();
    let sender =
        RequestEncoder::new(&Method::POST, b"/a?b=c", &headers(&[("Host", "h")]), BodyKind::None, buffer);
    assert_eq!(sender.unsent(), HEAD);
    let buffer = sender.into_buffer();
    assert_eq!(buffer.as_ptr(), memory);
}

/// The bytes of a chunked upload, decoded as if they were a response.
fn decode(sent: &[u8]) -> Vec<u8> {
    let body = &sent[HEAD.len()..];
    let mut wire = Wire::new(
        RequestContext::new(&Method::GET),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    wire.bytes.extend_from_slice(body);
    let seen = wire.cut(&[]);
    assert_eq!(seen.end, End::Complete);
    seen.body
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_supplied_arrives(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..12),
        slice in 1usize..70_000,
        eager: bool,
        with_length: bool,
        starts_held: bool,
        is_shared: bool,
    ) {
        let data = pieces.concat();
        let length = with_length.then_some(data.len() as u64);
        let mut sender = sender(BodyKind::Source { length });
        let mut sent = Vec::new();
        if starts_held {
            sender.hold();
            send(&mut sender, slice, &mut sent);
            prop_assert_eq!(&*sent, HEAD);
            sender.release();
        }
        for piece in &pieces {
            let mut rest = &piece[..];
            while !rest.is_empty() {
                let wanted = sender.wanted();
                let n = if is_shared {
                    sender.supply_shared(&Bytes::copy_from_slice(rest)).unwrap()
                } else {
                    sender.supply(rest).unwrap()
                };
                prop_assert!(n == wanted.min(rest.len()) || is_shared && with_length && n == rest.len());
                rest = &rest[n..];
                if !eager || n == 0 {
                    send(&mut sender, slice, &mut sent);
                } else {
                    // Only a part, so that queued and sent bytes mix.
                    let n = sender.unsent().len().min(slice / 3 + 1);
                    sent.extend_from_slice(&sender.unsent()[..n]);
                    sender.sent(n);
                }
            }
        }
        sender.supply_end().unwrap();
        send(&mut sender, slice, &mut sent);
        prop_assert!(sender.is_done());
        prop_assert_eq!(sender.bytes_sent(), sent.len() as u64);
        prop_assert!(sent.starts_with(HEAD));
        if with_length {
            prop_assert_eq!(&sent[HEAD.len()..], &data);
        } else {
            prop_assert_eq!(decode(&sent), data);
        }
    }

    #[test]
    fn bytes_arrive_in_any_slices(len in 0usize..40_000, slice in 1usize..50_000) {
        let body: Vec<u8> = (0..len).map(|n| n.to_le_bytes()[0]).collect();
        let mut sender = sender(BodyKind::Bytes(Bytes::from(body.clone())));
        let mut sent = Vec::new();
        send(&mut sender, slice, &mut sent);
        prop_assert!(sender.is_done());
        prop_assert_eq!(sent, [HEAD, &body].concat());
    }
}

/// One connection, two requests: encoder and decoder share only the reuse decision.
#[test]
fn two_exchanges_over_one_connection() {
    let (mut out, mut input) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let mut sender = RequestEncoder::new(
            &Method::GET,
            b"/",
            &headers(&[("Host", "h")]),
            BodyKind::None,
            std::mem::take(&mut out),
        );
        sender.sent(usize::MAX);
        assert!(sender.is_done());
        let mut receiver = ResponseDecoder::new(
            RequestContext::new(&Method::GET),
            Limits::default(),
            std::mem::take(&mut input),
        );
        let answer = b"HTTP/1.1 304 Not Modified\r\n\r\n";
        receiver.room()[..answer.len()].copy_from_slice(answer);
        receiver.received(answer.len());
        assert!(matches!(receiver.poll(), Ok(super::super::Event::Head(_))));
        assert!(matches!(receiver.poll(), Ok(super::super::Event::End)));
        assert!(matches!(receiver.reuse(), super::super::Reuse::Yes { .. }));
        (out, input) = (sender.into_buffer(), receiver.into_buffer());
    }
}

#[test]
fn an_encoder_without_a_request_has_nothing_to_send() {
    let mut idle = RequestEncoder::default();
    assert!(idle.unsent().is_empty() && idle.is_done() && !idle.is_held());
    assert_eq!((idle.wanted(), idle.bytes_sent(), idle.body_sent()), (0, 0, 0));
    assert_eq!(idle.supply(b"").unwrap(), 0);
    assert_eq!(idle.supply(b"x").unwrap_err().kind(), Kind::Misuse);
}

#[test]
fn bodies_are_copied_up_to_8_kib() {
    for (size, is_one_piece) in [(8 << 10, true), ((8 << 10) + 1, false)] {
        let bytes = Bytes::from(vec![b'x'; size]);
        let whole = sender(BodyKind::Bytes(bytes.clone()));
        assert_eq!(whole.unsent().len(), HEAD.len() + if is_one_piece { size } else { 0 }, "{size}");
        let mut source = sender(BodyKind::Source { length: Some(100_000) });
        source.sent(HEAD.len());
        assert_eq!(source.supply_shared(&bytes).unwrap(), size);
        assert_eq!(source.unsent().as_ptr() != bytes.as_ptr(), is_one_piece, "{size}");
        assert_eq!(source.unsent().len(), size);
    }
}

#[test]
fn a_source_is_asked_while_half_a_queue_is_free() {
    const PIECE: usize = 64 << 10;
    let mut sender = sender(BodyKind::Source { length: Some(1 << 20) });
    sender.sent(HEAD.len());
    assert_eq!(sender.supply(&[b'x'; 50_000]).unwrap(), 50_000);
    // The unsent bytes count, not the sent ones.
    for (sent, wanted) in
        [(0, 0), (50_000 - PIECE / 2 - 1, 0), (1, PIECE / 2), (1, PIECE / 2 + 1), (30_000, PIECE - 2767)]
    {
        sender.sent(sent);
        assert_eq!(sender.wanted(), wanted, "{sent}");
    }
}

#[test]
fn sent_bytes_are_dropped_while_others_wait() {
    let mut sender = sender(BodyKind::Source { length: None });
    for _ in 0..500 {
        sender.supply(&[b'x'; 5000]).unwrap();
        sender.sent(sender.unsent().len() - 700);
    }
    assert_eq!(sender.unsent().len(), 700);
    assert!(sender.into_buffer().len() < 12_000);
}

#[test]
fn a_failure_is_final() {
    let mut sender = sender(BodyKind::Source { length: Some(5) });
    assert_eq!(sender.supply(b"hello").unwrap(), 5);
    assert_eq!(sender.supply(b"!").unwrap_err().kind(), Kind::BodyLength);
    assert_eq!(
        sender.supply_end().unwrap_err().kind(),
        Kind::BodyLength,
        "even with all declared bytes supplied"
    );
    assert!(sender.take_unsent().is_none());
}

/// Requests of which the head, and no byte of the body, was sent in part or whole.
#[test]
fn fs9_a_body_that_was_not_sent_goes_to_another_encoder() {
    let large = Bytes::from(vec![b'y'; 20_000]);
    for length in [None, Some(5), Some(20_005)] {
        let mut whole = Vec::new();
        for sent in [0, 1, HEAD.len() - 1, HEAD.len()] {
            let mut first = sender(BodyKind::Source { length });
            assert_eq!(first.supply(b"hello").unwrap(), 5);
            if length == Some(20_005) {
                assert_eq!(first.supply_shared(&large).unwrap(), 20_000);
            } else if sent % 2 == 0 {
                first.supply_end().unwrap();
            }
            first.sent(sent);
            assert!(first.is_body_unsent(), "{sent}");
            let unsent = first.take_unsent().unwrap();
            let mut second = sender(BodyKind::Source { length });
            second.resume(unsent);
            assert_eq!(second.body_sent(), 0);
            if !(length != Some(20_005) && sent % 2 == 0) {
                second.supply_end().unwrap();
            }
            let mut out = Vec::new();
            send(&mut second, 1000, &mut out);
            assert!(second.is_done(), "{length:?} {sent}");
            let body = if length == Some(20_005) { 20_005 } else { 5 };
            assert_eq!(second.body_sent(), body, "{length:?} {sent}");
            if whole.is_empty() {
                whole = out;
            } else {
                assert!(out == whole, "{length:?} {sent}");
            }
        }
        // Sent bytes may have arrived.
        let mut first = sender(BodyKind::Source { length });
        first.supply(b"hello").unwrap();
        first.sent(HEAD.len() + 1);
        assert!(!first.is_body_unsent() && first.take_unsent().is_none(), "{length:?}");
    }
}

#[test]
fn memory_is_taken_out_of_an_encoder_that_is_over() {
    let mut sender = sender(BodyKind::None);
    sender.sent(5);
    let memory = sender.unsent().as_ptr();
    let buffer = sender.take_buffer();
    assert_eq!((buffer.as_ptr().addr() + 5, buffer.len()), (memory.addr(), HEAD.len()));
    assert!(sender.unsent().is_empty() && sender.is_done());
}
