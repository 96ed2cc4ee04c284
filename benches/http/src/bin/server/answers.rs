//! The responses, made in advance.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::LazyLock;

use bench_http::answer::SMALL;
use bench_http::plan::{COOKIES, Plan};
use bench_http::text::Text;
use bench_http::zeros::{BLOCK, ZEROS};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::route::Route;

/// A small body, with these fields before it.
fn small(status: &str, fields: &str) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nserver: bench\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
         content-type: text/plain\r\n{fields}content-length: {}\r\n\r\n",
        SMALL.len()
    )
    .into_bytes();
    answer.extend_from_slice(SMALL);
    answer
}

/// The small response.
pub static OK: LazyLock<Vec<u8>> = LazyLock::new(|| small("200 OK", ""));
/// The response to a request that lacks required headers or cookies.
pub static BAD: LazyLock<Vec<u8>> = LazyLock::new(|| small("400 Bad Request", ""));
/// The response for an unknown path.
pub static UNKNOWN: LazyLock<Vec<u8>> = LazyLock::new(|| small("404 Not Found", ""));
/// The small response with the cookies of the session workload.
pub static LOGIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fields = |n| format!("set-cookie: cookie-{n}=value-{n}; Path=/; Max-Age=86400; HttpOnly\r\n");
    small("200 OK", &(0..COOKIES).map(fields).collect::<String>())
});

/// A large body as the blocks to write.
pub struct Large {
    /// The first piece.
    head: Vec<u8>,
    /// A block, and the number of its repetitions.
    block: Vec<u8>,
    times: usize,
    /// The last piece.
    rest: Vec<u8>,
}

thread_local! {
    /// Coded bodies, shared by all connections, because coding takes seconds.
    static CODED: RefCell<Vec<(Route, Rc<Large>)>> = const { RefCell::new(Vec::new()) };
}

impl Large {
    /// The response of a route with a large body.
    pub fn of(route: Route) -> Rc<Self> {
        Rc::new(match route {
            Route::Chunked(bytes, chunk) => Self::in_chunks(bytes, chunk),
            Route::Length(bytes) => Self::by_length(bytes),
            Route::Redirects(count) => Self::redirect(count - 1),
            Route::Upload(count) => Self::whole("", count.to_string().as_bytes()),
            Route::Gzip(_) | Route::Br(_) => return Self::coded(route),
            _ => Self::by_length(0),
        })
    }

    fn coded(route: Route) -> Rc<Self> {
        CODED.with_borrow_mut(|coded| {
            if let Some((_, large)) = coded.iter().find(|(known, _)| *known == route) {
                return Rc::clone(large);
            }
            let (name, body) = match route {
                Route::Gzip(bytes) => ("gzip", gzip(bytes)),
                Route::Br(bytes) => ("br", br(bytes)),
                _ => ("identity", Vec::new()),
            };
            let large = Rc::new(Self::whole(&format!("content-encoding: {name}\r\n"), &body));
            coded.push((route, Rc::clone(&large)));
            large
        })
    }

    /// The number of pieces that are written.
    pub fn pieces(&self) -> usize {
        self.times + 1 + usize::from(!self.rest.is_empty())
    }

    /// The piece at this index.
    pub fn piece(&self, at: usize) -> &[u8] {
        match at {
            0 => &self.head,
            _ if at <= self.times => &self.block,
            _ => &self.rest,
        }
    }

    /// A response in one piece, with these fields before its length.
    fn whole(fields: &str, body: &[u8]) -> Self {
        let length = body.len();
        let mut head = format!("HTTP/1.1 200 OK\r\n{fields}content-length: {length}\r\n\r\n").into_bytes();
        head.extend_from_slice(body);
        Self { head, block: Vec::new(), times: 0, rest: Vec::new() }
    }

    /// A redirect, with so many more behind it.
    fn redirect(left: usize) -> Self {
        let head = small("302 Found", &format!("location: /redirects/{left}\r\n"));
        Self { head, block: Vec::new(), times: 0, rest: Vec::new() }
    }

    /// A body of so many bytes, by length.
    fn by_length(bytes: usize) -> Self {
        Self {
            head: format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n").into_bytes(),
            block: ZEROS.to_vec(),
            times: bytes / BLOCK,
            rest: ZEROS[..bytes % BLOCK].to_vec(),
        }
    }

    /// A body of so many bytes, in chunks.
    fn in_chunks(bytes: usize, chunk: usize) -> Self {
        let chunk = chunk.max(1);
        let chunks = (BLOCK / chunk).max(1);
        let mut rest = Vec::new();
        let mut left = bytes % (chunk * chunks);
        while left > 0 {
            let n = left.min(chunk);
            rest.extend_from_slice(&one_chunk(n));
            left -= n;
        }
        rest.extend_from_slice(b"0\r\n\r\n");
        Self {
            head: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            block: one_chunk(chunk).repeat(chunks),
            times: bytes / (chunk * chunks),
            rest,
        }
    }
}

/// Texts as gzip members. Texts of one length are equal.
fn gzip(bytes: usize) -> Vec<u8> {
    let mut body: Vec<u8> = Vec::new();
    let mut last = None;
    for length in Plan::texts(bytes) {
        let member = match last {
            Some((made, start, end)) if made == length => body[start..end].to_vec(),
            _ => {
                let mut member = GzEncoder::new(Vec::new(), Compression::new(6));
                Text::blocks(length).try_for_each(|block| member.write_all(&block)).expect("a Vec takes all");
                member.finish().expect("a Vec takes all")
            }
        };
        last = Some((length, body.len(), body.len() + member.len()));
        body.extend_from_slice(&member);
    }
    body
}

/// One text as br. The window is the largest that browsers accept.
fn br(bytes: usize) -> Vec<u8> {
    let mut body = brotli::CompressorWriter::new(Vec::new(), 64 << 10, 5, 22);
    let texts = Plan::texts(bytes).flat_map(Text::blocks);
    texts.for_each(|block| body.write_all(&block).expect("a Vec takes all"));
    body.into_inner()
}

fn one_chunk(size: usize) -> Vec<u8> {
    let mut chunk = format!("{size:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + size, 0);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
