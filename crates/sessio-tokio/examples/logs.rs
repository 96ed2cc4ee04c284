//! The log of a session. Most programs use a crate such as `env_logger` for it.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use sessio_tokio::call::{Observer, Secrets};
use sessio_tokio::mock::{Mock, Reply};
use sessio_tokio::{Mount, Result, Session};

/// Prints the records of sessions, and stores them for the end of this program.
struct Logger(Mutex<Vec<String>>);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sessio")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
            self.0.lock().expect("no thread panics with it").push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

static LOGGER: Logger = Logger(Mutex::new(Vec::new()));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    log::set_logger(&LOGGER).map(|()| log::set_max_level(LevelFilter::Debug)).expect("the first logger");
    let session = Session::new();
    session.update(|s| s.mounts.add("https://api.example/", Mount::new().transport(api())))?;

    // The session writes a line for each response, without secrets.
    session.get("https://api.example/old?token=s3cret").send().await?.text().await?;
    let lines = LOGGER.0.lock().expect("no thread panics with it").join("\n");
    assert!(lines.contains("\"GET /old?token=REDACTED HTTP/1.1\" 301"), "{lines}");
    assert!(lines.contains("redirect to GET https://api.example/users"), "{lines}");

    // One request with its header fields, and as a command line for a report.
    let request = session.get("https://api.example/users").bearer_auth("s3cret");
    let call = request.observe(Observer::dump(|lines| eprintln!("{lines}"))).prepare()?;
    let line = call.request.to_curl(Secrets::Masked);
    assert!(line.contains("-H 'Authorization: ***'"), "{line}");
    session.execute(call).await.map(drop)
}

/// A server without sockets, for this example.
fn api() -> Mock {
    let moved = Reply::new(301).header("Location", "/users");
    Mock::new().on("GET", "/old", moved).on("GET", "/users", Reply::ok("Ada"))
}

#[test]
fn runs() {
    main().unwrap();
}
