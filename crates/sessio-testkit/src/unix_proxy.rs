//! A Unix socket in front of a server.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::server::{PATIENCE, Server};

/// A socket file that leads to a [`Server`]. Each connection to it becomes a connection to the
/// server, which scripts, routes and records it like any other. An end of the stream is passed on
/// in both directions. A reset becomes a plain end.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use sessio_testkit::{Server, UnixProxy};
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::start();
/// let proxy = UnixProxy::to(&server);
/// let mut client = UnixStream::connect(proxy.path())?;
/// client.write_all(b"GET /get HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
/// let mut response = String::new();
/// client.read_to_string(&mut response)?;
/// assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
/// assert_eq!(proxy.passed(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixProxy {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The connections that came through the socket.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Both sockets of each connection: the client's and the server's.
    pairs: Vec<(Arc<UnixStream>, Arc<TcpStream>)>,
    /// The number of connections that the server has not ended.
    open: usize,
    is_closed: bool,
}

impl UnixProxy {
    /// Makes a socket file for this server, in the folder for temporary files. The file is
    /// removed on drop.
    ///
    /// # Panics
    ///
    /// If the file cannot be made.
    pub fn to(server: &Server) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sessio-{}-{number}.sock", std::process::id()));
        // Left over from an earlier process that was killed.
        let _ = std::fs::remove_file(&path);
        let listener =
            UnixListener::bind(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let shared = Arc::new(Shared::default());
        let (to, inside) = (server.addr(), Arc::clone(&shared));
        let thread = thread::spawn(move || inside.admit(&listener, to));
        Self { path, shared, thread: Some(thread) }
    }

    /// The socket file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of connections that came through.
    pub fn passed(&self) -> usize {
        self.shared.lock().pairs.len()
    }

    /// Blocks until exactly `count` of them are open: the server has ended all others, and their
    /// clients can see it.
    ///
    /// # Panics
    ///
    /// If that takes longer than 20 seconds.
    #[track_caller]
    pub fn wait_open(&self, count: usize) {
        let waited =
            self.shared.changed.wait_timeout_while(self.shared.lock(), PATIENCE, |it| it.open != count);
        let (state, time) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!time.timed_out(), "{} connections are open", state.open);
    }
}

impl Drop for UnixProxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.is_closed = true;
            for (unix, tcp) in &state.pairs {
                let _ = (unix.shutdown(Shutdown::Both), tcp.shutdown(Shutdown::Both));
            }
        }
        // The thread blocks in `accept`, which only a connection ends.
        if UnixStream::connect(&self.path).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards connections until the proxy is closed, then waits for those that are open.
    fn admit(self: Arc<Self>, listener: &UnixListener, to: SocketAddr) {
        let mut threads = Vec::new();
        while let Ok((unix, _)) = listener.accept() {
            // Probably the connection that `drop` made, which the server need not see.
            if self.lock().is_closed {
                break;
            }
            let Ok(tcp) = TcpStream::connect(to) else { continue };
            let _ = tcp.set_nodelay(true);
            let (unix, tcp) = (Arc::new(unix), Arc::new(tcp));
            {
                let mut state = self.lock();
                if state.is_closed {
                    break;
                }
                state.pairs.push((Arc::clone(&unix), Arc::clone(&tcp)));
                state.open += 1;
            }
            self.changed.notify_all();
            let up = (Arc::clone(&unix), Arc::clone(&tcp));
            threads.push(thread::spawn(move || {
                let done = io::copy(&mut &*up.0, &mut &*up.1);
                let _ = up.1.shutdown(if done.is_ok() { Shutdown::Write } else { Shutdown::Both });
            }));
            let shared = Arc::clone(&self);
            threads.push(thread::spawn(move || {
                let done = io::copy(&mut &*tcp, &mut &*unix);
                let _ = unix.shutdown(if done.is_ok() { Shutdown::Write } else { Shutdown::Both });
                if done.is_err() {
                    let _ = tcp.shutdown(Shutdown::Both);
                }
                shared.lock().open -= 1;
                shared.changed.notify_all();
            }));
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}
