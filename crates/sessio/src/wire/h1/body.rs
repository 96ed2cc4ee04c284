//! The body of a response while it arrives.

use std::ops::Range;

use super::buffer::Buffer;
use super::chunked::Chunked;
use super::framing::Framing;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::limits::Limits;

/// The received part of a body, and its framing.
pub(super) struct Body {
    end: End,
    /// Number of received bytes, consumed or not.
    got: u64,
    /// The bytes in the buffer that were not consumed yet. Their framing is already removed.
    unread: Range<usize>,
}

enum End {
    /// This many more bytes follow.
    After(u64),
    /// The last chunk ends the body.
    LastChunk(Chunked),
    /// The end of the connection ends the body.
    Close,
    /// The end of the message ends the body. If the head announced a length, it must fit: this many
    /// more bytes follow.
    Message(Option<u64>),
}

/// The next step, once all unread bytes are consumed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The buffer may hold more of the body.
    Again,
    /// More bytes must arrive.
    Wait,
    /// The last chunk is complete.
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

    /// The body of a message that arrives without framing of its own.
    pub(super) fn of_message(framing: Framing) -> Self {
        let length = match framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Self { end: End::Message(length), got: 0, unread: 0..0 }
    }

    /// The position of the bytes that were not consumed yet.
    pub(super) fn unread(&self) -> &Range<usize> {
        &self.unread
    }

    /// Marks the first `n` unread bytes as read; returns `false` if there are fewer.
    pub(super) fn consume(&mut self, n: usize) -> bool {
        let is_there = n <= self.unread.len();
        self.unread.start += n.min(self.unread.len());
        is_there
    }

    /// Number of received bytes.
    pub(super) fn got(&self) -> u64 {
        self.got
    }

    /// The length of the body, if the head announced it.
    pub(super) fn announced(&self) -> Option<u64> {
        match self.end {
            End::After(to_come) | End::Message(Some(to_come)) => Some(self.got + to_come),
            End::LastChunk(_) | End::Close | End::Message(None) => None,
        }
    }

    /// Number of bytes still to be consumed, if known.
    pub(super) fn left(&self) -> Option<u64> {
        match self.end {
            End::After(to_come) | End::Message(Some(to_come)) => Some(to_come + self.unread.len() as u64),
            End::LastChunk(_) | End::Close | End::Message(None) => None,
        }
    }

    /// Decodes more, once everything decoded so far is consumed. An error refers to the bytes
    /// behind those that are unread now.
    pub(super) fn advance(&mut self, buffer: &mut Buffer, limits: &Limits, is_ended: bool) -> Result<Next> {
        let allowed = limits.body_bytes.map_or(u64::MAX, |most| most.saturating_sub(self.got));
        let most = match &mut self.end {
            End::After(to_come) => *to_come,
            End::Close => allowed,
            End::Message(to_come) => to_come.map_or(allowed, |to_come| to_come.min(allowed)),
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
            End::Message(Some(0)) if there > 0 && here == 0 => {
                Err(Fault::new(Kind::BadLength).with_detail("more bytes than Content-Length announced"))
            }
            End::Message(Some(to_come)) if here > 0 => {
                *to_come -= here as u64;
                Ok(Next::Again)
            }
            End::Message(Some(left)) if is_ended && *left > 0 => {
                let missing = format!("of {}", self.got + *left);
                Err(self.incomplete(&missing))
            }
            _ if here > 0 => Ok(Next::Again),
            _ if there > 0 => Err(Fault::new(Kind::BodyTooLarge)),
            _ if is_ended => Ok(Next::Done),
            _ => Ok(Next::Wait),
        }
    }

    /// The error of a truncated body.
    #[cold]
    pub(super) fn incomplete(&self, missing: &str) -> Fault {
        Fault::new(Kind::IncompleteBody).with_detail(format!("got {} bytes {missing}", self.got))
    }

    /// Marks `used` bytes as decoded; `data` is the part of the body among them.
    fn take(&mut self, buffer: &mut Buffer, used: usize, data: Range<usize>) {
        let at = buffer.advance(used);
        self.got += data.len() as u64;
        self.unread = at + data.start..at + data.end;
    }
}
