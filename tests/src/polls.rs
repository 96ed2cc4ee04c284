//! Futures that are dropped before they complete.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a future at most `times` times, then drops it. On a blocking stream it never waits, and
/// completes.
pub async fn polled<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Polls a future to its end. Returns how often it was pending.
pub async fn counted(future: impl Future<Output = ()>) -> usize {
    let mut future = pin!(future);
    let mut waits = 0;
    poll_fn(|cx| {
        let state = future.as_mut().poll(cx);
        waits += usize::from(state.is_pending());
        state.map(|()| waits)
    })
    .await
}
