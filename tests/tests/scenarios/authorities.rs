//! Certificates named by the environment: read when TLS is first wanted, and kept.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessio::{Environment, Kind};
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::world::World;

scenarios! { sealed:
    fs5_a_bundle_is_read_when_tls_is_wanted_and_not_before
    fs5_a_bundle_that_cannot_be_read_is_an_error_for_tls_alone
    fs5_a_redirect_to_https_reads_it
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));

/// A bundle in its own file, which is removed at the end.
struct Bundle(PathBuf);

impl Bundle {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("sessio-bundle-{}-{number}.pem", std::process::id())))
    }

    fn write(&self, authority: &Authority) {
        let text = STANDARD.encode(authority.der());
        fs::write(&self.0, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
            .unwrap();
    }

    fn environment(&self) -> Environment {
        Environment::new([("SSL_CERT_FILE", self.0.as_os_str())])
    }

    fn session<R: Runtime>(&self, world: &World<R>) -> Session<FaultyRuntime<R>> {
        world.session_on(world.runtime().environment(self.environment()))
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn fs5_a_bundle_is_read_when_tls_is_wanted_and_not_before<R: Runtime>(world: &World<R>) {
    let (plain, secure, bundle) = (Server::start(), ServerTls::new(&SERVER).serve(), Bundle::new());
    let session = bundle.session(world);
    // The file does not exist yet.
    fetch(session.get(plain.url("/get"))).await;
    bundle.write(&ROOT);
    fetch(session.get(secure.url("/get"))).await;
    // The certificates are now in memory, for another session of this process too. Connections of
    // both have equal settings.
    fs::remove_file(&bundle.0).unwrap();
    fetch(session.get(secure.url("/get"))).await;
    assert_eq!((secure.accepted(), secure.requests().len()), (1, 2));
    let prepared = session.prepare(sessio::Request::get(secure.url("/get"))).unwrap();
    assert!(prepared.options.routing.environment.certificates().is_some());
    // Read again on request. The file is then missing.
    session.reload_environment();
    let error = session.get(secure.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidTls);
}

async fn fs5_a_bundle_that_cannot_be_read_is_an_error_for_tls_alone<R: Runtime>(world: &World<R>) {
    let (plain, secure, bundle) = (Server::start(), ServerTls::new(&SERVER).serve(), Bundle::new());
    let session = bundle.session(world);
    let error = session.get(secure.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidTls);
    let told = error.to_string();
    assert!(told.contains("SSL_CERT_FILE") && told.contains(bundle.0.to_str().unwrap()), "{told}");
    fetch(session.get(plain.url("/get"))).await;
    // A request with its own roots needs no bundle.
    fetch(session.get(secure.url("/get")).roots(ROOT.certificates())).await;
    assert_eq!(secure.requests().len(), 1);
}

async fn fs5_a_redirect_to_https_reads_it<R: Runtime>(world: &World<R>) {
    let (plain, secure, bundle) = (Server::start(), ServerTls::new(&SERVER).serve(), Bundle::new());
    bundle.write(&ROOT);
    let session = bundle.session(world);
    fetch(session.get(redirect(&plain, secure.url("/get"), 302))).await;
    assert_eq!(secure.requests().len(), 1);
}
