//! The body of `h2_connection`: a client against bytes of the fuzzer, or against a scripted server.
//!
//! No input causes a panic. Each stream ends exactly once, and has no event after its end. After a
//! connection error the only events are ends. Buffers of received and unsent bytes have caps. The
//! scripted server finds no violation of the rules, and no credit is lost.

mod dice;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use sessio_h2::frame::{Frame, Header, Kind, encode};
use sessio_h2::{ConnectionErrorKind, ErrorCode, Event, StreamId};
use sessio_testkit::http2::{
    Credit, Exchange, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, Peer,
};

use dice::Dice;
use world::{BODY, World};

/// The first byte selects the peer.
pub(crate) fn connection(data: &[u8]) {
    let mut dice = Dice(data);
    match dice.next() % 4 {
        0 => raw(dice),
        1 => cuts(dice),
        _ => scripted(dice),
    }
}

/// A frame from the fuzzer: usually complete, on a stream with a small id.
fn frame(dice: &mut Dice<'_>, out: &mut Vec<u8>) {
    let kind = dice.among(&[0, 1, 1, 3, 4, 6, 7, 8, 9, 2, 5, 0x77]);
    let flags = dice.among(&[0, 1, 4, 5, 8, 0x24, 0xff]);
    let stream = dice.among(&[1, 3, 0, 5, 7, 2, 9, 11]);
    let length = dice.below(64);
    let mut payload: Vec<u8> = (0..length).map(|_| dice.next()).collect();
    if dice.next() > 240 {
        payload = payload.repeat(200);
    }
    payload.truncate(17_000);
    encode::frame(Kind(kind), flags, stream, &payload, out);
}

/// A client against any bytes.
fn raw(mut dice: Dice<'_>) {
    let mut world = World::new(&mut dice);
    world.open(&mut dice);
    let (mut bytes, mut delivered) = (Vec::new(), 0);
    encode::settings(&[], &mut bytes);
    while !dice.is_empty() {
        match dice.below(8) {
            0 | 1 => world.act(&mut dice),
            2 => {
                let length = dice.below(32);
                bytes.extend((0..length).map(|_| dice.next()));
            }
            3 => {
                world.send(dice.among(&[usize::MAX, 1, 100]));
            }
            _ => frame(&mut dice, &mut bytes),
        }
        if dice.bit() {
            let bytes = std::mem::take(&mut bytes);
            // Long inputs in larger pieces, to limit the time.
            let piece = dice.among(&[usize::MAX, 1, 7]).max(bytes.len() / 200);
            world.receive_all(&bytes, piece, dice.bit());
            delivered += bytes.len();
        }
    }
    world.send(usize::MAX);
    check_written(&world, delivered);
    world.finish();
}

/// The frames of the client are in order for any input. The client gives no more credit than the
/// bytes it received.
fn check_written(world: &World, delivered: usize) {
    let mut rest = world.sent.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("the preface");
    let mut credit = 0;
    let (mut ended, mut reset) = (BTreeSet::new(), BTreeSet::new());
    let mut last = 0;
    let mut open_block = None;
    while let Some((head, behind)) = rest.split_first_chunk() {
        let header = Header::parse(head);
        let (payload, behind) = behind.split_at(header.length as usize);
        rest = behind;
        let frame = Frame::parse(&header, payload).expect("a frame that is valid");
        let id = header.stream;
        assert!(!reset.contains(&id), "{frame:?} on stream {id}, which was reset");
        assert!(open_block.is_none_or(|open| (open, Kind::CONTINUATION) == (id, header.kind)), "{frame:?}");
        match frame {
            Frame::Headers { .. } => {
                assert!(id > last && !ended.contains(&id) || id <= last && header.is_end_stream());
                last = last.max(id);
                open_block = (!header.has(Header::END_HEADERS)).then_some(id);
            }
            Frame::Continuation(_) => open_block = (!header.has(Header::END_HEADERS)).then_some(id),
            Frame::Data(_) => assert!(id <= last && !ended.contains(&id)),
            Frame::Reset(_) => {
                assert!(id <= last);
                reset.insert(id);
            }
            Frame::WindowUpdate(increment) if id == 0 => credit += increment as usize,
            Frame::WindowUpdate(increment) => assert!(id <= last && increment > 0),
            Frame::GoAway { code, .. } => assert!(code == ErrorCode::NO_ERROR || rest.is_empty()),
            Frame::Settings(_) | Frame::Ping(_) => {}
            other => panic!("{other:?}"),
        }
        if header.is_end_stream() {
            assert!(ended.insert(id), "stream {id} ends twice");
        }
    }
    assert!(rest.is_empty() || world.client.error().is_some(), "a frame is not whole");
    let given = world.config.connection_window.max(65_535) as usize - 65_535;
    assert!(credit <= given + delivered, "{credit} bytes of credit for {delivered} bytes");
}

/// The same bytes in other pieces cause the same events.
fn cuts(mut dice: Dice<'_>) {
    let settings = Dice(dice.0);
    let _ = World::new(&mut dice);
    let mut bytes = Vec::new();
    encode::settings(&[], &mut bytes);
    while !dice.is_empty() {
        frame(&mut dice, &mut bytes);
    }
    let tell = |piece: usize| {
        let mut dice = Dice(settings.0);
        let mut world = World::new(&mut dice);
        for _ in 0..3 {
            world.open(&mut Dice(&[0, 0]));
        }
        let mut told: BTreeMap<u32, (Vec<String>, usize)> = BTreeMap::new();
        let mut rest = &bytes[..];
        loop {
            let n = world.receive(&rest[..rest.len().min(piece)]);
            rest = &rest[n..];
            if n == 0 {
                world.client.received(0, world.now);
            }
            while let Some((id, event)) = world.client.poll_event() {
                let (words, body) = told.entry(id.get()).or_default();
                match event {
                    Event::Body => {
                        let length = world.client.body(id).len();
                        *body += length;
                        world.client.consume(id, length);
                    }
                    Event::Writable => {}
                    event => words.push(format!("{event:?}")),
                }
            }
            if n == 0 {
                return (told, world.client.error());
            }
        }
    };
    let whole = tell(usize::MAX);
    for piece in [1, 13].map(|piece| piece.max(bytes.len() / 1000)) {
        assert_eq!(tell(piece), whole, "in pieces of {piece}");
    }
}

fn exchange(dice: &mut Dice<'_>) -> Exchange {
    let mut exchange = Exchange::new();
    for _ in 0..dice.below(9) {
        let body = &BODY[..dice.among(&[0, 1, 100, 3000, 10, 1000, 20_000])];
        exchange = match dice.below(20) {
            0 => exchange.wait_end(),
            1 => exchange.wait_body(dice.among(&[1, 4000])),
            2 => exchange.pause(dice.below(9) as u32),
            3 => exchange.interim(103, &[("link", "<a>")]),
            4..=6 => {
                exchange.head(dice.among(&[200, 204, 304, 421, 101]), &[("x-a", "b"), ("server", "peer")])
            }
            7 => exchange.head(200, &[("content-length", dice.among(&["100", "3000", "0"]))]),
            8..=10 => exchange.body(body),
            11 => exchange.padded(body, dice.next()),
            12 | 13 => exchange.end(),
            14 => exchange.trailers(&[("x-end", "1")]),
            15 => exchange.reset(dice.among(&[0, 7, 8, 2])),
            16 => exchange.grant(dice.among(&[1, 1000, 100_000])),
            17 => exchange.grant_connection(dice.among(&[1, 1000, 100_000])),
            18 => exchange.settings(&[setting(dice)]),
            _ if dice.next() > 200 => exchange.goaway(dice.among(&[0, 1, 5, 100]), 0),
            _ => exchange.ping(),
        };
    }
    exchange
}

fn setting(dice: &mut Dice<'_>) -> (u16, u32) {
    match dice.below(4) {
        0 => (INITIAL_WINDOW_SIZE, dice.among(&[65_535, 0, 100, 1000, 1 << 20])),
        1 => (MAX_CONCURRENT_STREAMS, dice.among(&[100, 0, 1, 2])),
        2 => (HEADER_TABLE_SIZE, dice.among(&[4096, 0, 100, 65_536])),
        _ => (MAX_FRAME_SIZE, dice.among(&[16_384, 20_000, 100_000])),
    }
}

/// A server that mostly keeps the rules, and checks the client.
fn scripted(mut dice: Dice<'_>) {
    let mut world = World::new(&mut dice);
    let credit = dice.among(&[Credit::AsRead, Credit::Withheld]);
    let first = setting(&mut dice);
    let mut peer = Peer::new().with_settings(&[first]).with_credit(credit);
    peer = peer.with_piece(dice.among(&[16_384, 100, 1000]));
    for _ in 0..dice.below(8) {
        peer = peer.exchange(exchange(&mut dice));
    }
    peer = peer.otherwise(Exchange::ok("otherwise"));
    while !dice.is_empty() {
        match dice.below(8) {
            0..=2 => world.act(&mut dice),
            3 => {
                world.send(dice.among(&[usize::MAX, 1, 100]));
            }
            4 => {
                peer.turn();
            }
            5 => peer.grant(dice.among(&[0, 1, 3, 5]), dice.among(&[1, 1000, 100_000])),
            _ => exchange_bytes(&mut world, &mut peer, dice.among(&[usize::MAX, 1, 50]), dice.bit()),
        }
        assert_eq!(peer.faults(), [""; 0]);
    }
    settle(&mut world, &mut peer);
    world.finish();
}

/// Moves some bytes in both directions. Returns whether there were any.
fn exchange_bytes(world: &mut World, peer: &mut Peer, most: usize, does_consume: bool) {
    world.send(most);
    // The client has space again.
    world.events(usize::MAX, does_consume);
    peer.receive(&std::mem::take(&mut world.sent));
    let bytes = peer.send(most);
    if world.client.error().is_none() {
        world.receive_all(&bytes, most, does_consume);
    }
    peer.turn();
    let window = |id| peer.send_window(id);
    let most = world.config.connection_window.max(65_535);
    assert!(window(0) <= most.into(), "the connection's window is {}", window(0));
    let most = world.config.stream_window.max(world.config.max_stream_window).max(65_535);
    for id in world.calls.keys() {
        assert!(window(id.get()) <= most.into(), "the window of stream {} is {}", id.get(), window(id.get()));
    }
}

/// Both sides do everything they can. After that, no credit is lost, and no stream waits although
/// its windows allow bytes.
fn settle(world: &mut World, peer: &mut Peer) {
    let mut quiet = 0;
    while quiet < 3 {
        let ids: Vec<StreamId> = world.calls.keys().copied().collect();
        for id in ids {
            world.consume(id, usize::MAX);
        }
        let before = world.client.io(world.now).send.len() + peer.unsent();
        exchange_bytes(world, peer, usize::MAX, true);
        let is_moving = peer.turn() || before + peer.unsent() + world.client.io(world.now).send.len() > 0;
        quiet = if is_moving { 0 } else { quiet + 1 };
    }
    assert_eq!(peer.faults(), [""; 0]);
    if let Some(error) = world.client.error() {
        use ConnectionErrorKind as E;
        let is_fine = matches!(
            error.kind(),
            E::TooManyPings
                | E::TooManySettings
                | E::TooManyEmptyFrames
                | E::TooManyStreamErrors
                | E::SettingsTimeout
                | E::PingTimeout
                | E::TooManyReplies
                | E::TooManyResets
                | E::HeaderListTooLarge
        );
        assert!(is_fine, "{error}");
        assert!(peer.client_goaway().is_some() && peer.client_goaway() == Some(error.code().0));
        return;
    }
    assert_eq!((peer.open_pings(), peer.open_settings()), (0, 0));
    let kept = i64::from(world.config.connection_window.max(65_535)) / 2;
    assert!(peer.send_window(0) >= kept, "the connection has {} left", peer.send_window(0));
    for (id, call) in &world.calls {
        let id = id.get();
        if !call.is_ended && !call.is_reset {
            let kept = i64::from(world.config.stream_window / 2);
            assert!(peer.send_window(id) >= kept, "stream {id} has {} left", peer.send_window(id));
        }
        if call.is_waiting
            && !call.is_refused
            && !call.is_reset
            && peer.request(id).is_some_and(|it| !it.is_ended)
        {
            let window = peer.receive_window(id).min(peer.receive_window(0));
            let is_over = call.is_ended;
            assert!(window <= 0 || is_over, "stream {id} waits with a window of {window}");
        }
    }
}
