//! Tests that affect a whole process. Each case runs in its own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sessio_testkit::{Connection, Server};
use sessio_tests::authority::Authority;
use sessio_tests::server_tls::ServerTls;

const PATIENCE: Duration = Duration::from_secs(30);

/// A process and its output lines.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessio-child"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = to.send(line);
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("one more line")
    }

    fn signal(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::USR1).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A signal every 50 ms does not affect limits of 300 ms.
#[test]
fn fs1_signals_do_not_put_off_time_limits() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    let servers = [
        ("head", Server::scripted(Connection::new().expect_request())),
        ("total", Server::scripted(Connection::new().expect_request())),
        ("read", Server::scripted(Connection::new().expect_request().send(head).stall())),
        ("send", Server::scripted(Connection::new().read_head().stall())),
    ];
    for (which, server) in &servers {
        let process = Process::start(&["limit", which, &server.url("/")]);
        assert_eq!(process.line(), "ready");
        let line = loop {
            match process.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Timeout) => process.signal(),
                Err(error) => panic!("{which}: {error}"),
            }
        };
        let [limit, took, was_interrupted] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!((limit, was_interrupted), (*which, "true"));
        let took: u64 = took.parse().unwrap();
        assert!((300..3000).contains(&took), "{which}: {took} ms");
    }
}

#[test]
fn fs2_a_connection_that_was_closed_does_not_kill_the_process() {
    for backend in ["tokio", "smol", "blocking"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let process = Process::start(&["closed-pipe", backend, &address]);
        drop(listener.accept().unwrap());
        assert_eq!(process.line(), "false", "{backend}: SIGPIPE");
    }
}

#[test]
fn fs7_a_process_without_files_uses_those_of_idle_connections() {
    for backend in ["tokio", "smol", "blocking"] {
        let server = Server::start();
        let process = Process::start(&["full", backend, &server.url("/bytes/300000")]);
        assert_eq!(process.line(), "10 3", "{backend}");
        let error = process.line();
        assert!(error.contains("may open no more files"), "{backend}: {error}");
    }
}

#[test]
fn fs6_after_a_fork_both_processes_have_connections_of_their_own() {
    let issued = Authority::root("root").issue(|_| {});
    let server = ServerTls::new(&issued).serve();
    let process = Process::start(&["fork", &server.url("/post")]);
    assert_eq!(process.line(), "child false");
    assert_eq!(process.line(), "parent true");
    assert_eq!(server.accepted(), 2);
    let requests = server.requests();
    let mut types: Vec<_> = requests.iter().map(|request| request.header("content-type").unwrap()).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), 3, "{types:?}");
}
