//! The body of a request on its way to a service.

use std::convert::Infallible;
use std::future::{Pending, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use sessio::{Instant, Jar, Request, Settings, UnixTime, merge, prepare};

use super::*;

/// A service that keeps the body of its request, and does not respond.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Option<InProcessBody>>>);

impl Service<http::Request<InProcessBody>> for Keeper {
    type Response = http::Response<String>;
    type Error = Infallible;
    type Future = Pending<Result<http::Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<InProcessBody>) -> Self::Future {
        *self.0.lock().unwrap() = Some(request.into_body());
        pending()
    }
}

impl Keeper {
    /// The next bytes of the body. `None` if it waits, and no bytes at its end.
    fn read(&self, cx: &mut Context<'_>) -> Option<Bytes> {
        let mut body = self.0.lock().unwrap();
        match Pin::new(body.as_mut().unwrap()).poll_frame(cx) {
            Poll::Ready(Some(frame)) => Some(frame.unwrap().into_data().unwrap()),
            Poll::Ready(None) => Some(Bytes::new()),
            Poll::Pending => None,
        }
    }
}

/// Counts wake-ups.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(0) };

/// A transfer whose service has its request.
fn begin(service: &Keeper, cx: &mut Context<'_>) -> Box<dyn Transfer> {
    send(service, Request::post("http://app.test/").body("x"), cx)
}

fn send(service: &Keeper, request: Request, cx: &mut Context<'_>) -> Box<dyn Transfer> {
    let prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), NOW).unwrap();
    let mut transfer = InProcess::new(service.clone()).open(&prepared.request, NOW).unwrap();
    assert!(matches!(transfer.poll_send(cx, NOW, b"", false), Poll::Ready(Ok(0))));
    assert!(transfer.poll_head(cx, NOW).is_pending());
    transfer
}

#[test]
fn a_large_part_of_a_body_waits_for_the_service() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let cx = &mut Context::from_waker(&waker);
    let (service, body) = (Keeper::default(), vec![b'x'; 2 * MOST_WAITING + 5]);
    let mut transfer = begin(&service, cx);
    let mut send = |body: &[u8], cx: &mut Context<'_>| match transfer.poll_send(cx, NOW, body, true) {
        Poll::Ready(taken) => Some(taken.unwrap()),
        Poll::Pending => None,
    };
    let mut left = &*body;
    for expected in [MOST_WAITING, MOST_WAITING, 5] {
        assert_eq!(send(left, cx), Some(expected));
        left = &left[expected..];
        if !left.is_empty() {
            assert_eq!(send(left, cx), None, "the service has read nothing");
        }
        let before = wakes.0.load(Ordering::Relaxed);
        assert_eq!(service.read(cx).map(|bytes| bytes.len()), Some(expected));
        assert_eq!(wakes.0.load(Ordering::Relaxed) - before, usize::from(!left.is_empty()));
    }
    assert_eq!(service.read(cx), Some(Bytes::new()), "the end follows the last part");
}

#[test]
fn a_body_has_a_known_length_if_its_request_declares_it() {
    let cx = &mut Context::from_waker(Waker::noop());
    let post = || Request::post("http://app.test/");
    for (request, length) in [
        (post().body("four"), Some(4)),
        (post(), Some(0)),
        (post().body("four").header("Transfer-Encoding", "chunked"), None),
        (post().body("").header("Transfer-Encoding", "chunked"), None),
    ] {
        let service = Keeper::default();
        let _transfer = send(&service, request, cx);
        let body = service.0.lock().unwrap().take().unwrap();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (length, length == Some(0)));
    }
}

#[test]
fn the_end_of_a_body_is_taken_with_its_last_byte() {
    let cx = &mut Context::from_waker(Waker::noop());
    let service = Keeper::default();
    let mut transfer = begin(&service, cx);
    let body = vec![b'x'; MOST_WAITING + 1];
    assert!(matches!(transfer.poll_send(cx, NOW, &body, true), Poll::Ready(Ok(MOST_WAITING))));
    assert_eq!(service.read(cx).map(|bytes| bytes.len()), Some(MOST_WAITING));
    assert_eq!(service.read(cx), None, "one byte is left");
    assert!(matches!(transfer.poll_send(cx, NOW, b"x", true), Poll::Ready(Ok(1))));
    assert_eq!(service.read(cx), Some(Bytes::from_static(b"x")));
    assert_eq!(service.read(cx), Some(Bytes::new()));
}

#[test]
fn a_service_that_drops_a_body_takes_no_more_of_it() {
    let cx = &mut Context::from_waker(Waker::noop());
    let service = Keeper::default();
    let mut transfer = begin(&service, cx);
    let body = vec![b'x'; MOST_WAITING + 1];
    assert!(matches!(transfer.poll_send(cx, NOW, &body, true), Poll::Ready(Ok(MOST_WAITING))));
    *service.0.lock().unwrap() = None;
    assert!(transfer.poll_send(cx, NOW, b"x", true).is_pending());
    // Nothing is left to take of a body that was taken before.
    let mut transfer = begin(&service, cx);
    assert!(matches!(transfer.poll_send(cx, NOW, b"x", false), Poll::Ready(Ok(1))));
    *service.0.lock().unwrap() = None;
    assert!(matches!(transfer.poll_send(cx, NOW, b"", true), Poll::Ready(Ok(0))));
}
