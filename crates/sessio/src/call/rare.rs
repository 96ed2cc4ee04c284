//! What few calls need.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use super::machine::Call;
use super::options::PreparedCall;
use crate::base::time::Instant;
use crate::call::observer::Watch;
use crate::error::{Error, Result};
use crate::message::exchange::Exchange;
use crate::route::tls::session::TlsSession;
use crate::wire::h1::Unsent;
use sessio_cookie::Extracted;

/// It lies apart: what is small is moved and allocated fast.
#[derive(Default)]
pub(super) struct RareState {
    /// Who is told what happens here.
    pub(super) watch: Option<Watch>,
    /// What turns have left behind.
    pub(super) past: Option<Box<Past>>,
    /// The transport took no more of the request: what the peer says is still read (row Q08).
    pub(super) send_failure: Option<io::Error>,
    /// Until when, then: what it has said must be here already. Of a response that is followed: until when the rest of
    /// it is read.
    pub(super) drain_deadline: Option<Instant>,
    /// Nothing more can come from the peer, for this reason. It is told once what came before has been read.
    pub(super) receive_failure: Option<Error>,
    /// Until when the body waits for `100 Continue`.
    pub(super) continued_by: Option<Instant>,
    /// What connecting had come to when the time for it ran out.
    pub(super) tried: Option<Box<dyn StdError + Send + Sync>>,
    /// Which addresses of the host a proxy was not told yet, after it could not reach those that it was told.
    pub(super) untold: Vec<SocketAddr>,
    /// The filter of the connection that was closed last, if it has a last word.
    pub(super) parting: Option<Box<dyn TlsSession>>,
    /// How long it took until the addresses were known, until there was a connection, until it was secured.
    pub(super) resolve: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) secure: Option<Duration>,
    /// Whether a handshake runs, or has just ended.
    pub(super) is_handshaking: bool,
    /// What was read of the body's source over the connection before, and was not sent.
    pub(super) unsent: Option<Unsent>,
    /// What was told last of the bytes that have moved, up and down.
    pub(super) told: [u64; 2],
    /// How many bytes were there before this response, and how many there are in all, where it says so.
    pub(super) resumed: Option<(u64, Option<u64>)>,
}

impl Call {
    pub(super) fn rare_mut(&mut self) -> &mut RareState {
        self.rare.get_or_insert_default()
    }

    /// Whether anybody is told anything.
    pub(super) fn is_watched(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.watch.is_some())
    }

    pub(super) fn take_watch(&mut self) -> Option<Watch> {
        self.rare.as_mut()?.watch.take()
    }

    /// The transport took no more of the request.
    pub(super) fn has_send_failed(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.send_failure.is_some())
    }

    /// A new connection is wanted, or there is one: what was noted of the one before is over.
    pub(super) fn forget_connection(&mut self) {
        if let Some(rare) = &mut self.rare {
            (rare.send_failure, rare.receive_failure) = (None, None);
            (rare.drain_deadline, rare.continued_by) = (None, None);
            (rare.untold, rare.parting) = (Vec::new(), None);
        }
    }
}

/// What turns leave behind. It lies apart: few calls have any, and what is small is moved and allocated fast.
#[derive(Default)]
pub(super) struct Past {
    pub(super) history: Vec<Exchange>,
    /// What the jar made of the answer's cookies.
    pub(super) extracted: Extracted,
    /// The request that a redirect leads to, where redirects are handed over.
    pub(super) next: Option<Result<PreparedCall>>,
    /// Marks of the requests sent so far, to see a loop by.
    pub(super) marks: Vec<u64>,
}

/// Of an answer that no turn has looked at.
pub(super) static NO_COOKIES: LazyLock<Extracted> = LazyLock::new(Extracted::default);
