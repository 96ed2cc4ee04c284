//! Time limits, silent peers, shutdown.

use core::time::Duration;

use super::script::{GET, Log, Script, connection, feed, flush, frames, id};
use crate::frame::{self, Kind};
use crate::{
    Config, Connection, ConnectionErrorKind as E, ErrorCode, Field, OpenError, RequestHead, State,
    StreamErrorKind,
};

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A connection with acknowledged settings.
fn greeted(streams: usize) -> Connection {
    let mut client = connection(&Config::default(), streams);
    let mut bytes = Script::new().bytes;
    frame::encode::settings_ack(&mut bytes);
    feed(&mut client, &bytes, usize::MAX, &mut Log::default());
    flush(&mut client);
    client
}

fn answer(client: &mut Connection, bytes: &[u8]) -> Log {
    let mut log = Log::default();
    feed(client, bytes, usize::MAX, &mut log);
    log
}

#[test]
fn settings_that_are_not_acknowledged_end_the_connection() {
    let mut client = connection(&Config::default(), 1);
    let mut log = answer(&mut client, &Script::new().bytes);
    assert_eq!(client.io(seconds(9)).deadline, Some(seconds(10)));
    assert_eq!(client.error(), None);
    client.io(seconds(10));
    log.take(&mut client);
    assert_eq!(client.error().unwrap().kind(), E::SettingsTimeout);
    assert_eq!(client.error().unwrap().code(), ErrorCode::SETTINGS_TIMEOUT);
    assert_eq!(log.end(1), Err(StreamErrorKind::Connection(E::SettingsTimeout)));
    assert_eq!(greeted(1).io(seconds(100)).deadline, None);
}

#[test]
fn after_ten_quiet_seconds_a_ping_goes_with_the_next_request() {
    let mut client = greeted(0);
    client.open(&GET, [], true, Duration::from_millis(9999)).unwrap();
    assert!(!frames(&flush(&mut client)).iter().any(|(header, _)| header.kind == Kind::PING));
    client.open(&GET, [], true, seconds(10)).unwrap();
    let kinds: Vec<Kind> = frames(&flush(&mut client)).iter().map(|(header, _)| header.kind).collect();
    assert_eq!(kinds, [Kind::HEADERS, Kind::PING]);
    assert_eq!(client.state(seconds(10)), State::Doubtful);
    assert_eq!(client.open(&GET, [], true, seconds(11)), Err(OpenError::Full));
    assert_eq!(client.io(seconds(11)).deadline, Some(seconds(30)));
    // Every received byte is a sign of life.
    client.now = seconds(12);
    answer(&mut client, &Script::new().bytes[..4]);
    assert_eq!(client.state(seconds(12)), State::Open { free: 254 });
    assert!(client.open(&GET, [], true, seconds(12)).is_ok());
    assert!(!frames(&flush(&mut client)).iter().any(|(header, _)| header.kind == Kind::PING));
}

#[test]
fn a_peer_that_says_nothing_is_dead() {
    let mut client = greeted(0);
    client.open(&GET, [], true, seconds(60)).unwrap();
    flush(&mut client);
    client.io(seconds(80));
    let mut log = Log::default();
    log.take(&mut client);
    assert_eq!(log.end(1), Err(StreamErrorKind::Connection(E::PingTimeout)));
    assert_eq!(client.state(seconds(80)), State::Dead);
}

#[test]
fn goaway_drains_and_tells_which_requests_are_safe() {
    let mut client = greeted(3);
    let goaway = |last: u32, code: ErrorCode| {
        let mut bytes = Vec::new();
        frame::encode::goaway(last, code, b"maintenance", &mut bytes);
        bytes
    };
    let mut log = answer(&mut client, &goaway(3, ErrorCode::NO_ERROR));
    assert_eq!(client.state(Duration::ZERO), State::Draining);
    assert_eq!(client.open(&GET, [], true, Duration::ZERO), Err(OpenError::Closed));
    assert_eq!(log.end(5), Err(StreamErrorKind::GoAway(ErrorCode::NO_ERROR)));
    assert!(matches!(log.events[0], (5, super::script::Entry::Ended(_, true))), "{log:?}");
    feed(&mut client, &goaway(1, ErrorCode::INTERNAL_ERROR), usize::MAX, &mut log);
    assert_eq!(log.end(3), Err(StreamErrorKind::GoAway(ErrorCode::INTERNAL_ERROR)));
    // The first one gets its response all the same.
    feed(&mut client, &Script::new().head(1, "200", true).bytes, usize::MAX, &mut log);
    assert_eq!(log.end(1), Ok(()));
    assert_eq!(client.state(Duration::ZERO), State::Dead);
    let goaway = client.goaway().unwrap();
    assert_eq!(
        (goaway.last, goaway.code, &goaway.debug[..]),
        (1, ErrorCode::INTERNAL_ERROR, &b"maintenance"[..])
    );
}

#[test]
fn what_the_peer_certainly_did_not_process_is_safe_to_repeat() {
    let mut client = greeted(1);
    // No byte of the second request is sent, and one byte of the third.
    let before = client.outgoing.len();
    client.open(&GET, [], true, Duration::ZERO).unwrap();
    let third = client.outgoing.len();
    client.open(&GET, [], true, Duration::ZERO).unwrap();
    assert!(before == 0 && third > 0);
    client.sent(1);
    client.received(0, Duration::ZERO);
    let mut log = Log::default();
    log.take(&mut client);
    let closed = Err(StreamErrorKind::Connection(E::Closed));
    let ended = |stream, is_safe| (stream, super::script::Entry::Ended(closed, is_safe));
    assert_eq!(log.events, [ended(1, false), ended(3, false), ended(5, true)]);

    let mut client = greeted(2);
    let mut bytes = Vec::new();
    frame::encode::reset(1, ErrorCode::REFUSED_STREAM, &mut bytes);
    frame::encode::reset(3, ErrorCode::CANCEL, &mut bytes);
    let log = answer(&mut client, &bytes);
    let ended = |stream, code, is_safe| {
        (stream, super::script::Entry::Ended(Err(StreamErrorKind::Reset(code)), is_safe))
    };
    let expected = [ended(1, ErrorCode::REFUSED_STREAM, true), ended(3, ErrorCode::CANCEL, false)];
    assert_eq!(log.events, expected);
}

/// Bytes before the end are parsed before the end is reported.
#[test]
fn bytes_before_the_end_of_the_transport_count() {
    let mut client = greeted(2);
    let script = Script::new().head(1, "200", false).data(1, b"all", true).head(3, "200", false);
    let bytes = script.data(3, b"a part", false).bytes;
    client.io(Duration::ZERO).recv[..bytes.len()].copy_from_slice(&bytes);
    client.received(bytes.len(), Duration::ZERO);
    client.received(0, Duration::ZERO);
    let mut log = Log::default();
    log.take(&mut client);
    assert_eq!(log.end(1), Ok(()));
    assert_eq!(log.end(3), Err(StreamErrorKind::Connection(E::Closed)));
    assert!(log.events.contains(&(3, super::script::Entry::Body(b"a part".to_vec()))));
}

#[test]
fn we_shut_down_and_open_streams_go_on() {
    let mut client = greeted(1);
    client.close();
    client.close();
    let sent = frames(&flush(&mut client));
    assert_eq!(sent.iter().map(|(header, _)| header.kind).collect::<Vec<_>>(), [Kind::GOAWAY]);
    assert_eq!(client.state(Duration::ZERO), State::Draining);
    let log = answer(&mut client, &Script::new().head(1, "200", true).bytes);
    assert_eq!((log.end(1), client.state(Duration::ZERO)), (Ok(()), State::Dead));
}

#[test]
fn a_caller_that_resets_too_much_waits() {
    let mut client = greeted(0);
    for _ in 0..200 {
        let stream = client.open(&GET, [], true, Duration::ZERO).unwrap();
        client.reset(stream, ErrorCode::CANCEL);
    }
    assert_eq!(client.state(Duration::ZERO), State::Open { free: 0 });
    assert_eq!(client.open(&GET, [], true, Duration::ZERO), Err(OpenError::Full));
    assert_eq!(client.io(Duration::ZERO).deadline, Some(seconds(1)));
    assert!(client.open(&GET, [], true, seconds(1)).is_ok());
}

/// Lowering MAX_CONCURRENT_STREAMS, even to zero, is no deadlock: it can be raised again.
#[test]
fn fewer_streams_than_are_open_are_allowed() {
    let mut client = greeted(3);
    let settings = |most: u8| Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, most]).bytes;
    answer(&mut client, &settings(1));
    assert_eq!(client.state(Duration::ZERO), State::Open { free: 0 });
    for stream in [1, 3, 5] {
        assert_eq!(client.open(&GET, [], true, Duration::ZERO), Err(OpenError::Full));
        client.reset(id(stream), ErrorCode::CANCEL);
    }
    assert_eq!(client.state(Duration::ZERO), State::Open { free: 1 });
    answer(&mut client, &settings(0));
    assert_eq!(client.open(&GET, [], true, Duration::ZERO), Err(OpenError::Full));
    answer(&mut client, &settings(2));
    assert_eq!(client.state(Duration::ZERO), State::Open { free: 2 });
}

#[test]
fn an_idle_connection_is_small() {
    let mut client = greeted(0);
    let head = RequestHead { method: "POST", ..GET };
    let mut script = Script::new();
    for at in 0..40_u32 {
        // Both header tables are filled with long values, whose HPACK size is close to their
        // length.
        let value = at.to_string().repeat(200);
        let stream = client.open(&head, [Field::new("x-long", &value)], false, Duration::ZERO).unwrap();
        assert_eq!(client.send_body(stream, &[b'x'; 1000], true), Ok(1000));
        flush(&mut client);
        script = script.fields(at * 2 + 1, &[(":status", "200"), ("x-long", &value)], false);
        script = script.data(at * 2 + 1, &[b'y'; 10_000], true);
        answer(&mut client, &std::mem::take(&mut script.bytes));
    }
    assert!(client.incoming.bytes.len() > 16_000);
    flush(&mut client);
    client.rest();
    client.io(Duration::ZERO);
    let buffers = client.incoming.bytes.capacity() + client.outgoing.bytes.capacity();
    let tables = client.decoder.memory() + client.encoder.memory();
    let size = size_of::<Connection>();
    println!("{size} bytes, buffers of {buffers}, tables of {tables}");
    assert!(tables > 3000 && size + buffers + tables <= 8192, "{size} {buffers} {tables}");
    // Both sides are still synchronized.
    client.open(&GET, [], true, Duration::ZERO).unwrap();
    let log = answer(&mut client, &script.fields(81, &[(":status", "200"), ("x-long", "39")], true).bytes);
    assert_eq!(log.end(81), Ok(()));
}

#[test]
fn nothing_that_is_shown_is_a_secret() {
    let mut client = greeted(0);
    let fields =
        [Field::new("x-key", "c0nfidential"), Field::new("authorization", "c0nfidential").sensitive()];
    client.open(&GET, fields, true, Duration::ZERO).unwrap();
    let mut shown = format!("{client:?} {:?} {fields:?}", client.encoder);
    shown += &format!("{:?}", client.io(Duration::ZERO));
    // Neither as text nor as a list of numbers.
    assert!(!shown.contains("c0nf") && !shown.contains("99, 48, 110"), "{shown}");
}
