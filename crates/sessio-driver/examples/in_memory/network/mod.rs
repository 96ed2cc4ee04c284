//! A network in memory, in virtual time, without sockets, threads or a clock.
//!
//! Time stops while anything can continue, and then jumps to the next event. So minutes of waiting
//! take no time, and every wait has its exact length. Random values come from a seed, so that a run
//! can be repeated.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use sessio_driver::sessio::Seed;

mod backend;
mod line;
pub mod peer;

use line::{Line, UP};
use peer::{Packet, Peer, Server, Site};

/// The way to a server: the latency of each byte, the largest additional delay, and the bandwidth
/// in bytes per second. One packet in `loss` breaks its connection. A 0 disables the effect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    pub latency: Duration,
    pub jitter: Duration,
    pub bandwidth: u32,
    pub loss: u64,
    /// The largest packet in bytes, if packets have random sizes. With 0 they are as large as those
    /// of Ethernet.
    pub packet: usize,
}

/// Makes a connection from one address to another.
pub type Dial = dyn Fn(&Network, IpAddr, SocketAddr) -> io::Result<Box<dyn Peer>> + Send + Sync;

/// A network. A clone is the same network.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

struct State {
    now: Duration,
    seed: Seed,
    hosts: Vec<Host>,
    lines: BTreeMap<u64, Line>,
    /// Future events. Of two events at the same time, the one that was planned first comes first.
    events: BTreeMap<(Duration, u64), Event>,
    planned: u64,
    on_their_way: usize,
    trace: Vec<String>,
}

#[derive(Clone)]
struct Host {
    name: String,
    /// `None` matches every address that no earlier host has.
    ip: Option<IpAddr>,
    link: Link,
    dial: Arc<Dial>,
}

enum Event {
    Wake(Waker),
    /// A packet arrives at the end of a line, up or down; `None` breaks the line.
    Arrive(u64, usize, Option<Packet>),
    /// A peer acts without input.
    Time,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        let seed = Seed::new(seed);
        let (hosts, lines, events, trace) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        let (now, planned, on_their_way) = (Duration::ZERO, 0, 0);
        let state = State { now, seed, hosts, lines, events, planned, on_their_way, trace };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Adds a server to the network, on every port.
    pub fn serve(
        &self,
        name: &str,
        link: Link,
        server: impl Fn(&mut Vec<u8>) -> ControlFlow<Vec<u8>, Vec<u8>> + Send + Sync + 'static,
    ) {
        let server: Arc<Server> = Arc::new(server);
        let last = self.state().hosts.len() as u8;
        self.route(name, Some([10, 0, 0, last].into()), link, move |_, _, _| {
            Ok(Box::new(Site::new(Arc::clone(&server))))
        });
    }

    /// Makes the connections to an address with `dial`, or to all addresses that no earlier host
    /// has.
    pub fn route(
        &self,
        name: &str,
        ip: Option<IpAddr>,
        link: Link,
        dial: impl Fn(&Self, IpAddr, SocketAddr) -> io::Result<Box<dyn Peer>> + Send + Sync + 'static,
    ) {
        self.state().hosts.push(Host { name: name.to_owned(), ip, link, dial: Arc::new(dial) });
    }

    /// The virtual time since the start.
    pub fn elapsed(&self) -> Duration {
        self.state().now
    }

    /// The events so far, each with its time.
    pub fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// The executor: polls the future, and runs the next event whenever the future waits.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let alarm = Arc::new(Alarm(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&alarm));
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            while !alarm.0.swap(false, Ordering::Relaxed) {
                assert!(self.turn(), "it waits for nothing");
            }
        }
    }

    /// Runs the next event. Returns `false` if there is none.
    pub fn turn(&self) -> bool {
        let woken = self.state().jump();
        let is_some = woken.is_some();
        woken.into_iter().flatten().for_each(Waker::wake);
        is_some
    }

    /// Runs events until all packets have arrived.
    pub fn settle(&self) {
        while self.state().has_packets() && self.turn() {}
    }

    /// Returns `true` if there is no connection and no waiting task.
    pub fn is_idle(&self) -> bool {
        let state = self.state();
        state.lines.is_empty() && !state.events.values().any(|event| matches!(event, Event::Wake(_)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl State {
    fn plan(&mut self, at: Duration, event: Event) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    /// Runs the next event, and returns the wakers to wake. Actions of peers take no time.
    fn jump(&mut self) -> Option<Vec<Waker>> {
        // Peers read all packets that arrive at the same time before they act.
        if !self.has_more_to_deliver() {
            let woken = self.run_peers();
            if !woken.is_empty() {
                return Some(woken);
            }
        }
        let ((at, _), event) = self.events.pop_first()?;
        self.now = at;
        Some(Vec::from_iter(match event {
            Event::Wake(waker) => Some(waker),
            Event::Arrive(id, way, packet) => self.arrive(id, way, packet),
            Event::Time => None,
        }))
    }

    fn has_more_to_deliver(&self) -> bool {
        let next = self.events.first_key_value();
        next.is_some_and(|((at, _), event)| *at == self.now && matches!(event, Event::Arrive(_, UP, _)))
    }

    /// Returns `true` if packets are under way, also after the peers have acted.
    fn has_packets(&mut self) -> bool {
        let woken = self.run_peers();
        // The next event wakes these tasks.
        for waker in woken {
            self.plan(self.now, Event::Wake(waker));
        }
        self.on_their_way > 0
    }
}
