//! The named time limits of a call.

use std::time::Duration;

/// How long each part of a call may take; `None` is for ever, which is where all of them but `expect` start (rule
/// T-01). The error of a limit that ran out names it.
///
/// `resolve` to `read` start anew on every hop of a redirect and for every retry (rule T-05); `total` never
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Waiting for a free place in the pool.
    pub pool: Option<Duration>,
    /// Turning the host's name into addresses.
    pub resolve: Option<Duration>,
    /// Opening the connection: all addresses together.
    pub connect: Option<Duration>,
    /// Sending the request: the time between two moments at which the peer took bytes.
    pub send: Option<Duration>,
    /// From the end of the request to the end of the response's head. Absolute: bytes that trickle in do
    /// not extend it (row Q27).
    pub head: Option<Duration>,
    /// Between two reads of the body, while the caller is reading.
    pub read: Option<Duration>,
    /// The whole call: every hop, every retry, and the body.
    pub total: Option<Duration>,
    /// How long a body waits for `100 Continue` where the request [expects](crate::Request::expect_continue) it, one
    /// second at first. Then the body is sent: it is no error. Neither `send` nor `head` runs meanwhile.
    pub expect: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        let expect = Some(Duration::from_secs(1));
        Self {
            pool: None,
            resolve: None,
            connect: None,
            send: None,
            head: None,
            read: None,
            total: None,
            expect,
        }
    }
}

impl Timeouts {
    /// Whether a limit is zero, which nothing can meet.
    pub(crate) fn has_zero(&self) -> bool {
        let Self { pool, resolve, connect, send, head, read, total, expect } = *self;
        [pool, resolve, connect, send, head, read, total, expect]
            .into_iter()
            .flatten()
            .any(|limit| limit.is_zero())
    }
}
