//! Hooks on every backend: edits on each hop, repeated requests, failures.

use std::sync::{Arc, Mutex};

use sessio::hook::{self, Reaction};
use sessio::{Error, Kind, Mount};
use sessio_driver::Runtime;
use sessio_driver::mock::{Mock, Reply};
use sessio_testkit::{Connection, Server};
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect_chain;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    s18_hooks_edit_each_hop_of_a_call
    s18_a_hook_sends_a_request_again
    f32_a_hook_needs_a_replayable_body_to_send_it_again
    s18_a_hook_fails_a_call_by_its_response
    s18_a_hook_leads_a_request_elsewhere
    s18_hooks_run_over_a_transport
    s18_a_hook_sees_the_start_of_coded_bodies
}

/// The values of `X-Hop` in the requests of a server.
fn hops(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.header_all("x-hop").join("+")).collect()
}

/// A hook that counts the requests of a call in a header.
fn counted() -> impl sessio::Hook {
    hook::before(|request| {
        let before = request.headers().get("X-Hop").map_or(0, |text| text.parse().unwrap());
        Ok(request.headers_mut().insert("X-Hop", (before + 1).to_string())?)
    })
}

async fn s18_hooks_edit_each_hop_of_a_call<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    session.update(|settings| settings.hooks.add(counted()));
    let sealed = hook::before(|request| {
        let sealed = [request.body().as_bytes().unwrap_or_default(), b"+"].concat();
        request.set_body(sealed);
        Ok(())
    });
    let request = session.post(redirect_chain(&[&a, &b, &a], 307)).body("letter").hook(sealed);
    assert_eq!(fetch(request).await.status, 200);
    assert_eq!((hops(&a), hops(&b)), (vec!["1".to_owned(), "3".to_owned()], vec!["2".to_owned()]));
    let bodies: Vec<_> = a.requests().iter().chain(&b.requests()).map(|request| request.text()).collect();
    assert_eq!(bodies, ["letter+", "letter+++", "letter++"]);
    fetch(session.get(a.url("/get"))).await;
    assert_eq!(hops(&a)[2], "1");
}

async fn s18_a_hook_sends_a_request_again<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let refusal = "HTTP/1.1 428 X\r\nSet-Cookie: seen=1\r\nContent-Length: 4\r\n\r\nhow?";
    let server = Server::scripted(Connection::new().expect_request().send(refusal).expect_request().ok("in"));
    let hook = hook::after(|head, request| match head.status.as_u16() {
        428 => match request.headers_mut().insert("If-Match", "*") {
            Ok(()) => Reaction::Again,
            Err(fault) => Reaction::Fail(fault.into()),
        },
        _ => Reaction::Continue,
    });
    let request = session.put(server.url("/x")).source(Pieces::of(["a", "b"]), None, true).hook(hook);
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (200, 1));
    assert_eq!(response.history()[0].sent.get("If-Match"), None);
    assert_eq!(response.text().await.unwrap(), "in");
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.text() == "ab"));
    assert_eq!(requests[1].header_all("if-match"), ["*"]);
    assert_eq!(requests[1].header_all("cookie"), ["seen=1"]);
    assert_eq!(server.accepted(), 1);
}

async fn f32_a_hook_needs_a_replayable_body_to_send_it_again<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let request = session.post(server.url("/post")).hook(hook::after(|_, _| Reaction::Again));
    let error = request.source(Pieces::of(["a", "b"]), None, false).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotReplayable);
    assert_eq!((error.response().unwrap().head.status.as_u16(), server.requests().len()), (200, 1));
}

async fn s18_a_hook_fails_a_call_by_its_response<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| {
        settings.hooks.add(hook::response(|response| match response.head.status.is_success() {
            true => Ok(()),
            false => Err(Error::new(Kind::Status).with_detail(format!("{}", response.head.status))),
        }));
    });
    assert_eq!(fetch(session.get(server.url("/redirect/1"))).await.status, 200);
    let error = session.get(server.url("/status/503")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.response().unwrap().head.status.as_u16()), (Kind::Status, 503));
    // The session continues.
    assert_eq!(session.stats().in_use, 0);
    assert_eq!(fetch(session.get(server.url("/get"))).await.status, 200);
}

async fn s18_a_hook_leads_a_request_elsewhere<R: Runtime>(world: &World<R>) {
    let (main, mirror, session) = (Server::start(), Server::start(), world.session());
    let to = mirror.url("/anything/mirror");
    let hook = hook::after(move |head, request| match head.status.as_u16() {
        503 => match request.set_url(&*to) {
            Ok(()) => Reaction::Again,
            Err(error) => Reaction::Fail(error),
        },
        _ => Reaction::Continue,
    });
    let request = session.get(main.url("/status/503")).bearer_auth("secret").hook(hook);
    let response = request.send().await.unwrap();
    assert_eq!(response.url().as_str(), mirror.url("/anything/mirror"));
    assert_eq!(response.history()[0].url.as_str(), main.url("/status/503"));
    response.bytes().await.unwrap();
    assert_eq!(mirror.requests()[0].header("authorization"), None);
    assert_eq!((main.requests().len(), mirror.requests().len()), (1, 1));
}

async fn s18_hooks_run_over_a_transport<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mock = Mock::new().on("GET", "*", Reply::ok("mocked"));
    session
        .update(|settings| settings.mounts.add("http://mocked.test/", Mount::new().transport(mock)))
        .unwrap();
    let request = session.get(redirect_chain(&[&server], 302)).hook(hook::after(|head, request| {
        match head.status.is_success() && request.url().host_str() != Some("mocked.test") {
            true => match request.set_url("http://mocked.test/x") {
                Ok(()) => Reaction::Again,
                Err(error) => Reaction::Fail(error),
            },
            false => Reaction::Continue,
        }
    }));
    let response = request.hook(counted()).send().await.unwrap();
    assert_eq!(response.url().as_str(), "http://mocked.test/x");
    assert_eq!(response.text().await.unwrap(), "mocked");
}

async fn s18_a_hook_sees_the_start_of_coded_bodies<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mock = Mock::new().on("GET", "/", Reply::ok("a mocked body"));
    for most in [1, 20, 70_000] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let hook = hook::body(
            most,
            |_| true,
            move |response, _| {
                log.lock().unwrap().push((response.body.to_vec(), response.is_whole));
                Reaction::Continue
            },
        );
        session
            .update(|settings| {
                settings.hooks = hook::Hooks::default();
                settings.hooks.add(hook);
                settings.mounts.add("http://mock.test/", Mount::new().transport(mock.clone()))
            })
            .unwrap();
        for url in [
            server.url("/gzip"),
            server.url("/deflate"),
            server.url("/bytes/200000"),
            server.url("/status/204"),
            "http://mock.test/".into(),
        ] {
            let response = session.get(&url).send().await.unwrap();
            let body = response.bytes().await.unwrap();
            let (start, is_whole) = seen.lock().unwrap().pop().unwrap();
            assert_eq!(start, body[..most.min(65_536).min(body.len())], "{url}");
            assert_eq!(is_whole, start.len() == body.len(), "{url}");
        }
        // The rest of a body that is not read closes its connection, as without the hook.
        assert_eq!(session.stats().in_use, 0);
    }
}
