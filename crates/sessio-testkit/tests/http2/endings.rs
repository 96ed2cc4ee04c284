//! Streams and connections that end early.

use core::time::Duration;

use sessio_h2::{Config, ConnectionErrorKind, ErrorCode, OpenError, State, StreamErrorKind};
use sessio_testkit::http2::{Exchange, Peer};

use crate::talk::{Talk, pattern};

/// The points of an exchange: a script up to each of them.
fn points() -> [Exchange; 8] {
    let head = || Exchange::new().head(200, &[("x-a", "b")]);
    [
        Exchange::new(),
        Exchange::new().interim(103, &[]),
        Exchange::new().wait_body(1000),
        head(),
        head().body(""),
        head().body(pattern(10)),
        head().padded(pattern(20_000), 9),
        head().wait_body(1000).body(pattern(100)).pause(9),
    ]
}

#[test]
fn a_reset_at_every_point_ends_its_stream_alone() {
    for (at, point) in points().into_iter().enumerate() {
        for code in [0, 2, 7, 8, 0xbad] {
            for piece in [usize::MAX, 1] {
                let peer = Peer::new().exchange(point.clone().reset(code)).otherwise(Exchange::ok("fine"));
                let mut talk = Talk::new(&Config::default(), peer).with_piece(piece);
                let (broken, fine) = (talk.post("/", pattern(3000)), talk.post("/", pattern(3000)));
                talk.settle();
                let context = format!("point {at}, code {code}, pieces of {piece}");
                let error = talk.response(broken).end.unwrap().unwrap_err();
                assert_eq!(error.kind(), StreamErrorKind::Reset(ErrorCode(code)), "{context}");
                // REFUSED_STREAM says that the server did nothing. It is true only before the head.
                assert_eq!(error.is_retry_safe(), code == 7 && at < 3, "{context}");
                assert_eq!(
                    (talk.response(fine).end, &talk.response(fine).body[..]),
                    (Some(Ok(())), &b"fine"[..])
                );
                assert!(matches!(talk.client.state(Duration::ZERO), State::Open { free: 256 }), "{context}");
            }
        }
    }
}

/// The caller cancels at every point. The server receives one reset, and the next request works.
#[test]
fn a_stream_given_up_at_every_point_leaves_nothing_behind() {
    for steps in 0..40 {
        let exchange = points().into_iter().last().unwrap().body(pattern(50_000)).end();
        let peer = Peer::new().exchange(exchange).otherwise(Exchange::ok("fine"));
        let mut talk = Talk::new(&Config::default(), peer).with_piece(2000);
        let id = talk.post("/", pattern(30_000));
        for _ in 0..steps {
            talk.step();
        }
        let had_ended = talk.responses.get(&id.get()).is_some_and(|response| response.end.is_some());
        talk.client.reset(id, ErrorCode::CANCEL);
        let before = talk.responses.remove(&id.get());
        let next = talk.get("/");
        talk.settle();
        assert!(!talk.responses.contains_key(&id.get()), "{before:?} was not the end of it");
        assert_eq!(talk.peer.request(id.get()).unwrap().reset, if had_ended { None } else { Some(8) });
        assert_eq!(talk.response(next).end, Some(Ok(())));
    }
}

#[test]
fn goaway_in_the_middle_lets_those_below_finish_and_those_above_go_elsewhere() {
    for piece in [usize::MAX, 1] {
        let peer = Peer::new()
            .exchange(Exchange::new().wait_end().head(200, &[]).body("a").pause(50).body("b").end())
            .exchange(Exchange::new().head(200, &[]).goaway(3, 0).pause(30).body("c").end())
            .otherwise(Exchange::new().head(200, &[]).body("never").end());
        let peer = peer.exchange(Exchange::new().pause(500).head(200, &[]).end());
        let mut talk = Talk::new(&Config::default(), peer).with_piece(piece);
        let ids = [talk.get("/1"), talk.get("/3"), talk.post("/5", pattern(200_000))];
        talk.settle();
        assert_eq!((&talk.response(ids[0]).body[..], talk.response(ids[0]).end), (&b"ab"[..], Some(Ok(()))));
        assert_eq!((&talk.response(ids[1]).body[..], talk.response(ids[1]).end), (&b"c"[..], Some(Ok(()))));
        let error = talk.response(ids[2]).end.unwrap().unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::GoAway(ErrorCode::NO_ERROR));
        assert!(error.is_retry_safe());
        assert_eq!(talk.client.goaway().unwrap().last, 3);
        assert_eq!(talk.client.state(Duration::ZERO), State::Dead);
        let head = sessio_h2::RequestHead { method: "GET", scheme: "https", authority: Some("a"), path: "/" };
        assert_eq!(talk.client.open(&head, [], true, Duration::ZERO), Err(OpenError::Closed));
    }
}

/// The transport ends after each byte of a response. The response is complete only after the last
/// byte.
#[test]
fn a_response_cut_short_is_never_a_success() {
    let exchange = || Exchange::new().head(200, &[("x-a", "b")]).body("hello").trailers(&[("x-end", "1")]);
    let length = {
        let mut talk = Talk::new(&Config::default(), Peer::new().exchange(exchange()));
        talk.get("/");
        let send = talk.client.io(Duration::ZERO).send.to_vec();
        talk.peer.receive(&send);
        while talk.peer.turn() {}
        talk.peer.unsent()
    };
    for cut in 0..=length {
        let mut talk = Talk::new(&Config::default(), Peer::new().exchange(exchange()));
        let id = talk.get("/");
        let io = talk.client.io(Duration::ZERO);
        talk.peer.receive(io.send);
        let sent = io.send.len();
        while talk.peer.turn() {}
        let bytes = talk.peer.send(cut);
        io.recv[..cut].copy_from_slice(&bytes);
        talk.client.sent(sent);
        if cut > 0 {
            talk.client.received(cut, Duration::ZERO);
        }
        talk.end();
        let expected = match talk.response(id).end.unwrap() {
            Ok(()) => cut >= length,
            Err(error) => {
                assert_eq!(error.kind(), StreamErrorKind::Connection(ConnectionErrorKind::Closed));
                assert!(!error.is_retry_safe());
                cut < length
            }
        };
        assert!(expected, "cut at {cut} of {length}: {:?}", talk.response(id));
    }
}

/// The server closes after a GOAWAY. Complete responses succeed, incomplete ones fail, each once.
#[test]
fn a_close_in_the_middle_fails_what_is_open() {
    let peer = Peer::new()
        .exchange(Exchange::ok("whole"))
        .exchange(Exchange::new().head(200, &[]).body("half").pause(20).close())
        .otherwise(Exchange::new());
    let mut talk = Talk::new(&Config::default(), peer);
    let ids = [talk.get("/"), talk.get("/"), talk.post("/", pattern(10))];
    talk.settle();
    assert_eq!(talk.response(ids[0]).end, Some(Ok(())));
    for id in &ids[1..] {
        let error = talk.response(*id).end.unwrap().unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::Connection(ConnectionErrorKind::Closed));
    }
    assert_eq!(talk.client.error().unwrap().kind(), ConnectionErrorKind::Closed);
}

/// A connection error is sent to the server, with no frame after it.
#[test]
fn an_error_of_the_connection_is_told() {
    let peer =
        Peer::new().exchange(Exchange::new().head(200, &[]).raw([0, 0, 1, 6, 0, 0, 0, 0, 0, 1]).body("late"));
    let mut talk = Talk::new(&Config::default(), peer);
    let ids = [talk.get("/"), talk.get("/")];
    talk.settle();
    assert_eq!(talk.peer.client_goaway(), Some(ErrorCode::FRAME_SIZE_ERROR.0));
    for id in ids {
        assert!(matches!(talk.response(id).end, Some(Err(_))));
        assert!(talk.response(id).body.is_empty());
    }
}

/// A connection whose time limit has passed reports it at once, and not only at its next use.
#[test]
fn a_connection_whose_time_is_up_is_dead() {
    let config = Config::default();
    let talk = Talk::new(&config, Peer::new());
    let nearly = config.settings_timeout - Duration::from_millis(1);
    assert!(talk.client.state(nearly).is_available());
    assert_eq!(talk.client.state(config.settings_timeout), State::Dead);
}
