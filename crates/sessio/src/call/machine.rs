//! The state of one call.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::clock::Clock;
use super::event::Event;
use super::marks::Marks;
use super::observer::Watch;
use super::options::{CallOptions, PreparedCall};
use super::rare::{NO_COOKIES, RareState};
use crate::base::kind::{Kind, Timeout};
use crate::error::{Error, Result};
use crate::message::coding::BodyDecoder;
use crate::message::exchange::Exchange;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::prepared::Prepared;
use crate::route::key::Key;
use crate::wire::conn::Conn;
use crate::wire::h1::{RequestContext, RequestEncoder, ResponseDecoder};
use sessio_cookie::Extracted;

/// One call, driven from outside: see the [module](super).
pub struct Call {
    /// The request of this hop, and its options.
    pub(super) prepared: Box<PreparedCall>,
    pub(super) phase: Phase,
    pub(super) conn: Option<Conn>,
    /// The connection's number and whether it was used before; they outlive it.
    pub(super) connection: u64,
    pub(super) remote: Option<Arc<SocketAddr>>,
    pub(super) is_reused: bool,
    pub(super) sender: RequestEncoder,
    pub(super) receiver: ResponseDecoder,
    pub(super) clock: Clock,
    /// When this hop began, and when it came how far.
    pub(super) marks: Marks,
    pub(super) head: Option<Head>,
    /// How many bytes of the answer's body its reader has taken.
    pub(super) taken: u64,
    /// What undoes the codings of the answer's body, if it has any.
    pub(super) decoding: Option<Box<BodyDecoder>>,
    pub(super) redirects: u32,
    pub(super) challenges: u32,
    pub(super) is_retried: bool,
    /// The answer has come before the whole request was out, and both go on.
    pub(super) is_duplex: bool,
    /// What few calls need.
    pub(super) rare: Option<Box<RareState>>,
    /// Whether it was told that the request is out.
    pub(super) is_sent: bool,
    /// Whether the connection of this exchange was given back to be used again.
    pub(super) is_kept: bool,
    /// What the last turn has come to is still to be told, and acted on.
    pub(super) has_turned: bool,
}

/// Where a call stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Wants a connection, and a new one if one from the pool has just failed. The limit that runs is the one
    /// for what is being done about it.
    Connect {
        fresh: bool,
        limit: Timeout,
    },
    /// There is a connection, and it has stages to pass before it carries HTTP. Nothing of the request goes out.
    Handshake,
    Exchange,
    Decide,
    HeadReady,
    Body,
    /// The rest of a response that is followed: so many bytes of it may still be read.
    Drain {
        next: Next,
        budget: u64,
    },
    Rewind,
    Done,
    Failed(Kind),
    /// Failed, and the error was not told yet.
    Failing(Error),
}

/// What is sent once the response at hand is out of the way.
#[derive(Debug)]
pub(super) enum Next {
    /// The request that a redirect leads to.
    Redirect(Box<PreparedCall>),
    /// The same request, with an answer to a challenge.
    Again,
    /// The same request, without its expectation.
    Unexpecting,
}

/// Memory that calls use one after another, so that none of them allocates buffers of its own.
///
/// It holds no data between calls; an empty one will do.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) send: Vec<u8>,
    pub(crate) recv: Vec<u8>,
}

impl Memory {
    /// How many bytes it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.send.capacity() + self.recv.capacity()
    }
}

impl Call {
    /// A call that will send this request.
    ///
    /// # Errors
    /// If an edit has broken the request: [`Kind::InvalidHeader`] or [`Kind::UnsupportedScheme`].
    #[inline]
    pub fn new(prepared: impl Into<Box<PreparedCall>>, memory: Memory) -> Result<Self> {
        let mut call = Self::placed(prepared.into(), memory);
        call.begin()?;
        Ok(call)
    }

    /// As [`new`](Self::new), but for its beginning: who wants to have it in a place of its own puts it there, nobody
    /// moves it once more, and there it has to [begin](Self::begin). Until then it can do nothing.
    #[must_use]
    #[inline]
    pub fn placed(prepared: Box<PreparedCall>, memory: Memory) -> Self {
        Self {
            sender: RequestEncoder::idle(memory.send),
            receiver: ResponseDecoder::new(RequestContext::default(), prepared.options.limits, memory.recv),
            prepared,
            phase: Phase::Failed(Kind::Misuse),
            conn: None,
            connection: 0,
            remote: None,
            is_reused: false,
            clock: Clock::default(),
            marks: Marks::default(),
            head: None,
            taken: 0,
            decoding: None,
            redirects: 0,
            challenges: 0,
            is_retried: false,
            is_duplex: false,
            rare: None,
            is_sent: false,
            is_kept: false,
            has_turned: false,
        }
    }

    /// Begins a call that was [placed](Self::placed).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[inline]
    pub fn begin(&mut self) -> Result<()> {
        if !matches!(self.phase, Phase::Failed(Kind::Misuse)) {
            self.misuse();
            return Ok(());
        }
        self.prepared.choose_proxy()?;
        if self.prepared.request.framed.is_none() {
            self.prepared.seal()?;
        }
        self.phase = Phase::Connect { fresh: false, limit: Timeout::Pool };
        if let Some(watch) = self.prepared.options.observer.begin(&self.prepared.request) {
            self.watch(watch);
        }
        Ok(())
    }

    #[cold]
    fn watch(&mut self, watch: Watch) {
        self.rare_mut().watch = Some(watch);
        self.report_own(Self::connecting);
    }

    pub(super) fn connecting(&self) -> Option<Event<'_>> {
        let Phase::Connect { fresh, .. } = self.phase else { return None };
        Some(Event::Connecting { request: &self.prepared.request, fresh })
    }

    /// The request of this hop: after the head, the one that was answered.
    #[must_use]
    pub fn request(&self) -> &Prepared {
        &self.prepared.request
    }

    /// The options of this call: they go along over its hops.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        &self.prepared.options
    }

    /// The key of the pooled connections that can carry this hop.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        self.prepared.key()
    }

    /// How many redirects were followed to this hop.
    #[must_use]
    pub fn hop(&self) -> u32 {
        self.redirects
    }

    /// The responses on the way, first to last.
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        self.past().map_or(&[], |past| &past.history)
    }

    /// The exchange at hand, with its head.
    #[must_use]
    pub fn exchange(&self, head: Head) -> Exchange {
        self.exchange_of(&self.prepared.request, head)
    }

    pub(super) fn exchange_of(&self, request: &Prepared, head: Head) -> Exchange {
        let (connection, reused) = self.connection();
        Exchange {
            timings: self.timings(),
            remote: self.remote_address(),
            method: request.method.clone(),
            url: request.url.clone(),
            sent: request.headers.clone(),
            head,
            elapsed: self.elapsed(),
            reused,
            connection,
        }
    }

    /// What the jar made of the answer's cookies.
    #[must_use]
    pub fn extracted(&self) -> &Extracted {
        self.past().map_or(&NO_COOKIES, |past| &past.extracted)
    }

    /// The number of the connection of this hop, and whether it had carried an earlier exchange.
    #[must_use]
    pub fn connection(&self) -> (u64, bool) {
        (self.connection, self.is_reused)
    }

    /// The address that the connection of this hop leads to, where it is known: not over a Unix socket.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.remote.as_deref().copied()
    }

    /// How many bytes of the answer's body are still to be read, where that is known. Of a body whose codings are undone
    /// it is known only at its end: its Content-Length is that of the coded one (row Q36).
    #[must_use]
    pub fn body_left(&self) -> Option<u64> {
        let is_known = self.decoding.is_none() || matches!(self.phase, Phase::Done);
        self.receiver.left().filter(|_| is_known)
    }

    /// The bytes of the last [`Step::Body`], less what was consumed of them since.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        match &self.decoding {
            _ if !matches!(self.phase, Phase::Body) => &[],
            Some(decoding) => decoding.ready(),
            None => self.receiver.unread(),
        }
    }

    /// Whether it matters what time it is. While nothing is left but to hand out bytes that have come, and no limit is
    /// set over the whole call, it does not: a driver need not read its clock before it asks for the next step.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.conn.is_some()
            || self.prepared.options.timeouts.total.is_some()
            || !matches!(self.phase, Phase::Body)
    }

    /// The trailers of the answer, once its body has been read. Fields that count only in a head, such as
    /// Content-Length, Set-Cookie and Authorization, are dropped (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.receiver.trailers()
    }

    /// The request that the answer's redirect leads to, where it was not to be followed: as it would have
    /// been sent (rule R-25, row B22).
    pub fn take_next(&mut self) -> Option<Result<PreparedCall>> {
        self.rare.as_mut()?.past.as_mut()?.next.take()
    }

    /// The memory, for the next call. This one is over then.
    #[must_use]
    pub fn take_memory(&mut self) -> Memory {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.conn = None;
            self.phase = Phase::Done;
        }
        Memory { send: self.sender.take_buffer(), recv: self.receiver.take_buffer() }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("phase", &self.phase)
            .field("request", &self.prepared.request)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flight is a call and 160 bytes more: together they have to fit into what an allocator serves fast.
    #[test]
    fn a_call_is_small() {
        assert!(size_of::<Call>() <= 872, "{}", size_of::<Call>());
    }
}
