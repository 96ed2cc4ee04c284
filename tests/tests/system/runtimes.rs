//! One session on several runtimes of tokio.

use std::time::Duration;

use sessio_testkit::Server;
use sessio_tokio::Session;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The number of the connection, and whether it was reused.
fn get(runtime: &Runtime, session: &Session, server: &Server) -> (u64, bool) {
    runtime.block_on(async {
        let exchange = async {
            let response = session.get(server.url("/get")).send().await.unwrap();
            let connection = sessio_tests::fetch::connection(&response);
            response.bytes().await.unwrap();
            connection
        };
        tokio::time::timeout(Duration::from_secs(30), exchange).await.expect("a runtime that nobody drives")
    })
}

#[test]
fn fa15_a_connection_of_a_runtime_that_nobody_drives_is_not_used() {
    let (server, session) = (Server::start(), Session::new());
    let (one, other) = (runtime(), runtime());
    assert_eq!(get(&one, &session, &server), (1, false));
    assert_eq!(get(&other, &session, &server), (2, false));
    // Each runtime reuses its own connection.
    assert_eq!(get(&one, &session, &server), (1, true));
    assert_eq!(get(&other, &session, &server), (2, true));
    assert_eq!(server.accepted(), 2);
}

#[test]
fn fb13_a_connection_of_a_runtime_that_was_dropped_is_not_used() {
    let (server, session) = (Server::start(), Session::new());
    for number in 1..=3 {
        assert_eq!(get(&runtime(), &session, &server), (number, false));
    }
}
