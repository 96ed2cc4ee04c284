//! A connection of the pool and its socket.

use std::fmt;
use std::task::{Context, Waker};

use sessio::Conn;

use crate::runtime::Stream;

/// A connection of the pool and its socket.
pub(crate) struct PooledConnection<S> {
    pub(crate) stream: S,
    pub(crate) conn: Conn,
    /// The process that opened it.
    pub(crate) process: u32,
}

impl<S: Stream> PooledConnection<S> {
    /// Closes an idle connection.
    pub(crate) fn close(mut self) {
        close(self.stream, self.conn.farewell(), self.process);
    }
}

impl<S> fmt::Debug for PooledConnection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.conn, f)
    }
}

/// Closes a stream that this process has opened. It offers `words` to the stream once, without
/// waiting.
///
/// A stream that the parent process has opened belongs to the parent, so nothing is sent on it. If
/// a reactor watches it, closing it here would also end the watch of the parent. Such a stream
/// stays open until this process ends.
pub(crate) fn close<S: Stream>(mut stream: S, words: &[u8], process: u32) {
    if process != std::process::id() {
        if !S::BLOCKS {
            std::mem::forget(stream);
        }
        return;
    }
    if !words.is_empty() {
        let _ = stream.poll_write(&mut Context::from_waker(Waker::noop()), words);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use super::*;

    /// Counts written bytes and drops.
    struct Counted<const BLOCKS: bool>(Arc<[AtomicUsize; 2]>);

    impl<const B: bool> Stream for Counted<B> {
        const BLOCKS: bool = B;

        fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0[0].fetch_add(bytes.len(), Ordering::Relaxed);
            Poll::Ready(Ok(bytes.len()))
        }

        fn is_idle_open(&self) -> bool {
            true
        }
    }

    impl<const B: bool> Drop for Counted<B> {
        fn drop(&mut self) {
            self.0[1].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn closed<const B: bool>(process: u32) -> [usize; 2] {
        let counts = Arc::default();
        close(Counted::<B>(Arc::clone(&counts)), b"bye", process);
        [counts[0].load(Ordering::Relaxed), counts[1].load(Ordering::Relaxed)]
    }

    #[test]
    fn fs6_a_child_says_no_goodbye_on_connections_of_its_parent() {
        let own = std::process::id();
        assert_eq!((closed::<true>(own), closed::<false>(own)), ([3, 1], [3, 1]));
        // The blocking stream is closed here, and stays open in the parent. The reactor of the
        // parent still watches the other one.
        assert_eq!((closed::<true>(own + 1), closed::<false>(own + 1)), ([0, 1], [0, 0]));
    }
}
