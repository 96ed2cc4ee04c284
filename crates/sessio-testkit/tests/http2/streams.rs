//! Many streams, and bytes in pieces of any size.

use sessio_h2::{Config, OpenError, State};
use sessio_testkit::http2::{Exchange, HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, Peer};

use crate::talk::{Talk, pattern};

fn full(at: usize) -> Exchange {
    Exchange::new()
        .interim(103, &[("link", "</style.css>; rel=preload")])
        .wait_end()
        .pause(at as u32 % 5)
        .head(200, &[("content-type", "text/plain"), ("x-number", &at.to_string())])
        .body(pattern(3000 * (at % 7)))
        .pause(2)
        .padded(pattern(at), at as u8)
        .trailers(&[("x-checksum", &at.to_string())])
}

#[test]
fn sixty_four_streams_at_once_each_get_their_own_response() {
    let peer = (0..64).fold(Peer::new().with_piece(1000), |peer, at| peer.exchange(full(at)));
    let mut talk = Talk::new(&Config::default(), peer);
    let ids: Vec<_> = (0..64)
        .map(|at| {
            let path = format!("/{at}");
            if at % 3 == 0 { talk.post(&path, pattern(at * 100)) } else { talk.get(&path) }
        })
        .collect();
    talk.settle();
    assert_eq!(talk.peer.most_open(), 64);
    for (at, id) in ids.into_iter().enumerate() {
        let response = talk.response(id);
        assert_eq!((response.status, response.end), (Some(200), Some(Ok(()))));
        assert_eq!(response.interim, [103]);
        assert_eq!(response.fields[1], ("x-number".to_owned(), at.to_string()));
        assert_eq!(response.body, [pattern(3000 * (at % 7)), pattern(at)].concat());
        assert_eq!(response.trailers, [("x-checksum".to_owned(), at.to_string())]);
        let request = talk.peer.request(id.get()).unwrap();
        assert_eq!(request.pseudo(":path"), Some(format!("/{at}").as_bytes()));
        assert!(request.is_ended);
        if at % 3 == 0 {
            assert_eq!(request.body, pattern(at * 100));
            let secret = request.fields.iter().find(|field| field.name == b"authorization").unwrap();
            assert!(secret.is_never_indexed);
        } else {
            assert_eq!((request.header("te"), request.header("x-hop")), (Some(&b"trailers"[..]), None));
            let cookies = request.fields.iter().filter(|field| field.name == b"cookie");
            assert_eq!(cookies.map(|field| &field.value[..]).collect::<Vec<_>>(), [b"a=1", b"b=2"]);
        }
    }
    assert!(matches!(talk.client.state(core::time::Duration::ZERO), State::Open { free: 256 }));
}

/// The result is the same for any cut of the bytes, in both directions.
#[test]
fn the_same_comes_of_bytes_in_any_pieces() {
    let run = |piece: usize| {
        let peer = (0..6).fold(Peer::new(), |peer, at| peer.exchange(full(at)));
        let peer = peer
            .exchange(Exchange::new().wait_end().reset(7))
            .exchange(Exchange::new().head(200, &[]).reset(2));
        let mut talk = Talk::new(&Config::default(), peer).with_piece(piece);
        for at in 0..8 {
            if at % 2 == 0 {
                talk.post("/", pattern(700 * at))
            } else {
                talk.get("/")
            };
        }
        talk.settle();
        (talk.responses, talk.peer.requests().to_vec())
    };
    let whole = run(usize::MAX);
    assert_eq!(whole.0.len(), 8);
    for piece in [1, 2, 9, 10, 1000] {
        assert!(run(piece) == whole, "in pieces of {piece}");
    }
}

#[test]
fn the_limit_of_streams_is_kept_when_it_changes() {
    let first = Exchange::ok("a").settings(&[(MAX_CONCURRENT_STREAMS, 1)]);
    let peer = Peer::new().with_settings(&[(MAX_CONCURRENT_STREAMS, 3)]).exchange(first);
    let mut talk = Talk::new(&Config::default(), peer.otherwise(Exchange::ok("b")));
    talk.settle();
    for _ in 0..3 {
        talk.get("/");
    }
    let head = sessio_h2::RequestHead { method: "GET", scheme: "https", authority: Some("a"), path: "/" };
    let open = |talk: &mut Talk| talk.client.open(&head, [], true, core::time::Duration::ZERO);
    assert_eq!(open(&mut talk), Err(OpenError::Full));
    talk.settle();
    assert_eq!(talk.peer.most_open(), 3);
    talk.get("/");
    assert_eq!(open(&mut talk), Err(OpenError::Full));
    talk.settle();
    // No streams allowed: the connection waits and does not fail.
    talk.peer.settings(&[(MAX_CONCURRENT_STREAMS, 0)]);
    talk.settle();
    assert_eq!(open(&mut talk), Err(OpenError::Full));
    assert_eq!(talk.responses.values().filter(|response| response.end == Some(Ok(()))).count(), 4);
}

/// Header compression stays in step while both sides change their tables.
#[test]
fn tables_of_header_fields_change_their_sizes() {
    for own in [0, 100, 4096, 65_536] {
        let mut config = Config::default();
        (config.header_table, config.own_header_table) = (own, own);
        let mut peer = Peer::new();
        for size in [4096, 0, 50, 4096, 100, 1 << 20] {
            peer = peer.exchange(
                Exchange::new()
                    .wait_end()
                    .head(200, &[("server", "peer"), ("x-long", &"v".repeat(300))])
                    .settings(&[(HEADER_TABLE_SIZE, 10), (HEADER_TABLE_SIZE, size)])
                    .end(),
            );
        }
        let mut talk = Talk::new(&config, peer);
        for _ in 0..6 {
            let id = talk.get("/some/path");
            talk.settle();
            assert_eq!(talk.response(id).end, Some(Ok(())));
            assert_eq!(talk.response(id).fields[1].1, "v".repeat(300));
        }
    }
}

/// Header blocks that are longer than a frame, in both directions.
#[test]
fn long_heads_are_continued() {
    let long = "v".repeat(40_000);
    let peer = Peer::new().exchange(Exchange::new().head(200, &[("x-long", &long)]).end());
    let mut talk = Talk::new(&Config::default(), peer).with_piece(7000);
    let id = talk.get(&format!("/{long}"));
    talk.settle();
    assert_eq!(talk.response(id).fields, [("x-long".to_owned(), long)]);
    assert_eq!(talk.peer.requests()[0].pseudo(":path").unwrap().len(), 40_001);
}
