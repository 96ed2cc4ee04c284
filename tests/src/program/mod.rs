//! Real servers for the interop tests: programs in processes of their own, each with its own
//! folder.

mod apache;
mod caddy;
mod h2o;
mod haproxy;
mod nghttpd;
mod nginx;
mod openssl;
mod script;
mod socks;
mod squid;
mod tomcat;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;

pub use apache::apache;
pub use caddy::caddy;
pub use h2o::h2o;
pub use haproxy::haproxy;
pub use nghttpd::nghttpd;
pub use nginx::nginx;
pub use openssl::openssl;
pub use script::Script;
pub use socks::socks;
pub use squid::{Squid, User, squid};
pub use tomcat::tomcat;

/// A running server. It ends on drop.
#[derive(Debug)]
pub struct Program {
    child: Child,
    address: SocketAddr,
    folder: Folder,
}

impl Program {
    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL on it, with its address as the host.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs it and waits until it listens.
    fn start(mut command: Command, address: SocketAddr, folder: Folder) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the program starts");
        let mut program = Self { child, address, folder };
        let begin = Instant::now();
        // None of these programs reports that it is ready, so the port is tried.
        while TcpStream::connect(address).is_err() {
            let ended = program.child.try_wait().expect("our own child");
            let said = || fs::read_to_string(program.folder.file("errors")).unwrap_or_default();
            assert!(ended.is_none(), "{command:?} ended: {ended:?}\n{}", said());
            assert!(begin.elapsed() < Duration::from_secs(60), "{command:?} does not listen");
            thread::yield_now();
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a program: where the system keeps servers, or on `PATH`.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: tests/interop/install installs what this talks to"))
}

/// A free address.
fn free_address() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address")
}

/// Writes a file that any user can read, because programs change their user.
fn write(folder: &Folder, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.file(name);
    fs::write(&path, text).expect("a folder of our own");
    path
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8").trim_end_matches('/')
}
