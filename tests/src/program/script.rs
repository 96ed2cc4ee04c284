//! Server scripts of `tests/interop`, in Python or for Node.js.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program;

/// A script in a separate process, which ends on drop. Its first line of output names its ports.
#[derive(Debug)]
pub struct Script {
    child: Child,
    ports: Vec<u16>,
}

impl Script {
    /// Starts a Python script of `tests/interop` in the environment that its `install` made.
    ///
    /// # Panics
    ///
    /// If that environment is missing, or the script does not start.
    #[must_use]
    pub fn python(script: &str) -> Self {
        Self::python_with(script, &[])
    }

    /// Starts a Python script with arguments.
    ///
    /// # Panics
    ///
    /// As [`python`](Self::python).
    #[must_use]
    pub fn python_with(script: &str, arguments: &[&Path]) -> Self {
        let mut command = Command::new(installed(".venv/bin/python"));
        command.arg("-B").arg(folder().join("tests/interop").join(script)).args(arguments);
        Self::start(command)
    }

    /// Starts a Node.js script of `tests/interop` in the environment that its `install` made.
    ///
    /// # Panics
    ///
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

    /// The address of port `number`, in the order of the script's first line.
    ///
    /// # Panics
    ///
    /// If the script has fewer ports.
    #[must_use]
    pub fn address(&self, number: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[number]).into()
    }

    /// The URL of a path on its first port. The path begins with a slash.
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
        // The script ends when its standard input ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
