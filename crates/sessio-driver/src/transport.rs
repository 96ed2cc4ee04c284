//! Calls that a transport carries as messages.

use std::task::{Context, Poll};

use sessio::call::MessageIo;
use sessio::transport::{Transfer, TransferError};
use sessio::{Call, Head, Headers, Kind, Now};

/// The result of one operation of a transfer.
pub(crate) enum Passed {
    Nothing,
    Request(usize),
    Head(Head),
    Body(usize),
    End(Headers),
    Failed(TransferError),
}

/// Passes messages on in one direction: the request first. The response is polled if the transport
/// takes nothing of the request now.
pub(crate) fn pass_on(
    transfer: Option<&mut Box<dyn Transfer>>,
    io: MessageIo<'_>,
    cx: &mut Context<'_>,
    now: Now,
) -> Passed {
    let Some(transfer) = transfer else {
        return Passed::Failed(TransferError::from(sessio::Error::from(Kind::Misuse)));
    };
    if io.has_request() {
        if io.is_last && !io.trailers.is_empty() {
            transfer.send_trailers(io.trailers);
        }
        match transfer.poll_send(cx, now, io.body, io.is_last) {
            Poll::Ready(Ok(taken)) => return Passed::Request(taken),
            Poll::Ready(Err(error)) => return Passed::Failed(error),
            Poll::Pending => {}
        }
    }
    if io.wants_head {
        return match transfer.poll_head(cx, now) {
            Poll::Ready(Ok(head)) => Passed::Head(head),
            Poll::Ready(Err(error)) => Passed::Failed(error),
            Poll::Pending => Passed::Nothing,
        };
    }
    if io.recv.is_empty() {
        return Passed::Nothing;
    }
    match transfer.poll_body(cx, now, io.recv) {
        Poll::Ready(Ok(0)) => Passed::End(transfer.trailers()),
        Poll::Ready(Ok(n)) => Passed::Body(n),
        Poll::Ready(Err(error)) => Passed::Failed(error),
        Poll::Pending => Passed::Nothing,
    }
}

/// Reports a message to the call. Returns `false` if there was none.
pub(crate) fn report(call: &mut Call, passed: Passed) -> bool {
    match passed {
        Passed::Nothing => return false,
        Passed::Request(n) => call.request_taken(n),
        Passed::Head(head) => call.response_head(head),
        Passed::Body(n) => call.response_body(n),
        Passed::End(trailers) => call.response_end(trailers),
        Passed::Failed(TransferError { fate, error }) => call.transport_failed(fate, error),
    }
    true
}
