//! No lock is held while code of the caller runs: it may use the session that it runs in (rows FW3,
//! FA17).
//!
//! | code of the caller | when it runs |
//! |---|---|
//! | [`Scheme`], [`Flow`] | a call begins, follows a redirect, gets a response; and is copied or dropped |
//! | [`Hook`](sessio::Hook) | a request is sent, a response has come |
//! | [`Observer`] | a call begins, and each event of it |
//! | [`Resolver`], its future | a connection is opened |
//! | a function of [`Proxies`] | a call begins, and follows a redirect |
//! | a function of [`PublicSuffixes`] | a response sets a cookie for a domain; the policy of the jar is changed |
//! | `Session::cookies`, `Session::update`, `Session::with` | at once |
//! | progress callbacks | bytes of a body have moved |
//! | [`Source`] | a body is sent, sent again, dropped |
//! | [`Decoder`] and its maker | a coded body is read |
//! | [`Waker`] | a waiting call gets its connection |
//! | a function of a [`Mock`], a service of [`InProcess`] | a request over a mount with a transport |
//! | `Drop` of any of these | settings are changed, a call ends |
//!
//! Each of them takes every lock of the session here: see [`Meddler::meddle`].
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use sessio::auth::{Need, SubRequest};
use sessio::coding::{Decoder, Malformed, Moved};
use sessio::cookie::{self, PublicSuffixes};
use sessio::pool::Policy;
use sessio::proxy::Proxies;
use sessio::{
    Auth, Flow, FlowDecision, Head, Mount, Observer, Prepared, Request, Resolver, Result, Scheme, Url,
};
use sessio_driver::mock::{Mock, Received, Reply};
use sessio_driver::{InProcess, InProcessBody, Runtime as _, Session, Source};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fw3_a_flow_may_use_its_session
    fw3_a_flow_that_asks_may_use_its_session
    fw3_a_hook_may_use_its_session
    fw3_an_observer_may_use_its_session
    fw3_a_resolver_may_use_its_session
    fw3_a_function_that_chooses_proxies_may_use_its_session
    fw3_a_list_of_public_suffixes_may_use_its_session
    fw3_a_closure_that_reads_the_jar_may_use_its_session
    fw3_a_closure_that_changes_settings_may_use_its_session
    fw3_updates_within_updates_are_refused_and_leave_the_session_whole
    fw3_a_progress_callback_may_use_its_session
    fw3_a_body_source_may_use_its_session
    fw3_a_decoder_may_use_its_session
    fw3_a_mock_and_a_service_may_use_their_session
    fw3_a_destructor_may_use_its_session
    fa17_a_waker_may_use_its_session
    fa17_a_call_that_leaves_the_queue_drops_its_waker_outside_of_the_lock
    fa17_a_waker_that_panics_delays_no_other_call
}

/// The largest number of times that it meddles in one scenario: its own requests run it again.
const MOST: usize = 6;

type Sent = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Code of the caller with a handle on the session that it runs in.
struct Meddler<R: Movable> {
    /// Removed at the end, because settings of the session may hold this value.
    session: Mutex<Option<Session<FaultyRuntime<R>>>>,
    url: String,
    is_at_it: AtomicBool,
    times: AtomicUsize,
    begun: Mutex<VecDeque<Sent>>,
}

/// Drops the handle on the session, however the scenario ends.
struct Meddling<R: Movable>(Arc<Meddler<R>>);

impl<R: Movable> Drop for Meddling<R> {
    fn drop(&mut self) {
        let begun = std::mem::take(&mut *lock(&self.0.begun));
        drop(begun);
        let session = lock(&self.0.session).take();
        drop(session);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Movable> Meddling<R> {
    fn of(session: &Session<FaultyRuntime<R>>, server: &Server) -> Self {
        Self(Arc::new(Meddler {
            session: Mutex::new(Some(session.clone())),
            url: server.url("/get?meddled"),
            is_at_it: AtomicBool::new(false),
            times: AtomicUsize::new(0),
            begun: Mutex::default(),
        }))
    }

    fn meddler(&self) -> Arc<Meddler<R>> {
        Arc::clone(&self.0)
    }

    /// Reads the responses to the requests that were sent meanwhile. Checks that it ran `least`
    /// times.
    async fn finish(self, least: usize) {
        let times = self.0.times.load(Ordering::SeqCst);
        assert!(times >= least, "it was asked {times} times");
        loop {
            // One response may hold the connection that the next waits for.
            let Some(sent) = lock(&self.0.begun).pop_front() else { break };
            sent.await;
        }
        let session = lock(&self.0.session).clone().unwrap();
        assert_eq!(session.stats().in_use, 0);
        assert!(session.cookies(|jar| jar.get("meddled").is_some()));
    }
}

impl<R: Movable> Meddler<R> {
    /// Takes each lock of the session: sends a request, changes settings, jar and pool.
    fn meddle(&self) {
        self.meddle_with(|session| {
            set(session, |settings| settings.headers.insert("X-Meddled", "1"));
        });
    }

    fn meddle_with(&self, change: impl FnOnce(&Session<FaultyRuntime<R>>)) {
        let session = lock(&self.session).clone();
        let Some(session) = session else { return };
        if self.times.load(Ordering::SeqCst) >= MOST || self.is_at_it.swap(true, Ordering::SeqCst) {
            return;
        }
        self.times.fetch_add(1, Ordering::SeqCst);
        change(&session);
        let (url, now) = (self.url.parse().unwrap(), session.runtime().now());
        session.cookies(|jar| jar.insert_str("meddled=1; Path=/", &url, now.wall).unwrap());
        session.close_expired();
        let _ = (session.settings(), session.stats(), session.next_expiry());
        session.prepare(Request::get(&*self.url)).unwrap();
        session.reload_environment();
        let request = session.get(&*self.url);
        let response = R::fetch(request);
        let mut sent: Sent = Box::pin(async move { assert_eq!(response.await.status, 200) });
        if sent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            lock(&self.begun).push_back(sent);
        }
        self.is_at_it.store(false, Ordering::SeqCst);
    }
}

/// Meddles when it is dropped.
struct Parting<R: Movable>(Arc<Meddler<R>>);

impl<R: Movable> Drop for Parting<R> {
    fn drop(&mut self) {
        self.0.meddle();
    }
}

fn set<R: Movable>(
    session: &Session<FaultyRuntime<R>>,
    change: impl FnOnce(&mut sessio::Settings) -> Result<(), sessio::Fault>,
) {
    session.update(change).unwrap();
}

/// A session whose trace is not compared: the requests inside have no fixed order between backends.
fn session<R: Movable>(
    world: &World<R>,
    runtime: FaultyRuntime<R>,
    policy: Policy,
) -> Session<FaultyRuntime<R>> {
    let session = world.session_with_pool(runtime, policy);
    set(&session, |settings| {
        settings.observer = Observer::default();
        settings.limits.drain_time = std::time::Duration::from_secs(20);
        Ok(())
    });
    session
}

fn plain<R: Movable>(world: &World<R>) -> (Server, Session<FaultyRuntime<R>>, Meddling<R>) {
    let (server, session) = (Server::start(), session(world, world.runtime(), Policy::default()));
    let meddling = Meddling::of(&session, &server);
    (server, session, meddling)
}

struct MeddlingScheme<R: Movable>(Arc<Meddler<R>>);

struct MeddlingFlow<R: Movable> {
    meddler: Arc<Meddler<R>>,
    is_asked: bool,
    _parting: Parting<R>,
}

impl<R: Movable> std::fmt::Debug for MeddlingScheme<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeddlingScheme")
    }
}

impl<R: Movable> std::fmt::Debug for MeddlingFlow<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeddlingFlow")
    }
}

impl<R: Movable> Scheme for MeddlingScheme<R> {
    fn begin(&self) -> Box<dyn Flow> {
        self.0.meddle();
        Box::new(MeddlingFlow {
            meddler: Arc::clone(&self.0),
            is_asked: false,
            _parting: Parting(Arc::clone(&self.0)),
        })
    }
}

impl<R: Movable> Flow for MeddlingFlow<R> {
    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        self.meddler.meddle();
        Ok(request.headers_mut().insert("X-Signed", "1")?)
    }

    fn challenged(&mut self, head: &Head, _: &mut Prepared) -> Result<FlowDecision> {
        self.meddler.meddle();
        if head.status != 401 || std::mem::replace(&mut self.is_asked, true) {
            return Ok(FlowDecision::Accept);
        }
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        self.meddler.meddle();
        Box::new(Self {
            meddler: Arc::clone(&self.meddler),
            is_asked: self.is_asked,
            _parting: Parting(Arc::clone(&self.meddler)),
        })
    }
}

async fn fw3_a_flow_may_use_its_session<R: Movable>(world: &World<R>) {
    // Each of these is the first response that the flow sees. So each of its functions runs before
    // the meddler has reached its limit.
    let challenge = "HTTP/1.1 401 X\r\nSet-Cookie: asked=1\r\nContent-Length: 0\r\n\r\n";
    let away = "HTTP/1.1 302 X\r\nLocation: /get?end\r\nSet-Cookie: led=1\r\nContent-Length: 0\r\n\r\n";
    for first in [challenge, away] {
        let (server, session, meddling) = plain(world);
        // On whichever connection the second request uses.
        server.script_path("/first", Connection::new().expect_request().send(first));
        server.script_path("/first", Connection::new().expect_request().ok("in"));
        let auth = Auth::flow(MeddlingScheme(meddling.meddler()));
        let response = session.get(server.url("/first")).auth(auth).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, 1));
        response.bytes().await.unwrap();
        let signed = server.requests().into_iter().filter(|request| request.header("x-signed").is_some());
        assert_eq!(signed.count(), 2);
        meddling.finish(4).await;
        assert!(session.cookies(|jar| jar.get("asked").is_some() || jar.get("led").is_some()));
    }
}

struct AskingScheme<R: Movable>(Arc<Meddler<R>>);

struct AskingFlow<R: Movable> {
    meddler: Arc<Meddler<R>>,
    /// The state: 0 before the response, 1 before the turn, 2 after it.
    state: u8,
}

impl<R: Movable> std::fmt::Debug for AskingScheme<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AskingScheme")
    }
}

impl<R: Movable> std::fmt::Debug for AskingFlow<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AskingFlow")
    }
}

impl<R: Movable> Scheme for AskingScheme<R> {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(AskingFlow { meddler: Arc::clone(&self.0), state: 0 })
    }
}

impl<R: Movable> Flow for AskingFlow<R> {
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, _: sessio::Now) -> Result<Need> {
        self.meddler.meddle();
        Ok(match self.state {
            0 => Need::Response(Box::new(SubRequest::get("/get?asked"))),
            1 => Need::Turn,
            _ => Need::Nothing,
        })
    }

    fn received(&mut self, response: &sessio::auth::Received<'_>, _: sessio::Now) -> Result<()> {
        assert_eq!(response.head.status, 200);
        self.state = 1;
        self.meddler.meddle();
        Ok(())
    }

    fn poll_turn(&mut self, _: &mut Context<'_>) -> Poll<()> {
        self.state = 2;
        self.meddler.meddle();
        Poll::Ready(())
    }

    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        self.meddler.meddle();
        Ok(request.headers_mut().insert("X-Signed", "1")?)
    }

    fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<FlowDecision> {
        Ok(FlowDecision::Accept)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(Self { meddler: Arc::clone(&self.meddler), state: self.state })
    }
}

async fn fw3_a_flow_that_asks_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let auth = Auth::flow(AskingScheme(meddling.meddler()));
    assert_eq!(fetch(session.get(server.url("/get?own")).auth(auth)).await.status, 200);
    let signed = server.requests().into_iter().filter(|request| request.header("x-signed").is_some());
    assert_eq!(signed.map(|request| request.target().to_owned()).collect::<Vec<_>>(), ["/get?own"]);
    meddling.finish(MOST).await;
}

struct MeddlingHook<R: Movable>(Arc<Meddler<R>>, Parting<R>);

impl<R: Movable> sessio::Hook for MeddlingHook<R> {
    fn before(&self, request: &mut Prepared) -> Result<()> {
        self.0.meddle();
        Ok(request.headers_mut().insert("X-Hooked", "1")?)
    }

    fn after(&self, head: &Head, request: &mut Prepared) -> sessio::hook::Reaction {
        self.0.meddle();
        match head.status == 200 && request.headers().get("X-Hooked") == Some("1") {
            true => sessio::hook::Reaction::Again,
            false => sessio::hook::Reaction::Continue,
        }
    }

    fn response(&self, _: &mut sessio::hook::FinalResponse<'_>) -> Result<()> {
        let _ = &self.1;
        self.0.meddle();
        Ok(())
    }
}

async fn fw3_a_hook_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let once = MeddlingHook(meddling.meddler(), Parting(meddling.meddler()));
    // Each of its methods runs before the meddler has reached its limit.
    let request = session.get(server.url("/redirect/1?cookies=1")).hook(sessio::hook::before(|_| Ok(())));
    fetch(request.hook(once)).await;
    meddling.finish(MOST).await;
}

async fn fw3_an_observer_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let (one, other) = (meddling.meddler(), meddling.meddler());
    let observer = Observer::per_call(move |_| {
        one.meddle();
        let (meddler, parting) = (Arc::clone(&other), Parting(Arc::clone(&other)));
        move |_: &sessio::Call, _: &sessio::call::Event<'_>| {
            let _ = &parting;
            meddler.meddle();
        }
    });
    fetch(session.get(server.url("/redirect/1?cookies=1")).observe(observer)).await;
    meddling.finish(MOST).await;
}

async fn fw3_a_resolver_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let (meddler, to) = (meddling.meddler(), server.addr());
    session.set_resolver(Resolver::new(move |_: String, _: u16| {
        meddler.meddle();
        let (meddler, parting) = (Arc::clone(&meddler), Parting(Arc::clone(&meddler)));
        async move {
            meddler.meddle();
            drop(parting);
            Ok(vec![to])
        }
    }));
    fetch(session.get("http://site.test/get")).await;
    meddling.finish(3).await;
}

async fn fw3_a_function_that_chooses_proxies_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let meddler = meddling.meddler();
    set(&session, |settings| {
        settings.proxies = Proxies::from_fn(move |_| {
            meddler.meddle();
            None
        });
        Ok(())
    });
    fetch(session.get(server.url("/redirect/1"))).await;
    meddling.finish(2).await;
}

async fn fw3_a_list_of_public_suffixes_may_use_its_session<R: Movable>(world: &World<R>) {
    let server = Server::start();
    let session = session(world, world.runtime().name("www.site.test", [server.addr()]), Policy::default());
    let meddling = Meddling::of(&session, &server);
    let (meddler, parting) = (meddling.meddler(), Parting(meddling.meddler()));
    session.cookies(|jar| {
        let mut policy = cookie::Policy::default();
        policy.suffixes = PublicSuffixes::from_fn(move |name| {
            let _ = &parting;
            meddler.meddle();
            name == "test"
        });
        jar.set_policy(policy);
    });
    server.script_path(
        "/set",
        Connection::new().expect_request().send(
            "HTTP/1.1 200 OK\r\nSet-Cookie: good=1; Domain=site.test\r\nSet-Cookie: bad=1; Domain=test\r\n\
             Set-Cookie: own=1\r\nContent-Length: 0\r\n\r\n",
        ),
    );
    let response = session.get("http://www.site.test/set").send().await.unwrap();
    let extracted = response.extracted();
    assert_eq!((extracted.stored, extracted.refused.len()), (2, 1));
    assert_eq!(extracted.refused[0].reason, cookie::Reason::PublicSuffix);
    response.bytes().await.unwrap();
    let kept = |name: &str| session.cookies(|jar| jar.get(name).is_some());
    assert!(kept("good") && kept("own") && !kept("bad"));
    // The second change of the policy drops the list.
    session.cookies(|jar| {
        let policy = jar.policy().clone();
        jar.set_policy(policy);
    });
    session.cookies(|jar| jar.set_policy(cookie::Policy::default()));
    meddling.finish(3).await;
    assert!(kept("good"));
}

async fn fw3_a_closure_that_reads_the_jar_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let url: Url = server.url("/").parse().unwrap();
    let now = session.runtime().now();
    session.cookies(|jar| {
        meddling.0.meddle();
        // The jar here does not show that change, and does not undo it.
        assert!(jar.is_empty());
        jar.insert_str("outer=1; Path=/", &url, now.wall).unwrap();
        session.cookies(|jar| jar.insert_str("inner=1; Path=/", &url, now.wall).unwrap());
    });
    let names =
        session.cookies(|jar| jar.iter().map(|it| it.name_str().unwrap().to_owned()).collect::<Vec<_>>());
    assert_eq!(names, ["meddled", "inner", "outer"]);
    meddling.finish(1).await;

    // A closure that panics has changed nothing.
    let broken = catch_unwind(AssertUnwindSafe(|| {
        session.cookies(|jar| {
            jar.clear();
            panic!("half-way");
        });
    }));
    assert!(broken.is_err());
    assert_eq!(session.cookies(|jar| jar.len()), 3);
}

async fn fw3_a_closure_that_changes_settings_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    session
        .try_update(|settings| {
            settings.headers.insert("X-Own", "1")?;
            meddling.0.meddle_with(|session| {
                // Still without the change.
                assert!(!session.settings().headers.contains("X-Own"));
            });
            Ok(())
        })
        .unwrap();
    assert!(session.settings().headers.contains("X-Own"));
    let variant = session.derive(|_| meddling.0.meddle());
    fetch(variant.get(server.url("/get"))).await;
    fetch(session.get(server.url("/get"))).await;
    let last = server.requests().pop().unwrap();
    assert_eq!((last.header("x-own").is_some(), last.header("x-meddled").is_some()), (true, true));
    // A change that returns an error is discarded. Its values are dropped after the lock is free.
    let meddler = meddling.meddler();
    let failed: Result<()> = session.try_update(|settings| {
        let parting = Parting(meddler);
        settings.headers.insert("X-Failed", "1")?;
        settings.observer = Observer::new(move |_, _| {
            let _ = &parting;
        });
        Err(sessio::Kind::Misuse.into())
    });
    assert!(failed.is_err() && !session.settings().headers.contains("X-Failed"));
    meddling.finish(3).await;
}

async fn fw3_updates_within_updates_are_refused_and_leave_the_session_whole<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, world.runtime(), Policy::default()));
    let within = catch_unwind(AssertUnwindSafe(|| {
        set(&session, |settings| {
            settings.headers.insert("X-Outer", "1")?;
            set(&session, |settings| settings.headers.insert("X-Inner", "1"));
            Ok(())
        });
    }));
    let told = *within.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("`Session::update` was called inside of `Session::update`"), "{told}");
    // An update of a derived session is allowed inside. A clone is the same session.
    let (other, variant) = (session.derive(|_| {}), session.clone());
    set(&session, |settings| {
        set(&other, |settings| settings.headers.insert("X-Other", "1"));
        settings.headers.insert("X-Outer", "2")
    });
    assert!(other.settings().headers.contains("X-Other"));
    assert_eq!(variant.settings().headers.get("X-Outer"), Some("2"));
    assert!(!variant.settings().headers.contains("X-Inner"));
    fetch(session.get(server.url("/get"))).await;
    // Threads take turns, and no change is lost.
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let session = &session;
            scope.spawn(move || {
                for number in 0..25 {
                    set(session, |settings| settings.headers.append(format!("X-{thread}-{number}"), "1"));
                }
            });
        }
    });
    let settings = session.settings();
    let all = (0..4).flat_map(|thread| (0..25).map(move |number| format!("X-{thread}-{number}")));
    assert_eq!(all.filter(|name| settings.headers.contains(name)).count(), 100);
}

async fn fw3_a_progress_callback_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let (up, down) = (meddling.meddler(), meddling.meddler());
    let request = session.post(server.url("/anything")).body("some bytes");
    let request =
        request.on_upload_progress(move |_| up.meddle()).on_download_progress(move |_| down.meddle());
    fetch(request).await;
    meddling.finish(2).await;
}

/// A body of one word. Each function of its source meddles.
struct Word<R: Movable> {
    meddler: Arc<Meddler<R>>,
    is_out: bool,
    _parting: Parting<R>,
}

impl<R: Movable> Source for Word<R> {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.meddler.meddle();
        if std::mem::replace(&mut self.is_out, true) {
            return Poll::Ready(Ok(0));
        }
        room[..4].copy_from_slice(b"word");
        Poll::Ready(Ok(4))
    }

    fn poll_rewind(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.meddler.meddle();
        self.is_out = false;
        Poll::Ready(Ok(()))
    }
}

async fn fw3_a_body_source_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let moved = "HTTP/1.1 307 X\r\nLocation: /anything\r\nContent-Length: 0\r\n\r\n";
    server.script_path("/first", Connection::new().expect_request().send(moved));
    let meddler = meddling.meddler();
    let source = Word { is_out: false, _parting: Parting(Arc::clone(&meddler)), meddler };
    let response = session.post(server.url("/first")).source(source, None, true).send().await.unwrap();
    assert_eq!(response.history().len(), 1);
    assert!(response.text().await.unwrap().contains("word"));
    meddling.finish(4).await;
}

/// A decoder that changes nothing.
struct Identity<R: Movable>(Arc<Meddler<R>>);

impl<R: Movable> Decoder for Identity<R> {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> std::result::Result<Moved, Malformed> {
        self.0.meddle();
        let n = input.len().min(output.len());
        output[..n].copy_from_slice(&input[..n]);
        Ok(Moved { taken: n, made: n })
    }

    fn is_complete(&self) -> bool {
        true
    }
}

async fn fw3_a_decoder_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let meddler = meddling.meddler();
    set(&session, |settings| {
        settings.codings.insert("same", move || {
            meddler.meddle();
            Box::new(Identity(Arc::clone(&meddler)))
        });
        Ok(())
    });
    let coded = "HTTP/1.1 200 OK\r\nContent-Encoding: same\r\nContent-Length: 4\r\n\r\nword";
    server.script_path("/coded", Connection::new().expect_request().send(coded));
    let request = session.get(server.url("/coded")).header("Accept-Encoding", "same");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "word");
    meddling.finish(2).await;
}

async fn fw3_a_mock_and_a_service_may_use_their_session<R: Movable>(world: &World<R>) {
    let (_server, session, meddling) = plain(world);
    let (mocked, served) = (meddling.meddler(), meddling.meddler());
    let mock = Mock::new().on("GET", "/", move |_: &Received| {
        mocked.meddle();
        Reply::ok("mocked")
    });
    let service = tower::service_fn(move |_: sessio::http::Request<InProcessBody>| {
        served.meddle();
        let served = Arc::clone(&served);
        async move {
            served.meddle();
            Ok::<_, io::Error>(sessio::http::Response::new("served".to_owned()))
        }
    });
    set(&session, |settings| {
        settings.mounts.add("http://mock.test/", Mount::new().transport(mock)).unwrap();
        settings.mounts.add("http://app.test/", Mount::new().transport(InProcess::new(service))).unwrap();
        Ok(())
    });
    assert_eq!(fetch(session.get("http://mock.test/")).await.body, b"mocked");
    assert_eq!(fetch(session.get("http://app.test/")).await.body, b"served");
    meddling.finish(3).await;
}

async fn fw3_a_destructor_may_use_its_session<R: Movable>(world: &World<R>) {
    let (server, session, meddling) = plain(world);
    let parting = || Parting(meddling.meddler());
    // Held by settings that are replaced.
    let held = parting();
    set(&session, |settings| {
        settings.observer = Observer::new(move |_, _| {
            let _ = &held;
        });
        Ok(())
    });
    assert_eq!(meddling.0.times.load(Ordering::SeqCst), 0);
    set(&session, |settings| {
        settings.observer = Observer::default();
        Ok(())
    });
    assert_eq!(meddling.0.times.load(Ordering::SeqCst), 1);
    // Held by a jar policy that is replaced.
    let held = parting();
    session.cookies(|jar| {
        let mut policy = cookie::Policy::default();
        policy.suffixes = PublicSuffixes::from_fn(move |_| {
            let _ = &held;
            false
        });
        jar.set_policy(policy);
    });
    session.cookies(|jar| jar.set_policy(cookie::Policy::default()));
    assert_eq!(meddling.0.times.load(Ordering::SeqCst), 2);
    // Held by a request that is dropped before it is sent.
    let held = parting();
    drop(session.get(server.url("/get")).observe(Observer::new(move |_, _| {
        let _ = &held;
    })));
    assert_eq!(meddling.0.times.load(Ordering::SeqCst), 3);
    fetch(session.get(server.url("/get"))).await;
    meddling.finish(3).await;
}

struct MeddlingWake<R: Movable> {
    meddler: Arc<Meddler<R>>,
    woken: AtomicUsize,
    panics: bool,
    _parting: Parting<R>,
}

impl<R: Movable> Wake for MeddlingWake<R> {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.meddler.meddle();
        if self.panics {
            panic!("this waker is broken");
        }
    }
}

fn waker<R: Movable>(meddling: &Meddling<R>, panics: bool) -> Arc<MeddlingWake<R>> {
    let _parting = Parting(meddling.meddler());
    Arc::new(MeddlingWake { meddler: meddling.meddler(), woken: AtomicUsize::new(0), panics, _parting })
}

/// Two servers, a session with a limit of one connection per origin, and a request that holds the
/// connection to the first.
async fn narrow<R: Movable>(
    world: &World<R>,
) -> ([Server; 2], Session<FaultyRuntime<R>>, Meddling<R>, Pin<Box<impl Future<Output = ()> + use<R>>>) {
    let mut policy = Policy::default();
    policy.max_per_host = Some(1);
    let (server, other) = (Server::start(), Server::start());
    let session = session(world, world.runtime(), policy);
    // The meddling requests go to another origin: at this one they would wait too.
    let meddling = Meddling::of(&session, &other);
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    server.script_path("/held", Connection::new().expect_request().send(half).gate("end").send("world"));
    let held = session.get(server.url("/held")).send().await.unwrap();
    let rest = async move {
        assert_eq!(held.bytes().await.unwrap(), "helloworld");
    };
    ([server, other], session, meddling, Box::pin(rest))
}

async fn fa17_a_waker_may_use_its_session<R: Movable>(world: &World<R>) {
    let ([server, _other], session, meddling, held) = narrow(world).await;
    let [mut second, mut third] = ["/get?2", "/get?3"].map(|path| {
        let response = R::fetch(session.get(server.url(path)));
        Box::pin(async move { _ = response.await }) as Sent
    });
    let [one, other] = [waker(&meddling, false), waker(&meddling, false)];
    let is_waiting = |sent: &mut Sent, waker: &Arc<MeddlingWake<R>>| {
        sent.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(waker)))).is_pending()
    };
    assert!(is_waiting(&mut second, &one) && is_waiting(&mut third, &one));
    // A new waker replaces the one before. A second poll with the same waker changes nothing.
    assert!(is_waiting(&mut second, &other) && is_waiting(&mut second, &other));
    assert_eq!(session.stats().waiting, 2);
    server.open_gate("end");
    held.await;
    assert_eq!((one.woken.load(Ordering::SeqCst), other.woken.load(Ordering::SeqCst)), (0, 1));
    second.await;
    assert_eq!(one.woken.load(Ordering::SeqCst), 1);
    third.await;
    drop((one, other));
    meddling.finish(3).await;
}

async fn fa17_a_call_that_leaves_the_queue_drops_its_waker_outside_of_the_lock<R: Movable>(world: &World<R>) {
    let ([server, _other], session, meddling, held) = narrow(world).await;
    let response = R::fetch(session.get(server.url("/get?2")));
    let mut second: Sent = Box::pin(async move { _ = response.await });
    let waker = Waker::from(waker(&meddling, false));
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    // The queue owns the last one.
    drop(waker);
    assert_eq!(meddling.0.times.load(Ordering::SeqCst), 0);
    drop(second);
    assert_eq!((meddling.0.times.load(Ordering::SeqCst), session.stats().waiting), (1, 0));
    server.open_gate("end");
    held.await;
    meddling.finish(1).await;
}

async fn fa17_a_waker_that_panics_delays_no_other_call<R: Movable>(world: &World<R>) {
    let ([server, _other], session, meddling, held) = narrow(world).await;
    let [mut second, mut third] = ["/get?2", "/get?3"].map(|path| {
        let response = R::fetch(session.get(server.url(path)));
        Box::pin(async move { _ = response.await }) as Sent
    });
    let (broken, fine) = (waker(&meddling, true), waker(&meddling, false));
    for (sent, waker) in [(&mut second, &broken), (&mut third, &fine)] {
        let waker = Waker::from(Arc::clone(waker));
        assert!(sent.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    server.open_gate("end");
    // The call that returns the connection does not notice the panic.
    held.await;
    assert_eq!((broken.woken.load(Ordering::SeqCst), fine.woken.load(Ordering::SeqCst)), (1, 0));
    // The connection was granted to the call with the broken waker, which gives it up.
    drop(second);
    assert_eq!(fine.woken.load(Ordering::SeqCst), 1);
    third.await;
    drop((broken, fine));
    meddling.finish(2).await;
    assert_eq!((session.stats().waiting, session.stats().in_use), (0, 0));
}
