//! A service of the same process as a transport.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use sessio::transport::{Transfer, TransferError, Transport};
use sessio::{Error, Head, Headers, Kind, Now, Prepared, Result, http};
use tower_service::Service;

/// The most bytes of a request's body that wait for the service. More are taken once it has read
/// some.
const MOST_WAITING: usize = 64 * 1024;

/// A transport that passes requests to a [`Service`] of this process, without a socket: an axum
/// `Router` in a test, for one.
///
/// Bodies and trailers stream in both directions. At most 64 KiB of a request's body wait for the
/// service. So the time limit for sending holds for a service that does not read. After a service
/// has dropped the body, the session sends no more of it, and waits for the response.
///
/// The service runs in the future of the caller, so it needs no task. A service that needs a
/// runtime, for its timers for example, needs a caller on that runtime. A dropped request drops the
/// future of its service.
///
/// The service sees a request as it would be sent: method, URL, HTTP/1.1, headers with Host, and the
/// body without framing.
///
/// ```
/// use sessio_driver::InProcess;
/// use sessio_driver::sessio::{Mount, Settings, http};
///
/// # fn mount<S>(service: S) -> sessio_driver::sessio::Result<()>
/// # where
/// #     S: tower_service::Service<http::Request<sessio_driver::InProcessBody>, Response = http::Response<String>>
/// #         + Clone + Send + Sync + 'static,
/// #     S::Future: Send,
/// #     S::Error: std::error::Error + Send + Sync,
/// # {
/// let mut settings = Settings::default();
/// settings.mounts.add("http://app.test/", Mount::new().transport(InProcess::new(service)))?;
/// # Ok(())
/// # }
/// ```
pub struct InProcess<S> {
    service: S,
}

impl<S> InProcess<S> {
    /// A transport to this service. Each request uses a clone of it.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S> fmt::Debug for InProcess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl<S, B> Transport for InProcess<S>
where
    S: Service<http::Request<InProcessBody>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    fn open(&self, request: &Prepared, _: Now) -> Result<Box<dyn Transfer>> {
        let body = Arc::new(Mutex::new(Pipe::default()));
        let length = request.body().length().filter(|_| !request.headers().contains("Transfer-Encoding"));
        let mut message = http::Request::new(InProcessBody { pipe: Arc::clone(&body), length });
        *message.method_mut() = request.method().clone();
        *message.headers_mut() = http::HeaderMap::from(request.headers());
        let mut url = request.url().clone();
        url.set_fragment(None);
        let _ = (url.set_username(""), url.set_password(None));
        *message.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::new(Kind::InvalidUrl).with_url(request.url()).with_source(error)
        })?;
        Ok(Box::new(Run {
            stage: Stage::Ready(Box::new((self.service.clone(), Some(message)))),
            body,
            piece: None,
            trailers: Headers::new(),
        }))
    }
}

/// The body of a request to a service of this process.
///
/// Its length is known if the request declares it. It ends with an error if the request is given up.
pub struct InProcessBody {
    pipe: Arc<Mutex<Pipe>>,
    length: Option<u64>,
}

/// The part of a request's body between the session and the service.
#[derive(Default)]
struct Pipe {
    bytes: VecDeque<Bytes>,
    /// Their length in bytes.
    waiting: usize,
    trailers: Option<http::HeaderMap>,
    state: State,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// All of the body is here.
    Ended,
    /// The session has given up the request.
    GivenUp,
    /// The service reads no more.
    Unread,
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes without the lock: a waker is code of the caller.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Body for InProcessBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut pipe = lock(&self.pipe);
        if let Some(bytes) = pipe.bytes.pop_front() {
            pipe.waiting -= bytes.len();
            let writer = pipe.writer.take();
            drop(pipe);
            wake(writer);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match pipe.state {
            State::Ended => Poll::Ready(pipe.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))),
            State::GivenUp => {
                let detail = "the request was given up before its body was complete";
                Poll::Ready(Some(Err(Error::new(Kind::IncompleteBody).with_detail(detail))))
            }
            State::Open | State::Unread => {
                let before = pipe.reader.replace(cx.waker().clone());
                drop(pipe);
                drop(before);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let pipe = lock(&self.pipe);
        self.length == Some(0)
            || (pipe.state == State::Ended && pipe.bytes.is_empty() && pipe.trailers.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map(SizeHint::with_exact).unwrap_or_default()
    }
}

impl Drop for InProcessBody {
    fn drop(&mut self) {
        let mut pipe = lock(&self.pipe);
        if pipe.state == State::Open {
            pipe.state = State::Unread;
        }
        let bytes = std::mem::take(&mut pipe.bytes);
        pipe.waiting = 0;
        // The writer has nothing to do.
        let wakers = (pipe.reader.take(), pipe.writer.take());
        drop(pipe);
        drop((bytes, wakers));
    }
}

impl fmt::Debug for InProcessBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// One request to a service.
struct Run<S: Service<http::Request<InProcessBody>>, B: Body> {
    stage: Stage<S, B>,
    body: Arc<Mutex<Pipe>>,
    /// The rest of the last frame of the response.
    piece: Option<B::Data>,
    trailers: Headers,
}

enum Stage<S: Service<http::Request<InProcessBody>>, B> {
    /// The service is not ready yet.
    Ready(Box<(S, Option<http::Request<InProcessBody>>)>),
    Called(Pin<Box<S::Future>>),
    Responding(Pin<Box<B>>),
}

fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> TransferError {
    Error::new(Kind::Io).with_detail("the service of this process failed").with_source(error.into()).into()
}

impl<S, B> Transfer for Run<S, B>
where
    S: Service<http::Request<InProcessBody>, Response = http::Response<B>> + Send,
    S::Future: Send,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send,
{
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        _: Now,
        body: &[u8],
        is_last: bool,
    ) -> Poll<Result<usize, TransferError>> {
        let mut pipe = lock(&self.body);
        // A part is taken if it is larger than the room. All of it would count as sent otherwise, and
        // be copied, though the service reads nothing. A service that has dropped the body takes no
        // more of it, and the session waits for the response. To take and drop the rest would read
        // all of a file for nothing.
        let room = match pipe.state {
            State::Open => MOST_WAITING.saturating_sub(pipe.waiting),
            _ => 0,
        };
        let taken = body.len().min(room);
        if taken == 0 && !body.is_empty() {
            let before = pipe.writer.replace(cx.waker().clone());
            drop(pipe);
            drop(before);
            return Poll::Pending;
        }
        if taken > 0 {
            pipe.bytes.push_back(Bytes::copy_from_slice(&body[..taken]));
            pipe.waiting += taken;
        }
        if is_last && taken == body.len() && pipe.state == State::Open {
            pipe.state = State::Ended;
        }
        let reader = pipe.reader.take();
        drop(pipe);
        wake(reader);
        Poll::Ready(Ok(taken))
    }

    fn send_trailers(&mut self, trailers: &Headers) {
        lock(&self.body).trailers = Some(trailers.into());
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, _: Now) -> Poll<Result<Head, TransferError>> {
        loop {
            match &mut self.stage {
                Stage::Ready(waiting) => {
                    let (service, request) = &mut **waiting;
                    ready!(service.poll_ready(cx)).map_err(failed)?;
                    let Some(request) = request.take() else { return Poll::Pending };
                    self.stage = Stage::Called(Box::pin(service.call(request)));
                }
                Stage::Called(future) => {
                    let response = ready!(future.as_mut().poll(cx)).map_err(failed)?;
                    let (parts, body) = response.into_parts();
                    self.stage = Stage::Responding(Box::pin(body));
                    let headers = Headers::try_from(&parts.headers).map_err(Error::from)?;
                    return Poll::Ready(Ok(Head::new(parts.status, headers)));
                }
                Stage::Responding(_) => return Poll::Ready(Err(Error::from(Kind::Misuse).into())),
            }
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        _: Now,
        room: &mut [u8],
    ) -> Poll<Result<usize, TransferError>> {
        let Stage::Responding(body) = &mut self.stage else {
            return Poll::Ready(Err(Error::from(Kind::Misuse).into()));
        };
        loop {
            if let Some(piece) = self.piece.as_mut().filter(|piece| piece.has_remaining()) {
                let n = piece.remaining().min(room.len());
                piece.copy_to_slice(&mut room[..n]);
                return Poll::Ready(Ok(n));
            }
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(Err(error)) => {
                    let error = Error::new(Kind::IncompleteBody).with_source(error.into());
                    return Poll::Ready(Err(error.into()));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => self.piece = Some(piece),
                    // Frames of other kinds are ignored: the trait reserves them.
                    Err(frame) => {
                        if let Some(trailers) = frame.trailers_ref() {
                            self.trailers = Headers::try_from(trailers).map_err(Error::from)?;
                        }
                    }
                },
            }
        }
    }

    fn trailers(&mut self) -> Headers {
        std::mem::take(&mut self.trailers)
    }
}

impl<S: Service<http::Request<InProcessBody>>, B: Body> Drop for Run<S, B> {
    fn drop(&mut self) {
        let mut pipe = lock(&self.body);
        if pipe.state == State::Open {
            pipe.state = State::GivenUp;
        }
        let reader = pipe.reader.take();
        drop(pipe);
        wake(reader);
    }
}
