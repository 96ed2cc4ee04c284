//! A process that has no file descriptor left.

use sessio::Kind;
use sessio_driver::{ConnectFailure, Runtime};
use sessio_testkit::Server;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fs7_idle_connections_make_room_once
}

async fn fs7_idle_connections_make_room_once<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    for (exhausted, idle_after) in [(0, Some(5)), (1, Some(1)), (2, None)] {
        let runtime = world.runtime().name("other.test", [server.addr()]);
        let session = world.session_on(runtime);
        let mut responses = Vec::new();
        // Each response holds its connection until it is read.
        for _ in 0..4 {
            responses.push(session.get(server.url("/bytes/100000")).send().await.unwrap());
        }
        for response in responses {
            response.bytes().await.unwrap();
        }
        assert_eq!(session.stats().idle, 4);
        session.runtime().exhaust(exhausted);
        let sent = session.get("http://other.test/get").send().await;
        match idle_after {
            Some(idle) => {
                sent.unwrap().bytes().await.unwrap();
                assert_eq!(session.stats().idle, idle);
            }
            None => {
                let error = sent.unwrap_err();
                assert_eq!(error.kind(), Kind::Connect);
                assert!(error.to_string().contains("may open no more files"), "{error}");
            }
        }
        session.close();
        server.wait_open(0);
    }
    // No connection is idle, so there is no second attempt.
    let session = world.session();
    session.runtime().exhaust(1);
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    let failure = std::error::Error::source(&error).unwrap().downcast_ref::<ConnectFailure>().unwrap();
    assert_eq!(failure.attempts()[0].error().unwrap().raw_os_error(), Some(24));
    assert_eq!(session.runtime().dialled().len(), 1);
}
