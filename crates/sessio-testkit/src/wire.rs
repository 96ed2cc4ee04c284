//! A connection as its thread sees it: a socket whose bytes are recorded.

use std::io;
use std::net::{IpAddr, Shutdown};
use std::sync::Arc;
use std::time::Duration;

use crate::bad_request::BadRequest;
use crate::body::Body;
use crate::recorder::Recorder;
use crate::recording::End;
use crate::request::{Request, head_end};
use crate::socket::Socket;

/// The largest write, which is recorded at once, in bytes.
const PIECE: usize = 64 << 10;

/// The reason why a connection cannot continue.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    Ended(End),
    BadRequest(BadRequest),
}

impl From<End> for ConnectionError {
    fn from(end: End) -> Self {
        Self::Ended(end)
    }
}

impl From<BadRequest> for ConnectionError {
    fn from(bad: BadRequest) -> Self {
        Self::BadRequest(bad)
    }
}

#[derive(Debug)]
pub(crate) struct Wire {
    number: usize,
    origin: IpAddr,
    /// Taken only when the wire is dropped.
    socket: Option<Arc<Socket>>,
    recorder: Arc<Recorder>,
    /// Bytes received and not yet read.
    pending: Vec<u8>,
    /// Whether the last byte received is still in the kernel. It is recorded and pending, but the
    /// kernel counts it as unread, so a close would be a reset. Only later steps decide whether a
    /// reset is wanted.
    held: bool,
    end: End,
}

impl Wire {
    pub(crate) fn new(number: usize, origin: IpAddr, socket: Arc<Socket>, recorder: Arc<Recorder>) -> Self {
        let socket = Some(socket);
        Self { number, origin, socket, recorder, pending: Vec::new(), held: false, end: End::Server }
    }

    /// The client's address.
    pub(crate) fn origin(&self) -> IpAddr {
        self.origin
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Sets the end that is recorded when the wire is dropped. Default: the server closed.
    pub(crate) fn set_end(&mut self, end: End) {
        self.end = end;
    }

    fn socket(&self) -> io::Result<&Socket> {
        self.socket.as_deref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Waits for the end of the handshake, if the server has an adapter that asks for it.
    pub(crate) fn finish_handshake(&self) {
        if let Ok(Socket::Adapted(adapted)) = self.socket() {
            adapted.finish_handshake();
        }
    }

    /// Blocks until more bytes are received.
    pub(crate) fn fill(&mut self) -> Result<(), End> {
        let mut buffer = [0; 16 << 10];
        let count = loop {
            match self.receive(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|_| self.ended_by(End::ClientReset))?,
            }
        };
        if count == 0 {
            return Err(self.ended_by(End::Client));
        }
        self.recorder.received(self.number, &buffer[..count]);
        self.pending.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// Reads all but the last byte. That byte is peeked at, and read before the next.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.let_go();
        let count = self.socket()?.peek(buffer)?;
        if let Some(last) = count.checked_sub(1) {
            self.socket()?.take(last)?;
            self.held = true;
        }
        Ok(count)
    }

    /// Reads the held byte from the kernel. The byte is there, so this does not wait. It fails only
    /// on a connection that was reset since, and so does the next operation.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.held) {
            let _ = self.socket().and_then(|socket| socket.take(1));
        }
    }

    /// Makes sure that the kernel has an unread byte. Dropping the wire is then a reset.
    pub(crate) fn ensure_unread(&mut self) -> Result<(), End> {
        while !self.held {
            self.fill()?;
        }
        Ok(())
    }

    /// Reads without waiting, so that dropping the wire is not a reset. The wire can only be
    /// dropped after it.
    pub(crate) fn read_what_is_there(&mut self) {
        if self.socket().and_then(Socket::stop_waiting).is_ok() {
            while self.fill().is_ok() {}
        }
    }

    fn ended_by(&self, otherwise: End) -> End {
        self.recorder.shut_by_server(self.number).unwrap_or(otherwise)
    }

    /// Parses the next head, which stays in `pending`. Returns it with its size.
    pub(crate) fn peek_head(&mut self) -> Result<(Request, usize), ConnectionError> {
        loop {
            if let Some(end) = head_end(&self.pending)? {
                return Ok((Request::parse(&self.pending[..end])?, end));
            }
            self.fill()?;
        }
    }

    /// Takes the next head from the pending bytes.
    pub(crate) fn read_head(&mut self) -> Result<Request, ConnectionError> {
        let (request, size) = self.peek_head()?;
        self.skip(size);
        Ok(request)
    }

    /// Takes the first bytes of the pending ones.
    pub(crate) fn skip(&mut self, count: usize) {
        self.pending.drain(..count);
    }

    /// Reads the body that follows a head.
    pub(crate) fn read_body(&mut self, request: &mut Request) -> Result<(), ConnectionError> {
        let mut body = Body::new(request.length()?);
        loop {
            let used = body.feed(&self.pending)?;
            self.skip(used);
            if body.is_done() {
                (request.body, request.trailers) = body.finish();
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Sends all bytes. Up to `PIECE`, one call is one write.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), End> {
        for piece in bytes.chunks(PIECE) {
            self.recorder.sending(self.number, piece);
            let mut done = 0;
            while done < piece.len() {
                match self.socket().and_then(|socket| socket.write(&piece[done..])) {
                    Ok(count) if count > 0 => done += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => {
                        self.recorder.unsent(self.number, piece.len() - done);
                        return Err(self.ended_by(End::ClientReset));
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits, and notices at once when the client closes or the server stops.
    pub(crate) fn pause(&mut self, time: Duration) -> Result<(), End> {
        if time.is_zero() {
            return Ok(());
        }
        // The held byte would look like a new one.
        self.let_go();
        let seen = self.socket().and_then(|socket| {
            let started = socket.now();
            socket.set_read_timeout(Some(time))?;
            let seen = socket.peek(&mut [0]);
            socket.set_read_timeout(None)?;
            Ok((seen?, socket.now() - started))
        });
        match seen {
            Ok((0, _)) => return Err(self.ended_by(End::Client)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => return Err(self.ended_by(End::ClientReset)),
            // The next request has already been received, so only the time counts.
            Ok((_, passed)) => self.sleep(time.saturating_sub(passed)),
        }
        Ok(())
    }

    /// Waits for `time`, or until the server stops.
    pub(crate) fn sleep(&self, time: Duration) {
        match self.socket.as_deref().and_then(Socket::pipe) {
            Some(pipe) => pipe.sleep(time),
            None => self.recorder.pause(time),
        }
    }

    /// Ends the sending direction.
    pub(crate) fn half_close(&self) -> Result<(), End> {
        let shut = self.socket().and_then(|socket| socket.shutdown(Shutdown::Write));
        shut.map_err(|_| self.ended_by(End::ClientReset))
    }

    /// Reads for a moment the bytes that the client sends after the last response. Closing over
    /// unread bytes would reset the connection. A reset can destroy that response before the client
    /// has read it.
    pub(crate) fn linger(&mut self) {
        let ready = self.socket().and_then(|socket| {
            socket.set_read_timeout(Some(Duration::from_secs(1)))?;
            socket.shutdown(Shutdown::Write)
        });
        if ready.is_ok() {
            while self.fill().is_ok() {
                self.pending.clear();
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.end != End::ServerReset {
            self.let_go();
        }
        // The connection closes before the recorder records it, so a thread that waits for the
        // record can rely on the close.
        self.recorder.forget_socket(self.number);
        self.socket = None;
        self.recorder.ended(self.number, self.end);
    }
}
