//! What a call tells of itself.

use std::fmt;

use crate::base::kind::Kind;
use crate::error::Error;
use crate::message::head::Head;
use crate::prepared::Prepared;
use crate::route::proxy::Proxy;
use crate::route::tls::session::TlsInfo;
use crate::uri::address::Shown;

/// Something that has happened in a call, told to its [`Observer`](crate::Observer).
///
/// An event is told where the call changes, once, and never for asking. What it says does not depend on how
/// bytes were cut: sums are told, not pieces. No time is in it: who wants the time asks a clock.
///
/// ```text
/// Connecting ──▶ Connected ──▶ [Secured] ──▶ Sent ──▶ Interim* ──▶ Head ──▶ Answer ──▶ Done
///     ▲ ▲                                       │                     │
///     │ └───────────── [Rewound] ◀─────────── Retry                   ▼
///     └──────────────── [Rewound] ◀── Skipped ◀── Redirect, Challenge or Unexpecting
/// ```
///
/// A server may answer before the whole request is out: then [`Sent`](Self::Sent) never comes, or after an
/// interim response, or, where both go on, after the answer. [`Failed`](Self::Failed) can come anywhere. Nothing comes after it, nor after
/// [`Done`](Self::Done); a call that is dropped ends without either. A request that was refused before anything
/// was done about it is no call, and nothing is told of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection is wanted for this request.
    #[non_exhaustive]
    Connecting {
        /// The request, as it will be sent.
        request: &'a Prepared,
        /// Whether it must be a new connection: one from the pool has just failed.
        fresh: bool,
    },
    /// There is a connection.
    #[non_exhaustive]
    Connected {
        /// Its number within the session.
        connection: u64,
        /// Whether it has carried an earlier exchange.
        reused: bool,
    },
    /// A handshake is over: of a new connection behind TLS, before anything of the request goes out.
    #[non_exhaustive]
    Secured {
        /// The connection's number within the session.
        connection: u64,
        /// What was agreed on.
        secured: TlsInfo<'a>,
    },
    /// A proxy has let us through: what comes next is the host's. It is told after `Connected`, and after the
    /// `Secured` of an `https` proxy; that of the host comes behind it.
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
        /// The bytes of its body, without framing.
        body: u64,
    },
    /// An interim response (1xx) has come.
    Interim(&'a Head),
    /// The head of a response has come: an answer, a redirect or a challenge.
    Head(&'a Head),
    /// The response is a redirect, and it is followed.
    #[non_exhaustive]
    Redirect {
        /// The request that it leads to.
        next: &'a Prepared,
    },
    /// The response is a challenge, and it is answered.
    #[non_exhaustive]
    Challenge {
        /// The request as it will be sent again.
        next: &'a Prepared,
    },
    /// The response refuses the expectation (417), and the request is sent once more without it.
    #[non_exhaustive]
    Unexpecting {
        /// The request as it will be sent again.
        next: &'a Prepared,
    },
    /// The response is the answer of the call.
    Answer(&'a Head),
    /// The response that is followed is out of the way.
    #[non_exhaustive]
    Skipped {
        /// Whether its connection is used again.
        reusable: bool,
    },
    /// The request came to nothing on a connection from the pool, and is sent once more; or a proxy did not let us
    /// through, and is asked once more: it has the credentials then that it wants, or another address of the host.
    #[non_exhaustive]
    Retry {
        /// What had happened.
        kind: Kind,
    },
    /// The source of the request's body stands at its start again.
    Rewound,
    /// The answer was read to its end.
    #[non_exhaustive]
    Done {
        /// The bytes of its body, without framing.
        body: u64,
        /// Whether its connection is used again.
        reusable: bool,
    },
    /// The call has failed.
    Failed(&'a Error),
}

/// As a line of a log: without line breaks, and without what is secret.
impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, request: &Prepared| {
            write!(f, "{} {}", request.method(), Shown(request.url()))
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
            Self::Challenge { .. } => f.write_str("challenge, and an answer to it"),
            Self::Unexpecting { .. } => f.write_str("expectation refused, once more without it"),
            Self::Answer(head) => write!(f, "answer {}", head.status.as_u16()),
            Self::Skipped { reusable } => write!(f, "skipped the rest, connection {}", fate(reusable)),
            Self::Retry { kind } => write!(f, "once more after {kind}"),
            Self::Rewound => f.write_str("rewound the body"),
            Self::Done { body, reusable } => {
                write!(f, "done, with {body} bytes of body, connection {}", fate(reusable))
            }
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}
