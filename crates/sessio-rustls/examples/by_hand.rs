//! The core without a driver: a whole session over `std::net::TcpStream`, without runtime or async,
//! in plain text and over TLS.
//!
//! [`Call`] makes every decision of a session, and this program moves the bytes. `Connect::open`
//! returns a connection, with a TLS session if the URL needs one. `cargo run -p sessio-rustls
//! --example by_hand` runs it against loopback servers.

mod tls_server;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::thread;
use std::time::SystemTime;

use sessio::call::Direction;
use sessio::pool::{Effects, Grant, Policy, Pool};
use sessio::routing::KeyBuf;
use sessio::{
    Call, Conn, Error, Instant, Kind, Memory, Now, Request, Result, Seed, SessionState, Settings, Step, Tls,
    merge, prepare,
};
use sessio_testkit::{Otherwise, Script, Server};

struct Session {
    settings: Settings,
    state: SessionState,
    pool: Pool<KeyBuf, (TcpStream, Conn)>,
}

/// The epoch of the session's time.
static EPOCH: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

fn now() -> Now {
    Now { mono: Instant::after_epoch(EPOCH.elapsed()), wall: SystemTime::now().into() }
}

impl Session {
    /// Sends a request and follows its redirects. Returns status and body.
    fn send(&mut self, request: Request) -> Result<(u16, Vec<u8>)> {
        let prepared = prepare(merge(&self.settings, request), &mut self.state.jar, now())?;
        let mut call = Call::new(prepared, Memory::default())?;
        let (mut socket, mut lease, mut status, mut body) = (None::<TcpStream>, None, 0, Vec::new());
        let effects = &mut Effects::default();
        let done = loop {
            let step = match call.step(now()) {
                Ok(step) => step,
                Err(error) => break Err(error),
            };
            match step {
                Step::Connect(to) => {
                    // A connection that was not released has failed.
                    socket = None;
                    if let Some(failed) = lease.take() {
                        self.pool.discard(failed, now().mono, effects);
                    }
                    match self.pool.request(&to.key(), now().mono, effects) {
                        Grant::Idle(idle) if !to.fresh && is_silent(&idle.connection.0) => {
                            let (stream, conn) = idle.connection;
                            (socket, lease) = (Some(stream), Some(idle.lease));
                            call.connected(conn);
                        }
                        Grant::Idle(idle) => self.pool.discard(idle.lease, now().mono, effects),
                        Grant::Dial(right) => {
                            lease = Some(right);
                            let host = to.url.host_str().unwrap_or_default();
                            match TcpStream::connect((host, to.url.port_or_known_default().unwrap_or(80))) {
                                Ok(stream) => {
                                    // `open` adds TLS if the URL needs it.
                                    match to.open(self.pool.dialled(), now(), &[]) {
                                        Ok(conn) => {
                                            socket = Some(stream);
                                            call.connected(conn);
                                        }
                                        Err(error) => call.unreachable(error),
                                    }
                                }
                                Err(error) => call.unreachable(Error::new(Kind::Connect).with_source(error)),
                            }
                        }
                        // This pool has no limits.
                        Grant::Wait(_) | Grant::Refused(_) => break Err(Kind::Misuse.into()),
                    }
                }
                Step::Io(io) => match &mut socket {
                    None => break Err(Kind::Misuse.into()),
                    // If a stored connection is readable before the request, those bytes are not
                    // its response. They are read first.
                    Some(stream) if io.send.is_empty() || (io.look && !is_silent(stream)) => {
                        match stream.read(io.recv) {
                            Ok(n) => call.received(n),
                            Err(error) => call.broken(Direction::Receive, error),
                        }
                    }
                    Some(stream) => match stream.write(io.send) {
                        Ok(n) => call.sent(n),
                        Err(error) => call.broken(Direction::Send, error),
                    },
                },
                Step::Release => match (call.release(), socket.take(), lease.take()) {
                    (Some((conn, proof)), Some(stream), Some(right)) => {
                        self.pool.checkin(right, (stream, conn), proof, now().mono, effects);
                    }
                    (.., unused) => lease = unused,
                },
                Step::Decide => call.decide(&mut self.state, now()),
                // After a failure `socket` still has the connection. It is closed before the wait.
                Step::Wait { until, .. } => {
                    socket = None;
                    if let Some(failed) = lease.take() {
                        self.pool.discard(failed, now().mono, effects);
                    }
                    thread::sleep(until.saturating_duration_since(now().mono));
                }
                Step::Head => status = call.take_head().map_or(0, |head| head.status.as_u16()),
                Step::Body(bytes) => {
                    body.extend_from_slice(bytes);
                    let n = bytes.len();
                    call.consume(n);
                }
                _ => break Ok(()),
            }
        };
        if let Some(lease) = lease {
            self.pool.discard(lease, now().mono, effects);
        }
        done.map(|()| (status, body))
    }
}

/// Whether no byte can be read, and the stream has not ended.
fn is_silent(stream: &TcpStream) -> bool {
    let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    stream.set_nonblocking(false).is_ok() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Requests a URL that sets a cookie and redirects: one call, two requests on one connection.
fn visit(session: &mut Session, server: &Server) -> Result<()> {
    let (status, body) = session.send(Request::get(server.url("/cookies/set?sessioncookie=123456789")))?;
    let text = String::from_utf8_lossy(&body);
    println!("{status} {text}");
    assert!(text.contains("123456789"), "the redirect was followed, with the cookie that it set");
    assert_eq!(server.accepted(), 1, "over one connection");
    Ok(())
}

/// Asserts that a call for an `https` URL refuses a plain-text connection and sends nothing over
/// it.
fn clear_text_is_refused(session: &mut Session) -> Result<()> {
    let request = Request::get("https://localhost/").basic_auth("user", "secret");
    let mut call = Call::new(
        prepare(merge(&session.settings, request), &mut session.state.jar, now())?,
        Memory::default(),
    )?;
    call.connected(Conn::plain(1, now().mono));
    let refused = call.step(now()).err();
    println!("{}", refused.as_ref().map(Error::to_string).unwrap_or_default());
    assert_eq!(refused.map(|error| error.kind()), Some(Kind::Misuse));
    Ok(())
}

fn main() -> Result<()> {
    let (secured, roots) = tls_server::start(Script::new().otherwise(Otherwise::Routes));
    let mut settings = Settings::default();
    settings.tls_connector = sessio_rustls::connector();
    settings.tls = Tls::default().roots(roots);
    // A real program takes the bits of the seed from the operating system.
    let state = SessionState::new(Seed::new(7));
    let mut session = Session { settings, state, pool: Pool::new(Policy::default()) };
    visit(&mut session, &Server::start())?;
    visit(&mut session, &secured)?;
    clear_text_is_refused(&mut session)
}

#[test]
fn by_hand() {
    main().unwrap();
}
