//! The runtime of the network, by the steps of the chapter "Writing a backend".

use std::future::poll_fn;
use std::io::{self, ErrorKind::ConnectionReset};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use sessio_driver::sessio::{Environment, Instant, Now, Seed, Tcp, UnixTime};
use sessio_driver::{Runtime, Sleep, Stream};

use super::line::DOWN;
use super::{Event, Host, Network};

impl Runtime for Network {
    type Stream = Socket;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let state = self.state();
        let found = state.hosts.iter().find(|known| known.name == host).and_then(|known| known.ip);
        Ok(vec![SocketAddr::new(found.ok_or(io::ErrorKind::NotFound)?, port)])
    }

    async fn connect(&self, address: SocketAddr, tcp: Tcp, _: Option<Instant>) -> io::Result<Socket> {
        let from = tcp.local_address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        if !from.is_loopback() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let leads_there = |host: &&Host| host.ip.is_none_or(|ip| ip == address.ip());
        let host = self.state().hosts.iter().find(leads_there).cloned();
        let Host { link, dial, .. } = host.ok_or(io::ErrorKind::ConnectionRefused)?;
        let mut timer = self.sleep_until(self.mono() + 2 * link.latency);
        poll_fn(|cx| timer.poll_elapsed(cx)).await;
        let peer = dial(self, from, address)?;
        let id = self.state().open(link, peer);
        Ok(Socket { network: self.clone(), id })
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        let mut state = self.state();
        state.planned += 1;
        let (at, id) = (at.since_epoch(), state.planned);
        Timer { network: self.clone(), at, id }
    }

    fn now(&self) -> Now {
        let state = self.state();
        Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) }.after(state.now)
    }

    fn environment(&self) -> Environment {
        // No setting from outside has an effect.
        Environment::empty()
    }

    fn seed(&self) -> Seed {
        // The network's own draws stay the same, however many sessions there are.
        Seed::new(self.state().seed.clone().draw())
    }
}

pub struct Timer {
    network: Network,
    at: Duration,
    id: u64,
}

impl Sleep for Timer {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.network.state();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        state.events.insert((self.at, self.id), Event::Wake(cx.waker().clone()));
        Poll::Pending
    }

    fn reset(&mut self, at: Instant) {
        let mut state = self.network.state();
        state.events.remove(&(self.at, self.id));
        self.at = at.since_epoch();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.network.state().events.remove(&(self.at, self.id));
    }
}

/// The client's end of a line.
pub struct Socket {
    network: Network,
    id: u64,
}

impl Stream for Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.network.state();
        let Some(line) = state.lines.get_mut(&self.id) else { return Poll::Ready(Ok(0)) };
        let down = &mut line.halves[DOWN];
        if down.arrived.is_empty() {
            if line.is_lost || down.is_ended {
                return Poll::Ready(if line.is_lost { Err(ConnectionReset.into()) } else { Ok(0) });
            }
            line.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let n = room.len().min(down.arrived.len());
        room[..n].copy_from_slice(&down.arrived[..n]);
        down.arrived.drain(..n);
        state.send_down(self.id);
        Poll::Ready(Ok(n))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.network.state();
        let line = state.lines.get_mut(&self.id).filter(|line| !line.is_lost);
        let line = line.ok_or(ConnectionReset)?;
        let n = bytes.len().min(line.room());
        if n == 0 {
            line.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.send(self.id, &bytes[..n]);
        Poll::Ready(Ok(n))
    }

    fn is_idle_open(&self) -> bool {
        let state = self.network.state();
        let line = state.lines.get(&self.id).filter(|line| !line.is_lost);
        line.is_some_and(|line| line.halves[DOWN].arrived.is_empty() && !line.halves[DOWN].is_ended)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.network.state().hang_up(self.id);
    }
}
