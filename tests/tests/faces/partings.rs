//! Sessions that are dropped outside of their runtime. Their TLS closing messages are sent if
//! possible.

use sessio::tls::Tls;
use sessio_testkit::{Connection, Server};
use sessio_tests::authority::Authority;
use sessio_tests::server_tls::ServerTls;
use sessio_tokio::Session;

#[test]
fn q16_a_session_ends_outside_of_its_runtime_and_after_it() {
    let root = Authority::root("root");
    let tls = ServerTls::new(&root.issue(|_| {}));
    let closing_alerts = tls.closing_alerts();
    let kept = || Connection::new().expect_request().ok("hi").read_to_end();
    let server = Server::adapted_scripted(tls.adapters(), [kept(), kept()]);
    for (number, outlives) in [false, true].into_iter().enumerate() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let session = Session::new();
        session.update(|settings| {
            settings.tls = Tls::default().roots(root.certificates());
            settings.trust_env = false;
        });
        runtime.block_on(async {
            let response = session.get(server.url("/")).send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "hi");
        });
        if outlives {
            drop(runtime);
            drop(session);
        } else {
            drop(session);
        }
        server.wait_closed(number);
    }
    // Without the runtime nothing can be sent, and that is no error.
    let words = closing_alerts.so_far();
    assert!(!words.is_empty() && words.iter().all(|word| word == "close_notify"), "{words:?}");
}
