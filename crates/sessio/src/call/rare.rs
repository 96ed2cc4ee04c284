//! Rarely used state of a call.

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
use crate::message::head::Head;
use crate::policy::retry::Attempt;
use crate::route::tls::session::TlsSession;
use crate::wire::h1::Unsent;
use sessio_cookie::Extracted;

/// Rarely used state, boxed so that `Call` stays small and is moved and allocated fast.
#[derive(Default)]
pub(super) struct RareState {
    /// The observer of this call.
    pub(super) watch: Option<Watch>,
    /// State that earlier decisions left.
    pub(super) past: Option<Box<Past>>,
    /// The transport took no more of the request. The response is still read (row Q08).
    pub(super) send_failure: Option<io::Error>,
    /// Deadline of reading after that failure, for what the peer has already sent. For a response
    /// that is followed: deadline of reading its rest.
    pub(super) drain_deadline: Option<Instant>,
    /// The reason why nothing more can come from the peer. It is reported after the earlier bytes
    /// were read.
    pub(super) receive_failure: Option<Error>,
    /// Whether the flow has asked for something since the cookies were attached.
    pub(super) has_asked: bool,
    /// Deadline of the wait for `100 Continue`.
    pub(super) continued_by: Option<Instant>,
    /// The failures of connecting so far, for the error of an expired limit.
    pub(super) tried: Option<Box<dyn StdError + Send + Sync>>,
    /// Addresses of the origin that the proxy has not received yet, after it could not reach the
    /// first ones.
    pub(super) remaining_addresses: Vec<SocketAddr>,
    /// The TLS session of the connection that was closed last, if it has bytes left to send.
    pub(super) parting: Option<Box<dyn TlsSession>>,
    /// Time until the addresses were known, until the connection, and until its handshakes ended.
    pub(super) resolve: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) secure: Option<Duration>,
    /// Whether [`Event::Sent`](super::Event::Sent) was emitted for this exchange.
    pub(super) has_reported_sent: bool,
    /// Whether [`Event::Paced`](super::Event::Paced) was emitted for this connection.
    pub(super) has_reported_wait: bool,
    /// Whether a decision was made that the next step reports and acts on.
    pub(super) has_decided: bool,
    /// Whether a handshake runs or has just ended.
    pub(super) is_handshaking: bool,
    /// Bytes that were read from the body's source for the previous connection and not sent.
    pub(super) unsent: Option<Unsent>,
    /// The last reported number of body bytes, up and down.
    pub(super) reported: [u64; 2],
    /// Number of bytes that the caller held before this response, and the total if the response
    /// names it.
    pub(super) resumed: Option<(u64, Option<u64>)>,
    /// The call that waits, while a request of its authentication flow is played.
    pub(super) nested: Option<Box<Nested>>,
    /// The response to the last such request, for the flow.
    pub(super) received: Option<Box<Outcome>>,
    /// Number of such requests.
    pub(super) sub_requests: u32,
}

/// The call that waits for the response, and the response so far.
pub(super) struct Nested {
    pub(super) outer: Call,
    /// Whether the observer knows of this request.
    pub(super) is_announced: bool,
    pub(super) head: Option<Head>,
    pub(super) body: Vec<u8>,
}

/// A response for the flow, or the reason why there is none.
pub(super) type Outcome = Result<(Head, Vec<u8>)>;

impl Call {
    pub(super) fn rare_mut(&mut self) -> &mut RareState {
        self.rare.get_or_insert_default()
    }

    /// Whether an observer is set.
    pub(super) fn is_watched(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.watch.is_some())
    }

    pub(super) fn take_watch(&mut self) -> Option<Watch> {
        self.rare.as_mut()?.watch.take()
    }

    /// Whether the transport took no more of the request.
    pub(super) fn has_send_failed(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.send_failure.is_some())
    }

    /// Drops the notes on the previous connection, for a new one.
    pub(super) fn forget_connection(&mut self) {
        if let Some(rare) = &mut self.rare {
            (rare.send_failure, rare.receive_failure) = (None, None);
            (rare.drain_deadline, rare.continued_by) = (None, None);
            (rare.remaining_addresses, rare.parting) = (Vec::new(), None);
            rare.has_reported_wait = false;
        }
    }
}

/// State that decisions leave. Boxed because few calls have any: a small value is moved and
/// allocated fast.
#[derive(Default)]
pub(super) struct Past {
    pub(super) history: Vec<Exchange>,
    /// The jar's report on the cookies of the response.
    pub(super) extracted: Extracted,
    /// The attempts so far, if there is a policy of retries.
    pub(super) attempts: Vec<Attempt>,
    /// The request that a redirect leads to. It follows once the redirect is drained, or the caller
    /// takes it if redirects are not followed.
    pub(super) next: Option<Result<PreparedCall>>,
    /// The head of the redirect that is followed, until it is drained.
    pub(super) redirect: Option<Head>,
    /// Hashes of the requests sent so far, to detect a loop.
    pub(super) marks: Vec<u64>,
}

/// The report for a response that needed no decision.
pub(super) static NO_COOKIES: LazyLock<Extracted> = LazyLock::new(Extracted::default);
