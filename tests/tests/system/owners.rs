//! Connections belong to the process, and to the reactor, that opened them.

use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fs6_a_child_opens_connections_of_its_own
    fa15_each_reactor_has_connections_of_its_own
}

async fn fs6_a_child_opens_connections_of_its_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (1, false));
    assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (1, true));
    session.runtime().fork();
    let child = fetch(session.get(server.url("/get"))).await.connection;
    assert!(!child.1, "{child:?}");
    assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (child.0, true));
    assert_eq!((server.accepted(), session.stats().idle), (2, 1));
}

async fn fa15_each_reactor_has_connections_of_its_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for reused in [false, true] {
        for (reactor, number) in [(7, 1), (8, 2), (9, 3)] {
            session.runtime().move_to(reactor);
            assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (number, reused));
        }
    }
    assert_eq!(server.accepted(), 3);
    session.close_idle_to(&server.url("/").parse().unwrap());
    assert_eq!(session.stats().idle, 0, "whatever their reactor");
}
