//! The byte layer of one connection; the driver owns the socket.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::time::Instant;
use crate::route::proxy::ProxyAuth;
use crate::route::tls::session::{TlsInfo, TlsSession};
use crate::wire::h1::{RequestEncoder, ResponseDecoder};
use crate::wire::stack::Stack;
use crate::wire::tunnel::{Again, Tunnel};

/// A connection between socket and HTTP: its number, its age, its remaining stages, and the TLS
/// sessions that are established.
///
/// ```text
/// socket ◀──▶ TLS sessions ◀──▶ the current stage, and later ones after it
/// socket ◀──▶ TLS sessions ◀──▶ HTTP
/// ```
///
/// # The pull rule
///
/// Each stage may hold bytes that had no room in the stage above it. A TLS session holds plaintext,
/// the response decoder holds body bytes, and a content decoder holds decoded bytes. The socket
/// does not report those bytes. So a stage that frees room pulls from the stage below it, until
/// nothing moves. A call does so after every input, and asks for the socket only then. Its
/// connection does the same for its stages, and TLS within TLS for its two sessions.
#[derive(Debug)]
pub struct Conn {
    id: u64,
    opened: Instant,
    pub(crate) exchanges: u32,
    ahead: Option<Box<Ahead>>,
    /// The TLS session is still in its handshake.
    is_securing: bool,
    /// It carries messages, and no bytes.
    is_carrier: bool,
    route: Route,
    secure: Option<Box<dyn TlsSession>>,
    /// Bytes that go out before the first one of the request; `None` once that one is out.
    ahead_of_request: Option<usize>,
    /// The peer's address, shared with the calls that the connection carries: they report it after
    /// the connection has left them.
    pub(crate) remote: Option<Arc<SocketAddr>>,
}

/// A stage that a connection passes before it carries HTTP. It begins when the one before it is
/// over, and runs over the TLS sessions that are established by then.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stage {
    /// A TLS session: it stays once its handshake is over.
    Secure(Box<dyn TlsSession>),
    /// A handshake with a proxy; after it, the bytes belong to the origin.
    Tunnel(Tunnel),
}

/// The stages of a connection, first to last. A call accepts a connection only with exactly the
/// stages that it needs. So no request for `https` goes out in clear text (row FA0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route(u8);

impl Route {
    /// No stage at all.
    pub(crate) const PLAIN: Self = Self(1);

    /// Appends a stage. The leading bit marks the beginning; no call needs more stages than fit.
    const fn then(self, is_tls: bool) -> Self {
        Self(if self.0 >= 0x80 { 0 } else { self.0 << 1 | is_tls as u8 })
    }

    /// TLS to a proxy, a tunnel through a proxy, TLS to the origin.
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

/// The remaining stages, boxed: most connections have none, and are moved often.
#[derive(Debug)]
struct Ahead {
    /// The stages that have not begun, last to first.
    stages: Vec<Stage>,
    /// The proxy handshake that is running.
    tunnel: Option<Tunnel>,
}

/// The progress of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// A stage waits for bytes.
    Waits,
    /// A TLS session has just been established.
    Secured,
    /// A proxy has just accepted the tunnel, with these credentials after its challenges.
    Tunnelled(Option<Box<ProxyAuth>>),
    /// The connection carries HTTP.
    Open,
}

impl Conn {
    /// Builds a fresh connection without stages. `id` is unique within the session.
    ///
    /// Prefer [`Connect::open`](crate::call::Connect::open), which builds the connection that a
    /// call needs. A call for an `https` URL refuses this one with [`Kind::Misuse`].
    #[must_use]
    pub fn plain(id: u64, opened: Instant) -> Self {
        Self {
            id,
            opened,
            exchanges: 0,
            ahead: None,
            is_securing: false,
            is_carrier: false,
            route: Route::PLAIN,
            secure: None,
            ahead_of_request: Some(0),
            remote: None,
        }
    }

    /// Builds a fresh connection that passes these stages, first to last. A call accepts it only if
    /// it needs the same stages: see [`Call::connected`](crate::Call::connected).
    #[must_use]
    pub fn staged(id: u64, opened: Instant, stages: impl IntoIterator<Item = Stage>) -> Self {
        let mut stages: Vec<_> = stages.into_iter().collect();
        let route =
            stages.iter().fold(Route::PLAIN, |route, stage| route.then(matches!(stage, Stage::Secure(_))));
        stages.reverse();
        let ahead = (!stages.is_empty()).then(|| Box::new(Ahead { stages, tunnel: None }));
        Self { ahead, route, ..Self::plain(id, opened) }
    }

    /// Builds a fresh connection over one TLS session.
    #[must_use]
    pub fn secured(id: u64, opened: Instant, secure: Box<dyn TlsSession>) -> Self {
        Self::staged(id, opened, [Stage::Secure(secure)])
    }

    /// A connection that carries messages: a transport owns it.
    pub(crate) fn carrier(id: u64, opened: Instant) -> Self {
        Self { is_carrier: true, ..Self::plain(id, opened) }
    }

    /// Returns `true` if the connection carries messages.
    pub(crate) fn is_carrier(&self) -> bool {
        self.is_carrier
    }

    /// Marks that the transport has taken the head of the request.
    pub(crate) fn taken(&mut self) {
        self.ahead_of_request = None;
    }

    /// Sets the peer's address.
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

    /// The stages that the connection was built with.
    pub(crate) fn route(&self) -> Route {
        self.route
    }

    /// The number of the connection.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The time at which the connection was opened.
    #[must_use]
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// The number of completed exchanges.
    #[must_use]
    pub fn exchanges(&self) -> u32 {
        self.exchanges
    }

    /// Marks the start of a request, of which no byte has gone out.
    pub(crate) fn start_exchange(&mut self) {
        self.ahead_of_request = Some(0);
    }

    /// Returns `true` if no byte of the request has gone out to the socket. Data that arrives
    /// before is no response to it (rows Q13, FA4).
    pub(crate) fn is_before_request(&self) -> bool {
        self.ahead_of_request.is_some()
    }

    /// Returns `true` if the driver must read the socket before it writes. On a new connection the
    /// socket was never read before. TLS itself accepts no data before its own first bytes.
    pub(crate) fn is_unheard(&self) -> bool {
        self.ahead_of_request.is_some() && self.exchanges == 0 && !self.is_securing
    }

    /// Returns `true` if the connection carries HTTP: no stage remains.
    pub(crate) fn is_open(&self) -> bool {
        self.ahead.is_none() && !self.is_securing
    }

    /// Returns `true` until the proxy has accepted the tunnel to the origin.
    pub(crate) fn is_before_host(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| {
            ahead.tunnel.is_some() || ahead.stages.iter().any(|stage| matches!(stage, Stage::Tunnel(_)))
        })
    }

    /// Returns `true` while bytes go to a proxy that has not accepted the tunnel yet.
    pub(crate) fn is_tunnelling(&self) -> bool {
        self.tunnel().is_some()
    }

    /// The refusal of the proxy so far, if the rest of it is still missing.
    pub(crate) fn cut_short(&mut self) -> Option<Fault> {
        self.tunnel_mut()?.cut_short()
    }

    /// Returns `true` while a proxy is sending a challenge that another connection can meet.
    pub(crate) fn is_challenged(&self) -> bool {
        self.tunnel().is_some_and(Tunnel::is_challenged)
    }

    /// The use of another connection after a stage has failed.
    pub(crate) fn again(&mut self) -> Option<Again> {
        self.tunnel_mut()?.again()
    }

    /// Moves to the next stage if one is over. Call it until a stage waits or the connection is
    /// open.
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
            let auth = ahead.tunnel.take().and_then(|mut tunnel| tunnel.take_auth());
            return Ok(Advance::Tunnelled(auth.map(Box::new)));
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

    /// Moves bytes between a proxy handshake and the TLS session below it, until nothing moves.
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
                    // The proxy's response is truncated, with or without close_notify.
                    Err(error) if error.kind() == Kind::IncompleteBody => return tunnel.received(0),
                    Err(error) => return Err(error),
                }
            }
            if !has_moved {
                return Ok(());
            }
        }
    }

    /// The result of the last TLS handshake.
    pub(crate) fn handshake(&self) -> Option<TlsInfo<'_>> {
        self.secure.as_ref().map(|secure| secure.secured())
    }

    /// Bytes for the socket, and the buffer for its bytes. A TLS session has bytes of its own to
    /// send, also when `is_sending` is not set.
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
        // Read ciphertext only if there is room for plaintext, or during the handshake: not for a
        // slow caller.
        let wanted = !receiver.room().is_empty();
        let (send, recv) = secure.ends();
        (send, if wanted { recv } else { &mut [] })
    }

    /// Bytes for the socket, while the request is being sent.
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

    /// Returns `true` if there is a TLS session.
    pub(crate) fn is_secured(&self) -> bool {
        self.secure.is_some()
    }

    /// Returns `true` if the TLS session holds no data. Unsolicited plaintext must never be read as
    /// the next response (row V100), and all ciphertext must have gone out.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let Some(secure) = &mut self.secure else { return true };
        let is_quiet = matches!(secure.open(&mut [0]), Ok(Some(0))) && secure.ends().0.is_empty();
        secure.rest();
        is_quiet
    }

    /// The buffer for bytes that the peer sends on an idle connection; report them to
    /// [`idle_received`](Self::idle_received). It is empty without TLS: any byte on such a
    /// connection makes it unusable.
    pub fn idle_room(&mut self) -> &mut [u8] {
        self.secure.as_mut().map_or(&mut [], |secure| secure.ends().1)
    }

    /// Reports that `n` bytes were written to the start of [`idle_room`](Self::idle_room); 0 is the
    /// end of the stream.
    ///
    /// Returns `true` if the connection is still usable. The bytes were TLS's own then, such as a
    /// session ticket, and contained no application data (rows V100, FA13). Read the socket again
    /// in this case.
    #[must_use]
    pub fn idle_received(&mut self, n: usize) -> bool {
        let Some(secure) = &mut self.secure else { return false };
        n > 0 && secure.received(n).is_ok() && matches!(secure.open(&mut [0]), Ok(Some(0)))
    }

    /// Returns `true` if no unfinished input is left on the idle connection, such as half a record.
    /// Check it before reuse.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.secure.as_ref().is_none_or(|secure| secure.is_between_records())
    }

    /// Closes the idle connection. Returns the bytes to send first, if that is possible without
    /// waiting: a close_notify. Empty without TLS.
    pub fn farewell(&mut self) -> &[u8] {
        let Some(secure) = &mut self.secure else { return &[] };
        secure.close();
        secure.ends().0
    }

    /// Closes the connection. Only the TLS session may still have bytes to send.
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

    /// Moves bytes through the TLS session, in both directions. Returns `true` if plaintext has
    /// arrived, or its end. A reader that takes it out of the decoder makes room, and calls this
    /// again.
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
            // No request has been sent yet (row Q13).
            return Err(Kind::UnsolicitedData.into());
        }
        if sender.bytes_sent() == 0 {
            // The last bytes of the handshake go out before it.
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
