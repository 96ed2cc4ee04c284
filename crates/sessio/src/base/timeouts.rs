//! The named time limits of a call.

use std::time::Duration;

/// The time limits of the parts of a call. Default: `None`, no limit, except for `expect` (rule
/// T-01). The error of a limit that ran out names it.
///
/// The limits `resolve` to `read` restart on every hop of a redirect and for every retry (rule
/// T-05). `total` never restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Waiting for a free place in the pool.
    pub pool: Option<Duration>,
    /// Resolving the host's name to addresses.
    pub resolve: Option<Duration>,
    /// Opening the connection, with all addresses together.
    pub connect: Option<Duration>,
    /// Sending the request: the time in which the peer takes no byte.
    pub send: Option<Duration>,
    /// Time from the end of the request to the end of the response's head. Bytes that trickle in do
    /// not extend it (row Q27).
    pub head: Option<Duration>,
    /// Time between two reads of the body, while the caller reads.
    pub read: Option<Duration>,
    /// The whole call, with every hop, every retry, and the body.
    pub total: Option<Duration>,
    /// Time that a body waits for `100 Continue`, if the request
    /// [expects](crate::Request::expect_continue) it. Then the body is sent; it is no error.
    /// Neither `send` nor `head` runs meanwhile. Default: 1 second.
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
    /// Whether a limit is zero, which always fails.
    pub(crate) fn has_zero(&self) -> bool {
        let Self { pool, resolve, connect, send, head, read, total, expect } = *self;
        [pool, resolve, connect, send, head, read, total, expect]
            .into_iter()
            .flatten()
            .any(|limit| limit.is_zero())
    }

    /// The name of the first limit that is zero.
    #[cold]
    pub(crate) fn zero(&self) -> Option<&'static str> {
        let Self { pool, resolve, connect, send, head, read, total, expect } = *self;
        let limits = [
            ("pool", pool),
            ("resolve", resolve),
            ("connect", connect),
            ("send", send),
            ("head", head),
            ("read", read),
            ("total", total),
            ("expect", expect),
        ];
        limits.into_iter().find(|(_, limit)| limit.is_some_and(|limit| limit.is_zero())).map(|(name, _)| name)
    }
}
