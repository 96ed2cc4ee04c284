//! The payload of a frame.

use std::fmt;

use super::header::{Header, Kind, MAX_WINDOW};
use crate::ErrorCode;

/// The payload of a frame, without its padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// Bytes of a body.
    Data(&'a [u8]),
    /// A header block, or its beginning.
    Headers {
        /// A priority, if there is one.
        priority: Option<Priority>,
        /// Bytes of the header block.
        block: &'a [u8],
    },
    /// A priority, deprecated.
    Priority(Priority),
    /// The end of a stream by an error.
    Reset(ErrorCode),
    /// Settings, each of two bytes for its id and four for its value; empty in an acknowledgement.
    Settings(&'a [u8]),
    /// The announcement of a pushed response.
    PushPromise {
        /// The id of the stream of that response.
        promised: u32,
        /// Bytes of the header block.
        block: &'a [u8],
    },
    /// A check whether the peer is alive, or its acknowledgement.
    Ping([u8; 8]),
    /// The end of the connection.
    GoAway {
        /// The last stream that is processed.
        last: u32,
        /// The reason.
        code: ErrorCode,
        /// Debug data, for people.
        debug: &'a [u8],
    },
    /// Credit for DATA. An increment of 0 is an error of the stream, or of the connection.
    WindowUpdate(u32),
    /// The rest of a header block, or a part of it.
    Continuation(&'a [u8]),
    /// A type that RFC 9113 does not define. It must be ignored.
    Unknown(&'a [u8]),
}

/// A priority (RFC 7540 section 6.3). It has no effect any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priority {
    /// The stream that this one depends on.
    pub dependency: u32,
    /// Set if no other stream depends on that one.
    pub is_exclusive: bool,
    /// The weight less one.
    pub weight: u8,
}

/// The fault of a frame that is invalid by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The payload has a wrong size for its type.
    Size(Kind),
    /// A frame for a stream was sent on stream 0, or a frame for the connection on another stream.
    Stream(Kind),
    /// The padding is longer than the payload.
    Padding(Kind),
    /// The promised stream has an id that a server cannot open.
    Promised,
}

impl FrameError {
    /// The code for the peer.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Size(_) => ErrorCode::FRAME_SIZE_ERROR,
            _ => ErrorCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(kind) => write!(f, "{kind} has a payload of a wrong size"),
            Self::Stream(kind) => write!(f, "{kind} came for a wrong stream"),
            Self::Padding(kind) => write!(f, "{kind} has more padding than payload"),
            Self::Promised => f.write_str("PUSH_PROMISE promises a stream that no server opens"),
        }
    }
}

impl std::error::Error for FrameError {}

impl<'a> Frame<'a> {
    /// Parses a payload, which has [`Header::length`] bytes.
    ///
    /// # Errors
    /// The frame is invalid in every state of its stream.
    pub fn parse(header: &Header, payload: &'a [u8]) -> Result<Self, FrameError> {
        let kind = header.kind;
        let size = FrameError::Size(kind);
        if payload.len() != header.length as usize {
            return Err(size);
        }
        let is_wrong = match kind {
            Kind::SETTINGS | Kind::PING | Kind::GOAWAY => header.stream != 0,
            Kind::WINDOW_UPDATE => false,
            Kind(10..) => false,
            _ => header.stream == 0,
        };
        if is_wrong {
            return Err(FrameError::Stream(kind));
        }
        Ok(match kind {
            Kind::DATA => Self::Data(unpadded(header, payload)?),
            Kind::HEADERS => {
                let payload = unpadded(header, payload)?;
                if header.has(Header::PRIORITY) {
                    let (priority, block) = payload.split_first_chunk().ok_or(size)?;
                    Self::Headers { priority: Some(Priority::parse(*priority)), block }
                } else {
                    Self::Headers { priority: None, block: payload }
                }
            }
            Kind::PRIORITY => Self::Priority(Priority::parse(payload.try_into().map_err(|_| size)?)),
            Kind::RST_STREAM => Self::Reset(ErrorCode(number(payload).ok_or(size)?)),
            Kind::SETTINGS => {
                let is_whole =
                    if header.is_ack() { payload.is_empty() } else { payload.len().is_multiple_of(6) };
                if !is_whole {
                    return Err(size);
                }
                Self::Settings(payload)
            }
            Kind::PUSH_PROMISE => {
                let (promised, block) = unpadded(header, payload)?.split_first_chunk().ok_or(size)?;
                let promised = u32::from_be_bytes(*promised) & MAX_WINDOW;
                if promised == 0 || promised % 2 == 1 {
                    return Err(FrameError::Promised);
                }
                Self::PushPromise { promised, block }
            }
            Kind::PING => Self::Ping(payload.try_into().map_err(|_| size)?),
            Kind::GOAWAY => {
                let (last, rest) = payload.split_first_chunk().ok_or(size)?;
                let (code, debug) = rest.split_first_chunk().ok_or(size)?;
                Self::GoAway {
                    last: u32::from_be_bytes(*last) & MAX_WINDOW,
                    code: ErrorCode(u32::from_be_bytes(*code)),
                    debug,
                }
            }
            Kind::WINDOW_UPDATE => Self::WindowUpdate(number(payload).ok_or(size)? & MAX_WINDOW),
            Kind::CONTINUATION => Self::Continuation(payload),
            _ => Self::Unknown(payload),
        })
    }
}

impl Priority {
    fn parse([a, b, c, d, weight]: [u8; 5]) -> Self {
        let dependency = u32::from_be_bytes([a, b, c, d]);
        Self { dependency: dependency & MAX_WINDOW, is_exclusive: dependency > MAX_WINDOW, weight }
    }
}

fn number(payload: &[u8]) -> Option<u32> {
    payload.try_into().ok().map(u32::from_be_bytes)
}

fn unpadded<'a>(header: &Header, payload: &'a [u8]) -> Result<&'a [u8], FrameError> {
    if !header.has(Header::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload.split_first().ok_or(FrameError::Size(header.kind))?;
    let length = rest.len().checked_sub(padding.into()).ok_or(FrameError::Padding(header.kind))?;
    Ok(&rest[..length])
}
