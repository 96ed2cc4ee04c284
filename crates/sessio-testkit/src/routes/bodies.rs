//! Bodies of any size in every framing.

use super::echo;
use super::route_input::RouteInput;
use crate::json::Json;
use crate::response::{Content, Pieces, Response};

const PIECE: usize = 32 << 10;

/// The first `count` bytes that `/bytes` and similar routes send. Byte `i` is `i % 251`: no power
/// of two divides the period, so a shifted piece is visible.
pub fn pattern(count: usize) -> Vec<u8> {
    (0..=250).cycle().take(count).collect()
}

/// The bytes of [`pattern`] in pieces.
fn pieces(count: u64, size: usize) -> Pieces {
    let size = size.max(1) as u64;
    Box::new((0..count.div_ceil(size)).map(move |index| {
        let start = index * size;
        (start..count.min(start + size)).map(|i| (i % 251) as u8).collect()
    }))
}

pub(super) fn bytes(count: &str) -> Option<Response> {
    let count = count.parse().ok()?;
    Some(binary(Content::Counted(count, pieces(count, PIECE))))
}

pub(super) fn until_close(count: &str) -> Option<Response> {
    Some(binary(Content::UntilClose(pieces(count.parse().ok()?, PIECE))))
}

/// The query may name the size of a chunk in two ways: this kit's and httpbin's.
pub(super) fn chunked(input: RouteInput<'_>, count: &str) -> Option<Response> {
    let count: u64 = count.parse().ok()?;
    let size = input.query_value("chunk").or_else(|| input.query_value("chunk_size"));
    let size = size.map_or(Some(10 << 10), |size| size.parse().ok().filter(|size| *size <= 16 << 20))?;
    let trailers = if input.query_flag("trailers") {
        vec![
            ("X-Body-Size".to_owned(), count.to_string()),
            ("X-Trailer".to_owned(), "after the body".to_owned()),
        ]
    } else {
        Vec::new()
    };
    Some(binary(Content::Chunked(pieces(count, size), trailers)))
}

fn binary(content: Content) -> Response {
    Response::new(200, "application/octet-stream", content)
}

pub(super) fn lines(input: RouteInput<'_>, count: &str) -> Option<Response> {
    let count: u64 = count.parse().ok()?;
    let head = echo::head(input);
    let lines = (0..count).map(move |id| {
        let mut entries = head.clone();
        entries.push(("id".to_owned(), Json::Number(id)));
        let mut line = Json::Map(entries).render_line();
        line.push('\n');
        line.into_bytes()
    });
    Some(Response::new(200, "application/json", Content::Chunked(Box::new(lines), Vec::new())))
}

pub(super) fn html() -> Response {
    Response::html(
        200,
        "<!doctype html>\n<html>\n<head><title>A page</title></head>\n<body>\n<h1>A page</h1>\n\
         <p>It stands here to be fetched.</p>\n</body>\n</html>\n",
    )
}

pub(super) fn utf8() -> Response {
    Response::html(
        200,
        "<h1>Unicode</h1>\n<p>Grüße, Здравствуй, γειά σου, שלום, こんにちは, 你好</p>\n<p>∮ E⋅da = Q, n → ∞, 𝄞, 👋🏽</p>\n",
    )
}
