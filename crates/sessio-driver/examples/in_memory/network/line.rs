//! Lines, and the packets on them.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use sessio_driver::sessio::Instant;

use super::peer::{Packet, Peer};
use super::{Event, Link, State};

/// A connection with both of its ends. Its halves are the direction up to the peer and the
/// direction down to the client.
pub struct Line {
    link: Link,
    peer: Box<dyn Peer>,
    pub halves: [Half; 2],
    /// Packets of the peer that exceed the window.
    outgoing: VecDeque<Packet>,
    /// Bytes that the peer has not read.
    unread: usize,
    /// The next time at which the peer acts without input.
    until: Option<Duration>,
    /// The client has closed its end.
    is_closed: bool,
    pub is_lost: bool,
    pub waker: Option<Waker>,
}

#[derive(Default)]
pub struct Half {
    /// The end of the link's busy time, and the arrival of the last packet: no packet overtakes
    /// another.
    busy: Duration,
    last: Duration,
    on_its_way: usize,
    pub arrived: Vec<u8>,
    pub is_ended: bool,
}

pub const UP: usize = 0;
pub const DOWN: usize = 1;
/// Default size of a packet in bytes.
const PACKET: usize = 1460;
/// Maximal number of bytes under way in one direction. A sender waits until earlier ones were read.
const WINDOW: usize = 64 * 1024;

impl Line {
    /// The number of bytes that the client may send.
    pub fn room(&self) -> usize {
        WINDOW.saturating_sub(self.halves[UP].on_its_way + self.unread)
    }
}

impl State {
    pub fn open(&mut self, link: Link, peer: Box<dyn Peer>) -> u64 {
        self.planned += 1;
        let (halves, outgoing, until, waker) = Default::default();
        let (unread, is_closed, is_lost) = (0, false, false);
        let line = Line { link, peer, halves, outgoing, unread, until, is_closed, is_lost, waker };
        self.lines.insert(self.planned, line);
        self.planned
    }

    /// Sends bytes of the client.
    pub fn send(&mut self, id: u64, bytes: &[u8]) {
        self.packet(id, UP, Packet::Bytes(bytes.to_vec()));
    }

    /// Closes the client's end. Like any socket, it sends a reset if received bytes were not read.
    pub fn hang_up(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        (line.is_closed, line.waker) = (true, None);
        let has_read = line.halves[DOWN].arrived.is_empty();
        self.packet(id, UP, if has_read { Packet::End } else { Packet::Reset });
    }

    /// Lets every peer act now, and returns the wakers to wake.
    pub fn run_peers(&mut self) -> Vec<Waker> {
        let ids: Vec<u64> = self.lines.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.peer_goes_on(id)).collect()
    }

    fn peer_goes_on(&mut self, id: u64) -> Option<Waker> {
        let line = self.lines.get_mut(&id)?;
        let unsent: usize = line.outgoing.iter().map(Packet::size).sum();
        // A peer that had to stop continues when half of the window is free.
        let room = if unsent > WINDOW / 2 { 0 } else { WINDOW - unsent };
        let said = line.peer.run(Instant::after_epoch(self.now), room);
        if said.packets.is_empty() && said.is_over && line.is_closed {
            self.lines.remove(&id);
            return None;
        }
        for packet in said.packets {
            match packet {
                Packet::Bytes(bytes) => {
                    line.outgoing.extend(bytes.chunks(PACKET).map(|piece| Packet::Bytes(piece.to_vec())));
                }
                Packet::End | Packet::Reset => line.outgoing.push_back(packet),
            }
        }
        let has_read = said.unread < std::mem::replace(&mut line.unread, said.unread);
        let waker = if has_read { line.waker.take() } else { None };
        let until = said.until.map(|until| until.since_epoch());
        if until != std::mem::replace(&mut line.until, until)
            && let Some(until) = until
        {
            self.plan(until, Event::Time);
        }
        self.send_down(id);
        self.reset(id);
        waker
    }

    /// A reset overtakes the packets that exceed the window.
    fn reset(&mut self, id: u64) {
        if let Some(line) = self.lines.get_mut(&id)
            && let Some(Packet::Reset) = line.outgoing.back()
        {
            line.outgoing.clear();
            self.packet(id, DOWN, Packet::Reset);
        }
    }

    pub fn arrive(&mut self, id: u64, way: usize, packet: Option<Packet>) -> Option<Waker> {
        self.on_their_way -= 1;
        let line = self.lines.get_mut(&id).filter(|line| !line.is_lost)?;
        let said = packet.as_ref().map_or_else(|| "lost".into(), Packet::said);
        self.trace.push(format!("{:?} line {id} {}: {said}", self.now, ["up", "down"][way]));
        let half = &mut line.halves[way];
        half.on_its_way -= packet.as_ref().map_or(0, Packet::size);
        let mut is_refused = false;
        match packet {
            None => {
                line.is_lost = true;
                line.peer.deliver(Packet::Reset);
            }
            Some(packet) if way == UP => {
                line.unread += packet.size();
                line.peer.deliver(packet);
                return None;
            }
            Some(Packet::Bytes(bytes)) if !line.is_closed => half.arrived.extend(bytes),
            Some(Packet::Bytes(_)) => is_refused = true,
            Some(Packet::End) => half.is_ended = true,
            Some(Packet::Reset) => line.is_lost = true,
        }
        let waker = line.waker.take();
        if is_refused {
            // A closed socket responds to data with a reset.
            self.packet(id, UP, Packet::Reset);
        }
        self.send_down(id);
        waker
    }

    /// Sends the packets of the peer that fit into the window.
    pub fn send_down(&mut self, id: u64) {
        while let Some(line) = self.lines.get_mut(&id)
            && let Some(packet) = line.outgoing.pop_front()
        {
            let down = &line.halves[DOWN];
            if down.on_its_way + down.arrived.len() + packet.size() > WINDOW {
                line.outgoing.push_front(packet);
                return;
            }
            self.packet(id, DOWN, packet);
        }
    }

    /// Sends a packet, with its bytes split into as many packets as needed.
    fn packet(&mut self, id: u64, way: usize, packet: Packet) {
        let Packet::Bytes(bytes) = packet else {
            self.one_packet(id, way, packet);
            return;
        };
        let most = self.lines.get(&id).map_or(0, |line| line.link.packet);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let size = (self.seed.draw() as usize).checked_rem(most).map_or(PACKET, |size| size + 1);
            let (packet, after) = rest.split_at(size.min(rest.len()));
            self.one_packet(id, way, Packet::Bytes(packet.to_vec()));
            rest = after;
        }
    }

    fn one_packet(&mut self, id: u64, way: usize, packet: Packet) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let (link, half) = (line.link, &mut line.halves[way]);
        let nanos = (packet.size() as u64 * 1_000_000_000).checked_div(link.bandwidth.into());
        half.busy = half.busy.max(self.now) + Duration::from_nanos(nanos.unwrap_or(0));
        let late = self.seed.draw().checked_rem(link.jitter.as_nanos() as u64).unwrap_or(0);
        half.last = half.last.max(half.busy + link.latency + Duration::from_nanos(late));
        half.on_its_way += packet.size();
        let (at, is_lost) = (half.last, self.seed.draw().checked_rem(link.loss) == Some(0));
        self.on_their_way += 1;
        self.plan(at, Event::Arrive(id, way, (!is_lost).then_some(packet)));
    }
}
