//! Python's servers, each a script of `tests/interop`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A script in a process of its own, which ends with this. It says on its first line at which port it listens.
#[derive(Debug)]
pub struct Python {
    child: Child,
    port: u16,
}

impl Python {
    /// Starts a script of `tests/interop`, with what its `install` has installed.
    ///
    /// # Panics
    /// If that is missing, or the script does not start.
    #[must_use]
    pub fn start(script: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let python = root.join(".venv/bin/python");
        assert!(python.exists(), "tests/interop/install installs what this talks to");
        let mut child = Command::new(python)
            .arg("-B")
            .arg(root.join("tests/interop").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python");
        let mut port = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut port).expect("a line");
        Self { child, port: port.trim().parse().expect("a port") }
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Its standard input ends, and it with that.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
