//! What a connection's client says.

use crate::route::Route;

/// What has come and could not be understood yet. Nearly always that is nothing: a request comes in one piece.
#[derive(Default)]
pub struct Input {
    kept: Vec<u8>,
    /// What is left of a body that nobody wants.
    body: Option<Body>,
}

/// How the end of a body shows.
#[derive(Clone, Copy)]
enum Body {
    /// After so many bytes.
    Length(usize),
    /// With the last chunk.
    Chunked,
}

/// Where a request goes.
pub enum Heard {
    /// There, and this is what comes behind it.
    Route(Route, usize),
    /// More has to come.
    More,
}

impl Input {
    /// Looks for the next request in `bytes`, which follow what was kept.
    pub fn hear(&mut self, bytes: &[u8]) -> Heard {
        if let Some(body) = self.body {
            return self.skip(body, bytes);
        }
        let before = self.kept.len();
        if before > 0 {
            self.kept.extend_from_slice(bytes);
        }
        let said = if before > 0 { &self.kept[..] } else { bytes };
        let Some(end) = said.windows(4).position(|four| four == b"\r\n\r\n") else {
            if before == 0 {
                self.kept = bytes.to_vec();
            }
            return Heard::More;
        };
        let end = end + 4;
        let route = Route::of(&said[..end]);
        self.kept = Vec::new();
        let used = end - before;
        match route {
            Route::Sink(Some(0)) => Heard::Route(route, used),
            Route::Sink(length) => {
                let body = length.map_or(Body::Chunked, Body::Length);
                match self.skip(body, &bytes[used..]) {
                    Heard::Route(route, more) => Heard::Route(route, used + more),
                    Heard::More => Heard::More,
                }
            }
            route => Heard::Route(route, used),
        }
    }

    /// Skips a body: by its length, or to the last chunk. The benches' chunks hold no line ends, and their last
    /// chunk comes in one piece at the end of a read.
    fn skip(&mut self, body: Body, bytes: &[u8]) -> Heard {
        let (used, left) = match body {
            Body::Length(left) => {
                let used = left.min(bytes.len());
                (used, (left > used).then_some(Body::Length(left - used)))
            }
            Body::Chunked => (bytes.len(), (!bytes.ends_with(b"\r\n0\r\n\r\n")).then_some(Body::Chunked)),
        };
        self.body = left;
        if left.is_some() { Heard::More } else { Heard::Route(Route::Sink(None), used) }
    }
}
