//! A call without sockets. Its responses are bytes, and the record of its actions is a value.

use std::io;

use sessio::call::Direction;
use sessio::{Call, Instant, Kind, Memory, Now, PreparedCall, Seed, SessionState, Step, UnixTime, Url};

use crate::trace::Trace;

/// The bytes of a peer on one connection, and the end after them.
#[derive(Clone, Debug)]
pub struct Script {
    /// The bytes of the response.
    pub bytes: Vec<u8>,
    /// The end after the bytes.
    pub then: Then,
}

/// The end after the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The end of the stream.
    Close,
    /// An error.
    Reset,
}

/// The sizes of the pieces in which bytes move, in both directions.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// So many bytes at a time.
    Every(usize),
    /// The peer's bytes in two pieces, the first with this length. All other bytes at once.
    Once(usize),
}

impl From<usize> for Cut {
    fn from(size: usize) -> Self {
        Self::Every(size)
    }
}

impl Cut {
    /// The number of bytes that move at once.
    fn size(self) -> usize {
        match self {
            Self::Every(size) => size,
            Self::Once(_) => usize::MAX,
        }
    }

    /// The number of bytes of a peer that come at once, after `at` bytes.
    fn next(self, at: usize) -> usize {
        match self {
            Self::Once(first) if at < first => first - at,
            cut => cut.size(),
        }
    }
}

/// The record of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CallRecord {
    /// The steps, without those that move bytes.
    pub steps: Vec<String>,
    /// For each connection that was returned: whether it can be used again.
    pub verdicts: Vec<bool>,
    /// The body as far as it was received.
    pub body: Vec<u8>,
    /// The kind of its error, if it failed.
    pub error: Option<Kind>,
    /// The URL of each connection, and the bytes sent on it.
    pub sent: Vec<(Url, Vec<u8>)>,
    /// The events that its observer received.
    pub events: Vec<String>,
}

/// A moment that is always the same within one run of the program.
pub fn now() -> Now {
    Now { mono: Instant::from_nanos(1 << 42), wall: UnixTime(1_767_225_600) }
}

/// The state of a new session. Its decisions are the same in every run.
pub fn new_state() -> SessionState {
    SessionState::new(Seed::new(1))
}

/// Runs a call to its end. Each connection is new, and `peer` returns its script. Bytes move in the
/// pieces of `cut`. For `https` the settings of the request need a TLS connector, such as
/// [`silent`](crate::clear::silent).
///
/// # Panics
///
/// If the call does not end, or asks for something that replay does not have.
pub fn replay(
    mut request: PreparedCall,
    state: &mut SessionState,
    cut: impl Into<Cut>,
    peer: impl FnMut(&Url) -> Script,
) -> CallRecord {
    let trace = Trace::default();
    request.observe(trace.observer());
    let mut told = play(request, state, cut.into(), peer);
    told.events = trace.calls().concat();
    told
}

fn play(
    request: PreparedCall,
    state: &mut SessionState,
    cut: Cut,
    mut peer: impl FnMut(&Url) -> Script,
) -> CallRecord {
    let (mut now, size) = (now(), cut.size());
    let mut told = CallRecord::default();
    let mut call = match Call::new(request, Memory::default()) {
        Ok(call) => call,
        Err(error) => return CallRecord { error: Some(error.kind()), ..told },
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
                call.decide(state, now);
            }
            // Time passes only here.
            Ok(Step::Wait { until, .. }) => {
                let span = until.saturating_duration_since(now.mono);
                told.steps.push(format!("wait {span:?}"));
                now = now.after(span);
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
