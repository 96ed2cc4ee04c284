//! A client with its caller: the actions and the state of both.

use std::collections::BTreeMap;
use std::time::Duration;

use sessio_h2::{Config, Connection, ErrorCode, Event, Field, OpenError, RequestHead, State, StreamId};

use super::dice::Dice;

/// The state of a stream as the caller knows it.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) to_send: usize,
    pub(super) is_sent: bool,
    pub(super) has_length: bool,
    pub(super) is_waiting: bool,
    pub(super) has_head: bool,
    pub(super) got: usize,
    pub(super) consumed: usize,
    pub(super) is_ended: bool,
    pub(super) is_reset: bool,
    pub(super) is_refused: bool,
}

pub(super) struct World {
    pub(super) config: Config,
    pub(super) client: Connection,
    pub(super) now: Duration,
    pub(super) calls: BTreeMap<StreamId, Call>,
    /// The bytes that the client has sent and the peer has not received.
    pub(super) sent: Vec<u8>,
}

pub(super) static BODY: [u8; 70_000] = [b'b'; 70_000];

impl World {
    pub(super) fn new(dice: &mut Dice<'_>) -> Self {
        let mut config = Config::default();
        config.stream_window = dice.among(&[1 << 20, 1000, 20_000, 100]);
        config.max_stream_window = dice.among(&[8 << 20, 0, 60_000]);
        config.connection_window = dice.among(&[8 << 20, 65_535, 0, 100_000]);
        config.header_table = dice.among(&[4096, 0, 100, 10_000]);
        config.own_header_table = dice.among(&[4096, 0, 100, 10_000]);
        config.max_streams = dice.among(&[256, 3, 1]);
        config.limits.header_list = dice.among(&[65_536, 200]);
        let client = Connection::new(&config, Duration::ZERO);
        Self { config, client, now: Duration::ZERO, calls: BTreeMap::new(), sent: Vec::new() }
    }

    pub(super) fn id(&self, at: usize) -> Option<StreamId> {
        self.calls.keys().nth(at % self.calls.len().max(1)).copied()
    }

    pub(super) fn open(&mut self, dice: &mut Dice<'_>) {
        let method = dice.among(&["GET", "HEAD", "POST", "CONNECT"]);
        let to_send =
            if method == "POST" { dice.among(&[0, 10, 300, 5000, 100, 1000, 3000, 70_000]) } else { 0 };
        let is_last = method != "CONNECT" && to_send == 0;
        let head = RequestHead { method, scheme: "https", authority: Some("example.org"), path: "/a" };
        let long = "v".repeat(dice.among(&[0, 1, 100, 0, 1, 300, 10, 20_000]));
        let length = to_send.to_string();
        let fields = [
            Field::new("X-Long", &long),
            Field::new("Connection", "x-hop, close"),
            Field::new("x-hop", "1"),
            Field::new("cookie", "a=1; b=22222222222222222222222"),
            Field::new("te", "gzip, trailers"),
            Field::new("authorization", "secret"),
            Field::new("content-length", &length),
        ];
        let has_length = method == "POST" && dice.bit();
        let fields = if has_length { &fields[..] } else { &fields[..6] };
        let state = self.client.state(self.now);
        match self.client.open(&head, fields.iter().copied(), is_last, self.now) {
            Ok(id) => {
                let call = Call { to_send, is_sent: is_last, has_length, ..Call::default() };
                assert!(self.calls.insert(id, call).is_none());
                self.upload(id);
            }
            Err(OpenError::Full) => assert!(matches!(state, State::Open { free: 0 } | State::Doubtful)),
            Err(OpenError::Closed) => assert!(matches!(state, State::Draining | State::Dead)),
            Err(_) => assert!(state.is_available()),
        }
    }

    /// Sends as much of a request as the windows and buffers allow.
    pub(super) fn upload(&mut self, id: StreamId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.is_sent && !call.is_refused) else {
            return;
        };
        if call.is_reset {
            return;
        }
        match self.client.send_body(id, &BODY[..call.to_send], true) {
            Ok(n) => {
                assert!(n <= call.to_send);
                call.is_sent = n == call.to_send;
                call.to_send -= n;
                call.is_waiting = !call.is_sent;
            }
            Err(_) => call.is_refused = true,
        }
    }

    /// Takes at most `most` events. Consumes bodies, or leaves them unconsumed.
    pub(super) fn events(&mut self, most: usize, does_consume: bool) {
        for _ in 0..most {
            let was_dead = self.client.error().is_some();
            let Some((id, event)) = self.client.poll_event() else { break };
            let call = self.calls.get_mut(&id).expect("an event of a stream that was opened");
            assert!(!call.is_reset, "{event:?} of a stream that was given up");
            let is_writable = matches!(event, Event::Writable);
            assert!(!call.is_ended || is_writable, "{event:?} after the end");
            assert!(!was_dead || matches!(event, Event::Ended(_)), "{event:?} after an error");
            match event {
                Event::Interim(head) => assert!(!call.has_head && (100..200).contains(&head.status)),
                Event::Head(head) => {
                    assert!(!call.has_head && head.status >= 200);
                    call.has_head = true;
                }
                Event::Trailers(_) => assert!(call.has_head),
                Event::Writable => {
                    assert!(call.is_waiting && !call.is_refused, "Writable that nobody waits for");
                    call.is_waiting = false;
                    self.upload(id);
                }
                Event::Ended(outcome) => {
                    call.is_ended = true;
                    assert!(outcome.is_err() || call.has_head, "a success without a head");
                }
                Event::Body => {
                    assert!(call.has_head);
                    let length = self.client.body(id).len();
                    assert!(length > call.got - call.consumed, "Body without bytes");
                    call.got = call.consumed + length;
                    if does_consume {
                        call.consumed += length;
                        self.client.consume(id, length);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        self.check();
    }

    pub(super) fn consume(&mut self, id: StreamId, n: usize) {
        let n = n.min(self.client.body(id).len());
        self.client.consume(id, n);
        if let Some(call) = self.calls.get_mut(&id) {
            call.consumed += n;
        }
    }

    pub(super) fn reset(&mut self, id: StreamId) {
        self.client.reset(id, ErrorCode::CANCEL);
        let call = self.calls.get_mut(&id).expect("a stream that was opened");
        call.is_reset = true;
        assert!(self.client.body(id).is_empty());
    }

    /// Checks the caps of all buffers.
    pub(super) fn check(&mut self) {
        let window = self.config.stream_window.max(self.config.max_stream_window) as usize;
        for (&id, call) in &self.calls {
            let held = self.client.body(id).len();
            assert!(held <= window, "{held} bytes are held");
            assert!(call.is_reset || held == call.got - call.consumed, "bytes of a body were lost");
        }
        let io = self.client.io(self.now);
        assert!(io.recv.len() <= 128 * 1024);
        let heads = self.calls.len() * 21_000;
        assert!(io.send.len() <= 64 * 1024 + heads + 64 * 1024, "{} bytes wait", io.send.len());
    }

    /// Gives bytes to the client. Returns how many it took.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> usize {
        let recv = self.client.io(self.now).recv;
        let n = recv.len().min(bytes.len());
        recv[..n].copy_from_slice(&bytes[..n]);
        if n > 0 {
            self.client.received(n, self.now);
        }
        n
    }

    pub(super) fn receive_all(&mut self, mut bytes: &[u8], piece: usize, does_consume: bool) {
        while !bytes.is_empty() {
            let n = self.receive(&bytes[..bytes.len().min(piece)]);
            self.events(usize::MAX, does_consume);
            if n == 0 {
                assert!(self.client.error().is_some(), "it takes no bytes and has not failed");
                break;
            }
            bytes = &bytes[n..];
        }
    }

    pub(super) fn send(&mut self, most: usize) -> usize {
        let send = self.client.io(self.now).send;
        let n = send.len().min(most);
        self.sent.extend_from_slice(&send[..n]);
        self.client.sent(n);
        n
    }

    /// Ends the transport. Each stream has then ended once, and the connection is dead.
    pub(super) fn finish(&mut self) {
        self.client.received(0, self.now);
        self.events(usize::MAX, true);
        assert_eq!(self.client.state(self.now), State::Dead);
        assert!(self.client.io(self.now).recv.is_empty());
        for (id, call) in &self.calls {
            assert!(call.is_ended || call.is_reset, "stream {} has no end", id.get());
        }
        assert!(self.client.poll_event().is_none());
    }

    /// One action of the caller. `false` if the dice chose none.
    pub(super) fn act(&mut self, dice: &mut Dice<'_>) {
        let id = self.id(dice.below(256));
        match (dice.below(10), id) {
            (0 | 1, _) => self.open(dice),
            (2, Some(id)) => self.reset(id),
            (3, Some(id)) => self.consume(id, dice.among(&[1, 0, 1000, usize::MAX])),
            (4, Some(id)) if self.calls[&id].is_sent => assert!(self.client.send_trailers(id, []).is_err()),
            (4, Some(id)) if !self.calls[&id].has_length => {
                let is_sent = self.client.send_trailers(id, [Field::new("X-End", "1")]).is_ok();
                self.calls.get_mut(&id).expect("a stream that was opened").is_sent |= is_sent;
            }
            (5, _) => self.now += Duration::from_millis(dice.among(&[1, 1000, 9000])),
            (6, _) => self.client.rest(),
            (7, _) if dice.next() > 250 => self.client.close(),
            (8, _) => self.events(dice.below(4), dice.bit()),
            _ => {}
        }
    }
}
