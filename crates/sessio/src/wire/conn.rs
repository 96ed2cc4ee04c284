//! One connection, as far as bytes go: the socket is the driver's.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::time::Instant;
use crate::route::tls::session::{TlsInfo, TlsSession};
use crate::wire::h1::{RequestEncoder, ResponseDecoder};
use crate::wire::stack::Stack;
use crate::wire::tunnel::{Again, Tunnel};

/// A connection between socket and HTTP: its number, its age, what has still to be passed before it carries
/// HTTP, and the filters of bytes that are up.
///
/// ```text
/// socket ◀──▶ filters that are up ◀──▶ the stage that is passed now, and others after it
/// socket ◀──▶ filters that are up ◀──▶ HTTP
/// ```
///
/// # The pull rule
///
/// Each stage may hold bytes that the stage above it had no room for: a TLS session holds plaintext, the receiver holds
/// body bytes, a decoder holds decoded ones. The socket says nothing about those bytes. So a stage that frees room
/// pulls from the stage below it, until nothing moves. A call does so after every answer, and wants the socket only
/// then. Its connection does the same for the stages that it passes, and TLS within TLS for its two sessions.
#[derive(Debug)]
pub struct Conn {
    id: u64,
    opened: Instant,
    pub(crate) exchanges: u32,
    ahead: Option<Box<Ahead>>,
    /// Whether the filter has still to finish its handshake.
    is_securing: bool,
    route: Route,
    secure: Option<Box<dyn TlsSession>>,
    /// How many bytes go out before the first of the request does; `None` once that is out.
    ahead_of_request: Option<usize>,
    /// Shared with the calls that it carries: they tell it after it has gone on.
    pub(crate) remote: Option<Arc<SocketAddr>>,
}

/// Something that a connection passes before it carries HTTP. Each begins when the one before it is over, and runs
/// over the filters that are up by then.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stage {
    /// A filter such as TLS: it stays up once its handshake is over.
    Secure(Box<dyn TlsSession>),
    /// A conversation with a proxy, after which the connection is the host's.
    Tunnel(Tunnel),
}

/// Which stages a connection was made with, first to last. A call takes a connection only if these are the ones that it
/// wants, so that no request for `https` goes out in clear text (row FA0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route(u8);

impl Route {
    /// No stage at all.
    pub(crate) const PLAIN: Self = Self(1);

    /// With one stage more. The leading bit is the mark of the beginning; no call wants as many stages as have no room.
    const fn then(self, is_tls: bool) -> Self {
        Self(if self.0 >= 0x80 { 0 } else { self.0 << 1 | is_tls as u8 })
    }

    /// TLS to a proxy, a tunnel through a proxy, TLS to the host.
    pub(crate) const fn of(tls_to_proxy: bool, tunnel: bool, tls: bool) -> Self {
        let mut route = Self::PLAIN;
        if tls_to_proxy {
            route = route.then(true);
        }
        if tunnel {
            route = route.then(false);
        }
        if tls {
            route = route.then(true);
        }
        route
    }
}

/// What a connection has still to pass. It lies apart: most have nothing, and are moved often.
#[derive(Debug)]
struct Ahead {
    /// The stages that have not begun yet, last to first.
    stages: Vec<Stage>,
    /// The conversation with a proxy that is under way.
    tunnel: Option<Tunnel>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// A stage waits for bytes to move.
    Waits,
    /// A filter has just come up.
    Secured,
    /// A proxy has just let us through.
    Tunnelled,
    /// It carries HTTP.
    Open,
}

impl Conn {
    /// A fresh connection that carries HTTP as it is. `id` tells it from others of its session.
    ///
    /// Prefer [`Connect::open`](crate::call::Connect::open), which makes the connection that a call wants. A call for an
    /// `https` URL refuses this one with [`Kind::Misuse`].
    #[must_use]
    pub fn plain(id: u64, opened: Instant) -> Self {
        Self {
            id,
            opened,
            exchanges: 0,
            ahead: None,
            is_securing: false,
            route: Route::PLAIN,
            secure: None,
            ahead_of_request: Some(0),
            remote: None,
        }
    }

    /// A fresh connection that passes these stages, first to last. A call takes it only if it wants the same stages:
    /// see [`Call::connected`](crate::Call::connected).
    #[must_use]
    pub fn staged(id: u64, opened: Instant, stages: impl IntoIterator<Item = Stage>) -> Self {
        let mut stages: Vec<_> = stages.into_iter().collect();
        let route =
            stages.iter().fold(Route::PLAIN, |route, stage| route.then(matches!(stage, Stage::Secure(_))));
        stages.reverse();
        let ahead = (!stages.is_empty()).then(|| Box::new(Ahead { stages, tunnel: None }));
        Self { ahead, route, ..Self::plain(id, opened) }
    }

    /// A fresh connection behind a filter, such as TLS.
    #[must_use]
    pub fn secured(id: u64, opened: Instant, secure: Box<dyn TlsSession>) -> Self {
        Self::staged(id, opened, [Stage::Secure(secure)])
    }

    /// The same, with the address that it leads to.
    #[must_use]
    pub fn to(mut self, remote: SocketAddr) -> Self {
        self.remote = Some(Arc::new(remote));
        self
    }

    fn tunnel(&self) -> Option<&Tunnel> {
        self.ahead.as_ref()?.tunnel.as_ref()
    }

    fn tunnel_mut(&mut self) -> Option<&mut Tunnel> {
        self.ahead.as_mut()?.tunnel.as_mut()
    }

    /// Which stages it was made with.
    pub(crate) fn route(&self) -> Route {
        self.route
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When it was opened.
    #[must_use]
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// How many exchanges it has carried to their end.
    #[must_use]
    pub fn exchanges(&self) -> u32 {
        self.exchanges
    }

    /// A request is to go out next, and nothing of it has yet.
    pub(crate) fn start_exchange(&mut self) {
        self.ahead_of_request = Some(0);
    }

    /// Whether nothing of the request has gone out to the socket: what comes before that is no response to it
    /// (rows Q13, FA4).
    pub(crate) fn is_before_request(&self) -> bool {
        self.ahead_of_request.is_some()
    }

    /// Whether whoever has the socket is to look before it writes: over a connection that is new nobody has looked
    /// yet. TLS itself takes nothing before its own first bytes.
    pub(crate) fn is_unheard(&self) -> bool {
        self.ahead_of_request.is_some() && self.exchanges == 0 && !self.is_securing
    }

    /// Whether it carries HTTP: no stage is left.
    pub(crate) fn is_open(&self) -> bool {
        self.ahead.is_none() && !self.is_securing
    }

    /// Whether a proxy is still between us and the host.
    pub(crate) fn is_before_host(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| {
            ahead.tunnel.is_some() || ahead.stages.iter().any(|stage| matches!(stage, Stage::Tunnel(_)))
        })
    }

    /// Whether bytes go to a proxy that is still to let us through.
    pub(crate) fn is_tunnelling(&self) -> bool {
        self.tunnel().is_some()
    }

    /// What the proxy has said against it so far, where the rest of it is waited for.
    pub(crate) fn cut_short(&mut self) -> Option<Fault> {
        self.tunnel_mut()?.cut_short()
    }

    /// Whether a proxy is in the midst of saying why not, and what it wants can be told on another connection.
    pub(crate) fn is_challenged(&self) -> bool {
        self.tunnel().is_some_and(Tunnel::is_challenged)
    }

    /// A stage has failed: what another connection may be good for.
    pub(crate) fn again(&mut self) -> Option<Again> {
        self.tunnel_mut()?.again()
    }

    /// Goes on to the next stage where one is over; to be asked until it waits or is open.
    pub(crate) fn advance(&mut self) -> Result<Advance> {
        if self.is_securing {
            if self.secure.as_ref().is_some_and(|secure| secure.is_handshaking()) {
                return Ok(Advance::Waits);
            }
            self.is_securing = false;
            return Ok(Advance::Secured);
        }
        self.converse()?;
        let Some(ahead) = &mut self.ahead else { return Ok(Advance::Open) };
        if let Some(tunnel) = &ahead.tunnel {
            if !tunnel.is_done() {
                return Ok(Advance::Waits);
            }
            ahead.tunnel = None;
            return Ok(Advance::Tunnelled);
        }
        match ahead.stages.pop() {
            None => {
                self.ahead = None;
                Ok(Advance::Open)
            }
            Some(Stage::Tunnel(tunnel)) => {
                ahead.tunnel = Some(tunnel);
                self.advance()
            }
            Some(Stage::Secure(secure)) => {
                self.is_securing = true;
                match self.secure.take() {
                    None => self.secure = Some(secure),
                    Some(outer) => {
                        let mut stack = Box::new(Stack::new(outer, secure));
                        let pulled = stack.pull();
                        self.secure = Some(stack);
                        pulled?;
                    }
                }
                self.advance()
            }
        }
    }

    /// Moves what can move between a conversation with a proxy and the filter that it runs through, until nothing moves.
    fn converse(&mut self) -> Result<()> {
        let tunnel = self.ahead.as_mut().and_then(|ahead| ahead.tunnel.as_mut());
        let (Some(tunnel), Some(secure)) = (tunnel, &mut self.secure) else { return Ok(()) };
        loop {
            let mut has_moved = false;
            while !tunnel.unsent().is_empty() {
                let taken = secure.seal(tunnel.unsent())?;
                if taken == 0 {
                    break;
                }
                tunnel.sent(taken);
            }
            let room = tunnel.room();
            if !room.is_empty() {
                match secure.open(room) {
                    Ok(Some(n)) if n > 0 => {
                        tunnel.received(n)?;
                        has_moved = true;
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => return tunnel.received(0),
                    // What has come of it is cut short, closing word or not.
                    Err(error) if error.kind() == Kind::IncompleteBody => return tunnel.received(0),
                    Err(error) => return Err(error),
                }
            }
            if !has_moved {
                return Ok(());
            }
        }
    }

    /// What the last handshake has come to.
    pub(crate) fn handshake(&self) -> Option<TlsInfo<'_>> {
        self.secure.as_ref().map(|secure| secure.secured())
    }

    /// What goes to the socket, and where its bytes come to. A filter has things of its own to send, also
    /// when nothing of the request `is_sending` any more.
    pub(crate) fn io<'a>(
        &'a mut self,
        sender: &'a RequestEncoder,
        receiver: &'a mut ResponseDecoder,
        is_sending: bool,
    ) -> (&'a [u8], &'a mut [u8]) {
        let Some(secure) = &mut self.secure else {
            return match self.ahead.as_mut().and_then(|ahead| ahead.tunnel.as_mut()) {
                Some(tunnel) => tunnel.ends(),
                None => (if is_sending { sender.unsent() } else { &[] }, receiver.room()),
            };
        };
        // Ciphertext is wanted while plaintext is, and during the handshake: not while the caller is slow.
        let wanted = !receiver.room().is_empty();
        let (send, recv) = secure.ends();
        (send, if wanted { recv } else { &mut [] })
    }

    /// What goes to the socket, while the request is being sent.
    pub(crate) fn unsent<'a>(&'a mut self, sender: &'a RequestEncoder) -> &'a [u8] {
        match &mut self.secure {
            Some(secure) => secure.ends().0,
            None => self
                .ahead
                .as_ref()
                .and_then(|ahead| ahead.tunnel.as_ref())
                .map_or_else(|| sender.unsent(), Tunnel::unsent),
        }
    }

    /// Whether there is a filter.
    pub(crate) fn is_secured(&self) -> bool {
        self.secure.is_some()
    }

    /// Whether nothing is left in the filter: neither plaintext that nobody asked for, which must never be
    /// taken for the next response (row V100), nor a word that has not gone out.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let Some(secure) = &mut self.secure else { return true };
        let is_quiet = matches!(secure.open(&mut [0]), Ok(Some(0))) && secure.ends().0.is_empty();
        secure.rest();
        is_quiet
    }

    /// It idles, and the peer has sent something: where those bytes go, for [`idle_received`](Self::idle_received).
    /// Empty without TLS: nothing may come on such a connection, so it cannot be used again.
    pub fn idle_room(&mut self) -> &mut [u8] {
        self.secure.as_mut().map_or(&mut [], |secure| secure.ends().1)
    }

    /// `n` bytes were written to the start of [`idle_room`](Self::idle_room); 0 is the end of the stream. Says whether
    /// the connection can still be used: the bytes were TLS's own, such as a session ticket, and nothing of the
    /// application's (rows V100, FA13). Look at the socket again then.
    #[must_use]
    pub fn idle_received(&mut self, n: usize) -> bool {
        let Some(secure) = &mut self.secure else { return false };
        n > 0 && secure.received(n).is_ok() && matches!(secure.open(&mut [0]), Ok(Some(0)))
    }

    /// Whether nothing has come on the idle connection that is still to be read to its end, such as half a record. What
    /// is to be used is asked for that first.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.secure.as_ref().is_none_or(|secure| secure.is_between_records())
    }

    /// We close it while it idles: what is to be said before, if that can go out without waiting. Empty without a filter.
    pub fn farewell(&mut self) -> &[u8] {
        let Some(secure) = &mut self.secure else { return &[] };
        secure.close();
        secure.ends().0
    }

    /// It is closed: of all of it the filter may still have something to say.
    pub(crate) fn into_filter(self) -> Option<Box<dyn TlsSession>> {
        self.secure
    }

    pub(crate) fn sent(&mut self, n: usize, sender: &mut RequestEncoder) {
        self.ahead_of_request = self.ahead_of_request.and_then(|ahead| ahead.checked_sub(n));
        let tunnel = self.ahead.as_mut().and_then(|ahead| ahead.tunnel.as_mut());
        match (&mut self.secure, tunnel) {
            (None, None) => sender.sent(n),
            (None, Some(tunnel)) => tunnel.sent(n),
            (Some(secure), _) => secure.sent(n),
        }
    }

    pub(crate) fn received(&mut self, n: usize, receiver: &mut ResponseDecoder) -> Result<()> {
        let tunnel = self.ahead.as_mut().and_then(|ahead| ahead.tunnel.as_mut());
        match (&mut self.secure, tunnel) {
            (None, None) => receiver.received(n),
            (None, Some(tunnel)) => tunnel.received(n)?,
            (Some(secure), _) => {
                secure.received(n)?;
                if n == 0 && self.is_securing && secure.is_handshaking() {
                    return Err(Kind::TlsClosed.into());
                }
            }
        }
        Ok(())
    }

    /// Moves what can move through the filter, in both directions. Says whether plaintext has come, or its end: whoever
    /// takes that out of the receiver makes room, and asks again.
    pub(crate) fn pump(
        &mut self,
        sender: &mut RequestEncoder,
        receiver: &mut ResponseDecoder,
        is_sending: bool,
    ) -> Result<bool> {
        let Some(secure) = &mut self.secure else { return Ok(false) };
        let mut has_come = false;
        loop {
            let room = receiver.room();
            if room.is_empty() {
                break;
            }
            match secure.open(room)? {
                Some(0) => break,
                Some(n) => receiver.received(n),
                None => receiver.received(0),
            }
            has_come = true;
        }
        if self.ahead_of_request.is_some() && receiver.bytes_received() > 0 {
            // Nothing was asked yet (row Q13).
            return Err(Kind::UnsolicitedData.into());
        }
        if sender.bytes_sent() == 0 {
            // The last words of the handshake go out before it.
            self.ahead_of_request = Some(secure.ends().0.len());
        }
        while is_sending && !sender.unsent().is_empty() {
            let taken = secure.seal(sender.unsent())?;
            if taken == 0 {
                break;
            }
            sender.sent(taken);
        }
        Ok(has_come)
    }
}

#[cfg(test)]
mod tests;
