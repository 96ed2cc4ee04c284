//! From a URL to a connection: taken from the pool, or resolved and opened.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sessio::call::Carrier;
use sessio::happy_eyeballs::{HappyEyeballs, Outcome, Step};
use sessio::pool::{Checkout, Grant};
use sessio::routing::{Destination, with_port};
use sessio::transport::Transport;
use sessio::{Conn, Error, Instant, Kind};

use crate::failure::{Attempt, ConnectFailure};
use crate::in_flight::{ConnectInfo, InFlight};
use crate::pooled_connection::PooledConnection;
use crate::runtime::{Runtime, Stream};
use crate::shared::Shared;

/// Maximal number of idle connections that are closed if the process has reached its limit of open
/// files. A race of addresses may need a few.
const ROOM: usize = 8;

/// Maximal number of reads of an idle connection. A peer that continues to send is not idle.
const MOST_LOOKS: u32 = 16;

/// Maximal time of one such read, however busy the runtime is.
const LOOK: Duration = Duration::from_millis(100);

impl<R: Runtime> InFlight<R> {
    /// Gets the connection that the call needs, or reports to the call why there is none.
    pub(crate) async fn connect(&mut self, wanted: ConnectInfo) {
        if let Some(transport) = self.call.wanted().and_then(|wanted| wanted.transport.cloned()) {
            self.close();
            if self.call.options().pace.is_some() && !self.admit_transport(wanted.deadline).await {
                return;
            }
            return self.attach(&transport);
        }
        self.read_authorities();
        let mut is_admitted = wanted.is_admitted;
        if is_admitted {
            self.make_way();
        }
        while !is_admitted {
            // After each deadline the call itself reports the timeout.
            let Some(grant) = self.admission(wanted.fresh, wanted.deadline).await else { return };
            match grant {
                Grant::Idle(Checkout { connection: mut pooled, lease, .. }) => {
                    self.hold(lease);
                    // A connection that was closed, or has sent data while idle, is dropped (rows
                    // P133, P135, V100). So is any idle one if a new one is needed.
                    let is_silent = !wanted.fresh
                        && (pooled.stream.is_idle_open()
                            || self.is_still_idle(&mut pooled.stream, &mut pooled.conn).await);
                    if is_silent && pooled.conn.is_idle() {
                        return self.connected(pooled);
                    }
                    // The request keeps its place at the pace of its host.
                    is_admitted = self.call.options().pace.is_some();
                }
                Grant::Dial(lease) => {
                    self.hold(lease);
                    is_admitted = true;
                }
                // After a refusal the call has failed.
                Grant::Wait(_) | Grant::Refused(_) => return,
            }
        }
        if let Some(Err(error)) = self.call.wanted().map(|wanted| wanted.check()) {
            return self.call.unreachable(error);
        }
        let now = self.now();
        let deadline = self.call.admitted(now);
        // Addresses that a SOCKS5 proxy receives. The connection goes to the proxy.
        let mut origin_addresses = Vec::new();
        if let Some(host) = self.call.wanted().and_then(|wanted| wanted.destination_for_proxy()) {
            let Some(addresses) = self.addresses(host, deadline).await else { return };
            let Some(addresses) = self.admit(addresses) else { return };
            origin_addresses = addresses;
        }
        let addresses = match self.call.options().routing.destination(self.call.request().url()) {
            Some(Destination::Unix(path)) => return self.dial_unix(&path, &origin_addresses).await,
            Some(destination) => self.addresses(destination, deadline).await,
            None => return self.call.unreachable(Kind::InvalidUrl.into()),
        };
        let Some(mut addresses) = addresses else { return };
        if self.call.options().routing.plan.proxy().is_none() {
            let Some(admitted) = self.admit(addresses) else { return };
            addresses = admitted;
        }
        self.dial(addresses, &origin_addresses).await;
    }

    /// Opens the transport of the request's mount, in place of a connection.
    fn attach(&mut self, transport: &Arc<dyn Transport>) {
        self.now = self.runtime.now();
        match transport.open(self.call.request(), self.now) {
            Ok(transfer) => {
                self.transfer = Some(Box::new(transfer));
                let id = self.shared.pool(|pool, _| pool.dialled());
                self.call.attached(Carrier::new(id, self.now.mono));
            }
            Err(error) => self.call.unreachable(error),
        }
        // The transport is code of the caller.
        self.look_at_clock();
    }

    /// Reads an idle connection that has something to read. Returns `true` if that was data of TLS
    /// only, and nothing else is there now: a late session ticket costs no connection (row FA13).
    async fn is_still_idle(&mut self, stream: &mut R::Stream, conn: &mut Conn) -> bool {
        for _ in 0..MOST_LOOKS {
            let room = conn.idle_room();
            if room.is_empty() {
                return false;
            }
            // The system has reported the data already. The runtime may not know yet.
            let end = self.now().mono + LOOK;
            match self.within(Some(end), poll_fn(|cx| stream.poll_read(cx, room))).await {
                Some(Ok(n)) if conn.idle_received(n) => {}
                _ => return false,
            }
            if stream.is_idle_open() {
                return true;
            }
        }
        false
    }

    /// Reads the certificates that the environment names, if this connection is the first with TLS.
    /// They are a part of the pool key.
    fn read_authorities(&mut self) {
        if self.call.wanted().is_none_or(|wanted| wanted.unread().is_none()) {
            return;
        }
        let before = self.call.options().routing.environment.clone();
        let read = self.runtime.read_authorities(&before);
        self.shared.learn(&before, &read);
        self.call.apply_environment(&read);
        // Reading took time.
        self.look_at_clock();
    }

    /// The addresses of a destination, at least one; `None` after the reason was reported to the
    /// call, or at the deadline.
    async fn addresses(&mut self, to: Destination, deadline: Option<Instant>) -> Option<Vec<SocketAddr>> {
        let error = match to {
            Destination::Addresses(addresses) if !addresses.is_empty() => return Some(addresses),
            Destination::Addresses(_) => Kind::Resolve.into(),
            Destination::Name { host, port } => match self.resolve(&host, port, deadline).await? {
                Ok(addresses) if !addresses.is_empty() => return Some(addresses),
                Ok(_) => Kind::Resolve.into(),
                Err(error) => Error::new(Kind::Resolve).with_source(error),
            },
            _ => Kind::InvalidUrl.into(),
        };
        self.call.unreachable(error);
        None
    }

    /// The addresses that the guard admits; `None` after the reason was reported to the call.
    fn admit(&mut self, addresses: Vec<SocketAddr>) -> Option<Vec<SocketAddr>> {
        match self.call.options().routing.admitted(self.call.request().url(), addresses) {
            Ok(addresses) => Some(addresses),
            Err(error) => {
                self.call.unreachable(error.into());
                None
            }
        }
    }

    /// The addresses of a name, from the session's resolver or the runtime; `None` at the deadline.
    async fn resolve(
        &mut self,
        host: &str,
        port: u16,
        deadline: Option<Instant>,
    ) -> Option<io::Result<Vec<SocketAddr>>> {
        let (runtime, shared) = (self.runtime.clone(), Arc::clone(&self.shared));
        let resolved = match self.call.options().routing.resolver.resolve(host, port) {
            Some(own) => self.within(deadline, own).await,
            None => {
                let resolving = with_room(&shared, || runtime.resolve(host, port));
                self.within(deadline, resolving).await
            }
        };
        // A resolver that blocks cannot be interrupted. The deadline has passed all the same.
        self.look_at_clock();
        if deadline.is_some_and(|end| end <= self.now.mono) {
            return None;
        }
        resolved.map(|found| found.map(|all| all.into_iter().map(|to| with_port(to, port)).collect()))
    }

    /// Races connection attempts to the addresses.
    ///
    /// # Cancel safety
    /// This future owns all attempts, and drops them.
    async fn dial(&mut self, addresses: Vec<SocketAddr>, origin_addresses: &[SocketAddr]) {
        let now = self.now();
        let deadline = self.call.resolved(now);
        let (runtime, shared) = (&self.runtime.clone(), &Arc::clone(&self.shared));
        let tcp = self.call.options().routing.tcp;
        let (addresses, others): (Vec<_>, _) = addresses.into_iter().partition(|to| tcp.fits(*to));
        let mut dial = HappyEyeballs::new(addresses, deadline);
        let mut attempts = Vec::new();
        let stream = poll_fn(|cx| {
            loop {
                let now = self.now().mono;
                match dial.step(now) {
                    Step::Start { address, until } => {
                        dial.started(now);
                        let attempt = with_room(shared, move || runtime.connect(address, tcp, until));
                        attempts.push((address, Box::pin(attempt)));
                    }
                    Step::Wait(until) => {
                        let mut won = None;
                        let mut has_failed = false;
                        attempts.retain_mut(|(address, attempt)| {
                            if won.is_some() {
                                return true;
                            }
                            match attempt.as_mut().poll(cx) {
                                Poll::Pending => return true,
                                Poll::Ready(Ok(stream)) => {
                                    dial.connected(*address);
                                    won = Some((stream, *address));
                                }
                                Poll::Ready(Err(error)) => {
                                    dial.failed(*address, error);
                                    has_failed = true;
                                }
                            }
                            false
                        });
                        // Connecting takes time on a runtime that blocks.
                        self.look_at_clock();
                        if won.is_some() {
                            return Poll::Ready(won);
                        }
                        if !has_failed && self.poll_deadline(cx, until).is_pending() {
                            return self.wait();
                        }
                    }
                    // All attempts have failed, or the deadline has passed.
                    _ => return Poll::Ready(None),
                }
            }
        })
        .await;
        drop(attempts);
        match stream {
            Some((stream, address)) => self.dialled(stream, Some(address), origin_addresses),
            None => {
                let now = self.now().mono;
                let is_late = dial.step(now) == Step::Late;
                self.lost(ConnectFailure::of(dial.into_outcomes(), others), is_late);
            }
        }
    }

    async fn dial_unix(&mut self, path: &Path, origin_addresses: &[SocketAddr]) {
        let now = self.now();
        let deadline = self.call.resolved(now);
        let (runtime, shared) = (self.runtime.clone(), Arc::clone(&self.shared));
        let attempt = with_room(&shared, || runtime.connect_unix(path, deadline));
        match self.within(deadline, attempt).await {
            Some(Ok(stream)) => self.dialled(stream, None, origin_addresses),
            Some(Err(error)) => {
                // A runtime that blocks returns an error at the deadline by itself.
                let now = self.now().mono;
                let is_late = deadline.is_some_and(|end| end <= now);
                self.lost(ConnectFailure::unix(path, Outcome::Failed(error)), is_late);
            }
            None => self.lost(ConnectFailure::unix(path, Outcome::Open), true),
        }
    }

    fn dialled(&mut self, stream: R::Stream, remote: Option<SocketAddr>, origin_addresses: &[SocketAddr]) {
        // The validity of certificates needs the wall clock.
        self.now = self.runtime.now();
        let id = self.shared.pool(|pool, _| pool.dialled());
        let opened = match self.call.wanted() {
            Some(wanted) => wanted.open(id, self.now, origin_addresses),
            None => Err(Kind::Misuse.into()),
        };
        match opened {
            Ok(conn) => {
                let conn = match remote {
                    Some(remote) => conn.to(remote),
                    None => conn,
                };
                self.connected(PooledConnection { stream, conn, process: std::process::id() });
            }
            Err(error) => self.call.unreachable(error),
        }
    }

    /// Reports that there is no connection. After the deadline the call itself reports the timeout.
    fn lost(&mut self, failure: ConnectFailure, is_late: bool) {
        if is_late {
            self.call.tried(failure);
        } else {
            let is_out_of_files = failure.attempts().iter().filter_map(Attempt::error).any(is_out_of_files);
            let mut error = Error::new(Kind::Connect).with_source(failure);
            if is_out_of_files {
                error =
                    error.with_detail("this process may open no more files; close some or raise its limit");
            }
            self.call.unreachable(error);
        }
    }
}

/// Opens a connection or resolves a name. If the process has reached its limit of open files, some
/// idle connections are closed, and the operation is repeated once.
async fn with_room<S: Stream, T, F: Future<Output = io::Result<T>>>(
    shared: &Shared<S>,
    open: impl Fn() -> F,
) -> io::Result<T> {
    match open().await {
        Err(error) if is_out_of_files(&error) && shared.make_room(ROOM) => open().await,
        outcome => outcome,
    }
}

/// Returns `true` if the process or the system has reached its limit of open files. The standard
/// library has no kind for that. `EMFILE` and `ENFILE` have these numbers on every Unix; Windows
/// reports `WSAEMFILE`.
fn is_out_of_files(error: &io::Error) -> bool {
    let numbers: &[i32] = if cfg!(windows) { &[10024] } else { &[23, 24] };
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}
