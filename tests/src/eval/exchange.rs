//! Runs a complete call against a scripted world.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use sessio::call::Direction;
use sessio::{
    Call, Error, Exchange, Head, Jar, Kind, Memory, Now, PreparedCall, Seed, SessionState, Settings, Step,
    merge, prepare,
};

use super::case::{Case, encode, shown};
use super::world::{Moved, World};
use super::{Failure, Object, clock, object, request, session};

/// The limits of a call in a stalled world, if the session sets none.
const PATIENCE: Duration = Duration::from_secs(30);

/// In: `session` and `request` as for prepare, the `world`, and `now`. Out: the outcome of the
/// call, the bytes sent on each connection, and the contents of the jar after it.
///
/// Time passes only in a stall: the clock then jumps to the next deadline. So that there is one,
/// the limits `send`, `head` and `read` are 30 s if the session sets none.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let now = clock::now(case)?;
    let (mut settings, jar) = session::read(&case.inner("session")?, now)?;
    let limits = &mut settings.timeouts;
    for limit in [&mut limits.send, &mut limits.head, &mut limits.read] {
        limit.get_or_insert(PATIENCE);
    }
    let request = request::read(&case.inner("request")?)?;
    let world = World::read(&case.inner("world")?)?;
    let mut state = SessionState::new(Seed::new(1));
    state.jar = jar;
    let mut run = Run { world, state, now, head: None, body: Vec::new(), history: Vec::new(), url: None };
    let outcome = run.prepare(&settings, request).and_then(|request| run.call(request));
    Ok(run.tell(outcome.err()))
}

/// A call and its results.
struct Run {
    world: World,
    state: SessionState,
    now: Now,
    head: Option<Head>,
    body: Vec<u8>,
    history: Vec<Exchange>,
    url: Option<String>,
}

impl Run {
    fn prepare(&mut self, settings: &Settings, request: sessio::Request) -> Result<PreparedCall, Error> {
        prepare(merge(settings, request), &mut self.state.jar, self.now)
    }

    fn call(&mut self, request: PreparedCall) -> Result<(), Error> {
        let mut call = Call::new(request, Memory::default())?;
        let outcome = self.drive(&mut call);
        self.history = call.history().to_vec();
        self.url = Some(call.request().url().as_str().to_owned());
        if let Err(error) = &outcome
            && let Some(response) = error.response()
        {
            self.history = error.history().to_vec();
            self.url = Some(response.url.as_str().to_owned());
            self.head = Some(response.head.clone());
        }
        outcome
    }

    fn drive(&mut self, call: &mut Call) -> Result<(), Error> {
        loop {
            match call.step(self.now)? {
                Step::Connect(wanted) => match self.world.connect(&wanted, self.now) {
                    Some(conn) => call.connected(conn),
                    None => call.unreachable(Kind::Connect.into()),
                },
                Step::Io(io) => {
                    let deadline = io.deadline;
                    match self.world.exchange(io) {
                        Moved::Sent(n) => call.sent(n),
                        Moved::Received(n) => call.received(n),
                        Moved::Broken(Direction::Send) => {
                            call.broken(Direction::Send, io::ErrorKind::BrokenPipe.into());
                        }
                        Moved::Broken(Direction::Receive) => {
                            call.broken(Direction::Receive, io::ErrorKind::ConnectionReset.into());
                        }
                        Moved::Nothing => match deadline {
                            Some(end) => {
                                let span = end.saturating_duration_since(self.now.mono);
                                self.now = self.now.after(span);
                            }
                            // No event would ever wake it.
                            None => return Err(Kind::Misuse.into()),
                        },
                    }
                }
                Step::Release => self.world.release(call.release(), self.now),
                Step::Decide => call.decide(&mut self.state, self.now),
                Step::Wait { until, .. } => {
                    self.now = self.now.after(until.saturating_duration_since(self.now.mono));
                }
                Step::Rewind => call.rewound(),
                Step::Head => self.head = call.take_head(),
                Step::Body(bytes) => {
                    let n = bytes.len();
                    self.body.extend_from_slice(bytes);
                    call.consume(n);
                }
                Step::Done => return Ok(()),
                _ => return Err(Kind::Misuse.into()),
            }
        }
    }

    fn tell(self, error: Option<Error>) -> Object {
        let sent = self.world.sent.iter().filter(|sent| !sent.bytes.is_empty());
        object([
            ("outcome", if error.is_none() { "ok" } else { "error" }.into()),
            ("error", error.map(|error| error.kind().name()).into()),
            (
                "sent",
                sent.map(|sent| {
                    json!({
                        "to": sent.to,
                        "connection": sent.connection,
                        "request_b64": encode(&sent.bytes),
                    })
                })
                .collect(),
            ),
            ("status", self.head.map(|head| head.status.as_u16()).into()),
            ("url", self.url.into()),
            ("history", self.history.iter().map(hop).collect()),
            ("body_b64", encode(&self.body)),
            ("jar", cookies(&self.state.jar)),
        ])
    }
}

fn hop(exchange: &Exchange) -> Value {
    json!({"status": exchange.head.status.as_u16(), "url": exchange.url.as_str()})
}

fn cookies(jar: &Jar) -> Value {
    jar.iter()
        .map(|cookie| {
            json!({
                "name": shown(cookie.name()),
                "value": shown(cookie.value()),
                "domain": cookie.domain(),
                "path": cookie.path(),
                "host_only": cookie.host_only(),
                "secure": cookie.secure(),
            })
        })
        .collect()
}
