//! The lower bound: a socket, prepared bytes, and only the parsing that finds the end of a
//! response.

use crate::Outcome;
use crate::answer::Answer;
use crate::plan::Plan;
use crate::zeros::{BLOCK, ZEROS};

/// The bytes of a plan's request to that host.
pub fn request(plan: &Plan, authority: &str) -> Vec<u8> {
    let method = if plan.upload().is_some() { "PUT" } else { "GET" };
    let mut text = format!("{method} {} HTTP/1.1\r\nhost: {}\r\n", plan.path(), authority);
    for (name, value) in plan.headers() {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some(cookies) = plan.cookies() {
        text += &format!("cookie: {cookies}\r\n");
    }
    if let Some(length) = plan.upload() {
        text += &format!("content-length: {length}\r\n");
    }
    text += "\r\n";
    text.into_bytes()
}

/// The blocks of a plan's request body. All of them are the same memory.
pub fn body(plan: &Plan) -> impl Iterator<Item = &'static [u8]> {
    let mut left = plan.upload().unwrap_or(0);
    std::iter::from_fn(move || {
        let block = &ZEROS[..left.min(BLOCK)];
        left -= block.len();
        (!block.is_empty()).then_some(block)
    })
}

/// A parser of a response. It reads the head once it is complete, and counts the rest.
///
/// For an upload it reads the number in the body.
#[derive(Default)]
pub struct Reader {
    /// The part of the head received so far.
    head: Vec<u8>,
    status: u16,
    length: usize,
    is_upload: bool,
    /// The body of the response to an upload, as a number.
    count: usize,
    at: At,
}

/// The part that comes next.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Head,
    /// The remaining bytes of the body.
    Body(usize),
    /// A chunk size, with its value so far.
    Size(usize),
    /// The remaining bytes of a chunk.
    Chunk(usize),
    /// The line end after a chunk.
    ChunkEnd,
    /// The line end after the last chunk.
    End,
    Over,
}

impl Reader {
    /// A parser of responses to this plan.
    pub fn new(plan: &Plan) -> Self {
        Self { is_upload: plan.upload().is_some(), ..Self::default() }
    }

    /// Takes the next bytes. Returns the response if they end it.
    ///
    /// # Errors
    ///
    /// If the bytes are invalid.
    pub fn take(&mut self, bytes: &[u8]) -> Outcome<Option<Answer>> {
        let kept;
        let mut bytes = bytes;
        if let At::Head = self.at {
            // Nearly every head arrives in one piece, and is not copied.
            if !self.head.is_empty() || head_end(bytes).is_none() {
                self.head.extend_from_slice(bytes);
                kept = std::mem::take(&mut self.head);
                bytes = &kept;
            }
            let Some(end) = head_end(bytes) else {
                self.head = bytes.to_vec();
                return Ok(None);
            };
            self.read_head(&bytes[..end])?;
            bytes = &bytes[end..];
        }
        self.read_body(bytes)?;
        if !matches!(self.at, At::Over | At::Body(0)) {
            return Ok(None);
        }
        let length = if self.is_upload { self.count } else { self.length };
        let answer = Answer::plain(self.status, length);
        *self = Self { is_upload: self.is_upload, ..Self::default() };
        Ok(Some(answer))
    }

    fn read_head(&mut self, head: &[u8]) -> Outcome {
        let status = head.get(9..12).ok_or("no status")?;
        self.status = std::str::from_utf8(status)?.parse()?;
        self.at = match value_of(head, b"content-length: ") {
            Some(digits) => At::Body(std::str::from_utf8(digits)?.parse()?),
            None => At::Size(0),
        };
        Ok(())
    }

    fn read_body(&mut self, mut bytes: &[u8]) -> Outcome {
        while let Some((&first, rest)) = bytes.split_first() {
            self.at = match self.at {
                At::Body(left) | At::Chunk(left) => {
                    let n = left.min(bytes.len());
                    self.length += n;
                    if self.is_upload {
                        let digits = bytes[..n].iter().map(|digit| usize::from(digit - b'0'));
                        self.count = digits.fold(self.count, |count, digit| count * 10 + digit);
                    }
                    bytes = &bytes[n..];
                    match (self.at, left - n) {
                        (At::Chunk(_), 0) => At::ChunkEnd,
                        (At::Chunk(_), left) => At::Chunk(left),
                        (_, 0) if !bytes.is_empty() => return Err("more than was announced".into()),
                        (_, left) => At::Body(left),
                    }
                }
                At::Size(size) => {
                    bytes = rest;
                    match first {
                        b'\r' => At::Size(size),
                        b'\n' if size == 0 => At::End,
                        b'\n' => At::Chunk(size),
                        _ => At::Size(size << 4 | char::from(first).to_digit(16).ok_or("no size")? as usize),
                    }
                }
                at @ (At::ChunkEnd | At::End) => {
                    bytes = rest;
                    match (at, first) {
                        (At::ChunkEnd, b'\n') => At::Size(0),
                        (_, b'\n') => At::Over,
                        (at, _) => at,
                    }
                }
                At::Head | At::Over => return Err("bytes behind the answer".into()),
            };
        }
        Ok(())
    }
}

/// The end of the head.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The value of a field. The server writes names in lower case.
fn value_of<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(name)).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_reads_the_same() {
        let by_length = &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"[..];
        let by_chunks =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        for text in [by_length, by_chunks] {
            for cut in 0..text.len() {
                let mut reader = Reader::default();
                assert_eq!(reader.take(&text[..cut]).unwrap(), None);
                let answer = reader.take(&text[cut..]).unwrap();
                assert_eq!(answer, Some(Answer::plain(200, 5)));
            }
        }
    }
}
