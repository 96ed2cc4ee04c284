//! A call without sockets: its answers are bytes, and what it did is a value.

use std::io;

use sessio::call::Direction;
use sessio::{Call, Instant, Jar, Kind, Memory, Now, PreparedCall, Step, UnixTime, Url};

use crate::trace::Trace;

/// What a peer says on one connection, and what happens then.
#[derive(Clone, Debug)]
pub struct Script {
    /// The bytes of the response.
    pub bytes: Vec<u8>,
    /// What comes behind them.
    pub then: Then,
}

/// What comes behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The end of the stream.
    Close,
    /// An error.
    Reset,
}

/// How the bytes of a peer come, and those of the request go.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// So many at a time.
    Every(usize),
    /// The peer's in two pieces, the first of which is so long; all others at once.
    Once(usize),
}

impl From<usize> for Cut {
    fn from(size: usize) -> Self {
        Self::Every(size)
    }
}

impl Cut {
    /// How many bytes move at once.
    fn size(self) -> usize {
        match self {
            Self::Every(size) => size,
            Self::Once(_) => usize::MAX,
        }
    }

    /// How many bytes of a peer come at once, of which so many have come before.
    fn next(self, at: usize) -> usize {
        match self {
            Self::Once(first) if at < first => first - at,
            cut => cut.size(),
        }
    }
}

/// What a call has done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The steps, without those that move bytes.
    pub steps: Vec<String>,
    /// For each connection that was given back, whether it can be used again.
    pub verdicts: Vec<bool>,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// The kind of the error that it ended with, if it did.
    pub error: Option<Kind>,
    /// Where each connection led, and what was sent on it.
    pub sent: Vec<(Url, Vec<u8>)>,
    /// What its observer was told.
    pub events: Vec<String>,
}

/// A moment that is always the same within one run of the program.
pub fn now() -> Now {
    Now { mono: Instant::from_nanos(1 << 42), wall: UnixTime(1_767_225_600) }
}

/// Runs a call to its end: each connection is a new one, on which `peer` has a script for what is asked.
/// Bytes come as they are `cut`. For `https` the request's settings need an engine, such as
/// [`silent`](crate::clear::silent).
///
/// # Panics
/// If the call does not end, or asks for something that is never there.
pub fn replay(
    mut request: PreparedCall,
    jar: &mut Jar,
    cut: impl Into<Cut>,
    peer: impl FnMut(&Url) -> Script,
) -> Told {
    let trace = Trace::default();
    request.observe(trace.observer());
    let mut told = play(request, jar, cut.into(), peer);
    told.events = trace.calls().concat();
    told
}

fn play(request: PreparedCall, jar: &mut Jar, cut: Cut, mut peer: impl FnMut(&Url) -> Script) -> Told {
    let (now, size) = (now(), cut.size());
    let mut told = Told::default();
    let mut call = match Call::new(request, Memory::default()) {
        Ok(call) => call,
        Err(error) => return Told { error: Some(error.kind()), ..told },
    };
    let mut script = Script { bytes: Vec::new(), then: Then::Close };
    let mut at = 0;
    for _ in 0..1_000_000 {
        match call.step(now) {
            Ok(Step::Connect(to)) => {
                let url = to.url.clone();
                (script, at) = (peer(&url), 0);
                let conn = to.open(told.sent.len() as u64 + 1, now, &[]).expect("a connection of this kind");
                told.steps.push(format!("connect {url}"));
                told.sent.push((url, Vec::new()));
                call.connected(conn);
            }
            Ok(Step::Io(io)) => {
                assert!(!io.send.is_empty() || !io.recv.is_empty(), "nothing can move");
                if io.send.is_empty() {
                    let n = io.recv.len().min(cut.next(at)).min(script.bytes.len() - at);
                    io.recv[..n].copy_from_slice(&script.bytes[at..at + n]);
                    at += n;
                    if n == 0 && script.then == Then::Reset {
                        call.broken(Direction::Receive, io::ErrorKind::ConnectionReset.into());
                    } else {
                        call.received(n);
                    }
                } else {
                    let n = io.send.len().min(size);
                    if let Some((_, sent)) = told.sent.last_mut() {
                        sent.extend_from_slice(&io.send[..n]);
                    }
                    call.sent(n);
                }
            }
            Ok(Step::Release) => told.verdicts.push(call.release().is_some()),
            Ok(Step::Decide) => {
                told.steps.push("turn".to_owned());
                call.decide(jar, now);
            }
            Ok(Step::Rewind) => call.rewound(),
            Ok(Step::Head) => {
                let status = call.take_head().map(|head| head.status.as_u16());
                told.steps.push(format!("head {status:?}"));
            }
            Ok(Step::Body(bytes)) => {
                let n = bytes.len().min(size);
                told.body.extend_from_slice(&bytes[..n]);
                call.consume(n);
            }
            Ok(Step::Done) => return told,
            Ok(other) => panic!("a step that is not known here: {other:?}"),
            Err(error) => {
                told.error = Some(error.kind());
                return told;
            }
        }
    }
    panic!("the call does not end: {told:?}");
}
