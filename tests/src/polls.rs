//! Futures that are dropped before their time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a future at most so often, then drops it. On a stream that blocks it never waits, and ends.
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

/// Polls a future to its end, and says how often it waited.
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
