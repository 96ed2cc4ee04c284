//! Calls that wait for a connection are served in the order of their arrival, and none waits
//! forever.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use sessio::pool::Policy;
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;

use crate::crowd::{Crowd, SmolTasks, Task, Threads, TokioTasks, give_way};

#[test]
fn first_come_first_served_on_tokio() {
    line_up::<TokioTasks>(|role| Box::pin(role.play()));
}

#[test]
fn first_come_first_served_on_smol() {
    line_up::<SmolTasks>(|role| Box::pin(role.play()));
}

#[test]
fn first_come_first_served_on_threads() {
    line_up::<Threads>(|role| Box::pin(role.play()));
}

/// A limit of one connection. One call holds it until all others wait. Some of these leave the
/// queue again, and some close the connection after their response. The others are served in order,
/// each after exactly the calls that came before it.
///
/// `task` makes a role a task: a future is known to be `Send` only if the runtime is a known type.
fn line_up<C: Crowd>(task: fn(Role<C::Runtime>) -> Task) {
    let server = Arc::new(Server::start());
    let mut policy = Policy::default();
    policy.max_per_host = Some(1);
    let session = Session::<C::Runtime>::with_pool(policy);
    let are_all_here = Arc::new(AtomicBool::new(false));

    let mut tasks: Vec<Task> = Vec::new();
    for number in 0..C::SIZE {
        let waiter = Waiter {
            number,
            session: session.clone(),
            server: Arc::clone(&server),
            are_all_here: Arc::clone(&are_all_here),
        };
        tasks.push(task(Role::Waiter(waiter)));
    }
    let stays: Vec<usize> = (0..C::SIZE).filter(|number| !leaves(*number)).collect();
    tasks.push(task(Role::Holder(Holder {
        session: session.clone(),
        url: server.url("/bytes/1000000?held"),
        all: C::SIZE,
        left: stays.len(),
        are_all_here,
    })));
    C::run(tasks);

    // One connection at a time, so the order of the connections is that of the requests.
    let requests = server.requests();
    let served: Vec<_> = requests.iter().skip(1).map(|request| request.target().to_owned()).collect();
    let expected: Vec<_> = stays.iter().map(|number| format!("/get?number={number}")).collect();
    assert_eq!(served, expected);
    let closing = stays.iter().filter(|number| closes(**number)).count();
    // If the last waiter closes the connection, no call is left that needs a new one.
    let reopened = closing - usize::from(closes(stays[stays.len() - 1]));
    assert_eq!(server.accepted(), 1 + reopened);
    assert_eq!(session.stats().in_use, 0);
}

fn leaves(number: usize) -> bool {
    number % 5 == 3
}

fn closes(number: usize) -> bool {
    number.is_multiple_of(4)
}

/// Waits until `is_so` holds for the number of waiting calls.
async fn until<R: Runtime>(session: &Session<R>, is_so: impl Fn(usize) -> bool) {
    while !is_so(session.stats().waiting) {
        give_way().await;
    }
}

enum Role<R: Runtime> {
    Holder(Holder<R>),
    Waiter(Waiter<R>),
}

impl<R: Runtime> Role<R> {
    async fn play(self) {
        match self {
            Self::Holder(holder) => holder.play().await,
            Self::Waiter(waiter) => waiter.play().await,
        }
    }
}

struct Holder<R: Runtime> {
    session: Session<R>,
    url: String,
    all: usize,
    left: usize,
    are_all_here: Arc<AtomicBool>,
}

impl<R: Runtime> Holder<R> {
    async fn play(self) {
        let held = self.session.get(self.url).send().await.unwrap();
        until(&self.session, |waiting| waiting == self.all).await;
        self.are_all_here.store(true, Ordering::SeqCst);
        until(&self.session, |waiting| waiting == self.left).await;
        held.bytes().await.unwrap();
    }
}

struct Waiter<R: Runtime> {
    number: usize,
    session: Session<R>,
    server: Arc<Server>,
    are_all_here: Arc<AtomicBool>,
}

impl<R: Runtime> Waiter<R> {
    async fn play(self) {
        // First the holder, then all others in the order of their numbers.
        while self.session.stats().in_use == 0 {
            give_way().await;
        }
        until(&self.session, |waiting| waiting == self.number).await;
        let mut request = self.session.get(self.server.url(&format!("/get?number={}", self.number)));
        if closes(self.number) {
            request = request.header("Connection", "close");
        }
        if leaves(self.number) {
            let mut sending = pin!(request.send());
            let polled = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
            assert!(polled, "it stands in line");
            while !self.are_all_here.load(Ordering::SeqCst) {
                give_way().await;
            }
        } else {
            request.send().await.unwrap().bytes().await.unwrap();
        }
    }
}
