//! The answers, made before.

use std::sync::LazyLock;

use bench_http::answer::SMALL;
use bench_http::plan::COOKIES;

use crate::route::Route;

/// How much of a large body is written at once.
const BLOCK: usize = 64 << 10;

static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A small body with these fields before it.
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

/// The small answer.
pub static OK: LazyLock<Vec<u8>> = LazyLock::new(|| small("200 OK", ""));
/// To a request that lacks what its route insists on.
pub static BAD: LazyLock<Vec<u8>> = LazyLock::new(|| small("400 Bad Request", ""));
/// To a path that there is not.
pub static UNKNOWN: LazyLock<Vec<u8>> = LazyLock::new(|| small("404 Not Found", ""));
/// The small answer with the cookies of the session workload.
pub static LOGIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fields = |n| format!("set-cookie: cookie-{n}=value-{n}; Path=/; Max-Age=86400; HttpOnly\r\n");
    small("200 OK", &(0..COOKIES).map(fields).collect::<String>())
});

/// A large body as the blocks to write.
pub struct Large {
    /// It comes first.
    head: Vec<u8>,
    /// A block, and how often it comes.
    block: Vec<u8>,
    times: usize,
    /// It comes last.
    rest: Vec<u8>,
}

impl Large {
    /// The answer of a route that has a large one.
    pub fn of(route: Route) -> Self {
        match route {
            Route::Chunked(bytes, chunk) => Self::in_chunks(bytes, chunk),
            Route::Length(bytes) => Self::by_length(bytes),
            _ => Self::by_length(0),
        }
    }

    /// How many pieces it is written in.
    pub fn pieces(&self) -> usize {
        self.times + 1 + usize::from(!self.rest.is_empty())
    }

    /// One of them.
    pub fn piece(&self, at: usize) -> &[u8] {
        match at {
            0 => &self.head,
            _ if at <= self.times => &self.block,
            _ => &self.rest,
        }
    }

    /// So many bytes by length.
    fn by_length(bytes: usize) -> Self {
        Self {
            head: format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n").into_bytes(),
            block: ZEROS.to_vec(),
            times: bytes / BLOCK,
            rest: ZEROS[..bytes % BLOCK].to_vec(),
        }
    }

    /// So many bytes in chunks.
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

fn one_chunk(size: usize) -> Vec<u8> {
    let mut chunk = format!("{size:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + size, 0);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
