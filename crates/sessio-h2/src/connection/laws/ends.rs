//! Each stream ends exactly once, at every truncation of the exchange.

use core::time::Duration;

use super::script::{Log, Script, connection, feed, id};
use crate::frame::{self, Kind};
use crate::{Config, ErrorCode};

fn script() -> Vec<u8> {
    let mut script = Script::new()
        .head(1, "200", false)
        .data(1, b"hello", false)
        .head(3, "200", true)
        .frame(Kind::RST_STREAM, 0, 5, &[0, 0, 0, 8])
        .data(1, b"", true)
        .head(7, "101", false);
    frame::encode::goaway(9, ErrorCode::NO_ERROR, b"", &mut script.bytes);
    script.head(9, "200", true).bytes
}

#[test]
fn wherever_the_transport_ends() {
    let script = script();
    for end in 0..=script.len() {
        let mut client = connection(&Config::default(), 6);
        let mut log = Log::default();
        feed(&mut client, &script[..end], usize::MAX, &mut log);
        client.received(0, Duration::ZERO);
        log.take(&mut client);
        client.received(0, Duration::ZERO);
        log.take(&mut client);
        for stream in [1, 3, 5, 7, 9, 11] {
            // `end` requires exactly one.
            let _ = log.end(stream);
        }
        assert!(client.streams.is_empty());
    }
}

#[test]
fn wherever_the_caller_gives_up() {
    let script = script();
    for end in 0..=script.len() {
        let mut client = connection(&Config::default(), 6);
        let mut log = Log::default();
        feed(&mut client, &script[..end], usize::MAX, &mut log);
        (0..6).for_each(|at| client.reset(id(at * 2 + 1), ErrorCode::CANCEL));
        let told = log.events.len();
        feed(&mut client, &script[end..], usize::MAX, &mut log);
        client.received(0, Duration::ZERO);
        log.take(&mut client);
        assert_eq!(log.events.len(), told, "cut at {end}: {log:?}");
        assert!(client.streams.is_empty());
    }
}
