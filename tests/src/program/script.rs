//! Scripts of `tests/interop` that serve something, in Python or for node.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program;

/// A script in a process of its own, which ends with this. It says on its first line at which ports it listens.
#[derive(Debug)]
pub struct Script {
    child: Child,
    ports: Vec<u16>,
}

impl Script {
    /// Starts a Python script of `tests/interop`, with what its `install` has installed.
    ///
    /// # Panics
    /// If that is missing, or the script does not start.
    #[must_use]
    pub fn python(script: &str) -> Self {
        Self::python_with(script, &[])
    }

    /// The same with arguments.
    ///
    /// # Panics
    /// As [`python`](Self::python).
    #[must_use]
    pub fn python_with(script: &str, arguments: &[&Path]) -> Self {
        let mut command = Command::new(installed(".venv/bin/python"));
        command.arg("-B").arg(folder().join("tests/interop").join(script)).args(arguments);
        Self::start(command)
    }

    /// Starts a script of `tests/interop` for node, with what its `install` has installed.
    ///
    /// # Panics
    /// As [`python`](Self::python).
    #[must_use]
    pub fn node(script: &str, arguments: &[&Path]) -> Self {
        let mut command = Command::new(program("node"));
        command.env("NODE_PATH", installed(".npm/node_modules"));
        command.arg(folder().join("tests/interop").join(script)).args(arguments);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the script starts");
        let mut ports = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut ports).expect("a line");
        let ports = ports.split_whitespace().map(|port| port.parse().expect("a port")).collect();
        Self { child, ports }
    }

    /// Where it listens, by the order of its first line.
    ///
    /// # Panics
    /// If it listens at fewer ports.
    #[must_use]
    pub fn address(&self, number: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[number]).into()
    }

    /// The URL of a path, which begins with a slash, at its first port.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address(0))
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn installed(path: &str) -> PathBuf {
    let path = folder().join(path);
    assert!(path.exists(), "tests/interop/install installs what this talks to");
    path
}

impl Drop for Script {
    fn drop(&mut self) {
        // Its standard input ends, and it with that.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
