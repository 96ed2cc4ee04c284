//! A network in memory, in virtual time, with no socket, no thread and no clock.
//!
//! Time stands still while anything can go on, and then jumps to whatever happens next: minutes of waiting
//! take no time, and every wait has its exact length. Chance comes from a seed, so that a run can be repeated.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use sessio_driver::sessio::Seed;

mod backend;

/// A server: takes what it understands from the start of what has come, and answers. It closes with `Break`.
pub type Server = dyn Fn(&mut Vec<u8>) -> ControlFlow<Vec<u8>, Vec<u8>> + Send + Sync;

/// The way to a server: how long a byte travels, how much longer at times, how many follow each other within a
/// second, and one packet in how many takes its connection down. Where a number is 0, nothing holds them up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    pub latency: Duration,
    pub jitter: Duration,
    pub bandwidth: u32,
    pub loss: u64,
}

/// A network. A clone is the same one.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

struct State {
    /// Nothing but a clock gives an `Instant`. It is read once, to have something to count from.
    start: Instant,
    now: Duration,
    seed: Seed,
    hosts: Vec<(String, Link, Arc<Server>)>,
    lines: BTreeMap<u64, Line>,
    /// What will happen. Of two things at one time, the one that was planned first comes first.
    events: BTreeMap<(Duration, u64), Event>,
    planned: u64,
    trace: Vec<String>,
}

enum Event {
    Wake(Waker),
    /// A packet comes up or down a line; an empty one is the end, and `None` the end of the line.
    Arrive(u64, usize, Option<Vec<u8>>),
}

/// A connection, with both ends of it: its halves are the way up to the server and the way down.
struct Line {
    link: Link,
    server: Arc<Server>,
    halves: [Half; 2],
    answer: Vec<u8>,
    closes: bool,
    has_closed: bool,
    is_lost: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Half {
    /// Until when the link is busy, and when the last packet arrives: none overtakes another.
    busy: Duration,
    last: Duration,
    on_its_way: usize,
    arrived: Vec<u8>,
    is_ended: bool,
}

const UP: usize = 0;
const DOWN: usize = 1;
const PACKET: usize = 1460;
/// How much may be under way, one way: who sends more waits until it has been read.
const WINDOW: usize = 64 * 1024;

impl Network {
    pub fn new(seed: u64) -> Self {
        let (start, seed) = (Instant::now(), Seed::new(seed));
        let (hosts, lines, events, trace) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        let state = State { start, now: Duration::ZERO, seed, hosts, lines, events, planned: 0, trace };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Puts a server on the network, on every port.
    pub fn serve(
        &self,
        name: &str,
        link: Link,
        server: impl Fn(&mut Vec<u8>) -> ControlFlow<Vec<u8>, Vec<u8>> + Send + Sync + 'static,
    ) {
        self.state().hosts.push((name.to_owned(), link, Arc::new(server)));
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.state().now
    }

    /// What has happened, and when.
    pub fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// The executor: polls the future, and when it waits lets happen what comes next.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let alarm = Arc::new(Alarm(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&alarm));
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            while !alarm.0.swap(false, Ordering::Relaxed) {
                let woken = self.state().jump();
                woken.into_iter().for_each(Waker::wake);
            }
        }
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

    fn jump(&mut self) -> Option<Waker> {
        let Some(((at, _), event)) = self.events.pop_first() else { panic!("it waits for nothing") };
        self.now = at;
        match event {
            Event::Wake(waker) => Some(waker),
            Event::Arrive(id, way, packet) => self.arrive(id, way, packet),
        }
    }

    fn arrive(&mut self, id: u64, way: usize, packet: Option<Vec<u8>>) -> Option<Waker> {
        let line = self.lines.get_mut(&id).filter(|line| !line.is_lost)?;
        let said = packet.as_ref().map_or_else(|| "lost".into(), |bytes| format!("{} bytes", bytes.len()));
        self.trace.push(format!("{:?} line {id} {}: {said}", self.now, ["up", "down"][way]));
        let half = &mut line.halves[way];
        match packet {
            Some(bytes) => {
                half.on_its_way -= bytes.len();
                half.is_ended = bytes.is_empty();
                half.arrived.extend(bytes);
            }
            None => line.is_lost = true,
        }
        if way == UP && !line.is_lost && !line.closes {
            let answer = (line.server)(&mut half.arrived);
            line.closes = answer.is_break();
            let (ControlFlow::Break(bytes) | ControlFlow::Continue(bytes)) = answer;
            line.answer.extend(bytes);
        }
        let waker = line.waker.take();
        self.answer(id);
        waker
    }

    /// Sends what the server has said, as far as the window lets it.
    fn answer(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let down = &line.halves[DOWN];
        let room = WINDOW.saturating_sub(down.on_its_way + down.arrived.len()).min(line.answer.len());
        let bytes: Vec<u8> = line.answer.drain(..room).collect();
        let is_end = line.closes && line.answer.is_empty() && !line.has_closed;
        line.has_closed |= is_end;
        self.send(id, DOWN, &bytes);
        if is_end {
            self.packet(id, DOWN, &[]);
        }
    }

    fn send(&mut self, id: u64, way: usize, bytes: &[u8]) {
        bytes.chunks(PACKET).for_each(|packet| self.packet(id, way, packet));
    }

    fn packet(&mut self, id: u64, way: usize, bytes: &[u8]) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let (link, half) = (line.link, &mut line.halves[way]);
        let nanos = (bytes.len() as u64 * 1_000_000_000).checked_div(link.bandwidth.into());
        half.busy = half.busy.max(self.now) + Duration::from_nanos(nanos.unwrap_or(0));
        let late = self.seed.draw().checked_rem(link.jitter.as_nanos() as u64).unwrap_or(0);
        half.last = half.last.max(half.busy + link.latency + Duration::from_nanos(late));
        half.on_its_way += bytes.len();
        let (at, is_lost) = (half.last, self.seed.draw().checked_rem(link.loss) == Some(0));
        self.plan(at, Event::Arrive(id, way, (!is_lost).then(|| bytes.to_vec())));
    }
}
