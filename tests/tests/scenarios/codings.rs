//! Content codings: accepted codings are decoded. A body that is cut short or grows without bound
//! is an error.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use sessio::{Kind, Stage};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fb4_fn11_a_range_is_asked_for_without_codings_and_a_part_is_not_decoded
    codings_are_decoded_for_every_framing_and_cut
    a_coding_that_was_not_accepted_is_not_decoded
    p148_bodies_in_unknown_codings_are_returned_coded_with_their_names
    responses_without_a_body_may_name_a_coding
    flushed_bytes_are_read_before_the_end_of_the_stream
    b52_a_truncated_or_damaged_coded_body_is_never_complete
    v116_too_many_codings_leave_the_head_to_be_read
    v117_limits_apply_to_decoded_bytes
    v117_q19_a_skipped_body_is_not_decoded
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A response with this coding, by its length or in chunks.
fn answer(coding: &str, body: &[u8], is_chunked: bool) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n").into_bytes();
    if is_chunked {
        answer.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in body.chunks(1000) {
            answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
    } else {
        answer.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        answer.extend_from_slice(body);
    }
    answer
}

async fn codings_are_decoded_for_every_framing_and_cut<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let body = pattern(100_000);
    let onion = zlib(&gzip(&body));
    for (coding, coded) in [("gzip", gzip(&body)), ("deflate", zlib(&body)), ("gzip, deflate", onion)] {
        for is_chunked in [false, true] {
            let answer = answer(coding, &coded, is_chunked);
            for cut in [usize::MAX, 4001, 97] {
                let script = Connection::new().expect_request().send(&answer).cut_every(cut).routes();
                let server = Server::scripted(script);
                let response = session.get(server.url("/")).send().await.unwrap();
                assert_eq!(response.headers().get("content-encoding"), Some(coding));
                assert_eq!(response.content_length(), None, "nobody knows before its end");
                assert!(response.bytes().await.unwrap() == body, "{coding} {is_chunked} {cut}");
                // The body was complete, so the connection is reused.
                session.get(server.url("/get")).send().await.unwrap();
                assert_eq!(server.accepted(), 1);
            }
        }
    }
}

async fn a_coding_that_was_not_accepted_is_not_decoded<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let coded = gzip(b"hello");
    for (accepted, decode, is_undone) in [
        (None, None, true),
        (Some("identity"), None, false),
        (Some("br, gzip;q=0"), None, false),
        (Some("x-gzip"), None, true),
        (Some("*"), None, true),
        (Some("identity"), Some(true), true),
        (None, Some(false), false),
    ] {
        let server = Server::scripted(Connection::new().expect_request().send(answer("gzip", &coded, false)));
        let mut request = session.get(server.url("/"));
        if let Some(accepted) = accepted {
            request = request.header("Accept-Encoding", accepted);
        }
        if let Some(decode) = decode {
            request = request.decode(decode);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.content_length().is_some(), !is_undone);
        let expected = if is_undone { &b"hello"[..] } else { &coded };
        assert_eq!(response.bytes().await.unwrap(), expected, "{accepted:?} {decode:?}");
    }
    // A request without Accept-Encoding accepts everything (RFC 9110 section 12.5.3).
    let server = Server::scripted(Connection::new().expect_request().send(answer("gzip", &coded, false)));
    let response = session.get(server.url("/")).remove_header("accept-encoding").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "hello");
}

async fn p148_bodies_in_unknown_codings_are_returned_coded_with_their_names<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for coding in ["foo", "gzip, foo", "foo, gzip"] {
        let server = Server::scripted(Connection::new().expect_request().send(answer(coding, b"raw", true)));
        let response = session.get(server.url("/")).decode(true).send().await.unwrap();
        assert_eq!(response.headers().get("content-encoding"), Some(coding));
        assert_eq!(response.text().await.unwrap(), "raw");
    }
}

async fn responses_without_a_body_may_name_a_coding<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (method, head) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        // There is no body to decode, so too many codings are not an error (row V116).
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Encoding: br,br,br,br,br,br\r\nContent-Length: 100\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Encoding: br,br,br,br,br,br\r\n\r\n"),
    ] {
        let server = Server::scripted(Connection::new().expect_request().send(head).routes());
        let response = session.request(method, server.url("/")).send().await.unwrap();
        assert_eq!(response.bytes().await.unwrap(), "", "{head}");
        session.get(server.url("/get")).send().await.unwrap();
        assert_eq!(server.accepted(), 1, "{head}");
    }
}

/// The server sends each event only after the one before was read.
async fn flushed_bytes_are_read_before_the_end_of_the_stream<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let mut zip = GzEncoder::new(Vec::new(), Compression::default());
    let mut pieces = Vec::new();
    for event in 0..4 {
        zip.write_all(format!("data: {event}\n\n").repeat(3).as_bytes()).unwrap();
        zip.flush().unwrap();
        pieces.push(std::mem::take(zip.get_mut()));
    }
    pieces.push(zip.finish().unwrap());
    // The same with other encoders: the lengths of the pieces.
    let cut = |mut bytes: &[u8], first: usize| -> Vec<Vec<u8>> {
        [first, 12, 12, 12, bytes.len() - first - 36].map(|n| bytes.split_off(..n).unwrap().to_vec()).to_vec()
    };
    let brotli = include_bytes!("../../../crates/sessio/tests/coded/flushed.br");
    let zstd = include_bytes!("../../../crates/sessio/tests/coded/flushed.zst");
    for (coding, pieces) in [("gzip", pieces), ("br", cut(brotli, 26)), ("zstd", cut(zstd, 24))] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        let mut script = Connection::new().expect_request().send(head);
        for (i, piece) in pieces.iter().enumerate() {
            script = script.send(chunk(piece)).gate(format!("after {i}"));
        }
        let server = Server::scripted(script.send("0\r\n\r\n"));
        let mut events = session.get(server.url("/")).send().await.unwrap().events();
        for i in 0..4 {
            for _ in 0..3 {
                assert_eq!(events.next().await.unwrap().unwrap().data, i.to_string(), "{coding}");
            }
            server.open_gate(&format!("after {i}"));
        }
        server.open_gate("after 4");
        assert_eq!(events.next().await.unwrap(), None, "{coding}");
    }
}

async fn b52_a_truncated_or_damaged_coded_body_is_never_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let body = pattern(10_000);
    let coded = gzip(&body);
    let mut damaged = coded.clone();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    for (bad, comes) in
        [(&coded[..coded.len() - 1], 10_000), (&coded[..20], 0), (&damaged, 10_000), (b"<html>", 0)]
    {
        for is_chunked in [false, true] {
            let server =
                Server::scripted(Connection::new().expect_request().send(answer("gzip", bad, is_chunked)));
            let mut response = session.get(server.url("/")).send().await.unwrap();
            let mut seen = 0;
            let error = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => seen += chunk.len(),
                    Ok(None) => panic!("taken for whole"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), Kind::BadCoding, "{error}");
            assert_eq!(error.progress().unwrap().stage, Stage::Body);
            assert!(seen >= comes.min(1) && seen <= 10_000, "{seen}");
            assert_eq!(response.chunk().await.unwrap_err().kind(), Kind::BadCoding, "it stays so");
        }
    }
}

async fn v116_too_many_codings_leave_the_head_to_be_read<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let coding = ["gzip"; 6].join(", ");
    let bytes = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nConnection: close\r\n\r\nwhatever");
    let once = || Connection::new().expect_request().send(&bytes).close();
    let server = Server::scripted([once(), once()]);
    let response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.bytes().await.unwrap_err().kind(), Kind::TooManyCodings);
    let raw = session.get(server.url("/")).decode(false).send().await.unwrap();
    assert_eq!(raw.text().await.unwrap(), "whatever");
}

async fn v117_limits_apply_to_decoded_bytes<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let zeros = vec![0; 4 << 20];
    let bomb = gzip(&gzip(&zeros));
    let serve =
        || Server::scripted(Connection::new().expect_request().send(answer("gzip, gzip", &bomb, false)));
    let server = serve();
    let error = session.get(server.url("/")).send().await.unwrap().bytes().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CodingGrowth, "{error}");
    session.update(|settings| {
        settings.limits.growth = None;
        settings.limits.body_bytes = Some(1 << 20);
    });
    let server = serve();
    let error = session.get(server.url("/")).send().await.unwrap().bytes().await.unwrap_err();
    assert_eq!(error.kind(), Kind::BodyTooLarge, "{error}");
    // Everything within the limit is read before the error, to the last byte.
    let server = serve();
    let mut response = session.get(server.url("/")).send().await.unwrap();
    let mut read = 0;
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) => panic!("it ends after {read} bytes"),
            Err(error) => break error,
        }
    };
    assert_eq!((read, error.kind()), (1 << 20, Kind::BodyTooLarge));
    session.update(|settings| settings.limits.body_bytes = None);
    let server = serve();
    assert_eq!(session.get(server.url("/")).send().await.unwrap().bytes().await.unwrap().len(), 4 << 20);
}

async fn v117_q19_a_skipped_body_is_not_decoded<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let redirect =
        "HTTP/1.1 302 Found\r\nLocation: /get\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nwrong";
    let server = Server::scripted(Connection::new().expect_request().send(redirect).routes());
    let response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.accepted()), (200, 1));
    response.bytes().await.unwrap();
}

async fn fb4_fn11_a_range_is_asked_for_without_codings_and_a_part_is_not_decoded<R: Runtime>(
    world: &World<R>,
) {
    let part = b"\x1f\x8b\x08 a part of something coded";
    let head = "HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Range: bytes 0-26/9000\r\n";
    let said = [format!("{head}Content-Length: {}\r\n\r\n", part.len()).as_bytes(), part].concat();
    let session = world.session();
    for (own, sent) in [(None, "identity"), (Some("gzip"), "gzip"), (Some("gzip, deflate"), "gzip, deflate")]
    {
        let server = Server::scripted(Connection::new().expect_request().send(&said));
        let mut request = session.get(server.url("/")).header("Range", "bytes=0-26");
        if let Some(own) = own {
            request = request.header("accept-encoding", own);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers().get("Content-Encoding"), Some("gzip"));
        assert_eq!(response.bytes().await.unwrap(), part[..]);
        assert_eq!(server.requests()[0].header_all("accept-encoding"), [sent]);
    }
    // A caller can still ask for decoding.
    let server = Server::scripted(Connection::new().expect_request().send(&said));
    let request = session.get(server.url("/")).header("Range", "bytes=0-26").decode(true);
    assert_eq!(request.send().await.unwrap().bytes().await.unwrap_err().kind(), Kind::BadCoding);
}
