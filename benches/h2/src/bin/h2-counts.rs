//! Counts the cost of a request for each client: instructions in user mode, calls of the allocator,
//! system calls. Each figure is the difference of two lengths of a run, so one-time costs do not
//! count.
//!
//! The server is nghttpd (Debian's nghttp2-server). nghttp2's own client is h2load
//! (nghttp2-client).

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bench_h2::Outcome;

/// The two lengths of a run, in requests.
const LENGTHS: [usize; 2] = [1024, 3072];
/// The numbers of concurrent requests.
const AT_ONCE: [usize; 2] = [1, 64];
/// The size of a small response body, in bytes.
const SMALL: usize = 128;
/// A body of many DATA frames, in bytes. nghttpd fills each with 16,384 bytes.
const LARGE: usize = 4 << 20;
/// The two lengths of a run with large bodies, in requests.
const LARGE_LENGTHS: [usize; 2] = [2, 6];

fn main() -> Outcome {
    let server = Server::start()?;
    println!("| client | at once | user instructions | heap calls | system calls |");
    println!("|---|---:|---:|---:|---:|");
    for client in ["sessio-h2", "h2", "h2load"] {
        for at_once in AT_ONCE {
            let run = Run { client, server: &server, path: "/small", bytes: SMALL, at_once };
            let instructions = run.instructions(LENGTHS)?;
            let heap = run.heap_calls(LENGTHS)?;
            let system = run.system_calls(LENGTHS)?;
            println!("| {client} | {at_once} | {instructions:.0} | {heap:.2} | {system:.2} |");
        }
    }
    println!("\n4 MiB down in 256 DATA frames, each response:\n");
    println!("| client | user instructions | heap calls |");
    println!("|---|---:|---:|");
    for client in ["sessio-h2", "h2", "h2load"] {
        let run = Run { client, server: &server, path: "/large", bytes: LARGE, at_once: 1 };
        let (instructions, heap) = (run.instructions(LARGE_LENGTHS)?, run.heap_calls(LARGE_LENGTHS)?);
        println!("| {client} | {instructions:.0} | {heap:.2} |");
    }
    Ok(())
}

struct Run<'a> {
    client: &'a str,
    server: &'a Server,
    path: &'a str,
    bytes: usize,
    at_once: usize,
}

impl Run<'_> {
    fn instructions(&self, lengths: [usize; 2]) -> Outcome<f64> {
        let file = scratch("callgrind");
        let out = format!("--callgrind-out-file={}", file.display());
        let count = self.each(lengths, &["valgrind", "--tool=callgrind", &out], "Collected : ");
        let _ = std::fs::remove_file(file);
        count
    }

    fn heap_calls(&self, lengths: [usize; 2]) -> Outcome<f64> {
        self.each(lengths, &["valgrind", "--tool=memcheck"], "total heap usage: ")
    }

    fn system_calls(&self, lengths: [usize; 2]) -> Outcome<f64> {
        let file = scratch("strace");
        let path = file.display().to_string();
        let mut totals = [0.0; 2];
        for (total, length) in totals.iter_mut().zip(lengths) {
            self.run(length, &["strace", "-f", "-c", "-o", &path])?;
            let told = std::fs::read_to_string(&file)?;
            // % time, seconds, usecs/call, calls, errors if any, name
            let line = told.lines().find(|line| line.ends_with(" total")).ok_or("strace has no total")?;
            *total = line.split_whitespace().nth(3).ok_or("strace has no count")?.parse()?;
        }
        let _ = std::fs::remove_file(file);
        Ok(difference(totals, lengths))
    }

    /// The number after a word in the output of a tool, per request.
    fn each(&self, lengths: [usize; 2], tool: &[&str], word: &str) -> Outcome<f64> {
        let mut totals = [0.0; 2];
        for (total, length) in totals.iter_mut().zip(lengths) {
            let told = self.run(length, tool)?;
            let rest = told.split_once(word).ok_or_else(|| format!("{tool:?}: {told}"))?.1;
            let digits = rest.split_whitespace().next().unwrap_or_default().replace(',', "");
            *total = digits.parse()?;
        }
        Ok(difference(totals, lengths))
    }

    fn run(&self, requests: usize, tool: &[&str]) -> Outcome<String> {
        let mut command = Command::new(tool[0]);
        command.args(&tool[1..]);
        let address = format!("127.0.0.1:{}", self.server.port);
        if self.client == "h2load" {
            let streams = self.at_once.to_string();
            command.args(["h2load", "-c1", "-n", &requests.to_string(), "-m", &streams]);
            command.arg(format!("http://{address}{}", self.path));
        } else {
            command.arg(std::env::current_exe()?.with_file_name(self.client));
            command.args([&address, self.path]);
            command.args([requests, self.at_once, self.bytes].map(|number| number.to_string()));
        }
        let output = command.stdin(Stdio::null()).output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(told) } else { Err(format!("{command:?}: {told}").into()) }
    }
}

fn difference(totals: [f64; 2], lengths: [usize; 2]) -> f64 {
    (totals[1] - totals[0]) / (lengths[1] - lengths[0]) as f64
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("sessio-bench-h2-{name}-{}", std::process::id()))
}

/// nghttpd, which runs while this value lives.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn start() -> Outcome<Self> {
        let folder = scratch("files");
        std::fs::create_dir_all(&folder)?;
        for (name, bytes) in [("small", SMALL), ("large", LARGE)] {
            std::fs::write(folder.join(name), vec![b'x'; bytes])?;
        }
        // The port is free at this moment. nghttpd cannot report a port that it chose itself.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Self::spawn(port, &folder)?;
        let server = Self { child, port, folder };
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err("nghttpd does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn spawn(port: u16, folder: &Path) -> Outcome<Child> {
        let mut command = Command::new("nghttpd");
        command.args(["--no-tls", "--address=127.0.0.1", "-d"]).arg(folder).arg(port.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.map_err(|error| format!("nghttpd (Debian's nghttp2-server): {error}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
