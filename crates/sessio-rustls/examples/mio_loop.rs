//! A thousand concurrent calls on one thread: the core over `mio`, in plain text and over TLS.
//! There is no async, no driver and no task.
//!
//! Each [`Call`] is a state machine whose `step` returns the next operation. The loop performs it
//! as far as possible without blocking. Then it waits until the operating system reports a ready
//! socket:
//!
//! - *Interest*: the socket of a call is registered once, for both directions. mio is
//!   edge-triggered: a call moves bytes until its socket would block, and waits only then.
//! - *Both directions*: [`Step::Io`] may want to send and to receive. The loop tries both, and
//!   either counts as progress.
//! - *Deadlines*: each step that waits has a deadline. The loop sleeps until the earliest one. The
//!   call then returns the error of the time limit that has passed.
//! - *Pool*: it stores mio's sockets. [`Call::release`] proves that an exchange ended cleanly, and
//!   only such a socket is returned to the pool. An idle socket is not registered.
//! - *TLS*: a handshake is [`Step::Io`] like any other. `Connect::open` makes the connection, with
//!   a TLS session if the URL needs one.
//!
//! `cargo run -p sessio-rustls --example mio_loop` runs it against loopback servers. They respond
//! only after all calls have connected.

mod tls_server;

use std::io::{self, ErrorKind, Read, Write};
use std::sync::LazyLock;
use std::time::SystemTime;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use sessio::call::{Direction, Io};
use sessio::pool::{Effects, Grant, Lease, Policy, Pool};
use sessio::routing::KeyBuf;
use sessio::{
    Call, Conn, Error, Instant, Kind, Memory, Now, Request, Result, Seed, SessionState, Settings, Step, Tls,
    Url, merge, prepare,
};
use sessio_testkit::{Connection, Otherwise, Script, Server};

/// Number of concurrent calls.
const CALLS: usize = 1000;
/// Number of concurrent calls over TLS: each one costs a handshake.
const SECURED_CALLS: usize = 100;

struct Session {
    settings: Settings,
    state: SessionState,
    pool: Pool<KeyBuf, (TcpStream, Conn)>,
    poll: Poll,
}

/// A call in progress.
struct InFlight {
    call: Call,
    token: Token,
    socket: Option<TcpStream>,
    /// Whether the socket is still connecting.
    dialling: bool,
    /// The permission of the pool to have the socket open.
    lease: Option<Lease>,
    /// When to step the call again, even if its socket is not ready.
    deadline: Option<Instant>,
    status: u16,
    body: Vec<u8>,
}

/// Status and body.
type StatusAndBody = (u16, Vec<u8>);

/// The epoch of the session's time.
static EPOCH: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

fn now() -> Now {
    Now { mono: Instant::after_epoch(EPOCH.elapsed()), wall: SystemTime::now().into() }
}

impl Session {
    fn new(settings: Settings, policy: Policy) -> io::Result<Self> {
        // A real program takes the bits of the seed from the operating system.
        let state = SessionState::new(Seed::new(7));
        Ok(Self { settings, state, pool: Pool::new(policy), poll: Poll::new()? })
    }

    /// Sends all requests at once. Returns the responses in the order of the requests.
    fn send_all(&mut self, requests: Vec<Request>) -> Result<Vec<StatusAndBody>> {
        let mut flights = Vec::with_capacity(requests.len());
        for (number, request) in requests.into_iter().enumerate() {
            let prepared = prepare(merge(&self.settings, request), &mut self.state.jar, now())?;
            flights.push(Some(InFlight::new(Call::new(prepared, Memory::default())?, Token(number))));
        }
        let mut responses: Vec<StatusAndBody> = vec![(0, Vec::new()); flights.len()];
        let mut events = Events::with_capacity(CALLS);
        let mut ready: Vec<usize> = (0..flights.len()).collect();
        let mut left = flights.len();
        while left > 0 {
            for number in ready.drain(..) {
                let Some(flight) = &mut flights[number] else { continue };
                if self.advance(flight)? {
                    responses[number] = (flight.status, std::mem::take(&mut flight.body));
                    flights[number] = None;
                    left -= 1;
                }
            }
            let earliest = flights.iter().flatten().filter_map(|flight| flight.deadline).min();
            let patience = earliest.map(|at| at.saturating_duration_since(now().mono));
            match self.poll.poll(&mut events, if left == 0 { Some(Default::default()) } else { patience }) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
                _ => ready.extend(events.iter().map(|event| event.token().0)),
            }
            let now = now().mono;
            let late = |flight: &&InFlight| flight.deadline.is_some_and(|at| at <= now);
            ready.extend(flights.iter().flatten().filter(late).map(|flight| flight.token.0));
        }
        Ok(responses)
    }

    /// Performs the steps of the call until it has to wait. Returns whether it is over.
    fn advance(&mut self, flight: &mut InFlight) -> Result<bool> {
        loop {
            flight.deadline = None;
            match flight.call.step(now()) {
                Ok(Step::Connect(to)) => {
                    flight.deadline = to.deadline;
                    let (url, fresh) = (to.url.clone(), to.fresh);
                    if let Err(error) = to.check() {
                        flight.call.unreachable(error);
                    } else if self.connect(flight, &url, fresh).map_err(failed)? {
                        return Ok(false);
                    }
                }
                Ok(Step::Io(io)) => {
                    flight.deadline = io.deadline;
                    let Some(socket) = &mut flight.socket else { return Err(Kind::Misuse.into()) };
                    match transfer(socket, io) {
                        (_, Err(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                        (_, Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                        (Direction::Send, Ok(n)) => flight.call.sent(n),
                        (Direction::Receive, Ok(n)) => flight.call.received(n),
                        (direction, Err(error)) => flight.call.broken(direction, error),
                    }
                }
                Ok(Step::Release) => self.release(flight).map_err(failed)?,
                Ok(Step::Decide) => flight.call.decide(&mut self.state, now()),
                // Other calls continue. After a failure this call still has its connection.
                Ok(Step::Wait { until, .. }) => {
                    self.hang_up(flight);
                    flight.deadline = Some(until);
                    return Ok(false);
                }
                Ok(Step::Head) => {
                    flight.status = flight.call.take_head().map_or(0, |head| head.status.as_u16())
                }
                Ok(Step::Body(bytes)) => {
                    let n = bytes.len();
                    flight.body.extend_from_slice(bytes);
                    flight.call.consume(n);
                }
                Ok(_) => return Ok(true),
                Err(error) => {
                    self.hang_up(flight);
                    return Err(error);
                }
            }
        }
    }

    /// Gets a connection for the call, from the pool or a new one. Returns whether the call must
    /// wait for it.
    fn connect(&mut self, flight: &mut InFlight, url: &Url, fresh: bool) -> io::Result<bool> {
        if !std::mem::take(&mut flight.dialling) {
            // A connection that was not released has failed.
            self.hang_up(flight);
        }
        if let Some(socket) = &flight.socket {
            // The socket was connecting and was reported writable: it is connected, has failed, or
            // mio reported it too early.
            let failure = match (socket.take_error()?, socket.peer_addr()) {
                (Some(error), _) => error,
                (None, Ok(_)) => {
                    // `open` adds TLS if the URL needs it.
                    match flight.call.wanted().map(|to| to.open(self.pool.dialled(), now(), &[])) {
                        Some(Ok(conn)) => flight.call.connected(conn),
                        Some(Err(error)) => flight.call.unreachable(error),
                        None => return Err(io::Error::other("nothing is wanted")),
                    }
                    return Ok(false);
                }
                (None, Err(error)) if error.kind() == ErrorKind::NotConnected => {
                    flight.dialling = true;
                    return Ok(true);
                }
                (None, Err(error)) => error,
            };
            self.hang_up(flight);
            flight.call.unreachable(Error::new(Kind::Connect).with_source(failure));
            return Ok(false);
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        let effects = &mut Effects::default(); // dropping it closes the connections in it
        match self.pool.request(&flight.call.key(), now().mono, effects) {
            Grant::Idle(idle) => {
                let (mut socket, conn) = idle.connection;
                // Bytes that are readable before the request are no response to it: close such a
                // connection.
                if fresh || !is_silent(&socket) {
                    self.pool.discard(idle.lease, now().mono, effects);
                    return Ok(false);
                }
                self.poll.registry().register(&mut socket, flight.token, both)?;
                (flight.socket, flight.lease) = (Some(socket), Some(idle.lease));
                flight.call.connected(conn);
                Ok(false)
            }
            Grant::Dial(lease) => {
                // A real resolver would not block, and `sessio::happy_eyeballs` races the
                // addresses.
                let address = url.socket_addrs(|| None)?[0];
                let mut socket = TcpStream::connect(address)?;
                self.poll.registry().register(&mut socket, flight.token, both)?;
                (flight.socket, flight.lease, flight.dialling) = (Some(socket), Some(lease), true);
                Ok(true)
            }
            Grant::Wait(_) | Grant::Refused(_) => Err(io::Error::other("this pool has no limits")),
        }
    }

    /// Takes the connection of the call, and returns it to the pool if it ended cleanly.
    fn release(&mut self, flight: &mut InFlight) -> io::Result<()> {
        if let Some((conn, proof)) = flight.call.release()
            && let (Some(mut socket), Some(lease)) = (flight.socket.take(), flight.lease.take())
        {
            self.poll.registry().deregister(&mut socket)?;
            let effects = &mut Effects::default();
            self.pool.checkin(lease, (socket, conn), proof, now().mono, effects);
        }
        self.hang_up(flight);
        Ok(())
    }

    /// Closes the connection that the call still has, if any.
    fn hang_up(&mut self, flight: &mut InFlight) {
        flight.socket = None;
        if let Some(lease) = flight.lease.take() {
            self.pool.discard(lease, now().mono, &mut Effects::default());
        }
    }
}

impl InFlight {
    fn new(call: Call, token: Token) -> Self {
        Self {
            call,
            token,
            socket: None,
            dialling: false,
            lease: None,
            deadline: None,
            status: 0,
            body: Vec::new(),
        }
    }
}

/// Moves bytes in one direction: out while the peer takes them, otherwise in.
fn transfer(socket: &mut TcpStream, io: Io<'_>) -> (Direction, io::Result<usize>) {
    if !io.send.is_empty() && (!io.look || is_silent(socket)) {
        match socket.write(io.send) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            done => return (Direction::Send, done),
        }
    }
    if io.recv.is_empty() {
        return (Direction::Receive, Err(ErrorKind::WouldBlock.into()));
    }
    (Direction::Receive, socket.read(io.recv))
}

/// Whether no byte can be read, and the stream has not ended.
fn is_silent(socket: &TcpStream) -> bool {
    socket.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn failed(error: io::Error) -> Error {
    Error::new(Kind::Io).with_source(error)
}

/// A script that holds all responses until every call has connected.
fn held(calls: usize) -> Script {
    let held = Connection::new().gate("all have come").routes();
    let script = (0..calls).fold(Script::new(), |script, _| script.connection(held.clone()));
    script.otherwise(Otherwise::Routes)
}

/// Sends `calls` requests at once. Then sends them again through a redirect, over the same
/// connections.
fn crowd(session: &mut Session, server: &Server, calls: usize) -> Result<()> {
    let requests = |path: &str| (0..calls).map(|n| Request::get(server.url(&format!("{path}{n}")))).collect();
    let check = |responses: Vec<StatusAndBody>| {
        assert_eq!(responses.len(), calls);
        for (number, (status, body)) in responses.into_iter().enumerate() {
            let text = String::from_utf8_lossy(&body);
            assert_eq!(status, 200, "{number}: {text}");
            assert!(text.contains(&format!("/anything/{number}\"")), "{number}: {text}");
        }
    };
    let before = session.pool.stats();

    let responses = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The test server runs on another thread, because this one runs the loop.
            server.wait_until(|state| state.connections().iter().filter(|c| c.stalled).count() == calls);
            println!("{calls} calls are waiting for their responses");
            server.open_gate("all have come");
        });
        session.send_all(requests("/anything/"))
    })?;
    check(responses);
    println!("responses received; {:?}", session.pool.stats());
    assert_eq!((server.accepted(), session.pool.stats().idle), (calls, before.idle + calls));

    check(session.send_all(requests("/redirect-to?url=/anything/"))?);
    println!("again, redirected; {:?}", session.pool.stats());
    assert_eq!(session.pool.stats().reused, before.reused + 2 * calls as u64);
    assert_eq!(server.accepted(), calls, "no connection was opened again");
    Ok(())
}

fn main() -> Result<()> {
    let room = raise_limit();
    let most = CALLS + SECURED_CALLS;
    assert!(room > 2 * most as u64 + 50, "both ends of {most} connections are files: {room} are allowed");
    let (secured, roots) = tls_server::start(held(SECURED_CALLS));
    let mut settings = Settings::default();
    settings.tls_connector = sessio_rustls::connector();
    settings.tls = Tls::default().roots(roots);
    let mut policy = Policy::default();
    (policy.max_idle, policy.max_idle_per_host) = (most, CALLS);
    let mut session = Session::new(settings, policy).map_err(failed)?;
    crowd(&mut session, &Server::scripted(held(CALLS)), CALLS)?;
    crowd(&mut session, &secured, SECURED_CALLS)?;
    println!("All of it held.");
    Ok(())
}

/// The number of files that this process may have open, after raising the limit.
#[cfg(unix)]
fn raise_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(4 * CALLS as u64);
    if current.is_some_and(|current| current < wanted) {
        // If that is refused, the current limit must be enough.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn raise_limit() -> u64 {
    u64::MAX
}

#[test]
fn mio_loop() {
    main().unwrap();
}
