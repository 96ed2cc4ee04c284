//! One connection: requests in, answers out.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use crate::answers::{BAD, LOGIN, Large, OK, UNKNOWN};
use crate::gate::Gate;
use crate::route::Route;

/// Answers until the client closes.
pub fn serve(mut stream: &TcpStream, gate: &Gate) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Input { stream, bytes: vec![0; 64 << 10], start: 0, end: 0 };
    // The same is asked for again and again: it is made once.
    let mut made: Option<(Route, Large)> = None;
    while let Some(route) = input.request()? {
        match route {
            Route::Small => stream.write_all(&OK)?,
            Route::Bad => stream.write_all(&BAD)?,
            Route::Login => stream.write_all(&LOGIN)?,
            Route::Unknown => stream.write_all(&UNKNOWN)?,
            Route::Gate(many) => {
                gate.pass(many);
                stream.write_all(&OK)?;
            }
            Route::Sink(length) => {
                input.skip(length)?;
                stream.write_all(&OK)?;
            }
            Route::Length(..) | Route::Chunked(..) => {
                let (_, large) = match &mut made {
                    Some(made) if made.0 == route => made,
                    none => none.insert((route, Large::of(route))),
                };
                stream.write_all(&large.head)?;
                for _ in 0..large.times {
                    stream.write_all(&large.block)?;
                }
                stream.write_all(&large.rest)?;
            }
        }
    }
    Ok(())
}

/// What has come and was not looked at.
struct Input<'a> {
    stream: &'a TcpStream,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input<'_> {
    /// Where the next request goes; `None` once the client has closed.
    fn request(&mut self) -> io::Result<Option<Route>> {
        loop {
            let bytes = &self.bytes[self.start..self.end];
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let route = Route::of(&bytes[..end + 4]);
                self.start += end + 4;
                return Ok(Some(route));
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads a body to its end: by its length, or to the last chunk.
    fn skip(&mut self, length: Option<usize>) -> io::Result<()> {
        const LAST: &[u8] = b"\r\n0\r\n\r\n";
        let mut left = length.unwrap_or(usize::MAX);
        while left > 0 {
            if self.start == self.end && self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let n = left.min(self.end - self.start);
            self.start += n;
            left -= n;
            // The benches' chunks hold no line ends, and their last chunk comes in one piece.
            if length.is_none() && self.bytes[..self.end].ends_with(LAST) {
                break;
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<usize> {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let n = self.stream.read(&mut self.bytes[self.end..])?;
        self.end += n;
        Ok(n)
    }
}
