//! A runtime of your own: a session on a simulated network, in virtual time.
//!
//! `network` is the simulation, and `network/backend.rs` makes a runtime of it. `cargo run -p
//! sessio-driver --example in_memory` runs it. The tests below assert every wait to the nanosecond.
//! The project's scenarios use the same files.

#![allow(unreachable_pub, reason = "the network is written as a crate of its own would be")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails where it cannot go on"))]

mod network;

use std::ops::ControlFlow;
use std::time::Duration;

use network::{Link, Network};
use sessio_driver::Session;
use sessio_driver::sessio::Result;
#[cfg(test)]
use sessio_driver::sessio::{Kind, Timeout};

const MS: Duration = Duration::from_millis(1);

/// A server as a function of bytes: it responds to each complete request.
fn site(received: &mut Vec<u8>) -> ControlFlow<Vec<u8>, Vec<u8>> {
    let mut response = Vec::new();
    while let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
        let head: Vec<u8> = received.drain(..end + 4).collect();
        let head = String::from_utf8_lossy(&head);
        match head.split(' ').nth(1).unwrap_or_default() {
            "/login" => response.extend(
                b"HTTP/1.1 302 Found\r\nLocation: /me\r\nSet-Cookie: id=7\r\nContent-Length: 0\r\n\r\n",
            ),
            "/me" => {
                let name = if head.contains("\r\nCookie: id=7\r\n") { "Ada" } else { "who?" };
                let length = name.len();
                response.extend(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{name}").bytes());
            }
            "/chunks" => response.extend(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n",
            ),
            "/long" => {
                response.extend(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                response.resize(response.len() + 100_000, b'x');
            }
            "/stall" => {}
            _ => {
                response.extend(b"HTTP/1.0 404 Not Found\r\n\r\nno such page");
                return ControlFlow::Break(response);
            }
        }
    }
    ControlFlow::Continue(response)
}

fn network(seed: u64, link: Link) -> (Network, Session<Network>) {
    let network = Network::new(seed);
    network.serve("site.test", link, site);
    (network.clone(), Session::with_runtime(network))
}

fn main() -> Result<()> {
    let (network, session) = network(1, Link { latency: 80 * MS, ..Link::default() });
    network.run(async {
        let me = session.get("http://site.test/login").send().await?;
        println!("{} after {:?}", me.url(), network.elapsed());
        assert_eq!(me.text().await?, "Ada", "the redirect was followed, with the cookie that it set");
        Ok::<_, sessio_driver::sessio::Error>(())
    })?;
    // One round trip to connect, one for the redirect, one for the page.
    assert_eq!(network.elapsed(), 3 * 160 * MS);
    drop(session);
    network.settle();
    assert!(network.is_idle(), "nothing is left of it");
    network.trace().iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// Fetches the long body, and returns the trace and the result.
#[cfg(test)]
fn long(seed: u64, link: Link) -> (Vec<String>, Result<usize>) {
    let (network, session) = network(seed, link);
    let outcome = network.run(async {
        let response = session.get("http://site.test/long").send().await?;
        response.bytes().await.map(|body| body.len())
    });
    (network.trace(), outcome)
}

#[test]
fn in_memory() {
    main().unwrap();
}

#[test]
fn bodies_by_length_by_chunks_and_up_to_the_end() {
    let (network, session) = network(1, Link::default());
    network.run(async {
        for (path, body) in [("me", "who?"), ("chunks", "one two"), ("else", "no such page")] {
            let response = session.get(format!("http://site.test/{path}")).send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), body);
        }
    });
    assert_eq!(session.stats().dialled, 1);
}

#[test]
fn a_time_limit_ends_exactly_when_it_says() {
    let (network, session) = network(1, Link { latency: 80 * MS, ..Link::default() });
    session.update(|s| s.timeouts.head = Some(2000 * MS));
    let error = network.run(session.get("http://site.test/stall").send()).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Head));
    assert_eq!(network.elapsed(), 160 * MS + 2000 * MS, "from when the request was sent");
}

#[test]
fn bandwidth_takes_its_time() {
    let link = Link { bandwidth: 1_000_000, ..Link::default() };
    let (network, session) = network(1, link);
    network.run(async {
        let response = session.get("http://site.test/long").send().await.unwrap();
        let sent = response.request().head().len();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".len();
        response.bytes().await.unwrap();
        // One microsecond for each byte.
        assert_eq!(network.elapsed(), Duration::from_micros((sent + head + 100_000) as u64));
    });
}

#[test]
fn a_body_that_is_cut_short_is_never_a_success() {
    let link = Link { latency: 80 * MS, loss: 70, ..Link::default() };
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in 0..200 {
        let outcome = match long(seed, link).1 {
            Ok(length) => {
                assert_eq!(length, 100_000);
                "whole".to_owned()
            }
            Err(error) => format!("{:?}", error.kind()),
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    println!("{outcomes:?}");
    assert!(outcomes["whole"] > 20 && outcomes["IncompleteBody"] > 20, "{outcomes:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let link = Link { latency: 80 * MS, jitter: 20 * MS, bandwidth: 1_000_000, packet: 999, loss: 0 };
    let (one, other) = (long(7, link).0, long(8, link).0);
    assert_eq!(long(7, link).0, one);
    assert_ne!(other, one);
}
