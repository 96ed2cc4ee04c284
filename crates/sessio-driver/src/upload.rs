//! Request bodies while they are sent.

use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use sessio::coding::BodyEncoder;
use sessio::{Body, Error, Headers, Kind, Result};

use crate::assembled::Assembled;
use crate::source::Source;

/// The sources of a request's body, which its builder keeps beside the request.
#[derive(Default)]
pub(crate) enum Supply {
    #[default]
    Nothing,
    /// The source of the whole body.
    Source(Box<dyn Source>),
    /// The sources of the parts of a form that have one.
    Parts(Vec<Box<dyn Source>>),
}

impl Supply {
    /// A copy; `None` if there is a source.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Nothing => Some(Self::Nothing),
            Self::Parts(sources) if sources.is_empty() => Some(Self::Parts(Vec::new())),
            Self::Source(_) | Self::Parts(_) => None,
        }
    }

    /// The upload of this body; `None` if the request itself contains the body.
    pub(crate) fn upload(self, body: &Body) -> Option<Box<Upload>> {
        let origin = match self {
            Self::Nothing => return None,
            Self::Source(source) => Origin::Source(source),
            Self::Parts(sources) => Origin::Form(Assembled::new(body.assembly()?, sources)),
        };
        let coded = body.encoding().map(Coded::new);
        Some(Box::new(Upload { origin, coded, room: Bytes::new(), ready: Bytes::new(), is_ended: false }))
    }
}

enum Origin {
    Source(Box<dyn Source>),
    Form(Assembled),
}

impl Origin {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<Result<usize>> {
        match self {
            Self::Source(source) => source.poll_fill(cx, room).map_err(failed),
            Self::Form(form) => form.poll_fill(cx, room),
        }
    }
}

fn failed(cause: io::Error) -> Error {
    Error::new(Kind::BodySource).with_source(cause)
}

/// Number of bytes that are read at once.
const ROOM: usize = 64 * 1024;

/// The origin of a body, and the memory that it is read into.
pub(crate) struct Upload {
    origin: Origin,
    coded: Option<Box<Coded>>,
    /// The whole memory. The call shares it while it sends the bytes.
    room: Bytes,
    /// Bytes that were read and not taken yet.
    ready: Bytes,
    is_ended: bool,
}

/// The next input of the call.
pub(crate) enum Piece<'a> {
    Bytes(&'a Bytes),
    End,
}

impl Upload {
    /// Bytes that were read and not taken, or else bytes that can be read now: at most `most` if
    /// they are read into memory.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<Piece<'_>>> {
        if self.ready.is_empty() && !self.is_ended {
            self.ready = match ready!(self.poll_piece(cx))? {
                Some(piece) => piece,
                None => ready!(self.poll_fill(cx, most))?,
            };
            self.is_ended = self.ready.is_empty();
        }
        Poll::Ready(Ok(if self.is_ended { Piece::End } else { Piece::Bytes(&self.ready) }))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        match (&mut self.origin, &self.coded) {
            (Origin::Source(source), None) => source.poll_piece(cx).map_err(failed),
            _ => Poll::Ready(Ok(None)),
        }
    }

    /// Reads into memory that is reused: it is free again once the call has sent the shared bytes.
    fn poll_fill(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<Bytes>> {
        let mut room = match std::mem::take(&mut self.room).try_into_mut() {
            Ok(room) if room.len() == ROOM => room,
            _ => BytesMut::zeroed(ROOM),
        };
        let most = most.min(ROOM);
        let filled = match &mut self.coded {
            None => self.origin.poll_fill(cx, &mut room[..most]),
            Some(coded) => coded.poll_fill(&mut self.origin, cx, &mut room[..most]),
        };
        self.room = room.freeze();
        filled.map_ok(|n| self.room.slice(..n.min(most)))
    }

    /// The trailer fields.
    pub(crate) fn trailers(&mut self) -> Headers {
        match &mut self.origin {
            Origin::Source(source) => source.trailers(),
            Origin::Form(_) => Headers::new(),
        }
    }

    pub(crate) fn taken(&mut self, n: usize) {
        self.ready.advance(n.min(self.ready.len()));
        if self.ready.is_empty() {
            // An empty slice would still share the memory, and prevent its reuse.
            self.ready = Bytes::new();
        }
    }

    pub(crate) fn poll_rewind(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.ready = Bytes::new();
        self.is_ended = false;
        let done = match &mut self.origin {
            Origin::Source(source) => source.poll_rewind(cx),
            Origin::Form(form) => form.poll_rewind(cx),
        };
        if let (Some(coded), Poll::Ready(Ok(()))) = (&mut self.coded, &done) {
            coded.rewind();
        }
        done.map_err(failed)
    }
}

/// A body that is coded while it is sent, and the memory for its uncoded bytes.
struct Coded {
    encoding: BodyEncoder,
    buffer: Box<[u8]>,
    ready: std::ops::Range<usize>,
    is_ended: bool,
}

impl Coded {
    fn new(encoding: BodyEncoder) -> Box<Self> {
        let buffer = vec![0; 16 * 1024].into();
        Box::new(Self { encoding, buffer, ready: 0..0, is_ended: false })
    }

    /// Fills the start of `room` with coded bytes; 0 is the end.
    fn poll_fill(
        &mut self,
        origin: &mut Origin,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<Result<usize>> {
        while !self.encoding.is_over() {
            if self.ready.is_empty() && !self.is_ended {
                let n = ready!(origin.poll_fill(cx, &mut self.buffer))?.min(self.buffer.len());
                self.ready = 0..n;
                self.is_ended = n == 0;
            }
            let moved = self.encoding.encode(&self.buffer[self.ready.clone()], self.is_ended, room)?;
            self.ready.start += moved.taken;
            if moved.made > 0 {
                return Poll::Ready(Ok(moved.made));
            }
        }
        Poll::Ready(Ok(0))
    }

    fn rewind(&mut self) {
        self.encoding.rewind();
        (self.ready, self.is_ended) = (0..0, false);
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload")
    }
}
