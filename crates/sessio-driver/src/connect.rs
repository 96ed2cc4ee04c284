//! From a URL to a connection: out of the pool, or resolved and dialled.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Instant;

use sessio::dial::{Dial, Step};
use sessio::pool::{Checkout, Grant};
use sessio::{Conn, Error, Kind, Url};

use crate::flight::{Flight, unsupported};
use crate::runtime::{Runtime, Stream};
use crate::shared::Line;

impl<R: Runtime> Flight<R> {
    /// Gets the connection that the call wants, or tells it why there is none.
    pub(crate) async fn connect(&mut self, fresh: bool, deadline: Option<Instant>) {
        if self.call.request().url().scheme() != "http" {
            let error = unsupported(self.call.request());
            return self.call.unreachable(error);
        }
        loop {
            // At each deadline the call itself says that it was too late.
            let Some(grant) = self.admission(fresh, deadline).await else { return };
            match grant {
                Grant::Idle(Checkout { connection: Line { stream, conn }, lease, probe, .. }) => {
                    self.hold(lease);
                    // One that was closed, or has spoken out of turn, goes (rows P133, P135, V100), and so does
                    // every one where a new one is wanted.
                    if !fresh && (!probe || stream.is_idle_open()) {
                        return self.connected(stream, conn);
                    }
                }
                Grant::Dial(lease) => {
                    self.hold(lease);
                    break;
                }
                Grant::Wait(_) => {}
            }
        }
        let now = self.now();
        let deadline = self.call.admitted(now);
        let Some((host, port)) = host_and_port(self.call.request().url()) else {
            return self.call.unreachable(Kind::InvalidUrl.into());
        };
        let addresses = match host {
            Host::Address(address) => vec![SocketAddr::new(address, port)],
            Host::Name(name) => {
                let runtime = self.runtime.clone();
                let Some(resolved) = self.within(deadline, runtime.resolve(&name, port)).await else {
                    return;
                };
                match resolved {
                    Ok(addresses) if !addresses.is_empty() => addresses,
                    Ok(_) => return self.call.unreachable(Kind::Resolve.into()),
                    Err(error) => return self.call.unreachable(Error::new(Kind::Resolve).with_source(error)),
                }
            }
        };
        let now = self.now();
        let deadline = self.call.resolved(now);
        self.dial(addresses, deadline).await;
    }

    /// Races the addresses. A stream that blocks can only wait for one: they are tried one after the other.
    ///
    /// # Cancel safety
    /// All attempts live in this future, and are dropped with it.
    async fn dial(&mut self, addresses: Vec<SocketAddr>, deadline: Option<Instant>) {
        let runtime = self.runtime.clone();
        let mut dial = Dial::new(addresses, deadline);
        if R::Stream::BLOCKS {
            dial = dial.sequential();
        }
        let mut attempts = Vec::new();
        let stream = poll_fn(|cx| {
            loop {
                let now = self.now().mono;
                match dial.step(now) {
                    Step::Start { address, until } => {
                        dial.started(now);
                        attempts.push((address, Box::pin(runtime.connect(address, until))));
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
                                    won = Some(stream);
                                }
                                Poll::Ready(Err(error)) => {
                                    dial.failed(*address, error);
                                    has_failed = true;
                                }
                            }
                            false
                        });
                        // Connecting takes time, if only on a stream that blocks.
                        self.look_at_clock();
                        if won.is_some() {
                            return Poll::Ready(won);
                        }
                        if !has_failed && self.poll_deadline(cx, until).is_pending() {
                            return self.wait();
                        }
                    }
                    // Lost or late.
                    _ => return Poll::Ready(None),
                }
            }
        })
        .await;
        drop(attempts);
        let now = self.now().mono;
        if let Some(stream) = stream {
            let id = self.shared.pool(|pool, _| pool.dialled());
            self.connected(stream, Conn::plain(id, now));
        } else if dial.step(now) != Step::Late {
            // Otherwise the call itself says that it was too late.
            let failure = ConnectFailure { attempts: dial.into_failures() };
            self.call.unreachable(Error::new(Kind::Connect).with_source(failure));
        }
    }
}

enum Host {
    Address(IpAddr),
    Name(String),
}

fn host_and_port(url: &Url) -> Option<(Host, u16)> {
    let host = url.host_str()?.trim_matches(['[', ']']);
    let port = url.port_or_known_default()?;
    Some((host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address), port))
}

/// Why none of a host's addresses could be connected to: each with its reason, in the order tried.
#[derive(Debug)]
pub struct ConnectFailure {
    attempts: Vec<(SocketAddr, io::Error)>,
}

impl ConnectFailure {
    /// The addresses and what each said.
    pub fn attempts(&self) -> impl Iterator<Item = (SocketAddr, &io::Error)> {
        self.attempts.iter().map(|(address, error)| (*address, error))
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.attempts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{address}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.attempts.last().map(|(_, error)| error as _)
    }
}
