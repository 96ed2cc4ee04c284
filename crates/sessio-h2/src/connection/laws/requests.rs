//! The encoding of requests.

use core::time::Duration;

use super::script::{Entry, GET, Log, Script, connection, feed, flush, frames};
use crate::frame::{Header, Kind};
use crate::hpack::{Decoder, FieldBlock, ListLimits};
use crate::{Config, Connection, Field, InvalidRequest, OpenError, RequestHead};

/// The fields of the last request, with a mark on those that are never indexed.
fn sent(client: &mut Connection, decoder: &mut Decoder) -> Vec<String> {
    let mut block = Vec::new();
    for (header, payload) in frames(&flush(client)) {
        if matches!(header.kind, Kind::HEADERS | Kind::CONTINUATION) {
            block.extend_from_slice(&payload);
        }
    }
    let mut fields = FieldBlock::new();
    decoder.decode(&block, ListLimits::new(1 << 20), &mut fields).unwrap();
    let fields = fields.fields();
    let words = fields.iter().enumerate().map(|(at, (name, value))| {
        let mark = if fields.is_sensitive(at) { " (never)" } else { "" };
        format!("{}: {}{mark}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    });
    words.collect()
}

#[test]
fn a_request_of_http_1_becomes_one_of_http_2() {
    let mut client = connection(&Config::default(), 0);
    let head = RequestHead { method: "POST", scheme: "http", authority: None, path: "/p?q" };
    let fields = [
        Field::new("User-Agent", "test"),
        Field::new("Host", "example.org:8080"),
        Field::new("Connection", "keep-alive, X-Hop, TE"),
        Field::new("Keep-Alive", "timeout=5"),
        Field::new("Proxy-Connection", "keep-alive"),
        Field::new("Transfer-Encoding", "chunked"),
        Field::new("Upgrade", "h2c"),
        Field::new("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        Field::new("X-Hop", "1"),
        Field::new("TE", "gzip, Trailers"),
        Field::new("Cookie", "a=b; session=0123456789abcdef0123; ;c=d"),
        Field::new("Authorization", "Basic secret"),
        Field::new("X-Key", "secret").sensitive(),
        Field::new("Content-Length", "5"),
    ];
    let expected = [
        ":method: POST",
        ":scheme: http",
        ":authority: example.org:8080",
        ":path: /p?q",
        "user-agent: test",
        "te: trailers",
        "cookie: a=b (never)",
        "cookie: session=0123456789abcdef0123",
        "cookie: c=d (never)",
        "authorization: Basic secret (never)",
        "x-key: secret (never)",
        "content-length: 5",
    ];
    let mut decoder = Decoder::new(4096);
    // The second request finds most fields in the table, and decodes to the same.
    let mut sizes = Vec::new();
    for _ in 0..2 {
        client.open(&head, fields, true, Duration::ZERO).unwrap();
        sizes.push(client.outgoing.len());
        assert_eq!(sent(&mut client, &mut decoder), expected);
    }
    assert!(sizes[1] < sizes[0] - 20, "{sizes:?}");
}

#[test]
fn an_authority_goes_before_host_and_connect_has_no_path() {
    let mut client = connection(&Config::default(), 0);
    let mut decoder = Decoder::new(4096);
    client.open(&GET, [Field::new("host", "other")], true, Duration::ZERO).unwrap();
    let expected = [":method: GET", ":scheme: https", ":authority: example.org", ":path: /"];
    assert_eq!(sent(&mut client, &mut decoder), expected);
    let head = RequestHead { method: "CONNECT", scheme: "", authority: Some("example.org:443"), path: "" };
    client.open(&head, [Field::new("te", "gzip")], false, Duration::ZERO).unwrap();
    assert_eq!(sent(&mut client, &mut decoder), [":method: CONNECT", ":authority: example.org:443"]);
}

#[test]
fn a_request_that_cannot_be_sent_leaves_no_trace() {
    let mut client = connection(&Config::default(), 0);
    let table = [
        (RequestHead { method: "GE T", ..GET }, Field::new("a", "b"), InvalidRequest::Method),
        (RequestHead { method: "", ..GET }, Field::new("a", "b"), InvalidRequest::Method),
        (RequestHead { scheme: "", ..GET }, Field::new("a", "b"), InvalidRequest::Scheme),
        (RequestHead { path: "", ..GET }, Field::new("a", "b"), InvalidRequest::Path),
        (RequestHead { path: "/ b", ..GET }, Field::new("a", "b"), InvalidRequest::Path),
        (RequestHead { authority: None, ..GET }, Field::new("a", "b"), InvalidRequest::Authority),
        (RequestHead { authority: Some("a\nb"), ..GET }, Field::new("a", "b"), InvalidRequest::Authority),
        (GET, Field::new("", "b"), InvalidRequest::Name),
        (GET, Field::new(":status", "b"), InvalidRequest::Name),
        (GET, Field::new("a b", "b"), InvalidRequest::Name),
        (GET, Field::new("a", "b\r\nc: d"), InvalidRequest::Value),
        (GET, Field::new("a", "b\0"), InvalidRequest::Value),
    ];
    for (head, field, error) in table {
        assert_eq!(client.open(&head, [field], true, Duration::ZERO), Err(OpenError::Invalid(error)));
        assert!(client.outgoing.len() == 0 && client.streams.is_empty());
    }
}

#[test]
fn a_long_head_is_cut_and_one_that_the_peer_does_not_take_is_not_sent() {
    let mut client = connection(&Config::default(), 0);
    let long = "x".repeat(50_000);
    client.open(&GET, [Field::new("x-long", &long)], true, Duration::ZERO).unwrap();
    let sent = frames(&flush(&mut client));
    let kinds: Vec<_> = sent.iter().map(|(header, _)| (header.kind, header.flags)).collect();
    let expected = [
        (Kind::HEADERS, Header::END_STREAM),
        (Kind::CONTINUATION, 0),
        (Kind::CONTINUATION, Header::END_HEADERS),
    ];
    // The Huffman code of `x` has seven bits.
    assert_eq!(kinds, expected);
    assert!(sent.iter().all(|(header, _)| header.length <= 16_384));
    let script = Script::new().frame(Kind::SETTINGS, 0, 0, &[0, 6, 0, 0, 0x40, 0]);
    feed(&mut client, &script.bytes, usize::MAX, &mut Log::default());
    let refused = client.open(&GET, [Field::new("x-long", &long)], true, Duration::ZERO);
    assert_eq!(refused, Err(OpenError::Invalid(InvalidRequest::TooLarge)));
}

#[test]
fn trailers_end_a_request() {
    let mut client = connection(&Config::default(), 0);
    let head = RequestHead { method: "POST", ..GET };
    let stream = client.open(&head, [], false, Duration::ZERO).unwrap();
    assert_eq!(client.send_body(stream, b"body", false), Ok(4));
    client.send_trailers(stream, [Field::new("X-Digest", "1")]).unwrap();
    let sent = frames(&flush(&mut client));
    let kinds: Vec<_> = sent.iter().map(|(header, _)| (header.kind, header.is_end_stream())).collect();
    assert_eq!(kinds, [(Kind::HEADERS, false), (Kind::DATA, false), (Kind::HEADERS, true)]);
    assert!(client.send_body(stream, b"more", false).is_err());
    assert!(client.send_trailers(stream, []).is_err());
}

/// Ending a request without bytes takes one frame, independent of the windows.
#[test]
fn an_empty_piece_ends_a_request() {
    let mut client = connection(&Config::default(), 0);
    let stream = client.open(&RequestHead { method: "PUT", ..GET }, [], false, Duration::ZERO).unwrap();
    assert_eq!(client.send_body(stream, b"", false), Ok(0));
    flush(&mut client);
    assert_eq!(client.send_body(stream, &[b'x'; 70_000], false), Ok(65_535));
    assert_eq!(client.send_body(stream, b"", true), Ok(0));
    let sent = frames(&flush(&mut client));
    let last = sent.last().unwrap();
    assert_eq!((last.0.kind, last.0.length, last.0.is_end_stream()), (Kind::DATA, 0, true));
}

/// A caller without bytes can ask for room, and receives an event when there is some.
#[test]
fn room_for_a_body_is_told() {
    let mut client = connection(&Config::default(), 0);
    let stream = client.open(&RequestHead { method: "PUT", ..GET }, [], false, Duration::ZERO).unwrap();
    flush(&mut client);
    assert_eq!(client.body_room(stream), Ok(65_535));
    assert_eq!(client.send_body(stream, &[b'x'; 65_000], false), Ok(65_000));
    assert_eq!(client.body_room(stream), Ok(0));
    assert!(client.poll_event().is_none());
    flush(&mut client);
    let mut log = Log::default();
    log.take(&mut client);
    assert_eq!(log.events, [(1, Entry::Writable)]);
    assert_eq!(client.body_room(stream), Ok(535));
    assert_eq!(client.send_body(stream, &[b'x'; 535], false), Ok(535));
    flush(&mut client);
    assert_eq!(client.body_room(stream), Ok(0));
    let credit = Script::new().frame(Kind::WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]);
    feed(&mut client, &credit.bytes, usize::MAX, &mut log);
    assert_eq!(log.events.len(), 1, "the stream has no credit");
    let credit = Script::new().frame(Kind::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]);
    feed(&mut client, &credit.bytes, usize::MAX, &mut log);
    assert_eq!(log.events[1..], [(1, Entry::Writable)]);
    assert_eq!(client.body_room(stream), Ok(9));
    assert_eq!(client.send_body(stream, b"", true), Ok(0));
    assert!(client.body_room(stream).is_err());
}
