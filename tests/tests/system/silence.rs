//! Real addresses that do not respond: those of a listener with a full backlog.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use sessio::{Kind, Timeout};
use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;
use sessio_tokio::sessio::Url;

scenarios! { system:
    fw2_a_silent_address_is_overtaken
    fs3_a_limit_that_runs_out_while_connecting_is_that_limit
}

/// A listener that accepts no connection, with the sockets that fill its backlog.
struct Wall {
    address: SocketAddr,
    _listener: sessio_driver::socket2::Socket,
    _crowd: Vec<TcpStream>,
}

fn wall() -> Wall {
    use sessio_driver::socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let mut crowd = Vec::new();
    // The system accepts one or two more than its backlog.
    while let Ok(one) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        crowd.push(one);
    }
    Wall { address, _listener: listener, _crowd: crowd }
}

async fn fw2_a_silent_address_is_overtaken<R: Runtime>(world: &World<R>) {
    let (wall, server) = (wall(), Server::start());
    let session = world.session_on(world.runtime().name("many.test", [wall.address, server.addr()]));
    let began = Instant::now();
    assert_eq!(fetch(session.get("http://many.test/get")).await.status, 200);
    // The system itself fails after two minutes.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(session.runtime().dialled(), [wall.address, server.addr()]);
    assert_eq!(session.runtime().dialling(), 0);
}

async fn fs3_a_limit_that_runs_out_while_connecting_is_that_limit<R: Runtime>(world: &World<R>) {
    let wall = wall();
    let url = Url::parse(&format!("http://{}/", wall.address)).unwrap();
    for (which, limit) in [(Timeout::Connect, 3), (Timeout::Total, 10)] {
        for _ in 0..20 {
            let session = world.session();
            session.update(|settings| {
                let limits = &mut settings.timeouts;
                let place = match which {
                    Timeout::Total => &mut limits.total,
                    _ => &mut limits.connect,
                };
                *place = Some(Duration::from_millis(limit));
            });
            let error = session.get(&url).send().await.unwrap_err();
            assert_eq!(error.kind(), Kind::Timeout(which), "{error}");
        }
    }
}
