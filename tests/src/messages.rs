//! A transport that speaks HTTP/1.1 with the servers of the tests, and carries messages for the
//! session.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sessio::h1::{BodyKind, Event, Limits, RequestContext, RequestEncoder, ResponseDecoder, Reuse};
use sessio::pool::Policy;
use sessio::transport::{Transfer, TransferError, Transport};
use sessio::{Error, Head, Headers, Instant, Kind, Now, Prepared};
use sessio_driver::{Runtime, Stream};

use crate::faulty_runtime::FaultyRuntime;
use crate::movable::{Dialling, Movable};

/// Any transport.
pub type AnyTransport = Arc<dyn Transport>;

/// The socket of a runtime.
type Socket<R> = <FaultyRuntime<R> as Runtime>::Stream;

/// A transport over the sockets of a runtime. It keeps connections for later requests, as long as the
/// pool of a session does.
pub struct Http1<R: Movable> {
    runtime: FaultyRuntime<R>,
    idle: Idle<R>,
}

/// Connections without a request, by host and port, each with its last moment.
type Idle<R> = Arc<Mutex<HashMap<(String, u16), Vec<(Socket<R>, Instant)>>>>;

impl<R: Movable> Http1<R> {
    /// The transport over the sockets of a runtime.
    pub fn transport(runtime: &FaultyRuntime<R>) -> AnyTransport {
        Arc::new(Self { runtime: runtime.clone(), idle: Arc::default() })
    }
}

impl<R: Movable> fmt::Debug for Http1<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http1")
    }
}

impl<R: Movable> Transport for Http1<R> {
    fn open(&self, request: &Prepared, now: Now) -> sessio::Result<Box<dyn Transfer>> {
        let (url, headers, method) = (request.url(), request.headers(), request.method());
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let peer = (host, url.port_or_known_default().unwrap_or_default());
        let length = headers.get("Content-Length").and_then(|length| length.parse().ok());
        let body = match headers.contains("Transfer-Encoding") {
            true => BodyKind::Source { length: None },
            false if length.is_some() => BodyKind::Source { length },
            false => BodyKind::None,
        };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = idle.remove(&peer).unwrap_or_default();
        kept.retain(|(stream, until)| *until > now.mono && stream.is_idle_open());
        let connection = match kept.pop() {
            Some((stream, _)) => Connection::Open(stream),
            None => Connection::Dialling(R::dial(&self.runtime, peer.0.clone(), peer.1)),
        };
        idle.insert(peer.clone(), kept);
        Ok(Box::new(Exchange::<R> {
            peer,
            idle: Arc::clone(&self.idle),
            connection,
            has_body: !matches!(body, BodyKind::None),
            encoder: RequestEncoder::new(method, request.target().as_bytes(), headers, body, Vec::new()),
            decoder: ResponseDecoder::new(RequestContext::new(method), Limits::default(), Vec::new()),
            trailers: Headers::new(),
            is_broken: false,
            now: now.mono,
        }))
    }
}

/// The connection of an exchange.
enum Connection<R: Movable> {
    Dialling(Dialling<R>),
    Open(Socket<R>),
    Closed,
}

/// One exchange: bytes on one side, messages on the other.
struct Exchange<R: Movable> {
    peer: (String, u16),
    idle: Idle<R>,
    connection: Connection<R>,
    has_body: bool,
    encoder: RequestEncoder,
    decoder: ResponseDecoder,
    /// Trailers of the request.
    trailers: Headers,
    /// The peer takes no more of the request.
    is_broken: bool,
    /// The time of the last poll.
    now: Instant,
}

impl<R: Movable> Exchange<R> {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        if let Connection::Dialling(dialling) = &mut self.connection {
            match ready!(dialling.as_mut().poll(cx)) {
                Ok(stream) => self.connection = Connection::Open(stream),
                Err(error) => {
                    self.connection = Connection::Closed;
                    return Poll::Ready(Err(Error::new(Kind::Connect).with_source(error).into()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what is encoded.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        ready!(self.poll_open(cx))?;
        let Connection::Open(stream) = &mut self.connection else { return Poll::Pending };
        while !self.is_broken && !self.encoder.unsent().is_empty() {
            match ready!(stream.poll_write(cx, self.encoder.unsent())) {
                Ok(n) if n > 0 => self.encoder.sent(n),
                // The peer may have sent a response.
                _ => self.is_broken = true,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Receives more of the response.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        let Connection::Open(stream) = &mut self.connection else { return Poll::Pending };
        match ready!(stream.poll_read(cx, self.decoder.room())) {
            Ok(n) => self.decoder.received(n),
            Err(error) => {
                let error = Error::new(Kind::IncompleteBody).with_source(error);
                return Poll::Ready(Err(self.cut(error).into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The error of a connection that ended, by the state of the response.
    fn cut(&self, error: Error) -> Error {
        match error.kind() {
            Kind::IncompleteBody if self.decoder.bytes_received() == 0 => {
                Error::new(Kind::ClosedBeforeResponse).with_source(error)
            }
            _ => error,
        }
    }

    /// How long the connection may wait for another request. `None` if it cannot carry one.
    fn reuse(&mut self) -> Option<Duration> {
        let is_over = matches!(self.decoder.poll(), Ok(Event::End)) && self.encoder.is_done();
        match self.decoder.reuse() {
            Reuse::Yes { idle_for, .. } if is_over && !self.is_broken => {
                Some(idle_for.into_iter().chain([Policy::default().idle_timeout]).min()?)
            }
            _ => None,
        }
    }
}

impl<R: Movable> Transfer for Exchange<R> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        body: &[u8],
        is_last: bool,
    ) -> Poll<Result<usize, TransferError>> {
        self.now = now.mono;
        ready!(self.poll_flush(cx))?;
        if self.is_broken || !self.has_body {
            return Poll::Ready(Ok(body.len()));
        }
        let taken = self.encoder.supply(body).map_err(Error::from)?;
        if is_last && taken == body.len() {
            self.encoder.supply_end_with(&self.trailers).map_err(Error::from)?;
        }
        match self.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    fn send_trailers(&mut self, trailers: &Headers) {
        self.trailers = trailers.clone();
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, now: Now) -> Poll<Result<Head, TransferError>> {
        self.now = now.mono;
        loop {
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            match self.decoder.poll() {
                Ok(Event::Interim(head) | Event::Head(head)) => return Poll::Ready(Ok(head)),
                Ok(Event::More) => ready!(self.poll_receive(cx))?,
                Ok(_) => return Poll::Ready(Err(Error::from(Kind::Misuse).into())),
                Err(fault) => return Poll::Ready(Err(self.cut(fault.into()).into())),
            }
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        room: &mut [u8],
    ) -> Poll<Result<usize, TransferError>> {
        self.now = now.mono;
        loop {
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            match self.decoder.poll() {
                Ok(Event::Body(bytes)) => {
                    let n = bytes.len().min(room.len());
                    room[..n].copy_from_slice(&bytes[..n]);
                    self.decoder.consume(n);
                    return Poll::Ready(Ok(n));
                }
                Ok(Event::End) => return Poll::Ready(Ok(0)),
                Ok(Event::More) => ready!(self.poll_receive(cx))?,
                Ok(_) => return Poll::Ready(Err(Error::from(Kind::Misuse).into())),
                Err(fault) => return Poll::Ready(Err(Error::from(fault).into())),
            }
        }
    }

    fn trailers(&mut self) -> Headers {
        self.decoder.take_trailers()
    }
}

impl<R: Movable> Drop for Exchange<R> {
    /// Keeps the connection if it can carry another request. Else closes it.
    fn drop(&mut self) {
        if let Connection::Open(stream) = mem::replace(&mut self.connection, Connection::Closed)
            && let Some(time) = self.reuse()
        {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(self.peer.clone()).or_default().push((stream, self.now + time));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use sessio_testkit::{Connection, Script, Server};

    use crate::backend::{self, Simulation};
    use crate::carrier::Carrier;
    use crate::fetch::fetch;
    use crate::simulation::network::Network;
    use crate::trace::Trace;
    use crate::world::World;

    use super::*;

    type Boxed<'w> = Pin<Box<dyn Future<Output = ()> + Send + 'w>>;

    fn run(scenario: for<'w> fn(&'w World<Network>) -> Boxed<'w>) {
        backend::run::<Simulation>(scenario, Carrier::Messages, Trace::default());
    }

    #[test]
    fn a_connection_carries_one_request_after_another() {
        run(|world| {
            Box::pin(async {
                let (server, session) = (Server::start(), world.session());
                for (method, path) in [
                    ("GET", "/get"),
                    ("HEAD", "/get"),
                    ("GET", "/chunked/300?chunk=100"),
                    ("HEAD", "/redirect/1"),
                    ("OPTIONS", "/redirect/1"),
                    ("POST", "/post"),
                ] {
                    let request = session.request(method, server.url(path)).redirects(3);
                    let request = if method == "POST" { request.body("hello") } else { request };
                    assert_eq!(fetch(request).await.status, 200);
                    assert_eq!(server.accepted(), 1, "{method} {path}");
                }
            })
        });
    }

    #[test]
    fn a_connection_waits_as_long_as_in_a_pool() {
        run(|world| {
            Box::pin(async {
                for (fields, most) in [("", 90), ("Keep-Alive: timeout=5\r\n", 4)] {
                    let runtime = world.runtime();
                    let session = world.session_on(runtime.clone());
                    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n");
                    let three = Connection::new();
                    let three = (0..3).fold(three, |script, _| script.expect_request().send(&head));
                    let server = Server::scripted(Script::new().connection(three.clone()).connection(three));
                    for (wait, accepted) in [(0, 1), (most - 1, 1), (most + 1, 2)] {
                        runtime.pass(Duration::from_secs(wait));
                        assert_eq!(fetch(session.get(server.url("/x"))).await.status, 200);
                        assert_eq!(server.accepted(), accepted, "{fields} {wait}");
                    }
                }
            })
        });
    }
}
