//! The state of one call.

use std::fmt;
use std::net::SocketAddr;

use http::Method;
use url::Url;

use super::clock::Clock;
use super::event::Event;
use super::link::Link;
use super::marks::Marks;
use super::observer::Watch;
use super::options::{CallOptions, PreparedCall};
use super::rare::{NO_COOKIES, RareState};
use crate::base::kind::{Kind, Timeout};
use crate::base::time::{Instant, Now, UnixTime};
use crate::error::{Error, Result};
use crate::message::coding::BodyDecoder;
use crate::message::connection_info::ConnectionInfo;
use crate::message::exchange::Exchange;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::prepared::Prepared;
use crate::route::key::Key;
use crate::wire::conn::Conn;
use crate::wire::h1::{RequestContext, RequestEncoder, ResponseDecoder};
use sessio_cookie::{Extracted, Jar};

/// One call, driven from outside: see the [module](super).
pub struct Call {
    /// The request of this hop, and its options.
    pub(super) prepared: Box<PreparedCall>,
    pub(super) phase: Phase,
    pub(super) conn: Option<Conn>,
    pub(super) link: Link,
    pub(super) sender: RequestEncoder,
    pub(super) receiver: ResponseDecoder,
    pub(super) clock: Clock,
    /// The beginning of this hop, and the times of its milestones.
    pub(super) marks: Marks,
    pub(super) head: Option<Head>,
    /// Number of bytes of the response's body that the caller has consumed.
    pub(super) taken: u64,
    /// Decoder of the response's content codings, if it has any to decode.
    pub(super) decoding: Option<Box<BodyDecoder>>,
    pub(super) redirects: u32,
    pub(super) challenges: u32,
    /// Number of times that the request of this hop was sent again.
    pub(super) retries: u32,
    /// Rarely used state, boxed so that `Call` stays small.
    pub(super) rare: Option<Box<RareState>>,
}

/// The state of a call.
#[derive(Debug)]
pub(super) enum Phase {
    /// Wants a connection, and a new one if a pooled one has just failed. `limit` is the time limit
    /// of the current operation: pool, resolve or connect.
    Connect {
        fresh: bool,
        limit: Timeout,
    },
    /// Connected, with stages to pass before the connection carries HTTP. No byte of the request is
    /// sent.
    Handshake,
    /// The authentication flow is asked for its needs, and then signs the request. So does a proxy's
    /// Digest. `rewinds` is
    /// whether the source of the body starts over then, `fresh` whether the connection must be new.
    Sign {
        rewinds: bool,
        fresh: bool,
    },
    /// Waits for another call that does what the flow needs.
    Turn {
        rewinds: bool,
        fresh: bool,
    },
    Exchange,
    /// Reads the start of the body, at most so many bytes, for the decision about the response.
    Peek {
        upload: Upload,
        most: usize,
    },
    Decide(Upload),
    HeadReady(Upload),
    Body(Upload),
    /// Reads the rest of a response that is followed. `budget` is the number of bytes that may
    /// still be read.
    Drain {
        next: Next,
        budget: u64,
    },
    /// Failed, with an error that another attempt may mend.
    Lost(Error),
    /// Waits for the time of the next attempt, without a connection. `rewinds` is whether the source
    /// of the body starts over then.
    Wait {
        until: Instant,
        rewinds: bool,
    },
    /// The source of the body starts over. Then a connection is wanted: a new one if `fresh`.
    Rewind {
        fresh: bool,
    },
    Done,
    Failed(Kind),
    /// Failed, with an error that is not yet returned.
    Failing(Error),
}

/// The request's body, once the head of the response is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upload {
    /// No more of it is sent.
    Over,
    /// The response came early. The rest is sent while the response is read.
    Continues,
}

/// The request that follows once the current response is drained.
#[derive(Debug)]
pub(super) enum Next {
    /// The request that a redirect leads to.
    Redirect,
    /// The same request, with credentials that answer a challenge.
    Again,
    /// The same request, without its expectation.
    Unexpecting,
    /// The same request, at this time.
    Later(Instant),
}

/// Buffers that calls use one after another, so that no call allocates its own.
///
/// It holds no data between calls. `Memory::default()` is valid for any call.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) send: Vec<u8>,
    pub(crate) recv: Vec<u8>,
    /// For the headers of the request.
    pub(crate) request: Headers,
    /// For the headers of the response.
    pub(super) response: Headers,
}

impl Memory {
    /// Capacity in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.send.capacity() + self.recv.capacity() + self.request.capacity() + self.response.capacity()
    }
}

impl Call {
    /// Creates a call that sends this request.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`] or [`Kind::UnsupportedScheme`]: an edit made the request invalid.
    #[inline]
    pub fn new(prepared: impl Into<Box<PreparedCall>>, memory: Memory) -> Result<Self> {
        let mut call = Self::placed(prepared.into(), memory);
        call.begin()?;
        Ok(call)
    }

    /// Creates a call without starting it, so that the caller can move it to its final place.
    /// [`begin`](Self::begin) starts it there. Otherwise as [`new`](Self::new).
    #[must_use]
    #[inline]
    pub fn placed(prepared: Box<PreparedCall>, memory: Memory) -> Self {
        Self {
            sender: RequestEncoder::idle(memory.send),
            receiver: ResponseDecoder::with_memory(
                RequestContext::default(),
                prepared.options.limits,
                memory.recv,
                memory.response,
            ),
            prepared,
            phase: Phase::Failed(Kind::Misuse),
            conn: None,
            link: Link::default(),
            clock: Clock::default(),
            marks: Marks::default(),
            head: None,
            taken: 0,
            decoding: None,
            redirects: 0,
            challenges: 0,
            retries: 0,
            rare: None,
        }
    }

    /// Starts a call that [`placed`](Self::placed) created.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[inline]
    pub fn begin(&mut self) -> Result<()> {
        if !matches!(self.phase, Phase::Failed(Kind::Misuse)) {
            self.misuse();
            return Ok(());
        }
        if self.prepared.request.framed.is_none() {
            self.follow_edit()?;
        }
        self.prepared.choose_proxy()?;
        if self.prepared.request.framed.is_none() {
            self.prepared.seal()?;
        }
        self.phase = match self.prepared.is_unsigned() {
            true => Phase::Sign { rewinds: false, fresh: false },
            false => Phase::Connect { fresh: false, limit: Timeout::Pool },
        };
        if let Some(watch) = self.prepared.options.observer.begin(&self.prepared.request) {
            self.watch(watch);
        }
        Ok(())
    }

    /// Follows an edit of the caller. The jar's cookies for a new URL are the driver's to attach:
    /// the request has its own ones here.
    #[cold]
    fn follow_edit(&mut self) -> Result<()> {
        let own = |call: &mut PreparedCall| {
            if call.request.headers.contains("Cookie") {
                let uses_jar = std::mem::replace(&mut call.options.jar, false);
                call.attach_cookies(&mut Jar::new(), Now { mono: Instant::ZERO, wall: UnixTime(0) });
                call.options.jar = uses_jar;
            }
        };
        self.prepared.follow_edit(&mut { own }).map(drop)
    }

    #[cold]
    pub(super) fn watch(&mut self, watch: Watch) {
        self.rare_mut().watch = Some(watch);
        self.report_own(Self::connecting);
    }

    pub(super) fn connecting(&self) -> Option<Event<'_>> {
        let Phase::Connect { fresh, .. } = self.phase else { return None };
        Some(Event::Connecting { request: &self.prepared.request, fresh })
    }

    /// The request of this hop. After the head, it is the request of the final response.
    #[must_use]
    pub fn request(&self) -> &Prepared {
        &self.prepared.request
    }

    /// The options of this call. They apply to all its hops.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        &self.prepared.options
    }

    /// The key of the pooled connections that can carry this hop.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        self.prepared.key()
    }

    /// Number of redirects that were followed up to this hop.
    #[must_use]
    pub fn hop(&self) -> u32 {
        self.redirects
    }

    /// The earlier responses of this call, first to last. A redirect is one of them once its body is
    /// over: after [`Event::Skipped`], and in the error of a call that ends before.
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        self.past().map_or(&[], |past| &past.history)
    }

    /// The current exchange, with its head.
    #[must_use]
    pub fn exchange(&self, head: Head) -> Exchange {
        self.exchange_of(&self.prepared.request, head)
    }

    pub(super) fn exchange_of(&self, request: &Prepared, head: Head) -> Exchange {
        self.exchange_from(request.method.clone(), request.url.clone(), request.headers.clone(), head)
    }

    pub(super) fn exchange_from(&self, method: Method, url: Url, sent: Headers, head: Head) -> Exchange {
        let connection = self.connection();
        Exchange {
            timings: self.timings(),
            remote: self.remote_address(),
            method,
            url,
            sent,
            head,
            elapsed: self.elapsed(),
            reused: connection.is_reused(),
            connection: connection.number(),
        }
    }

    /// The jar's report on the cookies of the response.
    #[must_use]
    pub fn extracted(&self) -> &Extracted {
        self.past().map_or(&NO_COOKIES, |past| &past.extracted)
    }

    /// The connection of this hop: its number, and whether it carried an earlier exchange.
    #[must_use]
    pub fn connection(&self) -> ConnectionInfo {
        ConnectionInfo::new(self.link.number, self.link.is_reused)
    }

    /// The remote address of this hop's connection. `None` if it is not known, and over a Unix
    /// socket.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.link.remote.as_deref().copied()
    }

    /// Number of bytes of the response's body still to be read. `None` if it is not known. For a
    /// decoded body it is known only at the end: Content-Length counts the coded bytes (row Q36).
    #[must_use]
    pub fn body_left(&self) -> Option<u64> {
        match &self.decoding {
            Some(decoding) if decoding.is_identity() => {
                self.receiver.left().map(|left| left + decoding.ready().len() as u64)
            }
            Some(_) if !matches!(self.phase, Phase::Done) => None,
            _ => self.receiver.left(),
        }
    }

    /// The bytes of the last [`Step::Body`](super::Step::Body) that are not yet consumed.
    #[must_use]
    #[inline]
    pub fn unread(&self) -> &[u8] {
        match &self.decoding {
            _ if !matches!(self.phase, Phase::Body(_)) => &[],
            Some(decoding) => decoding.ready(),
            None => self.receiver.unread(),
        }
    }

    /// Whether the next step depends on the time. It does not if the call only hands out received
    /// bytes and has no total limit. A driver then need not read its clock before it asks for the
    /// next step.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.conn.is_some()
            || self.prepared.options.timeouts.total.is_some()
            || !matches!(self.phase, Phase::Body(_))
    }

    /// The trailers of the response, once its body is read. Fields that are only valid in a head,
    /// such as Content-Length, Set-Cookie and Authorization, are dropped (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.receiver.trailers()
    }

    /// The request of a redirect that the call did not follow, as it would have been sent (rule
    /// R-25, row B22).
    pub fn take_next(&mut self) -> Option<Result<PreparedCall>> {
        if matches!(self.phase, Phase::Drain { .. }) {
            return None;
        }
        self.rare.as_mut()?.past.as_mut()?.next.take()
    }

    /// Offers the memory of the response's headers, which the caller does not need any more, for the
    /// next call. [`take_memory`](Self::take_memory) then includes it.
    pub fn reuse_headers(&mut self, headers: Headers) {
        self.receiver.reuse_headers(headers);
    }

    /// Takes the buffers for the next call. This call is over then, and its request has no headers.
    #[must_use]
    pub fn take_memory(&mut self) -> Memory {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.conn = None;
            self.phase = Phase::Done;
        }
        Memory {
            send: self.sender.take_buffer(),
            recv: self.receiver.take_buffer(),
            request: std::mem::take(&mut self.prepared.request.headers).into_memory(),
            response: self.receiver.take_spare(),
        }
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

    /// A driver stores a call with 160 more bytes. Together they must fit into a size that an
    /// allocator serves fast.
    #[test]
    fn a_call_is_small() {
        assert!(size_of::<Call>() <= 872, "{}", size_of::<Call>());
    }
}
