//! The session as a `tower_service::Service`, alone and below layers of tower.

use http_body_util::{BodyExt as _, Empty, Full};
use sessio::http::{Request, Response};
use sessio::{Bytes, Kind};
use sessio_driver::{ResponseBody, Runtime, Serve};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;
use tower::{Service, ServiceBuilder, ServiceExt as _};

scenarios! {
    a_session_is_a_service_below_layers
    a_borrowed_session_is_a_service
    f24_a_call_that_is_dropped_leaves_nothing_behind
}

async fn a_session_is_a_service_below_layers<R: Movable>(world: &World<R>)
where
    FaultyRuntime<R>: Serve<Full<Bytes>, Stream: Send, Sleep: Send>,
{
    let (server, session) = (Server::start(), world.session());
    let mut service = ServiceBuilder::new()
        .map_request(|mut request: Request<Full<Bytes>>| {
            request.headers_mut().insert("x-layer", "1".parse().unwrap());
            request
        })
        .map_response(|response: Response<ResponseBody<_>>| response.map(|body| body.boxed_unsync()))
        .service(session.clone());
    for path in ["/cookies/set/a/1", "/anything"] {
        let request = Request::post(server.url(path)).body(Full::from("hello")).unwrap();
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
    }
    let last = server.requests().pop().unwrap();
    assert_eq!(
        (last.header("x-layer").as_deref(), last.header("cookie").as_deref()),
        (Some("1"), Some("a=1"))
    );
    assert_eq!((last.text(), server.accepted(), session.stats().idle), ("hello".into(), 1, 1));

    let relative = Request::get("/x").body(Full::default()).unwrap();
    let error = service.ready().await.unwrap().call(relative).await.unwrap_err();
    assert_eq!(error.kind(), Kind::MissingScheme);
}

async fn a_borrowed_session_is_a_service<R: Runtime>(world: &World<R>)
where
    FaultyRuntime<R>: Serve<Empty<Bytes>>,
{
    let (server, session) = (Server::start(), world.session());
    let request = || Request::get(server.url("/get")).body(Empty::<Bytes>::new()).unwrap();
    let response = (&session).oneshot(request()).await.unwrap();
    assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
    // The session is borrowed only during `call`.
    let future = (&session).call(request());
    drop(session);
    assert_eq!(future.await.unwrap().status(), 200);
}

async fn f24_a_call_that_is_dropped_leaves_nothing_behind<R: Runtime>(world: &World<R>)
where
    FaultyRuntime<R>: Serve<Empty<Bytes>>,
{
    let (server, session) = (Server::start(), world.session());
    drop((&session).call(Request::get(server.url("/get")).body(Empty::<Bytes>::new()).unwrap()));
    assert_eq!((session.stats().in_use, server.accepted()), (0, 0));
}
