//! Time limits that pass during an operation that cannot be interrupted.

use std::time::Duration;

use sessio::{Kind, Resolver, Timeout};
use sessio_testkit::Server;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fs10_a_resolver_that_does_not_return_in_time_was_too_late
}

async fn fs10_a_resolver_that_does_not_return_in_time_was_too_late<R: Movable>(world: &World<R>) {
    let server = Server::start();
    let minute = Duration::from_secs(60);
    for (which, takes) in [(Timeout::Resolve, 60), (Timeout::Total, 60), (Timeout::Resolve, 59)] {
        let runtime = world.runtime();
        let session = world.session_on(runtime.clone());
        let address = server.addr();
        session.update(|settings| {
            let limit = match which {
                Timeout::Total => &mut settings.timeouts.total,
                _ => &mut settings.timeouts.resolve,
            };
            *limit = Some(minute);
            settings.resolver = Resolver::from_fn(move |_, _| {
                runtime.pass(Duration::from_secs(takes));
                Ok(vec![address])
            });
        });
        let sent = session.get("http://slow.test/get").send().await;
        if takes < 60 {
            assert!(!sent.unwrap().bytes().await.unwrap().is_empty());
            continue;
        }
        let error = sent.unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout(which), "{error}");
        assert!(error.is_safe_to_repeat());
        assert_eq!((session.runtime().dialled(), session.stats().in_use), (vec![], 0));
    }
}
