//! Real servers that the interop tests talk to: programs in processes of their own, each in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;

/// Whether real programs are to be talked to: `SESSIO_INTEROP=1`. If not, it says so by the name of the test.
#[must_use]
pub fn wanted(test: &str) -> bool {
    let wanted = std::env::var_os("SESSIO_INTEROP").is_some_and(|on| on == "1");
    if !wanted {
        println!("skipped: {test} (SESSIO_INTEROP is not 1)");
    }
    wanted
}

/// The program of this name, where the system keeps servers or on its path.
///
/// # Panics
/// If it is not installed.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: tests/interop/install installs what this talks to"))
}

/// A server that is running, and ends with this value.
#[derive(Debug)]
pub struct Program {
    child: Child,
    address: SocketAddr,
    folder: Folder,
}

/// nginx with this text as the `server` part of its configuration; `{folder}` in it is the program's folder, where
/// `fill` may put files.
///
/// # Panics
/// If nginx is missing, or does not listen after a minute.
#[must_use]
pub fn nginx(server: &str, fill: impl FnOnce(&Path)) -> Program {
    let folder = Folder::new();
    fill(&folder.file(""));
    let address = free_address();
    let module = Path::new("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so");
    let module = if module.exists() { format!("load_module {};", module.display()) } else { String::new() };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|of| format!("{of}_temp_path {{folder}}/{of};\n"))
        .concat();
    let text = format!(
        "{module}\nuser root;\ndaemon off;\nmaster_process off;\npid {{folder}}/pid;\nerror_log {{folder}}/errors;\n\
         events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temporary}\
         server {{\nlisten {address};\n{server}\n}}\n}}\n"
    );
    let configuration = folder.file("nginx.conf");
    let text =
        text.replace("{folder}", folder.file("").to_str().expect("a path in UTF-8").trim_end_matches('/'));
    fs::write(&configuration, text).expect("a folder of our own");
    let mut command = Command::new(program("nginx"));
    command.args([OsStr::new("-c"), configuration.as_os_str()]);
    command.arg("-e").arg(folder.file("errors")).arg("-p").arg(folder.file(""));
    Program::start(command, address, folder)
}

/// An address where nobody listens now.
fn free_address() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address")
}

impl Program {
    /// Runs it, until it listens.
    fn start(mut command: Command, address: SocketAddr, folder: Folder) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the program starts");
        let mut program = Self { child, address, folder };
        let begin = Instant::now();
        // Neither has a way to tell that it is ready but to be.
        while TcpStream::connect(address).is_err() {
            let ended = program.child.try_wait().expect("our own child");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(begin.elapsed() < Duration::from_secs(60), "{command:?} does not listen");
            thread::yield_now();
        }
        program
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
