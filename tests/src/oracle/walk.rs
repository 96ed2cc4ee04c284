//! Runs a call through peers, over connections that later calls may reuse.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use sessio::routing::Destination;
use sessio::{Call, Conn, Kind, Memory, PreparedCall, SessionState, Step};

use super::Observation;
use super::peer::{Answer, Peer, UNREACHABLE};
use crate::replay::now;

/// Idle connections by their keys.
#[derive(Debug, Default)]
pub struct Idle(HashMap<String, Vec<(Conn, Peer)>>);

/// Runs a call to its end. `asks` returns which proxies challenge, `answer` the responses of
/// origins.
///
/// # Errors
///
/// The kind of the call's error.
///
/// # Panics
///
/// If the call does not end.
pub fn walk(
    request: PreparedCall,
    state: &mut SessionState,
    idle: &mut Idle,
    observations: &mut Vec<Observation>,
    asks: impl Fn(&str) -> bool,
    answer: &mut Answer<'_>,
) -> Result<(), Kind> {
    let mut now = now();
    let mut call = Call::new(request, Memory::default()).map_err(|error| error.kind())?;
    let mut numbers = 0;
    let mut at: Option<(String, Peer)> = None;
    let mut said: Vec<u8> = Vec::new();
    for _ in 0..100_000 {
        match call.step(now) {
            Ok(Step::Connect(to)) => {
                to.check().map_err(|error| error.kind())?;
                let key = to.key().to_string();
                said.clear();
                let kept = idle.0.get_mut(&key).and_then(Vec::pop).filter(|_| !to.fresh);
                let (conn, peer) = match kept {
                    Some(kept) => kept,
                    None => {
                        numbers += 1;
                        let told = match to.destination_for_proxy() {
                            Some(Destination::Addresses(all)) => all,
                            Some(_) => {
                                vec![(UNREACHABLE, 80).into(), (Ipv4Addr::new(10, 0, 0, 2), 80).into()]
                            }
                            None => Vec::new(),
                        };
                        let conn = to.open(numbers, now, &told).map_err(|error| error.kind())?;
                        (conn, Peer::of(&to, &asks))
                    }
                };
                at = Some((key, peer));
                call.connected(conn);
            }
            Ok(Step::Io(io)) => {
                let (_, peer) = at.as_mut().expect("a connection");
                if io.send.is_empty() {
                    let n = io.recv.len().min(said.len());
                    io.recv[..n].copy_from_slice(&said[..n]);
                    said.drain(..n);
                    call.received(n);
                } else {
                    let n = io.send.len();
                    said.extend(peer.hear(io.send, observations, answer));
                    call.sent(n);
                }
            }
            Ok(Step::Release) => {
                if let (Some((conn, _)), Some((key, peer))) = (call.release(), at.take()) {
                    idle.0.entry(key).or_default().push((conn, peer));
                }
            }
            Ok(Step::Decide) => call.decide(state, now),
            Ok(Step::Wait { until, .. }) => now = now.after(until.saturating_duration_since(now.mono)),
            Ok(Step::Rewind) => call.rewound(),
            Ok(Step::Head) => drop(call.take_head()),
            Ok(Step::Body(bytes)) => {
                let n = bytes.len();
                call.consume(n);
            }
            Ok(Step::Done) => return Ok(()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => return Err(error.kind()),
        }
    }
    panic!("the call does not end");
}
