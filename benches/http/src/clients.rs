//! The programs: the server and the clients, each in a separate process.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::Outcome;
use crate::meter::Reading;

/// The clients. The lower bounds are first.
pub const CLIENTS: [&str; 7] =
    ["raw-blocking", "raw-tokio", "sessio-blocking", "sessio-tokio", "sessio-smol", "hyper", "reqwest"];

/// Whether a client supports concurrent requests.
pub fn is_concurrent(client: &str) -> bool {
    !client.ends_with("-blocking")
}

/// Whether a client keeps connections to several hosts.
pub fn has_hosts(client: &str) -> bool {
    client != "hyper"
}

/// Whether a client decodes content codings.
pub fn has_codings(client: &str) -> bool {
    client.starts_with("sessio-") || client == "reqwest"
}

/// The path of the program with that name, beside this one.
///
/// # Errors
///
/// If it was not built.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("{} was not built", path.display()).into()) }
}

/// A command, pinned to a core if one is given.
pub fn on_core(core: Option<usize>, program: impl AsRef<std::ffi::OsStr>) -> Command {
    match core {
        None => Command::new(program),
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &core.to_string()]).arg(program);
            command
        }
    }
}

/// Whether a client supports TLS.
pub fn has_tls(client: &str) -> bool {
    client != "raw-blocking"
}

/// The server, which runs while this value lives.
pub struct Server {
    child: Child,
    arguments: Vec<String>,
}

impl Server {
    /// Starts the server.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(core: Option<usize>) -> Outcome<Self> {
        let mut command = on_core(core, program("server")?);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut told = String::new();
        let out = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(out).read_line(&mut told)?;
        let mut told = told.split_whitespace();
        let mut next = || told.next().ok_or("the server did not say where it is");
        let (port, tls, root) = (next()?, next()?, next()?);
        let (server, tls) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{tls}"));
        let arguments = ["--server", &server, "--tls-server", &tls, "--root", root];
        Ok(Self { child, arguments: arguments.map(str::to_owned).to_vec() })
    }

    /// The CPU time so far, in nanoseconds. 0 if the system does not report it.
    pub fn cpu_ns(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let times = tasks.into_iter().flatten().flatten().filter_map(|task| {
            let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        times.sum()
    }

    /// The arguments of a client for this server.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends at the end of its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Runs a client to its end.
///
/// # Errors
///
/// If it fails. A wrong response is a failure.
pub fn run(mut command: Command) -> Outcome<Reading> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Reading::parse(String::from_utf8(output.stdout)?.trim())
}
