//! Law 5 of `ARCHITECTURE.md`: no party reads a secret that it does not own.
//!
//! Every secret has a mark and an owner. The test searches all bytes that each party reads for the
//! marks, over any chain of redirects across hosts, schemes, ports and proxies.
//!
//! `SESSIO_ORACLE=1000000` sets the number of chains. Use it in release mode.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod secrets;
mod world;

use sessio::Seed;
use world::{CHOICES, ORIGINS, World};

/// The number of chains, if `SESSIO_ORACLE` sets it.
fn wanted() -> Option<u64> {
    std::env::var("SESSIO_ORACLE").ok()?.parse().ok()
}

#[test]
fn g06_every_chain_of_hosts_schemes_ports_and_proxies_keeps_every_secret() {
    // By default all chains of three requests; in a long run all of four.
    let requests = if wanted().is_some() { 4 } else { 3 };
    let mut world = World::default();
    let chains = (ORIGINS.len() as u64).pow(requests);
    for number in 0..chains * CHOICES {
        let mut rest = number / CHOICES;
        let mut next = || {
            let at = rest % ORIGINS.len() as u64;
            rest /= ORIGINS.len() as u64;
            at as usize
        };
        let chain: Vec<usize> = (0..requests).map(|_| next()).collect();
        world.walk(&chain, number % CHOICES, &mut Seed::new(number));
    }
    world.report();
    assert!(world.runs >= 10_000);
}

#[test]
fn g06_long_chains_keep_every_secret() {
    let mut world = World::default();
    for number in 0..wanted().unwrap_or(3_000) {
        let mut seed = Seed::new(number);
        let mut draw = |below: usize| (seed.draw() % below as u64) as usize;
        let mut chain = vec![draw(ORIGINS.len())];
        for _ in 0..1 + draw(6) {
            // Some redirects stay at their origin.
            let before = chain[chain.len() - 1];
            chain.push(if draw(3) == 0 { before } else { draw(ORIGINS.len()) });
        }
        let choice = draw(CHOICES as usize) as u64;
        world.walk(&chain, choice, &mut seed);
    }
    world.report();
}
