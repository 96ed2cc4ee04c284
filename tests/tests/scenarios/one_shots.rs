//! One-shot functions use no session and keep no state (story S20).

use sessio_testkit::Server;

#[test]
fn s20_one_shots_of_tokio_remember_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start();
        sessio_tokio::get(server.url("/cookies/set/a/1")).await.unwrap();
        sessio_tokio::post(server.url("/post")).await.unwrap();
        sessio_tokio::request("PROPFIND", server.url("/anything")).header("Depth", "1").send().await.unwrap();
        forgets(&server);
    });
}

#[test]
fn s20_one_shots_of_smol_remember_nothing() {
    smol::block_on(async {
        let server = Server::start();
        sessio_smol::get(server.url("/cookies/set/a/1")).await.unwrap();
        sessio_smol::post(server.url("/post")).await.unwrap();
        sessio_smol::request("PROPFIND", server.url("/anything")).header("Depth", "1").send().await.unwrap();
        forgets(&server);
    });
}

#[test]
fn s20_one_shots_on_plain_sockets_remember_nothing() {
    let server = Server::start();
    sessio_blocking::get(server.url("/cookies/set/a/1")).unwrap();
    sessio_blocking::post(server.url("/post")).unwrap();
    let session = sessio_blocking::Session::new();
    session.request("PROPFIND", server.url("/anything")).header("Depth", "1").send().unwrap();
    drop(session);
    forgets(&server);
}

fn forgets(server: &Server) {
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().map(|request| (request.method(), request.header("cookie"))).collect();
    // Within one call a redirect sends the cookie that was set.
    let expected = [("GET", None), ("GET", Some("a=1".to_owned())), ("POST", None), ("PROPFIND", None)];
    assert_eq!(lines, expected);
    assert_eq!(server.accepted(), 3);
    server.wait_open(0);
}
