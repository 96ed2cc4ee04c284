//! Random exchanges: for any actions of both sides and any cuts, the windows are accounted
//! correctly.

use core::time::Duration;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::dice::Dice;
use super::peer::Peer;
use crate::stream::Remote;
use crate::{
    Config, Connection, ErrorCode, Event, Field, Head, OpenError, RequestHead, StreamErrorKind, StreamId,
};

/// The caller's view of a stream.
#[derive(Debug, Default)]
struct Call {
    to_send: usize,
    sent: usize,
    is_sent: bool,
    /// Some bytes were not taken: `Writable` must follow.
    is_waiting: bool,
    is_refused: bool,
    heads: usize,
    got: usize,
    has_trailers: bool,
    ended: Option<Result<(), StreamErrorKind>>,
    is_reset: bool,
}

struct World {
    client: Connection,
    peer: Peer,
    now: Duration,
    calls: BTreeMap<StreamId, Call>,
    /// The heads that the peer has sent, by stream.
    heads: BTreeMap<u32, Vec<String>>,
    opened: usize,
    goes_away: bool,
}

fn no_limits() -> Config {
    let mut config = Config::default();
    let limits = &mut config.limits;
    for limit in [
        &mut limits.pings,
        &mut limits.settings,
        &mut limits.empty_frames,
        &mut limits.resets,
        &mut limits.stream_errors,
        &mut limits.own_resets,
        &mut limits.replies,
        &mut limits.interim_heads,
    ] {
        *limit = u32::MAX;
    }
    config
}

impl World {
    fn new(config: &Config) -> Self {
        Self {
            client: Connection::new(config, Duration::ZERO),
            peer: Peer::new(),
            now: Duration::ZERO,
            calls: BTreeMap::new(),
            heads: BTreeMap::new(),
            opened: 0,
            goes_away: false,
        }
    }

    fn open(&mut self, body: Option<usize>) -> Result<(), OpenError> {
        let number = self.opened.to_string();
        let path = format!("/{number}");
        let head =
            RequestHead { method: "POST", scheme: "https", authority: Some("example.org"), path: &path };
        let fields = [
            Field::new("X-Number", &number),
            Field::new("accept", "*/*"),
            Field::new("authorization", &number).sensitive(),
        ];
        let id = self.client.open(&head, fields, body.is_none(), self.now)?;
        self.opened += 1;
        let call = Call { to_send: body.unwrap_or(0), is_sent: body.is_none(), ..Call::default() };
        assert!(self.calls.insert(id, call).is_none());
        Ok(())
    }

    fn upload(&mut self, id: StreamId, n: usize) {
        let call = self.calls.get_mut(&id).unwrap();
        let n = n.min(call.to_send - call.sent);
        let is_last = call.sent + n == call.to_send;
        match self.client.send_body(id, &vec![b'u'; n], is_last) {
            Ok(taken) => {
                call.sent += taken;
                call.is_sent = is_last && taken == n;
                call.is_waiting = taken < n;
            }
            // A stream refuses bytes only if it has failed, or if the peer does not need the rest.
            Err(_) => call.is_refused = true,
        }
    }

    fn consume(&mut self, id: StreamId, n: usize) {
        let body = self.client.body(id);
        let call = self.calls.get_mut(&id).unwrap();
        let n = n.min(body.len());
        // The bytes are a pattern that continues across frames.
        assert!(body[..n].iter().enumerate().all(|(at, &byte)| byte == (call.got + at) as u8));
        call.got += n;
        self.client.consume(id, n);
    }

    /// Takes an event; returns `true` if there was one.
    fn event(&mut self) -> bool {
        let Some((id, event)) = self.client.poll_event() else { return false };
        let call = self.calls.get_mut(&id).unwrap();
        // A request may continue after its response.
        let is_behind = matches!((&event, call.ended), (Event::Writable, Some(Ok(()))) if !call.is_sent);
        assert!(call.ended.is_none() && !call.is_reset || is_behind, "{event:?} behind the end of {call:?}");
        call.has_trailers |= matches!(event, Event::Trailers(_));
        match event {
            Event::Interim(Head { fields, .. })
            | Event::Head(Head { fields, .. })
            | Event::Trailers(fields) => {
                let value = fields.get(b"x-head").unwrap();
                assert_eq!(self.heads[&id.get()][call.heads].as_bytes(), value);
                call.heads += 1;
            }
            Event::Ended(outcome) => call.ended = Some(outcome.map_err(|error| error.kind())),
            Event::Writable => call.is_waiting = false,
            Event::Body => {}
        }
        true
    }

    fn send(&mut self, n: usize) -> usize {
        let io = self.client.io(self.now);
        let n = n.min(io.send.len());
        self.peer.receive(&io.send[..n]);
        self.client.sent(n);
        n
    }

    fn receive(&mut self, n: usize) -> usize {
        let io = self.client.io(self.now);
        let n = n.min(io.recv.len()).min(self.peer.out.len());
        io.recv[..n].copy_from_slice(&self.peer.out[..n]);
        self.peer.out.drain(..n);
        if n > 0 {
            self.client.received(n, self.now);
        }
        n
    }

    fn answer_head(&mut self, id: u32, status: &str, is_last: bool, cut: usize) {
        let value = self.peer.head(id, status, is_last, cut);
        self.heads.entry(id).or_default().push(value);
    }

    fn peer_acts(&mut self, dice: &mut Dice<'_>) {
        let kind = dice.below(16);
        if kind == 0 {
            let window = dice.size(200_000) as u32;
            let frame = 16_384 + dice.size(50_000) as u32;
            return self.peer.settings(&[(1, dice.size(8192) as u32), (4, window), (5, frame)]);
        }
        if kind == 1 {
            return self.peer.settings(&[(3, dice.below(12) as u32)]);
        }
        if kind == 2 {
            crate::frame::encode::ping([dice.below(256) as u8; 8], false, &mut self.peer.out);
            return self.peer.update(0, dice.size(100_000) as u32);
        }
        if kind == 3 && dice.below(50) == 1 && !self.goes_away {
            self.goes_away = true;
            let ids: Vec<u32> = self.peer.streams.keys().copied().collect();
            let last = dice.pick(&ids).unwrap_or(0);
            let out = &mut self.peer.out;
            crate::frame::encode::goaway(last, ErrorCode::NO_ERROR, b"maintenance", out);
            for (_, stream) in self.peer.streams.range_mut(last + 1..) {
                stream.is_reset = true;
            }
            return;
        }
        let Some(id) = dice.pick(&self.peer.unanswered()) else { return };
        let has_head = self.peer.streams[&id].has_head;
        match kind {
            4 => self.peer.update(id, dice.size(100_000) as u32),
            5 if dice.below(4) == 0 => {
                let code = [ErrorCode::REFUSED_STREAM, ErrorCode::CANCEL, ErrorCode::NO_ERROR][dice.below(3)];
                self.peer.reset(id, code);
            }
            6 if !has_head => self.answer_head(id, "103", false, 16_384),
            _ if !has_head => {
                let is_last = dice.below(8) == 0;
                self.answer_head(id, "200", is_last, dice.size(100) + 1);
            }
            // Trailers.
            7 => self.answer_head(id, "", true, 7),
            _ => {
                let padding = if dice.below(3) == 0 { Some(dice.below(256) as u8) } else { None };
                let n = dice.size(20_000);
                let is_last = dice.below(10) == 0;
                self.peer.data(id, n, padding, is_last);
            }
        }
    }

    /// Checks the accounting of each window. Its size is the sum of the peer's credit, the unread
    /// bytes and the released bytes that are not credited yet.
    fn check_books(&self) {
        let client = &self.client;
        assert_eq!(client.window.left + client.window.due, client.window.size);
        let mut active = 0;
        for id in client.streams.ids_from(0) {
            let stream = client.streams.get(id).unwrap();
            let held = client.body(StreamId(id)).len() as u32;
            let window = &stream.window;
            if stream.remote != Remote::Closed {
                assert_eq!(window.left + window.due + held, window.size, "{stream:?}");
            }
            active += u32::from(!stream.is_closed());
        }
        assert_eq!(client.streams.active, active);
    }

    fn act(&mut self, dice: &mut Dice<'_>) {
        let ids: Vec<StreamId> =
            self.calls.iter().filter(|(_, call)| !call.is_reset).map(|(&id, _)| id).collect();
        match dice.below(16) {
            0 | 1 => {
                let body = if dice.below(2) == 0 { None } else { Some(dice.size(150_000)) };
                let _ = self.open(body);
            }
            2 | 3 => {
                if let Some(id) = dice.pick(&ids) {
                    let n = dice.size(100_000);
                    self.upload(id, n);
                }
            }
            4 => {
                for _ in 0..dice.below(5) {
                    self.event();
                }
            }
            5 | 6 => {
                if let Some(id) = dice.pick(&ids) {
                    let n = dice.size(100_000);
                    self.consume(id, n);
                }
            }
            7 if dice.below(3) == 0 => {
                if let Some(id) = dice.pick(&ids) {
                    self.client.reset(id, ErrorCode::CANCEL);
                    self.calls.get_mut(&id).unwrap().is_reset = true;
                }
            }
            8 | 9 => {
                let n = dice.size(100_000);
                self.send(n);
            }
            10 | 11 => {
                let n = dice.size(100_000);
                self.receive(n);
            }
            _ => self.peer_acts(dice),
        }
        self.check_books();
    }

    /// Both sides finish their streams, and the caller opens `more` streams.
    fn finish(&mut self, mut more: usize) {
        self.peer.settings(&[(3, 3), (4, 70_000)]);
        for round in 0.. {
            assert!(round < 10_000, "stuck: {:?} {:?}", self.calls, self.peer.streams);
            let mut moved = self.send(usize::MAX) + self.receive(usize::MAX);
            while self.event() {
                moved += 1;
            }
            let ids: Vec<StreamId> = self.calls.keys().copied().collect();
            for id in ids {
                let call = &self.calls[&id];
                if !call.is_reset {
                    self.consume(id, usize::MAX);
                    let call = &self.calls[&id];
                    if !call.is_sent && !call.is_refused && !call.is_waiting {
                        self.upload(id, usize::MAX);
                    }
                }
            }
            while more > 0 && self.open(Some(1000)).is_ok() {
                more -= 1;
                moved += 1;
            }
            if moved == 0 {
                self.peer.update(0, 70_000);
                let ids: Vec<(u32, i64)> =
                    self.peer.streams.iter().map(|(&id, stream)| (id, stream.window)).collect();
                for (id, window) in ids {
                    if window < 70_000 && self.peer.streams[&id].is_open() {
                        self.peer.update(id, 70_000);
                    }
                }
                for id in self.peer.unanswered() {
                    if !self.peer.streams[&id].has_head {
                        self.answer_head(id, "200", false, 16_384);
                    }
                    self.peer.data(id, 0, None, true);
                }
                if self.peer.out.is_empty() && (more == 0 || self.goes_away) {
                    break;
                }
            }
            self.check_books();
        }
        assert_eq!(self.client.error(), None);
        for (id, call) in &self.calls {
            if call.is_reset {
                continue;
            }
            let peer = self.peer.streams.get(&id.get());
            let is_over = call.is_sent || self.goes_away || peer.is_some_and(|peer| peer.is_reset);
            assert!(!call.is_refused || is_over, "{call:?} {peer:?}");
            match call.ended {
                None => panic!("{id:?} never ended: {call:?} {peer:?}"),
                Some(Ok(())) => {
                    let peer = peer.unwrap();
                    assert_eq!(call.got, peer.sent, "{call:?} {peer:?}");
                    if !peer.is_reset {
                        assert_eq!((call.sent, call.sent), (call.to_send, peer.got), "{call:?} {peer:?}");
                    }
                }
                Some(Err(StreamErrorKind::Reset(_))) => assert!(peer.unwrap().is_reset),
                Some(Err(StreamErrorKind::GoAway(_))) => assert!(self.goes_away),
                Some(Err(kind)) => panic!("{id:?}: {kind:?}"),
            }
            if let Some(request) = self.peer.requests.get(&id.get()) {
                let number = request.iter().find(|field| field.0 == b"x-number").unwrap();
                let path = request.iter().find(|field| field.0 == b":path").unwrap();
                assert_eq!(path.1[1..], number.1);
            }
        }
        // All received bytes were credited or will be, and both sides agree on their number.
        assert!(self.client.streams.is_empty());
        assert_eq!(i64::from(self.client.window.left), self.peer.credit);
        assert_eq!(self.client.send_window, self.peer.window);
    }
}

fn run(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    // Small windows are often exhausted.
    let config = Config { stream_window: [1 << 20, 70_000, 1000][dice.below(3)], ..no_limits() };
    let mut world = World::new(&config);
    while !dice.is_empty() {
        world.act(&mut dice);
    }
    world.finish(10);
}

proptest! {
    // `PROPTEST_CASES` sets the number.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Windows are conserved, and never exceeded in either direction. MAX_CONCURRENT_STREAMS is
    /// respected, and lowering it never deadlocks. HPACK stays synchronized through every
    /// cancellation. Each stream ends exactly once.
    #[test]
    fn the_books_of_both_sides_agree(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        run(&bytes);
    }
}

/// Stream windows fall below zero, and nothing is sent until they are positive again.
#[test]
fn a_smaller_initial_window_takes_credit_back() {
    let mut world = World::new(&no_limits());
    world.open(Some(100_000)).unwrap();
    let id = *world.calls.keys().next().unwrap();
    world.upload(id, 60_000);
    world.send(usize::MAX);
    world.peer.settings(&[(4, 10)]);
    world.receive(usize::MAX);
    while world.event() {}
    assert_eq!(world.client.streams.get(id.get()).unwrap().send_window, 10 - 60_000);
    world.upload(id, 1000);
    world.peer.update(id.get(), 59_990);
    world.receive(usize::MAX);
    while world.event() {}
    world.upload(id, 1000);
    world.send(usize::MAX);
    assert_eq!(world.peer.streams[&id.get()].got, 60_000);
    world.finish(0);
}
