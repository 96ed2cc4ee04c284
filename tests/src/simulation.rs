//! The servers of the testkit on the network in memory: scenarios in virtual time.
//!
//! The network is the driver's example `in_memory`, from the same files. So the whole suite runs on
//! the code that the chapter "Writing a backend" shows.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sessio_driver::sessio::Instant;
use sessio_driver::{Runtime as _, Sleep as _, clock};
use sessio_testkit as testkit;

#[allow(
    missing_docs,
    missing_debug_implementations,
    unnameable_types,
    unreachable_pub,
    reason = "it is written as an example is"
)]
#[path = "../../crates/sessio-driver/examples/in_memory/network/mod.rs"]
pub mod network;

use crate::backend::Boxed;
use crate::polls::{counted, polled};
use network::peer::{Output, Packet, Peer};
use network::{Link, Network};

/// The virtual time after which a scenario counts as hanging.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest number of points at which a scenario is dropped. `SESSIO_POINTS` replaces it.
const MOST_POINTS: usize = 20;

/// A slow and uneven link that cuts bytes into small packets.
pub const ROUGH: Link = Link {
    latency: Duration::from_millis(1),
    jitter: Duration::from_millis(1),
    bandwidth: 100_000_000,
    loss: 0,
    packet: 500,
};

thread_local! {
    /// The network on which this thread runs a scenario.
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// The seed of the randomness. Default: 1. `SESSIO_SEED` replaces it.
fn seed() -> u64 {
    number("SESSIO_SEED").unwrap_or(1)
}

fn number<T: FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs a scenario on its own network and returns that network.
///
/// # Panics
///
/// If the scenario hangs: no event is left, or events continue for a day of virtual time.
pub fn run(link: Link, scenario: impl Future<Output = ()>) -> Network {
    run_for(link, scenario).1
}

/// Runs a scenario twice and compares the events on its network, packet by packet.
///
/// # Panics
///
/// If they differ.
pub fn repeat(scenario: &dyn Fn() -> Boxed) {
    let [one, other] = [(); 2].map(|()| run(ROUGH, scenario()).trace());
    let parted = one.iter().zip(&other).position(|(one, other)| one != other);
    assert!(one == other, "of {} and {} packets this one differs: {parted:?}", one.len(), other.len());
}

/// Drops a scenario at every point where it waits. Then nothing of it is left on the network. For a
/// scenario that waits often, evenly spaced points are taken. The last line printed is the total of
/// all scenarios.
///
/// # Panics
///
/// If a connection or a timer is left.
pub fn drop_everywhere(scenario: &dyn Fn() -> Boxed) {
    let link = Link { latency: Duration::from_millis(1), ..Link::default() };
    let (waits, _) = run_for(link, counted(scenario()));
    let most = number("SESSIO_POINTS").unwrap_or(MOST_POINTS).max(1);
    for point in (1..=waits).step_by(waits.div_ceil(most).max(1)) {
        let _tried = Tried;
        let (done, network) = run_for(link, polled(point, scenario()));
        assert!(done.is_none(), "it ends where it waited before");
        network.settle();
        assert!(network.is_idle(), "something is left after {point} polls");
    }
    println!("poll points tried so far: {TRIED:?}, failures: {FAILED:?}");
}

/// The number of points tried so far, and of those at which something was left.
static TRIED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Counts a point once it was tried.
struct Tried;

impl Drop for Tried {
    fn drop(&mut self) {
        TRIED.fetch_add(1, Ordering::Relaxed);
        FAILED.fetch_add(std::thread::panicking().into(), Ordering::Relaxed);
    }
}

fn run_for<T>(link: Link, scenario: impl Future<Output = T>) -> (T, Network) {
    let network = Network::new(seed());
    network.route("localhost", Some(Ipv4Addr::LOCALHOST.into()), link, dial);
    network.route("", None, link, dial);
    NETWORK.set(Some(network.clone()));
    let mut scenario = std::pin::pin!(scenario);
    let mut patience = network.sleep_until(network.mono() + PATIENCE);
    let done = network.run(std::future::poll_fn(|cx| {
        let state = scenario.as_mut().poll(cx);
        if state.is_pending() {
            assert!(patience.poll_elapsed(cx).is_pending(), "the scenario hangs");
        }
        state
    }));
    NETWORK.set(None);
    (done, network)
}

impl Default for Network {
    /// The network on which this thread runs a scenario. On other threads an empty network.
    fn default() -> Self {
        NETWORK.with_borrow(Clone::clone).unwrap_or_else(|| Self::new(0))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({:?})", self.elapsed())
    }
}

impl testkit::Network for Network {
    fn advance_until(&self, done: &mut dyn FnMut() -> bool) {
        // Delivers the bytes of servers up to the time that a test waited for.
        self.settle();
        while !done() && self.turn() {
            self.settle();
        }
    }
}

fn dial(network: &Network, from: IpAddr, to: SocketAddr) -> io::Result<Box<dyn Peer>> {
    let line = testkit::dial(from, to, Arc::new(network.clone()), clock::to_std(network.mono()))?;
    Ok(Box::new(MemoryClient(line)))
}

/// A server of the testkit as the network sees it.
struct MemoryClient(testkit::MemoryConnection);

impl Peer for MemoryClient {
    fn deliver(&mut self, packet: Packet) {
        self.0.deliver(match packet {
            Packet::Bytes(bytes) => testkit::Packet::Bytes(bytes),
            Packet::End => testkit::Packet::End,
            Packet::Reset => testkit::Packet::Reset,
        });
    }

    fn run(&mut self, now: Instant, room: usize) -> Output {
        let testkit::Output { packets, until, unread, is_over } = self.0.run(clock::to_std(now), room);
        let packets = packets.into_iter().map(|packet| match packet {
            testkit::Packet::Bytes(bytes) => Packet::Bytes(bytes),
            testkit::Packet::End => Packet::End,
            testkit::Packet::Reset => Packet::Reset,
        });
        Output { packets: packets.collect(), until: until.map(clock::from_std), unread, is_over }
    }
}
