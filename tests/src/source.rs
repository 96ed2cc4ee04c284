//! Sources of request bodies that yield piece by piece, correct and faulty ones.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use sessio::Headers;
use sessio_driver::Source;

/// A body of pieces. Each arrives after a wait.
#[derive(Debug, Clone)]
pub struct Pieces {
    all: Vec<Vec<u8>>,
    left: VecDeque<Vec<u8>>,
    then: Then,
    has_waited: bool,
    trailers: Headers,
}

/// The end after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    End,
    Fail,
    Stall,
}

impl Pieces {
    /// A body of these pieces, then the end.
    pub fn of<T: AsRef<[u8]>>(pieces: impl IntoIterator<Item = T>) -> Self {
        let all: Vec<_> = pieces.into_iter().map(|piece| piece.as_ref().to_vec()).collect();
        Self { left: all.clone().into(), all, then: Then::End, has_waited: false, trailers: Headers::new() }
    }

    /// Ends with this trailer.
    #[must_use]
    pub fn with_trailers(mut self, name: &str, value: &str) -> Self {
        self.trailers.insert(name, value).expect("a valid field");
        self
    }

    /// Fails instead of ending.
    #[must_use]
    pub fn then_fail(mut self) -> Self {
        self.then = Then::Fail;
        self
    }

    /// Never ends.
    #[must_use]
    pub fn then_stall(mut self) -> Self {
        self.then = Then::Stall;
        self
    }
}

impl Source for Pieces {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.has_waited {
            self.has_waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_waited = false;
        let Some(piece) = self.left.front_mut() else {
            return match self.then {
                Then::End => Poll::Ready(Ok(0)),
                Then::Fail => Poll::Ready(Err(io::Error::other("the disk is gone"))),
                Then::Stall => Poll::Pending,
            };
        };
        let n = piece.len().min(room.len());
        room[..n].copy_from_slice(&piece[..n]);
        piece.drain(..n);
        if piece.is_empty() {
            self.left.pop_front();
        }
        Poll::Ready(Ok(n))
    }

    fn trailers(&mut self) -> Headers {
        self.trailers.clone()
    }

    fn poll_rewind(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.left = self.all.clone().into();
        Poll::Ready(Ok(()))
    }
}

/// A body that is always ready and never ends.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

impl Source for Endless {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        room.fill(b'x');
        Poll::Ready(Ok(room.len()))
    }
}
