//! Each limit has its own error, and allows values slightly below it.

use core::time::Duration;

use super::script::{Log, Script, connection, feed, flush, frames, id, run};
use crate::frame::{self, FrameError, Kind};
use crate::hpack::DecodeError;
use crate::{Config, ConnectionErrorKind as E, ErrorCode, State, StreamErrorKind};

fn error(streams: usize, script: &Script) -> Option<E> {
    run(&Config::default(), streams, script).1
}

/// A script that repeats a frame.
fn many(count: u32, kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Script {
    let mut script = Script::new().head(1, "200", false);
    for _ in 0..count {
        script = script.frame(kind, flags, stream, payload);
    }
    script
}

#[test]
fn floods_end_the_connection() {
    type Row = (Kind, u8, u32, &'static [u8], u32, E);
    let table: &[Row] = &[
        (Kind::PING, 0, 0, b"12345678", 100, E::TooManyPings),
        // A script begins with SETTINGS, so 19 more reach the limit of 20.
        (Kind::SETTINGS, 0, 0, b"", 19, E::TooManySettings),
        (Kind::DATA, 0, 1, b"", 1000, E::TooManyEmptyFrames),
        (Kind::DATA, 8, 1, b"\x02\0\0", 1000, E::TooManyEmptyFrames),
        (Kind::PRIORITY, 0, 1, &[0; 5], 1000, E::TooManyEmptyFrames),
        (Kind(0x77), 0, 1, b"x", 1000, E::TooManyEmptyFrames),
        (Kind::RST_STREAM, 0, 1, &[0; 4], 1000, E::TooManyResets),
    ];
    for &(kind, flags, stream, payload, most, expected) in table {
        assert_eq!(error(1, &many(most, kind, flags, stream, payload)), None, "{kind}");
        assert_eq!(error(1, &many(most + 1, kind, flags, stream, payload)), Some(expected), "{kind}");
    }
    // Acknowledgements do not count.
    assert_eq!(error(1, &many(5000, Kind::PING, 1, 0, b"12345678")), None);
}

/// The budget is renewed after a second.
#[test]
fn a_budget_is_for_a_second() {
    let mut client = connection(&Config::default(), 1);
    let mut log = Log::default();
    feed(&mut client, &many(100, Kind::PING, 0, 0, b"12345678").bytes, usize::MAX, &mut log);
    client.io(Duration::from_secs(1));
    let mut more = Vec::new();
    (0..100).for_each(|_| frame::encode::ping(*b"12345678", false, &mut more));
    feed(&mut client, &more, usize::MAX, &mut log);
    assert_eq!(client.error(), None);
    feed(&mut client, &more, usize::MAX, &mut log);
    assert_eq!(client.error().unwrap().kind(), E::TooManyPings);
    assert_eq!(client.error().unwrap().code(), ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn replies_that_nobody_reads_end_the_connection() {
    let mut config = Config::default();
    config.limits.pings = 200;
    let mut client = connection(&config, 1);
    let mut log = Log::default();
    let mut ping = Vec::new();
    frame::encode::ping([1; 8], false, &mut ping);
    feed(&mut client, &Script::new().bytes, usize::MAX, &mut log);
    client.unacknowledged = None;
    // One further reply acknowledges the settings.
    for second in 0..9 {
        client.io(Duration::from_secs(second));
        (0..111).for_each(|_| feed(&mut client, &ping, usize::MAX, &mut log));
        assert_eq!(client.error(), None);
    }
    client.io(Duration::from_secs(9));
    feed(&mut client, &ping, usize::MAX, &mut log);
    assert_eq!(client.error().unwrap().kind(), E::TooManyReplies);
}

#[test]
fn header_lists_have_two_caps() {
    // One entry of the table, repeated: a byte in the block is 1032 bytes in the list.
    let bomb = |times: usize| {
        let mut script = Script::new();
        let value = "v".repeat(1000 - 6);
        let mut block = script.block(&[(":status", "200"), ("x-bomb", &value)]);
        let again = script.block(&[("x-bomb", &value)]);
        (1..times).for_each(|_| block.extend_from_slice(&again));
        frame::encode::headers(1, &block, true, 16_384, &mut script.bytes);
        script.fields(3, &[(":status", "200"), ("x-bomb", &value)], true)
    };
    let (log, none) = run(&Config::default(), 2, &bomb(63));
    assert_eq!((log.end(1), none), (Ok(()), None));
    for times in [64, 253] {
        let (log, none) = run(&Config::default(), 2, &bomb(times));
        assert_eq!((log.end(1), none), (Err(StreamErrorKind::HeaderListTooLarge), None), "{times}");
        assert_eq!(log.end(3), Ok(()), "HPACK is in step");
    }
    assert_eq!(error(2, &bomb(255)), Some(E::HeaderListTooLarge));
}

#[test]
fn continuations_have_caps() {
    let cut = |frames: usize, size: usize, is_ended: bool| {
        let mut script = Script::new();
        let block = script.block(&[(":status", "200")]);
        script = script.frame(Kind::HEADERS, 1, 1, &block);
        for at in 0..frames {
            // Repeated `:status` fields (0x88) are malformed, but can be decoded.
            let flags = if is_ended && at + 1 == frames { 4 } else { 0 };
            script = script.frame(Kind::CONTINUATION, flags, 1, &[0x88].repeat(size));
        }
        script
    };
    let (log, none) = run(&Config::default(), 1, &cut(64, 0, true));
    assert_eq!((log.end(1), none), (Ok(()), None));
    // CVE-2024-27316 and similar attacks: a header block without END_HEADERS.
    assert_eq!(error(1, &cut(65, 0, false)), Some(E::TooManyContinuations));
    assert_eq!(error(1, &cut(65, 0, true)), Some(E::TooManyContinuations));
    assert_eq!(error(1, &cut(17, 16_384, false)), Some(E::HeaderListTooLarge));
    assert_eq!(error(1, &cut(15, 16_384, false)), None);
}

#[test]
fn frames_that_may_not_come_end_the_connection() {
    use E::{BrokenHeaderBlock, Frame, IdleStream};
    let table: Vec<(Script, E)> = vec![
        (Script::new().frame(Kind::PUSH_PROMISE, 4, 1, &[0, 0, 0, 2, 0x88]), E::PushPromise),
        (Script::new().head(2, "200", true), IdleStream(Kind::HEADERS)),
        (Script::new().head(99, "200", true), IdleStream(Kind::HEADERS)),
        (Script::new().data(4, b"x", true), IdleStream(Kind::DATA)),
        (Script::new().data(99, b"x", true), IdleStream(Kind::DATA)),
        (Script::new().frame(Kind::RST_STREAM, 0, 99, &[0; 4]), IdleStream(Kind::RST_STREAM)),
        (Script::new().frame(Kind::WINDOW_UPDATE, 0, 99, &[0, 0, 0, 1]), IdleStream(Kind::WINDOW_UPDATE)),
        (Script::new().data(0, b"x", true), Frame(FrameError::Stream(Kind::DATA))),
        (Script::new().frame(Kind::HEADERS, 4, 0, &[0x88]), Frame(FrameError::Stream(Kind::HEADERS))),
        (Script::new().frame(Kind::PING, 0, 1, &[0; 8]), Frame(FrameError::Stream(Kind::PING))),
        (Script::new().frame(Kind::PING, 0, 0, &[0; 7]), Frame(FrameError::Size(Kind::PING))),
        (Script::new().frame(Kind::DATA, 8, 1, b""), Frame(FrameError::Size(Kind::DATA))),
        (Script::new().frame(Kind::DATA, 8, 1, b"\x01"), Frame(FrameError::Padding(Kind::DATA))),
        (Script::new().frame(Kind::HEADERS, 0xc, 1, b"\x09x"), Frame(FrameError::Padding(Kind::HEADERS))),
        (Script::new().frame(Kind::CONTINUATION, 4, 1, &[0x88]), BrokenHeaderBlock(Kind::CONTINUATION)),
        (
            Script::new().frame(Kind::HEADERS, 0, 1, &[0x88]).frame(Kind::PING, 0, 0, &[0; 8]),
            BrokenHeaderBlock(Kind::PING),
        ),
        (
            Script::new().frame(Kind::HEADERS, 0, 1, &[0x88]).frame(Kind::CONTINUATION, 4, 3, &[]),
            BrokenHeaderBlock(Kind::CONTINUATION),
        ),
        (Script::new().frame(Kind::HEADERS, 4, 1, &[0xff, 0]), E::HeaderBlock(DecodeError::InvalidIndex)),
        (Script::new().frame(Kind::HEADERS, 4, 1, &[0x80]), E::HeaderBlock(DecodeError::InvalidIndex)),
        (
            Script::new().frame(Kind::HEADERS, 4, 1, &[0x3f, 0xe2, 0x1f]),
            E::HeaderBlock(DecodeError::TableTooLarge),
        ),
        (Script::new().frame(Kind::DATA, 0, 1, &[0; 16_385]), E::FrameTooLarge(16_385)),
        (
            Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 1]),
            E::InvalidSetting { id: 2, value: 1 },
        ),
        (
            Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]),
            E::InvalidSetting { id: 4, value: 1 << 31 },
        ),
        (
            Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 5, 0, 0, 0x3f, 0xff]),
            E::InvalidSetting { id: 5, value: 16_383 },
        ),
        (
            Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 5, 1, 0, 0, 0]),
            E::InvalidSetting { id: 5, value: 1 << 24 },
        ),
        (Script::new().frame(Kind::WINDOW_UPDATE, 0, 0, &[0; 4]), E::ZeroIncrement),
        (Script::new().frame(Kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), E::WindowOverflow),
        (
            Script::new().frame(Kind::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]).frame(
                Kind::GOAWAY,
                0,
                0,
                &[0, 0, 0, 3, 0, 0, 0, 0],
            ),
            E::GoAwayIncreased,
        ),
    ];
    for (script, expected) in table {
        let mut client = connection(&Config::default(), 2);
        let mut log = Log::default();
        feed(&mut client, &script.bytes, usize::MAX, &mut log);
        let error = client.error().unwrap();
        assert_eq!(error.kind(), expected);
        // Each stream ends once, the peer receives GOAWAY, and nothing more is read.
        assert!(log.end(3).is_err(), "{log:?}");
        let sent = frames(&flush(&mut client));
        let (header, payload) = sent.last().unwrap();
        assert_eq!((header.kind, &payload[4..8]), (Kind::GOAWAY, &error.code().0.to_be_bytes()[..]));
        assert_eq!(client.state(Duration::ZERO), State::Dead);
        assert!(client.io(Duration::ZERO).recv.is_empty());
    }
}

#[test]
fn a_server_of_another_protocol_is_recognised() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x46\0\0\0"] {
        let mut client = connection(&Config::default(), 1);
        feed(&mut client, bytes, usize::MAX, &mut Log::default());
        assert_eq!(client.error().unwrap().kind(), E::NotHttp2);
    }
}

#[test]
fn windows_that_are_exceeded_end_what_they_belong_to() {
    let mut config = Config {
        stream_window: 1000,
        max_stream_window: 1000,
        connection_window: 65_535,
        ..Config::default()
    };
    let script = || Script::new().head(1, "200", false);
    let (log, none) = run(&config, 2, &script().data(1, &[0; 1001], true).head(3, "200", true));
    assert_eq!((log.end(1), log.end(3), none), (Err(StreamErrorKind::WindowExceeded), Ok(()), None));
    // Padding counts.
    let (log, none) = run(&config, 2, &script().padded(1, &[0; 800], 200, true));
    assert_eq!((log.end(1), none), (Err(StreamErrorKind::WindowExceeded), None));
    let (log, none) = run(&config, 2, &script().padded(1, &[0; 800], 199, true));
    assert_eq!((log.end(1), none), (Ok(()), None));
    // The caller of stream 1 does not read: its unread bytes count against that stream alone.
    (config.stream_window, config.max_stream_window) = (1 << 20, 1 << 20);
    let mut client = connection(&config, 1);
    let mut script = script();
    for _ in 0..20 {
        script = script.data(1, &[0; 16_000], false);
    }
    let mut rest = &script.bytes[..];
    while !rest.is_empty() {
        let recv = client.io(Duration::ZERO).recv;
        let n = recv.len().min(rest.len());
        recv[..n].copy_from_slice(&rest[..n]);
        client.received(n, Duration::ZERO);
        while client.poll_event().is_some() {}
        rest = &rest[n..];
    }
    assert_eq!((client.error(), client.body(id(1)).len()), (None, 320_000));
}

/// Frames of the peer on streams are limited as well: each may cost a RST_STREAM (CVE-2025-8671).
#[test]
fn stream_errors_are_counted() {
    let mut config = Config::default();
    config.limits.stream_errors = 5;
    let mut script = Script::new();
    for at in 0..6 {
        script = script.head(at * 2 + 1, "101", false);
    }
    let (log, error) = run(&config, 6, &script);
    assert_eq!(log.end(9), Err(StreamErrorKind::Malformed(crate::Malformed::SwitchingProtocols)));
    assert_eq!(error, Some(E::TooManyStreamErrors));
    assert_eq!(log.end(11), Err(StreamErrorKind::Connection(E::TooManyStreamErrors)));
}

#[test]
fn interim_responses_are_counted() {
    let mut script = Script::new();
    for _ in 0..32 {
        script = script.head(1, "103", false);
    }
    let (log, _) = run(
        &Config::default(),
        1,
        &Script { bytes: script.bytes.clone(), ..Script::new() }.head(1, "200", true),
    );
    assert_eq!(log.end(1), Ok(()));
    let (log, error) = run(&Config::default(), 1, &script.head(1, "103", false));
    assert_eq!((log.end(1), error), (Err(StreamErrorKind::TooManyInterimHeads), None));
}
