//! Futures that are polled by one task.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Runs all futures in one task. Returns their outputs in order.
pub(crate) async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let (first, others) = first_dropped(futures, usize::MAX).await;
    first.into_iter().chain(others).collect()
}

/// Runs all futures in one task, and drops the first one after so many polls. Returns its output, if
/// it has ended before, and those of the others in order.
pub(crate) async fn first_dropped<F: Future>(
    futures: Vec<F>,
    polls: usize,
) -> (Option<F::Output>, Vec<F::Output>) {
    let mut futures: Vec<Option<Pin<Box<F>>>> =
        futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let mut polled = 0;
    poll_fn(|cx| {
        if polled >= polls {
            futures[0] = None;
        }
        polled += 1;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if let Some(running) = future
                && let Poll::Ready(done) = running.as_mut().poll(cx)
            {
                (*output, *future) = (Some(done), None);
            }
        }
        if polled >= polls {
            futures[0] = None;
        }
        if futures.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let first = outputs.remove(0);
    (first, outputs.into_iter().flatten().collect())
}
