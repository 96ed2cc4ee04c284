//! Split invariance: the same bytes cause the same events, however they are split.

use core::time::Duration;

use super::script::{Log, Script, connection, feed, flush, frames};
use crate::frame::Kind;
use crate::{Config, ConnectionErrorKind};

/// The outcome of a script: its events, the error, and the sent frames. WINDOW_UPDATE frames are
/// omitted, because the way the bytes are split affects them.
fn outcome(script: &[u8], cuts: &[usize]) -> (Log, Option<ConnectionErrorKind>, Vec<String>) {
    let config = Config { stream_window: 300, max_stream_window: 300, ..Config::default() };
    let mut connection = connection(&config, 7);
    let mut log = Log::default();
    let mut rest = script;
    for &cut in cuts {
        let (piece, behind) = rest.split_at(cut.min(rest.len()));
        feed(&mut connection, piece, usize::MAX, &mut log);
        rest = behind;
    }
    feed(&mut connection, rest, usize::MAX, &mut log);
    let sent = frames(&flush(&mut connection));
    connection.received(0, Duration::ZERO);
    log.take(&mut connection);
    let sent = sent.iter().filter(|(header, _)| header.kind != Kind::WINDOW_UPDATE);
    let sent = sent.map(|(header, payload)| format!("{header:?} {payload:?}")).collect();
    (log, connection.error().map(|error| error.kind()), sent)
}

/// All frames that a server may send, and some that it may not.
fn script() -> Script {
    let mut script = Script::new()
        .frame(Kind::WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0])
        .head(1, "103", false)
        .fields(1, &[(":status", "200"), ("server", "scripted"), ("content-length", "11")], false)
        .frame(Kind::PING, 0, 0, b"12345678")
        .padded(1, b"hello", 7, false)
        .head(3, "200", false)
        .padded(3, b"", 0, false)
        .data(1, b" there", false)
        .frame(Kind(0x42), 0xff, 0, b"unknown")
        .fields(1, &[("x-trailer", "yes")], true)
        .data(3, &[b'x'; 250], false)
        .frame(Kind::RST_STREAM, 0, 5, &[0, 0, 0, 7])
        .fields(7, &[(":status", "200"), ("content-length", "3")], false)
        .data(7, b"four", true)
        .fields(9, &[(":status", "200"), ("Upper", "case")], false)
        .data(9, b"dropped", false)
        .frame(Kind::PRIORITY, 0, 11, &[0, 0, 0, 1, 1])
        .data(3, b"", true);
    // A block in four frames, one of them empty.
    let block = script.block(&[(":status", "404"), ("x-long", "a value that is long enough to be cut")]);
    script = script
        .frame(Kind::HEADERS, 0, 11, &block[..5])
        .frame(Kind::CONTINUATION, 0, 11, b"")
        .frame(Kind::CONTINUATION, 0, 11, &block[5..9])
        .frame(Kind::CONTINUATION, 4, 11, &block[9..])
        .data(11, b"part", false)
        .frame(Kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 1, 0]);
    script.frame(Kind::GOAWAY, 0, 0, &[0, 0, 0, 11, 0, 0, 0, 0, b'b', b'y', b'e'])
}

#[test]
fn every_cut_leads_to_the_same_events() {
    let good = script().bytes;
    // The same script, with an invalid frame at the end that fails the connection.
    let bad = script().frame(Kind::PUSH_PROMISE, 4, 11, &[0, 0, 0, 2]).data(11, b"never", true).bytes;
    for script in [good, bad] {
        let whole = outcome(&script, &[]);
        assert!(whole.0.events.len() > 15, "{whole:?}");
        for cut in 0..=script.len() {
            assert_eq!(outcome(&script, &[cut]), whole, "cut at {cut}");
        }
        for size in 1..40 {
            assert_eq!(outcome(&script, &vec![size; script.len()]), whole, "in pieces of {size}");
        }
    }
}

#[test]
fn every_pair_of_cuts_leads_to_the_same_events() {
    let script = Script::new()
        .fields(1, &[(":status", "200"), ("content-length", "5")], false)
        .padded(1, b"hel", 2, false)
        .padded(1, b"lo", 1, true)
        .head(3, "204", true)
        .bytes;
    let whole = outcome(&script, &[]);
    for first in 0..=script.len() {
        for second in 0..=script.len() - first {
            assert_eq!(outcome(&script, &[first, second]), whole, "cut at {first} and {second} later");
        }
    }
}
