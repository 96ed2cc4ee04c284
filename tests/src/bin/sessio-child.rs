//! A separate process for tests that would disturb others: signals, limits of the process, forks.
#![forbid(unsafe_code)]

#[cfg(unix)]
fn main() {
    child::main();
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod child {
    use std::fs::File;
    use std::future::poll_fn;
    use std::io::ErrorKind;
    use std::os::fd::AsRawFd as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use sessio::tls::Tls;
    use sessio::{Kind, Tcp, Timeouts};
    use sessio_blocking::Blocking;
    use sessio_blocking::multipart::Form;
    use sessio_driver::{Runtime, Session, Stream as _};
    use sessio_smol::Smol;
    use sessio_tests::source::Endless;
    use sessio_tokio::Tokio;
    use signal_hook::consts::{SIGPIPE, SIGUSR1};

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match arguments[..] {
            ["limit", which, url] => limit(which, url),
            ["closed-pipe", backend, address] => match backend {
                "tokio" => tokio().block_on(closed_pipe(Tokio::default(), address)),
                "smol" => smol::block_on(closed_pipe(Smol::default(), address)),
                _ => sessio_blocking::wait(closed_pipe(Blocking::default(), address)),
            },
            ["full", backend, url] => match backend {
                "tokio" => tokio().block_on(full(Tokio::default(), url)),
                "smol" => smol::block_on(full(Smol::default(), url)),
                _ => sessio_blocking::wait(full(Blocking::default(), url)),
            },
            ["fork", url] => fork(url),
            _ => panic!("{arguments:?}"),
        }
    }

    fn tokio() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of tokio")
    }

    fn flag(signal: i32) -> Arc<AtomicBool> {
        let flag = Arc::<AtomicBool>::default();
        signal_hook::flag::register(signal, Arc::clone(&flag)).expect("a handler");
        flag
    }

    /// Prints the limit that has passed, the milliseconds it took, and whether a signal was
    /// received.
    fn limit(which: &str, url: &str) {
        let was_interrupted = flag(SIGUSR1);
        let session = sessio_blocking::Session::new();
        session.update(|settings| {
            let limits: &mut Timeouts = &mut settings.timeouts;
            let limit = match which {
                "connect" => &mut limits.connect,
                "send" => &mut limits.send,
                "head" => &mut limits.head,
                "read" => &mut limits.read,
                _ => &mut limits.total,
            };
            *limit = Some(Duration::from_millis(300));
        });
        println!("ready");
        let began = Instant::now();
        let request = match which {
            "send" => session.post(url).source(Endless, None, false),
            _ => session.get(url),
        };
        let error = request.send().and_then(sessio_blocking::Response::bytes).expect_err("a limit");
        let took = began.elapsed().as_millis();
        let Kind::Timeout(limit) = error.kind() else { panic!("{error}") };
        println!("{} {took} {}", limit.name(), was_interrupted.load(Ordering::Relaxed));
    }

    /// Checks whether a write to a connection that the peer has closed raises SIGPIPE.
    async fn closed_pipe<R: Runtime>(runtime: R, address: &str) {
        // A handler replaces the default action, which would end the process.
        let was_killed = flag(SIGPIPE);
        let address = address.parse().expect("an address");
        let mut stream = runtime.connect(address, Tcp::default(), None).await.expect("a connection");
        let end = poll_fn(|cx| stream.poll_read(cx, &mut [0; 10])).await;
        assert_eq!(end.expect("the end"), 0);
        // The peer has closed completely, so it responds to a write with a reset.
        let error = loop {
            if let Err(error) = poll_fn(|cx| stream.poll_write(cx, b"x")).await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
        println!("{}", was_killed.load(Ordering::Relaxed));
    }

    /// Prints the number of idle connections before and after a request that finds no free file
    /// descriptor. Then prints the error when no connection is idle.
    async fn full<R: Runtime>(runtime: R, url: &str) {
        let session = Session::with_runtime(runtime);
        let mut responses = Vec::new();
        // Each response holds its connection until it is read.
        for _ in 0..10 {
            responses.push(session.get(url).send().await.expect("a response"));
        }
        for response in responses {
            response.bytes().await.expect("its body");
        }
        let before = session.stats().idle;
        let other = url.replace("127.0.0.1", "127.0.0.2");
        let [port] = [sessio::Url::parse(url).expect("a URL").port().expect("a port")];
        session.resolve("other.test", [([127, 0, 0, 1], port).into()]).expect("a host");
        let next = File::open("/dev/null").expect("one more file").as_raw_fd();
        let whole = getrlimit(Resource::Nofile);
        let least = Rlimit { current: Some(next as u64), maximum: whole.maximum };
        setrlimit(Resource::Nofile, least).expect("a limit");
        let response = session.get(format!("http://other.test:{port}/get")).send().await;
        response.expect("a response").bytes().await.expect("its body");
        let after = session.stats().idle;
        println!("{before} {after}");
        // A session without idle connections. The limit applies again once the other session has
        // used all descriptors.
        let least = Rlimit { current: Some(3), maximum: whole.maximum };
        setrlimit(Resource::Nofile, least).expect("a limit");
        let empty = Session::with_runtime(session.runtime().clone());
        let error = empty.get(&other).send().await.expect_err("no file");
        println!("{error}");
        setrlimit(Resource::Nofile, whole).expect("the limit");
    }

    /// A parent and its child use the same session.
    fn fork(url: &str) {
        let session = sessio_blocking::Session::new();
        session.update(|settings| settings.tls = Tls::default().danger_accept_invalid_certs(true));
        let post = |session: &sessio_blocking::Session| {
            let request = session.post(url).multipart(Form::new().text("a", "b"));
            let response = request.send().expect("a response");
            let reused = response.connection().is_reused();
            response.bytes().expect("its body");
            reused
        };
        assert!(!post(&session));
        match fork::fork().expect("a child") {
            fork::Fork::Child => {
                println!("child {}", post(&session));
                drop(session);
            }
            fork::Fork::Parent(child) => {
                fork::waitpid(child).expect("the end of the child");
                println!("parent {}", post(&session));
            }
        }
    }
}
