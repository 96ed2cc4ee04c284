//! The servers of the testkit on the network in memory: scenarios in virtual time.
//!
//! The network is that of the driver's example `in_memory`, its very files: what the chapter "Writing a
//! backend" shows is what the whole suite runs on.

use std::cell::RefCell;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sessio_driver::{Runtime as _, Sleep as _};
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

use network::{Link, Network, Packet, Peer, Said};

/// How much virtual time a scenario may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

thread_local! {
    /// The network on which this thread runs a scenario.
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// What chance is drawn from: 1, unless `SESSIO_SEED` is another number.
fn seed() -> u64 {
    std::env::var("SESSIO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Runs a scenario on a network of its own, and gives that network back.
///
/// # Panics
/// If the scenario hangs: nothing can happen any more, or things happen for a day.
pub fn run(link: Link, scenario: impl Future<Output = ()>) -> Network {
    let network = Network::new(seed());
    network.route("localhost", Some(Ipv4Addr::LOCALHOST.into()), link, dial);
    network.route("", None, link, dial);
    NETWORK.set(Some(network.clone()));
    let mut scenario = std::pin::pin!(scenario);
    let mut patience = network.sleep_until(network.mono() + PATIENCE);
    network.run(std::future::poll_fn(|cx| {
        let state = scenario.as_mut().poll(cx);
        if state.is_pending() {
            assert!(patience.poll_elapsed(cx).is_pending(), "the scenario hangs");
        }
        state
    }));
    NETWORK.set(None);
    network
}

impl Default for Network {
    /// The network on which this thread runs a scenario; elsewhere one without anybody on it.
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
    fn go_on_until(&self, done: &mut dyn FnMut() -> bool) {
        // What a server has said by the time that a test has waited for has come to the client.
        self.settle();
        while !done() && self.turn() {
            self.settle();
        }
    }
}

fn dial(network: &Network, address: std::net::SocketAddr) -> std::io::Result<Box<dyn Peer>> {
    let line = testkit::dial(address, Arc::new(network.clone()), network.mono())?;
    Ok(Box::new(Guest(line)))
}

/// A server of the testkit as the network sees it.
struct Guest(testkit::Line);

impl Peer for Guest {
    fn hear(&mut self, packet: Packet) {
        self.0.hear(match packet {
            Packet::Bytes(bytes) => testkit::Packet::Bytes(bytes),
            Packet::End => testkit::Packet::End,
            Packet::Reset => testkit::Packet::Reset,
        });
    }

    fn go_on(&mut self, now: Instant, room: usize) -> Said {
        let testkit::Said { packets, until, unread, is_over } = self.0.go_on(now, room);
        let packets = packets.into_iter().map(|packet| match packet {
            testkit::Packet::Bytes(bytes) => Packet::Bytes(bytes),
            testkit::Packet::End => Packet::End,
            testkit::Packet::Reset => Packet::Reset,
        });
        Said { packets: packets.collect(), until, unread, is_over }
    }
}
