//! The lines, and what travels on them.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use sessio_driver::sessio::Instant;

use super::peer::{Packet, Peer};
use super::{Event, Link, State};

/// A connection, with both ends of it: its halves are the way up to the peer and the way down.
pub struct Line {
    link: Link,
    peer: Box<dyn Peer>,
    pub halves: [Half; 2],
    /// What the peer has said, and the window does not let through yet.
    answer: VecDeque<Packet>,
    /// What the peer has not read.
    unread: usize,
    /// When the peer goes on of itself.
    until: Option<Duration>,
    /// The client has closed its end.
    is_closed: bool,
    pub is_lost: bool,
    pub waker: Option<Waker>,
}

#[derive(Default)]
pub struct Half {
    /// Until when the link is busy, and when the last packet arrives: none overtakes another.
    busy: Duration,
    last: Duration,
    on_its_way: usize,
    pub arrived: Vec<u8>,
    pub is_ended: bool,
}

pub const UP: usize = 0;
pub const DOWN: usize = 1;
/// How large packets are where nothing else is said.
const PACKET: usize = 1460;
/// How much may be under way, one way: who sends more waits until it has been read.
const WINDOW: usize = 64 * 1024;

impl Line {
    /// How much the client may send.
    pub fn room(&self) -> usize {
        WINDOW.saturating_sub(self.halves[UP].on_its_way + self.unread)
    }
}

impl State {
    pub fn open(&mut self, link: Link, peer: Box<dyn Peer>) -> u64 {
        self.planned += 1;
        let (halves, answer, until, waker) = Default::default();
        let (unread, is_closed, is_lost) = (0, false, false);
        let line = Line { link, peer, halves, answer, unread, until, is_closed, is_lost, waker };
        self.lines.insert(self.planned, line);
        self.planned
    }

    /// Sends what a client writes.
    pub fn send(&mut self, id: u64, bytes: &[u8]) {
        self.packet(id, UP, Packet::Bytes(bytes.to_vec()));
    }

    /// Closes the client's end. As with any socket, that is a reset if there is something that was not read.
    pub fn hang_up(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        (line.is_closed, line.waker) = (true, None);
        let has_read = line.halves[DOWN].arrived.is_empty();
        self.packet(id, UP, if has_read { Packet::End } else { Packet::Reset });
    }

    /// Lets every peer do what it can do now, and says who is to be woken.
    pub fn peers_go_on(&mut self) -> Vec<Waker> {
        let ids: Vec<u64> = self.lines.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.peer_goes_on(id)).collect()
    }

    fn peer_goes_on(&mut self, id: u64) -> Option<Waker> {
        let line = self.lines.get_mut(&id)?;
        let unsent: usize = line.answer.iter().map(Packet::size).sum();
        // A peer that had to stop goes on when there is something to gain.
        let room = if unsent > WINDOW / 2 { 0 } else { WINDOW - unsent };
        let said = line.peer.go_on(Instant::after_epoch(self.now), room);
        if said.packets.is_empty() && said.is_over && line.is_closed {
            self.lines.remove(&id);
            return None;
        }
        for packet in said.packets {
            match packet {
                Packet::Bytes(bytes) => {
                    line.answer.extend(bytes.chunks(PACKET).map(|piece| Packet::Bytes(piece.to_vec())));
                }
                Packet::End | Packet::Reset => line.answer.push_back(packet),
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
        self.answer(id);
        self.reset(id);
        waker
    }

    /// A reset overtakes what the window has not let through.
    fn reset(&mut self, id: u64) {
        if let Some(line) = self.lines.get_mut(&id)
            && let Some(Packet::Reset) = line.answer.back()
        {
            line.answer.clear();
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
        let mut is_unheard = false;
        match packet {
            None => {
                line.is_lost = true;
                line.peer.hear(Packet::Reset);
            }
            Some(packet) if way == UP => {
                line.unread += packet.size();
                line.peer.hear(packet);
                return None;
            }
            Some(Packet::Bytes(bytes)) if !line.is_closed => half.arrived.extend(bytes),
            Some(Packet::Bytes(_)) => is_unheard = true,
            Some(Packet::End) => half.is_ended = true,
            Some(Packet::Reset) => line.is_lost = true,
        }
        let waker = line.waker.take();
        if is_unheard {
            // As any closed socket answers.
            self.packet(id, UP, Packet::Reset);
        }
        self.answer(id);
        waker
    }

    /// Sends what the peer has said, as far as the window lets it.
    pub fn answer(&mut self, id: u64) {
        while let Some(line) = self.lines.get_mut(&id)
            && let Some(packet) = line.answer.pop_front()
        {
            let down = &line.halves[DOWN];
            if down.on_its_way + down.arrived.len() + packet.size() > WINDOW {
                line.answer.push_front(packet);
                return;
            }
            self.packet(id, DOWN, packet);
        }
    }

    /// Sends something, bytes in as many packets as it takes.
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
