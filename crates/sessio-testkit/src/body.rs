//! The body of a request as it is received, in pieces of any size.

use crate::bad_request::BadRequest;
use crate::field::{Fields, field};

const LINE_LIMIT: usize = 16 << 10;
const BODY_LIMIT: u64 = 1 << 30;

/// How a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Exact(u64),
    Chunked,
}

/// The part of the framing that is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Data(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Body {
    next: Next,
    /// The part of a line that has been received.
    line: Vec<u8>,
    data: Vec<u8>,
    trailers: Fields,
}

impl Body {
    pub(crate) fn new(length: Length) -> Self {
        let next = match length {
            Length::Exact(0) => Next::Nothing,
            Length::Exact(n) => Next::Data(n),
            Length::Chunked => Next::ChunkSize,
        };
        Self { next, line: Vec::new(), data: Vec::new(), trailers: Vec::new() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next == Next::Nothing
    }

    /// The data and the trailer fields.
    pub(crate) fn finish(self) -> (Vec<u8>, Fields) {
        (self.data, self.trailers)
    }

    /// Takes the bytes that belong to the body and returns their number. That is all of them,
    /// unless the body ends before.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<usize, BadRequest> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_done() {
            rest = match self.next {
                Next::Data(left) | Next::ChunkData(left) => self.take_data(left, rest)?,
                _ => self.take_line(rest)?,
            };
        }
        Ok(bytes.len() - rest.len())
    }

    fn take_data<'a>(&mut self, left: u64, bytes: &'a [u8]) -> Result<&'a [u8], BadRequest> {
        if self.data.len() as u64 + left > BODY_LIMIT {
            return Err(BadRequest { status: 413, reason: "the body is too large" });
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (data, rest) = bytes.split_at(count);
        self.data.extend_from_slice(data);
        let left = left - count as u64;
        self.next = match (self.next, left) {
            (Next::ChunkData(_), 0) => Next::ChunkEnd,
            (Next::ChunkData(_), _) => Next::ChunkData(left),
            (_, 0) => Next::Nothing,
            _ => Next::Data(left),
        };
        Ok(rest)
    }

    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadRequest> {
        let end = bytes.iter().position(|b| *b == b'\n').map(|lf| lf + 1);
        let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.line.extend_from_slice(piece);
        if self.line.len() > LINE_LIMIT {
            return Err(BadRequest::new("a line of the chunked body is too long"));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            let line = line
                .strip_suffix(b"\r\n")
                .ok_or(BadRequest::new("a line of the chunked body ends in a bare LF"))?;
            self.next = self.after_line(line)?;
        }
        Ok(rest)
    }

    fn after_line(&mut self, line: &[u8]) -> Result<Next, BadRequest> {
        match self.next {
            Next::ChunkSize => match chunk_size(line)? {
                0 => Ok(Next::Trailer),
                n => Ok(Next::ChunkData(n)),
            },
            Next::ChunkEnd if line.is_empty() => Ok(Next::ChunkSize),
            Next::ChunkEnd => Err(BadRequest::new("a chunk is longer than its size")),
            Next::Trailer if line.is_empty() => Ok(Next::Nothing),
            next => {
                self.trailers.push(field(line)?);
                Ok(next)
            }
        }
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, BadRequest> {
    let bad = BadRequest::new("not a chunk size");
    let digits = line.split(|b| *b == b';').next().unwrap_or_default();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    std::str::from_utf8(digits).ok().and_then(|d| u64::from_str_radix(d, 16).ok()).ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_the_same_in_any_pieces() {
        let wire = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\nGET /next";
        for size in 1..=wire.len() {
            let mut body = Body::new(Length::Chunked);
            let used: usize = wire.chunks(size).map(|piece| body.feed(piece).unwrap()).sum();
            assert!(body.is_done());
            assert_eq!(used, wire.len() - b"GET /next".len());
            assert_eq!(body.finish(), (b"hello!".to_vec(), vec![(b"X-Sum".to_vec(), b"6".to_vec())]));
        }
    }

    #[test]
    fn faulty_chunks_are_refused() {
        for wire in [
            "\r\n",
            "x\r\n",
            "5\n",
            "1\r\nab\r\n",
            "+1\r\na\r\n",
            "0\r\nno colon\r\n",
            "1000000000000000\r\n",
        ] {
            assert!(Body::new(Length::Chunked).feed(wire.as_bytes()).is_err(), "{wire:?}");
        }
    }
}
