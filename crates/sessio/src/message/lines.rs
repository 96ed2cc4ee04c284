//! Bodies as lines.
//!
//! A line ends with LF, CRLF or a lone CR, as in requests (rule S-12). An empty line is a line.
//! Bytes behind the last line end are one, if there are any. The lines do not depend on how the
//! bytes are cut, and a line is available as soon as its end has arrived (row B41).
//!
//! ```
//! use sessio::lines::Lines;
//!
//! let mut lines = Lines::new(1024);
//! let mut seen = Vec::new();
//! for piece in ["one\r", "\ntwo\n\nth", "ree"] {
//!     lines.push(piece.as_bytes());
//!     while let Some(line) = lines.pop()? {
//!         seen.push(String::from_utf8_lossy(line).into_owned());
//!     }
//! }
//! lines.finish();
//! while let Some(line) = lines.pop()? {
//!     seen.push(String::from_utf8_lossy(line).into_owned());
//! }
//! assert_eq!(seen, ["one", "two", "", "three"]);
//! # Ok::<(), sessio::Error>(())
//! ```

use std::fmt;

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// Bytes in, lines out: see the [module](self).
///
/// It holds the current unfinished line and the last pushed bytes, and no more: pop all lines
/// between two pushes.
pub struct Lines {
    bytes: Vec<u8>,
    /// Start of the next line.
    start: usize,
    /// No line end before this position.
    looked: usize,
    /// The last line ended with CR: a following LF is part of its end.
    is_after_cr: bool,
    is_finished: bool,
    most: usize,
}

impl Lines {
    /// Splits into lines of at most this many bytes each, line ends not counted.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, looked: 0, is_after_cr: false, is_finished: false, most }
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.looked -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends the input: the rest is the last line.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// The next line, without its end; `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`Kind::LineTooLong`]. The error is permanent.
    pub fn pop(&mut self) -> Result<Option<&[u8]>> {
        if self.is_after_cr && self.start < self.bytes.len() {
            self.is_after_cr = false;
            if self.bytes[self.start] == b'\n' {
                self.start += 1;
                self.looked = self.start;
            }
        }
        let end = memchr::memchr2(b'\n', b'\r', &self.bytes[self.looked..]).map(|at| self.looked + at);
        self.looked = end.unwrap_or(self.bytes.len());
        if self.looked - self.start > self.most {
            let detail = format!("more than {} bytes", self.most);
            return Err(Fault::new(Kind::LineTooLong).with_detail(detail));
        }
        let line = self.start..self.looked;
        match end {
            Some(end) => {
                self.is_after_cr = self.bytes[end] == b'\r';
                self.looked = end + 1;
            }
            None if !self.is_finished || line.is_empty() => return Ok(None),
            None => {}
        }
        self.start = self.looked;
        Ok(Some(&self.bytes[line]))
    }
}

/// `Debug` does not show the contents of a body.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("held", &(self.bytes.len() - self.start)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]], most: usize) -> Result<Vec<String>> {
        let mut lines = Lines::new(most);
        let mut seen = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.pop()? {
                seen.push(String::from_utf8_lossy(line).into_owned());
            }
        }
        lines.finish();
        while let Some(line) = lines.pop()? {
            seen.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(seen)
    }

    #[test]
    fn s12_b41_every_end_of_a_line_in_every_cut() {
        for (text, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a\n", &["a"]),
            ("a\nb", &["a", "b"]),
            ("a\r\nb", &["a", "b"]),
            ("a\rb", &["a", "b"]),
            ("a\r", &["a"]),
            ("\n", &[""]),
            ("\r\n", &[""]),
            ("\n\n", &["", ""]),
            ("\r\r", &["", ""]),
            ("\n\r", &["", ""]),
            ("a\r\n\r\nb\r\n", &["a", "", "b"]),
            ("a\r\r\nb", &["a", "", "b"]),
            ("a\u{b}b\u{c}c\u{85}d\u{2028}e", &["a\u{b}b\u{c}c\u{85}d\u{2028}e"]),
        ] {
            assert_eq!(lines(&[text.as_bytes()], 100).unwrap(), expected, "{text:?}");
            for at in 0..=text.len() {
                let (one, other) = text.as_bytes().split_at(at);
                assert_eq!(lines(&[one, b"", other], 100).unwrap(), expected, "{text:?} cut at {at}");
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(lines(&bytes, 100).unwrap(), expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn b41_a_line_is_out_as_soon_as_it_has_ended() {
        let mut lines = Lines::new(10);
        lines.push(b"a\r");
        assert_eq!(lines.pop().unwrap(), Some(&b"a"[..]));
        lines.push(b"\n");
        assert_eq!(lines.pop().unwrap(), None);
        lines.push(b"\n");
        assert_eq!(lines.pop().unwrap(), Some(&b""[..]));
        lines.finish();
        assert_eq!(lines.pop().unwrap(), None);
        assert_eq!(lines.pop().unwrap(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error_and_stays_one() {
        assert_eq!(lines(&[b"12345\n12345\r\n12345"], 5).unwrap().len(), 3);
        for pieces in [&[&b"1\n123456\n1"[..]][..], &[b"1\n123", b"456"], &[b"1\n", b"123456\r"]] {
            let mut lines = Lines::new(5);
            pieces.iter().for_each(|piece| lines.push(piece));
            assert_eq!(lines.pop().unwrap(), Some(&b"1"[..]));
            for _ in 0..3 {
                assert_eq!(lines.pop().unwrap_err().kind(), Kind::LineTooLong, "{pieces:?}");
                lines.push(b"\n");
            }
        }
    }

    #[test]
    fn no_more_is_held_than_a_line_and_a_push() {
        let mut lines = Lines::new(1000);
        for _ in 0..1000 {
            lines.push(&[b"a".repeat(500), b"\n".repeat(100)].concat());
            while lines.pop().unwrap().is_some() {}
        }
        assert!(lines.bytes.capacity() < 4000, "{}", lines.bytes.capacity());
    }
}
