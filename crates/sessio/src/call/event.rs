//! The events of a call.

use std::fmt;
use std::time::Duration;

use crate::base::kind::Kind;
use crate::base::time::Instant;
use crate::error::Error;
use crate::message::head::Head;
use crate::policy::retry::Attempt;
use crate::prepared::Prepared;
use crate::route::proxy::Proxy;
use crate::route::tls::session::TlsInfo;
use crate::uri::redacted::RedactedUrl;

/// An event of a call, reported to its [`Observer`](crate::Observer).
///
/// Each event is emitted once, when the call changes. A repeated `step` does not emit it again.
/// Events do not depend on how bytes were split: they report totals, not pieces. They contain no
/// time: read a clock if you need one.
///
/// ```text
/// Connecting ──▶ Connected ──▶ [Secured] ──▶ Sent ──▶ Interim* ──▶ Head ──▶ FinalResponse ──▶ Done
///     ▲ ▲                                       │                     │
///     │ └───────────── [Rewound] ◀─────────── Retry                   ▼
///     └──────────────── [Rewound] ◀── Skipped ◀── Redirect, Challenge, Unexpecting or Waiting
/// ```
///
/// A [`Waiting`](Self::Waiting) after a failure has no `Skipped`.
///
/// A server may respond before the whole request is out. Then [`Sent`](Self::Sent) is never
/// emitted, or after an interim response, or, if both continue, after the final response.
/// [`Failed`](Self::Failed) can be emitted at any point. No event follows it, and none follows
/// [`Done`](Self::Done). A call that is dropped ends without either. A request that is refused
/// before anything was done for it is no call, and has no events.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The request needs a connection.
    #[non_exhaustive]
    Connecting {
        /// The request, as it will be sent.
        request: &'a Prepared,
        /// Whether the connection must be new, because a pooled one has just failed.
        fresh: bool,
    },
    /// The call has a connection.
    #[non_exhaustive]
    Connected {
        /// The connection's number within the session.
        connection: u64,
        /// Whether the connection carried an earlier exchange.
        reused: bool,
    },
    /// A TLS handshake of a new connection is complete. No byte of the request is sent yet.
    #[non_exhaustive]
    Secured {
        /// The connection's number within the session.
        connection: u64,
        /// The negotiated parameters.
        secured: TlsInfo<'a>,
    },
    /// The proxy accepted the tunnel; later bytes belong to the origin. Emitted after `Connected`,
    /// and after the `Secured` of an `https` proxy. The `Secured` of the origin follows it.
    #[non_exhaustive]
    Tunnelled {
        /// The connection's number within the session.
        connection: u64,
        /// The proxy.
        proxy: &'a Proxy,
    },
    /// The whole request is out.
    #[non_exhaustive]
    Sent {
        /// Number of bytes of its body, without framing.
        body: u64,
    },
    /// An interim response (1xx) was received.
    Interim(&'a Head),
    /// The head of a response was received: the final response, a redirect or a challenge.
    Head(&'a Head),
    /// The response is a redirect, and the call follows it.
    #[non_exhaustive]
    Redirect {
        /// The request that it leads to.
        next: &'a Prepared,
    },
    /// The response is a challenge. The request is sent again with credentials.
    #[non_exhaustive]
    Challenge {
        /// The request as it will be sent again.
        next: &'a Prepared,
    },
    /// The response refuses the expectation (417). The request is sent again without it.
    #[non_exhaustive]
    Unexpecting {
        /// The request as it will be sent again.
        next: &'a Prepared,
    },
    /// The response is the final one of the call.
    FinalResponse(&'a Head),
    /// The response that is followed is over.
    #[non_exhaustive]
    Skipped {
        /// Whether its connection is reused.
        reusable: bool,
    },
    /// The request failed on a pooled connection and is sent again. Or a proxy refused and is asked
    /// again: with the credentials that it wants, or with another address of the origin.
    #[non_exhaustive]
    Retry {
        /// The kind of the failure.
        kind: Kind,
    },
    /// The request is sent again later, by the policy of retries. Until then the call has no
    /// connection.
    #[non_exhaustive]
    Waiting {
        /// The time of the next attempt.
        until: Instant,
        /// The attempt that has ended, with the reason for the next one.
        attempt: &'a Attempt,
    },
    /// The request waits for the [pace](crate::pace) of its host. Emitted between `Connecting` and
    /// `Connected`, once for each of them.
    #[non_exhaustive]
    Paced {
        /// The time at which it may begin, as known now. `None` if it waits for the end of others.
        until: Option<Instant>,
        /// The time until then.
        wait: Option<Duration>,
    },
    /// The source of the request's body is at its start again.
    Rewound,
    /// The response was read to its end.
    #[non_exhaustive]
    Done {
        /// Number of bytes of its body, without framing.
        body: u64,
        /// Whether its connection is reused.
        reusable: bool,
    },
    /// The call has failed.
    Failed(&'a Error),
}

/// Formats the event as one line of a log: no line breaks, no secrets.
impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, request: &Prepared| {
            write!(f, "{} {}", request.method(), RedactedUrl::new(request.url()))
        };
        let fate = |reusable: bool| if reusable { "kept" } else { "closed" };
        match *self {
            Self::Connecting { request, fresh } => {
                f.write_str("connecting for ")?;
                line(f, request)?;
                f.write_str(if fresh { ", on a new connection" } else { "" })
            }
            Self::Connected { connection, reused } => {
                write!(f, "connected by {} connection {connection}", if reused { "idle" } else { "new" })
            }
            Self::Secured { connection, secured } => {
                write!(f, "secured connection {connection} by {} with {}", secured.version, secured.cipher)?;
                f.write_str(if secured.resumed { ", resumed" } else { "" })
            }
            Self::Tunnelled { connection, proxy } => {
                write!(f, "connection {connection} goes through {proxy}")
            }
            Self::Sent { body } => write!(f, "sent, with {body} bytes of body"),
            Self::Interim(head) => write!(f, "interim response {}", head.status.as_u16()),
            Self::Head(head) => write!(f, "response {}", head.status.as_u16()),
            Self::Redirect { next } => {
                f.write_str("redirect to ")?;
                line(f, next)
            }
            Self::Challenge { .. } => f.write_str("challenge, sent again with credentials"),
            Self::Unexpecting { .. } => f.write_str("expectation refused, sent again without it"),
            Self::FinalResponse(head) => write!(f, "final response {}", head.status.as_u16()),
            Self::Skipped { reusable } => write!(f, "skipped the rest, connection {}", fate(reusable)),
            Self::Retry { kind } => write!(f, "retry after {kind}"),
            Self::Waiting { attempt, .. } => write!(f, "waiting, {attempt}"),
            Self::Paced { .. } => f.write_str("waiting for the pace of the host"),
            Self::Rewound => f.write_str("rewound the body"),
            Self::Done { body, reusable } => {
                write!(f, "done, with {body} bytes of body, connection {}", fate(reusable))
            }
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}
