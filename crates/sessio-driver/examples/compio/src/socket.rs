//! A connection of compio. An operation owns its buffer until it is done.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use compio::BufResult;
use compio::io::{AsyncRead as _, AsyncWrite as _};
use compio::net::TcpStream;
use rustix::net::{RecvFlags, recv};
use sessio_driver::Stream;

/// The largest buffer of one operation.
const MOST: usize = 16 * 1024;

/// An operation of the kernel, with its buffer.
type Operation = Pin<Box<dyn Future<Output = BufResult<usize, Vec<u8>>>>>;

/// A connection over TCP.
pub struct Socket {
    stream: Rc<TcpStream>,
    reading: Option<Operation>,
    writing: Option<Operation>,
    /// Bytes that came, and how many of them were handed out.
    received: Vec<u8>,
    taken: usize,
    /// The buffer for the next write.
    spare: Vec<u8>,
}

impl Socket {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream: Rc::new(stream),
            reading: None,
            writing: None,
            received: Vec::with_capacity(MOST),
            taken: 0,
            spare: Vec::new(),
        }
    }

    /// Reads into the buffer of the socket; 0 is the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let reading = self.reading.get_or_insert_with(|| {
            let (stream, mut buffer) = (Rc::clone(&self.stream), std::mem::take(&mut self.received));
            buffer.clear();
            self.taken = 0;
            Box::pin(async move { (&*stream).read(buffer).await })
        });
        let BufResult(done, buffer) = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        self.received = buffer;
        Poll::Ready(done)
    }
}

impl Stream for Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let bytes = &self.received[self.taken..];
            if !bytes.is_empty() {
                let n = bytes.len().min(room.len());
                room[..n].copy_from_slice(&bytes[..n]);
                self.taken += n;
                return Poll::Ready(Ok(n));
            }
            match ready!(self.poll_receive(cx)) {
                Ok(0) => return Poll::Ready(Ok(0)),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Poll::Ready(Err(error)),
                _ => {}
            }
        }
    }

    /// The bytes of a write that is under way are the first of `bytes`, until the write is done.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let writing = self.writing.get_or_insert_with(|| {
                let (stream, mut buffer) = (Rc::clone(&self.stream), std::mem::take(&mut self.spare));
                buffer.clear();
                buffer.extend_from_slice(&bytes[..bytes.len().min(MOST)]);
                Box::pin(async move { (&*stream).write(buffer).await })
            });
            let BufResult(done, buffer) = ready!(writing.as_mut().poll(cx));
            (self.writing, self.spare) = (None, buffer);
            match done {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// During a write the response to it may have come, so readable bytes prove nothing. A read in
    /// progress may have taken bytes from the socket.
    fn is_idle_open(&self) -> bool {
        if self.writing.is_some() {
            return true;
        }
        let has_more = self.taken < self.received.len();
        if has_more || self.reading.is_some() {
            return false;
        }
        let peeked = recv(&*self.stream, &mut [0], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        peeked.is_err_and(|error| error == rustix::io::Errno::WOULDBLOCK)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.stream).finish()
    }
}
