//! The body of an upload: any number of zeros, of which only one block is in memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The size of the block, in bytes.
pub const BLOCK: usize = 64 << 10;

/// The block.
pub static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A body of zeros for hyper and reqwest. They read it in pieces, which share memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zeros {
    left: usize,
}

impl Zeros {
    /// A body of `bytes` zeros.
    pub fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }
}

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let n = self.left.min(BLOCK);
        self.left -= n;
        Poll::Ready((n > 0).then(|| Ok(Frame::data(Bytes::from_static(&ZEROS[..n])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}
