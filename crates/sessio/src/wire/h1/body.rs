//! The body of a response while it comes in.

use std::ops::Range;

use super::buffer::Buffer;
use super::chunked::Chunked;
use super::framing::Framing;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::limits::Limits;

/// What has come of a body and where it ends.
pub(super) struct Body {
    end: End,
    /// Bytes so far, consumed or not.
    got: u64,
    /// Where in the buffer the bytes lie that were not consumed yet. The framing is done with them.
    unread: Range<usize>,
}

enum End {
    /// After so many more bytes.
    After(u64),
    /// With the last chunk.
    LastChunk(Chunked),
    /// With the connection.
    Close,
}

/// How it goes on, once what is unread has been consumed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There may be more in the buffer.
    Again,
    /// More bytes have to come.
    Wait,
    /// The last chunk is over.
    Trailers,
    /// The body is complete.
    Done,
}

impl Body {
    /// The body that a head announces.
    pub(super) fn new(framing: Framing) -> Self {
        let end = match framing {
            Framing::None => End::After(0),
            Framing::Length(length) => End::After(length),
            Framing::Chunked => End::LastChunk(Chunked::default()),
            Framing::UntilClose => End::Close,
        };
        Self { end, got: 0, unread: 0..0 }
    }

    /// Where the bytes lie that were not consumed yet.
    pub(super) fn unread(&self) -> &Range<usize> {
        &self.unread
    }

    /// The first `n` unread bytes were read; whether there were as many.
    pub(super) fn consume(&mut self, n: usize) -> bool {
        let is_there = n <= self.unread.len();
        self.unread.start += n.min(self.unread.len());
        is_there
    }

    /// How many bytes have come.
    pub(super) fn got(&self) -> u64 {
        self.got
    }

    /// How many bytes there are in all, if that was said beforehand.
    pub(super) fn announced(&self) -> Option<u64> {
        match self.end {
            End::After(to_come) => Some(self.got + to_come),
            End::LastChunk(_) | End::Close => None,
        }
    }

    /// How many bytes are still to be consumed, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self.end {
            End::After(to_come) => Some(to_come + self.unread.len() as u64),
            End::LastChunk(_) | End::Close => None,
        }
    }

    /// Goes on from where everything that was there is consumed. If there is an error it lies behind what is
    /// unread now.
    pub(super) fn advance(&mut self, buffer: &mut Buffer, limits: &Limits, is_ended: bool) -> Result<Next> {
        let most = match &mut self.end {
            End::After(to_come) => *to_come,
            End::Close => limits.body_bytes.map_or(u64::MAX, |most| most.saturating_sub(self.got)),
            End::LastChunk(chunked) => {
                let decoded = chunked.decode(buffer.unread_mut(), limits);
                let is_last = chunked.is_last();
                self.take(buffer, decoded.used, decoded.data);
                return match decoded.error {
                    Some(error) => Err(error),
                    None if is_last => Ok(Next::Trailers),
                    None if decoded.used > 0 => Ok(Next::Again),
                    None if is_ended => Err(self.incomplete("and no last chunk")),
                    None => Ok(Next::Wait),
                };
            }
        };
        let there = buffer.unread().len();
        let here = usize::try_from(most).map_or(there, |most| most.min(there));
        self.take(buffer, here, 0..here);
        match &mut self.end {
            End::After(to_come) => {
                *to_come -= here as u64;
                match *to_come {
                    0 => Ok(Next::Done),
                    _ if here > 0 => Ok(Next::Again),
                    left if is_ended => Err(self.incomplete(&format!("of {}", self.got + left))),
                    _ => Ok(Next::Wait),
                }
            }
            _ if here > 0 => Ok(Next::Again),
            _ if there > 0 => Err(Fault::new(Kind::BodyTooLarge)),
            _ if is_ended => Ok(Next::Done),
            _ => Ok(Next::Wait),
        }
    }

    /// The error of a body that ends too soon.
    #[cold]
    pub(super) fn incomplete(&self, missing: &str) -> Fault {
        Fault::new(Kind::IncompleteBody).with_detail(format!("got {} bytes {missing}", self.got))
    }

    /// `used` bytes are dealt with, and `data` is what they were for.
    fn take(&mut self, buffer: &mut Buffer, used: usize, data: Range<usize>) {
        let at = buffer.advance(used);
        self.got += data.len() as u64;
        self.unread = at + data.start..at + data.end;
    }
}
