//! Flow control in both directions.

use sessio_h2::Config;
use sessio_testkit::http2::{Credit, Exchange, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, Peer};

use crate::talk::{Talk, pattern};

/// The server gives credit in small pieces, in turn for stream and connection. The body arrives
/// complete, and no window is exceeded.
#[test]
fn uploads_keep_to_small_windows() {
    for (window, piece) in [(1, usize::MAX), (10, 7), (1000, usize::MAX), (70_000, 100)] {
        let peer = Peer::new().with_settings(&[(INITIAL_WINDOW_SIZE, window)]);
        let mut talk =
            Talk::new(&Config::default(), peer.otherwise(Exchange::ok("thanks"))).with_piece(piece);
        let length = (window as usize * 50).min(200_000);
        let ids: Vec<_> = (0..3).map(|at| talk.post("/", pattern(length + at))).collect();
        talk.settle();
        for (at, id) in ids.into_iter().enumerate() {
            assert_eq!(talk.response(id).end, Some(Ok(())), "window {window}");
            assert_eq!(talk.peer.request(id.get()).unwrap().body, pattern(length + at));
        }
    }
}

/// Without credit no bytes are sent. Each grant counts, and the smaller of the two windows limits.
#[test]
fn an_upload_waits_for_both_windows() {
    let peer = Peer::new().with_credit(Credit::Withheld).otherwise(Exchange::ok("thanks"));
    let mut talk = Talk::new(&Config::default(), peer);
    let id = talk.post("/", pattern(200_000));
    talk.settle();
    let came = |talk: &Talk| talk.peer.request(id.get()).unwrap().body.len();
    assert_eq!(came(&talk), 65_535);
    talk.peer.grant(id.get(), 100_000);
    talk.settle();
    assert_eq!(came(&talk), 65_535, "the connection has no credit");
    talk.peer.grant(0, 5000);
    talk.settle();
    assert_eq!(came(&talk), 70_535);
    assert_eq!(talk.unsent(id), 200_000 - 70_535);
    talk.peer.grant(0, 1_000_000);
    talk.settle();
    assert_eq!(came(&talk), 165_535, "the stream has no credit");
    talk.peer.grant(id.get(), 1_000_000);
    talk.settle();
    assert_eq!(talk.peer.request(id.get()).unwrap().body, pattern(200_000));
    assert_eq!(talk.response(id).end, Some(Ok(())));
}

/// Settings make the window of a stream negative. It sends again when the window is above zero.
#[test]
fn a_window_below_zero_is_paid_back_first() {
    let exchange = Exchange::new()
        .wait_body(50_000)
        .settings(&[(INITIAL_WINDOW_SIZE, 100)])
        .pause(20)
        .grant(49_000)
        .pause(20)
        .grant(10_000)
        .pause(20)
        .settings(&[(INITIAL_WINDOW_SIZE, 0), (MAX_FRAME_SIZE, 100_000), (INITIAL_WINDOW_SIZE, 300_000)])
        .wait_end()
        .head(200, &[])
        .end();
    let peer = Peer::new().with_credit(Credit::Withheld).exchange(exchange);
    let mut talk = Talk::new(&Config::default(), peer);
    let id = talk.post("/", pattern(190_000));
    let mut least = 0;
    while talk.step() {
        least = least.min(talk.peer.receive_window(id.get()));
    }
    assert!(least <= 100 - 65_535, "{least}");
    assert_eq!(talk.peer.request(id.get()).unwrap().body.len(), 65_535, "the connection's window is used up");
    talk.peer.grant(0, 1_000_000);
    talk.settle();
    assert_eq!(talk.peer.request(id.get()).unwrap().body, pattern(190_000));
    assert_eq!(talk.response(id).end, Some(Ok(())));
}

/// A reader that stops blocks its own stream only, and receives everything when it continues.
#[test]
fn a_body_that_is_not_read_stops_at_its_window() {
    let mut config = Config::default();
    (config.stream_window, config.max_stream_window) = (20_000, 20_000);
    let peer = Peer::new().exchange(Exchange::ok(pattern(100_000))).otherwise(Exchange::ok(pattern(10_000)));
    let mut talk = Talk::new(&config, peer);
    talk.does_consume = false;
    let slow = talk.get("/slow");
    talk.settle();
    assert_eq!(talk.client.body(slow), pattern(20_000));
    assert_eq!(talk.peer.send_window(slow.get()), 0);
    talk.does_consume = true;
    for _ in 0..100 {
        let id = talk.get("/quick");
        talk.settle();
        assert_eq!((talk.response(id).end, talk.response(id).body.len()), (Some(Ok(())), 10_000));
    }
    let kept = talk.client.body(slow).to_vec();
    talk.client.consume(slow, kept.len());
    talk.settle();
    assert_eq!([kept, talk.response(slow).body.clone()].concat(), pattern(100_000));
    assert_eq!(talk.response(slow).end, Some(Ok(())));
    assert!(talk.peer.send_window(0) >= i64::from(config.connection_window / 2), "credit was lost");
}

/// Cancelled streams return their credit to the connection.
#[test]
fn no_credit_is_lost_by_streams_that_are_given_up() {
    let mut config = Config::default();
    config.connection_window = 65_535;
    let peer = Peer::new().with_piece(1000).otherwise(Exchange::ok(pattern(60_000)));
    let mut talk = Talk::new(&config, peer);
    talk.does_consume = false;
    for steps in 0..60 {
        let id = talk.get("/");
        for _ in 0..steps % 20 + 3 {
            talk.step();
        }
        talk.client.reset(id, sessio_h2::ErrorCode::CANCEL);
        talk.settle();
        assert!(talk.peer.send_window(0) >= 65_535 / 2, "{}", talk.peer.send_window(0));
        assert_eq!(talk.peer.request(id.get()).unwrap().reset, Some(8), "{steps}");
    }
}
