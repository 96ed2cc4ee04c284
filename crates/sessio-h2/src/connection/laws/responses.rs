//! Valid and malformed responses.

use super::script::{Entry, Log, Script, connection, feed, flush, frames, id, run};
use crate::frame::Kind;
use crate::{Config, ErrorCode, Field, Malformed, RequestHead, StreamErrorKind};

/// A response on stream 1, and one on stream 3 that shows that the connection stays usable.
fn end(script: Script) -> Result<(), StreamErrorKind> {
    let script = script.fields(3, &[(":status", "200"), ("x-in-step", "yes")], true);
    let (log, error) = run(&Config::default(), 2, &script);
    assert_eq!(error, None);
    assert_eq!(log.end(3), Ok(()));
    assert!(log.events.contains(&(3, Entry::Head(200, "x-in-step=yes;".to_owned()))), "{log:?}");
    log.end(1)
}

fn head(fields: &[(&str, &str)]) -> Result<(), StreamErrorKind> {
    end(Script::new().fields(1, fields, true))
}

#[test]
fn malformed_responses_end_their_stream_alone() {
    use Malformed as M;
    let ok = (":status", "200");
    let table: &[(&[(&str, &str)], Malformed)] = &[
        (&[ok, ("Server", "x")], M::UpperCaseName),
        (&[ok, ("", "x")], M::InvalidName),
        (&[ok, ("a b", "x")], M::InvalidName),
        (&[ok, ("a:b", "x")], M::InvalidName),
        (&[ok, ("a\u{e4}", "x")], M::InvalidName),
        (&[ok, ("a", "x\ry")], M::InvalidValue),
        (&[ok, ("a", "x\ny")], M::InvalidValue),
        (&[ok, ("a", "x\0y")], M::InvalidValue),
        (&[ok, ("a", " x")], M::InvalidValue),
        (&[ok, ("a", "x\t")], M::InvalidValue),
        (&[ok, ("connection", "close")], M::ConnectionField),
        (&[ok, ("keep-alive", "timeout=5")], M::ConnectionField),
        (&[ok, ("proxy-connection", "close")], M::ConnectionField),
        (&[ok, ("transfer-encoding", "chunked")], M::ConnectionField),
        (&[ok, ("upgrade", "h2c")], M::ConnectionField),
        (&[("server", "x")], M::MissingStatus),
        (&[], M::MissingStatus),
        (&[ok, ok], M::RepeatedStatus),
        (&[(":status", "20")], M::InvalidStatus),
        (&[(":status", "099")], M::InvalidStatus),
        (&[(":status", "+20")], M::InvalidStatus),
        (&[(":status", "2000")], M::InvalidStatus),
        (&[(":status", "200 OK")], M::InvalidStatus),
        (&[ok, (":path", "/")], M::UnknownPseudoField),
        (&[("server", "x"), ok], M::LatePseudoField),
        (&[(":status", "101")], M::SwitchingProtocols),
        (&[(":status", "100")], M::InterimEndsStream),
        (&[ok, ("content-length", "x")], M::InvalidContentLength),
        (&[ok, ("content-length", "")], M::InvalidContentLength),
        (&[ok, ("content-length", "-1")], M::InvalidContentLength),
        (&[ok, ("content-length", "99999999999999999999")], M::InvalidContentLength),
        (&[ok, ("content-length", "1"), ("content-length", "2")], M::InvalidContentLength),
        (&[ok, ("content-length", "5")], M::WrongLength),
    ];
    for (fields, rule) in table {
        assert_eq!(head(fields), Err(StreamErrorKind::Malformed(*rule)), "{fields:?}");
    }
}

#[test]
fn bodies_and_trailers_that_are_malformed_end_their_stream_alone() {
    use Malformed as M;
    let with =
        |length: &str| Script::new().fields(1, &[(":status", "200"), ("content-length", length)], false);
    let ok = || Script::new().head(1, "200", false);
    let table = [
        (Script::new().data(1, b"x", false), M::BodyBeforeHead),
        (with("3").data(1, b"four", false), M::WrongLength),
        (with("3").data(1, b"fo", true), M::WrongLength),
        (with("3").data(1, b"fo", false).fields(1, &[("a", "b")], true), M::WrongLength),
        (Script::new().head(1, "204", false).data(1, b"x", true), M::UnexpectedBody),
        (Script::new().head(1, "304", false).data(1, b"x", true), M::UnexpectedBody),
        (ok().fields(1, &[("a", "b")], false), M::TrailersWithoutEnd),
        (ok().head(1, "200", false), M::TrailersWithoutEnd),
        (ok().head(1, "200", true), M::PseudoFieldInTrailers),
        (ok().fields(1, &[("A", "b")], true), M::UpperCaseName),
        (ok().fields(1, &[("connection", "b")], true), M::ConnectionField),
        (Script::new().head(1, "101", false), M::SwitchingProtocols),
    ];
    for (at, (script, rule)) in table.into_iter().enumerate() {
        // Later frames on the stream are dropped.
        let script = script.data(1, b"late", true).fields(1, &[("late", "trailer")], true);
        assert_eq!(end(script), Err(StreamErrorKind::Malformed(rule)), "row {at}");
    }
}

#[test]
fn responses_that_are_fine_are_taken() {
    let length = ("content-length", "5");
    assert_eq!(head(&[(":status", "200")]), Ok(()));
    assert_eq!(head(&[(":status", "304"), length]), Ok(()));
    assert_eq!(head(&[(":status", "999"), ("content-length", "0")]), Ok(()));
    let script = Script::new().fields(1, &[(":status", "200"), length, length], false);
    assert_eq!(end(script.data(1, b"hel", false).data(1, b"lo", false).data(1, b"", true)), Ok(()));
    let interim = Script::new().head(1, "100", false).head(1, "103", false).head(1, "421", true);
    assert_eq!(end(interim), Ok(()));
}

/// The Content-Length of a response to HEAD is not the length of its body.
#[test]
fn a_response_to_head_has_no_body() {
    for (body, expected) in
        [(&b""[..], Ok(())), (b"x", Err(StreamErrorKind::Malformed(Malformed::UnexpectedBody)))]
    {
        let mut client = connection(&Config::default(), 0);
        let head = RequestHead { method: "HEAD", scheme: "https", authority: Some("example.org"), path: "/" };
        client.open(&head, [], true, client.now).unwrap();
        let script = Script::new().fields(1, &[(":status", "200"), ("content-length", "5")], false);
        let mut log = Log::default();
        feed(&mut client, &script.data(1, body, true).bytes, usize::MAX, &mut log);
        assert_eq!(log.end(1), expected);
    }
}

/// RFC 9113 section 8.1: the response is complete, and the rest of the request is not needed.
#[test]
fn an_early_response_with_no_error_is_whole() {
    let mut client = connection(&Config::default(), 0);
    let head = RequestHead { method: "POST", scheme: "https", authority: Some("example.org"), path: "/" };
    let stream = client.open(&head, [Field::new("content-length", "100")], false, client.now).unwrap();
    assert_eq!(client.send_body(stream, b"part", false), Ok(4));
    let script = Script::new().head(1, "413", false).data(1, b"too large", true).frame(
        Kind::RST_STREAM,
        0,
        1,
        &ErrorCode::NO_ERROR.0.to_be_bytes(),
    );
    let mut log = Log::default();
    feed(&mut client, &script.bytes, usize::MAX, &mut log);
    assert_eq!(log.end(1), Ok(()));
    assert!(client.send_body(stream, b"rest", true).is_err());
    assert_eq!(client.streams.active, 0);
}

/// The peer receives the reason of a failed stream.
#[test]
fn the_peer_is_told_why_a_stream_failed() {
    let mut client = connection(&Config::default(), 1);
    flush(&mut client);
    let mut log = Log::default();
    feed(&mut client, &Script::new().head(1, "101", false).bytes, usize::MAX, &mut log);
    let sent = frames(&flush(&mut client));
    let reset = sent.iter().find(|(header, _)| header.kind == Kind::RST_STREAM).unwrap();
    assert_eq!((reset.0.stream, &reset.1[..]), (1, &[0, 0, 0, 1][..]));
    assert!(client.body(id(1)).is_empty());
}
