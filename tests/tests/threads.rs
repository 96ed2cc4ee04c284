//! Futures of a session are `Send` exactly if those of its runtime are.
//!
//! No runtime needs to be `Send`. So the first tests check that the futures of tokio and smol are.
//! The last ones run a session on a runtime whose streams are behind an `Rc`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use sessio_blocking::{Blocking, wait};
use sessio_driver::sessio::{Instant, Now, Tcp};
use sessio_driver::{Runtime, Session, Stream};
use sessio_testkit::{Server, pattern};

fn is_send<T: Send>(_: T) {}

/// Compiles only for types that are not `Send`. For others two implementations apply, which is
/// ambiguous.
fn is_not_send<T: NotSend<A>, A>(_: &T) {}

trait NotSend<A> {}

impl<T> NotSend<()> for T {}

impl<T: Send> NotSend<u8> for T {}

/// Makes and drops the futures of a backend. Only the compiler checks; nothing is sent.
macro_rules! futures_are_send {
    ($test:ident, $backend:ident) => {
        #[test]
        fn $test() {
            use $backend::{Response, Session, multipart, upload};

            #[allow(dead_code, reason = "the compiler is asked, and that is all")]
            fn of_a_response(response: fn() -> Response) {
                is_send(async move { response().chunk().await });
                is_send(async move { response().read(&mut [0; 10]).await });
                is_send(response().bytes());
                is_send(response().text());
                is_send(response().json::<u32>());
                is_send(response().save("file"));
                is_send(async move { response().lines().next().await });
                is_send(async move { response().events().next().await });
            }

            let session = Session::new();
            let get = || session.get("http://h.test/");
            is_send(session.clone());
            is_send(get().send());
            is_send(async { get().send().await?.error_for_status()?.bytes().await });
            is_send(session.execute(get().prepare().unwrap()));
            is_send(get().resume("file"));
            is_send(get().restart("file"));
            is_send($backend::get("http://h.test/"));
            is_send(multipart::open("file"));
            is_send(upload::open("file"));
        }
    };
}

futures_are_send!(futures_of_tokio_move_between_threads, sessio_tokio);
futures_are_send!(futures_of_smol_move_between_threads, sessio_smol);

/// The sockets of the blocking backend, each behind an `Rc`: a single-threaded runtime.
#[derive(Clone, Default)]
struct Local {
    opened: Rc<Cell<usize>>,
}

struct LocalStream(Rc<RefCell<sessio_blocking::Socket>>);

impl Runtime for Local {
    type Stream = LocalStream;
    type Sleep = sessio_blocking::Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Blocking::default().resolve(host, port).await
    }

    async fn connect(&self, to: SocketAddr, tcp: Tcp, deadline: Option<Instant>) -> io::Result<LocalStream> {
        let opened = Rc::clone(&self.opened);
        let socket = Blocking::default().connect(to, tcp, deadline).await?;
        opened.set(opened.get() + 1);
        Ok(LocalStream(Rc::new(RefCell::new(socket))))
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        Blocking::default().sleep_until(at)
    }

    fn now(&self) -> Now {
        Blocking::default().now()
    }
}

impl Stream for LocalStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_read(cx, room)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, bytes)
    }

    fn is_idle_open(&self) -> bool {
        self.0.borrow().is_idle_open()
    }
}

#[test]
fn futures_of_a_runtime_of_one_thread_stay_there() {
    let session = Session::with_runtime(Local::default());
    is_not_send(&session);
    is_not_send(&session.get("http://h.test/").send());
}

#[test]
fn a_runtime_of_one_thread_has_the_whole_session() {
    wait(async {
        let (server, session) = (Server::start(), Session::with_runtime(Local::default()));
        let response = session.get(server.url("/redirect/3?cookies=1")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, 3));
        response.bytes().await.unwrap();
        let cookies = session.get(server.url("/cookies")).send().await.unwrap().text().await.unwrap();
        assert!(cookies.contains("\"hop2\": \"set\""), "{cookies}");
        let body = pattern(200_000);
        let echo = session.post(server.url("/status/200")).body(body.clone()).send().await.unwrap();
        echo.error_for_status().unwrap().bytes().await.unwrap();
        assert!(server.requests().pop().unwrap().body == body);
        assert_eq!((session.runtime().opened.get(), server.accepted()), (1, 1), "one connection for all");
        // Dropping a body closes its connection.
        let mut response = session.get(server.url("/bytes/3000000")).send().await.unwrap();
        assert!(!response.chunk().await.unwrap().unwrap().is_empty());
        drop(response);
        server.wait_open(0);
        assert_eq!((session.stats().in_use, session.stats().idle), (0, 0));
    });
}
