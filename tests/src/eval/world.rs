//! A world without sockets: scripted origins, and the connections to them.

use std::collections::VecDeque;

use sessio::call::{Connect, Direction, Io};
use sessio::pool::{Effects, Grant, Lease, Policy, Pool, ReuseProof};
use sessio::routing::{Key, KeyBuf};
use sessio::{Conn, Now, Origin, Url};

use super::Failure;
use super::case::Case;

/// Origins with their scripts. Each origin responds to its requests in order with the entries of
/// its list, on any connection.
pub(super) struct World {
    places: Vec<Place>,
    pool: Pool<KeyBuf, Line>,
    /// The connection in use.
    line: Option<Line>,
    /// The lease of the connection in use.
    lease: Option<Lease>,
    /// The requests, in order.
    pub(super) sent: Vec<Sent>,
}

struct Place {
    /// The origin as the case spells it.
    name: String,
    origin: Origin,
    script: VecDeque<Answer>,
}

/// The bytes received of one request.
pub(super) struct Sent {
    pub(super) to: String,
    pub(super) connection: u64,
    pub(super) bytes: Vec<u8>,
}

/// The script of one request.
struct Answer {
    /// The number of bytes of the request that are read.
    takes: usize,
    bytes: Vec<u8>,
    /// The fault after the bytes.
    then: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused,
    Reset,
    Eof,
    Stall,
}

/// A connection, with the response that is being sent.
struct Line {
    conn: Option<Conn>,
    number: u64,
    place: usize,
    answer: Answer,
    taken: usize,
    given: usize,
}

/// The outcome of an attempt to move bytes.
pub(super) enum Moved {
    Sent(usize),
    Received(usize),
    Broken(Direction),
    Nothing,
}

impl World {
    /// In: `{"http://host:port": [responses]}`. An entry has `response_b64`, a `fault`, or both.
    /// With both the fault occurs after `after` bytes of the response, or after all of them. A
    /// fault alone occurs after `after` bytes of the request, or after all of them. After an
    /// incomplete response the stream ends, and it ends too if an entry is missing.
    pub(super) fn read(case: &Case<'_>) -> Result<Self, Failure> {
        let mut places = Vec::new();
        for (name, _) in case.entries() {
            let origin = Url::parse(name).ok().and_then(|url| Origin::of(&url));
            let origin = origin.ok_or_else(|| Failure::Input(format!("{name} is no origin")))?;
            let script = case.cases(name)?.iter().map(Answer::read).collect::<Result<_, _>>()?;
            places.push(Place { name: name.to_owned(), origin, script });
        }
        Ok(Self { places, pool: Pool::new(Policy::default()), line: None, lease: None, sent: Vec::new() })
    }

    /// A connection for this URL, from the pool unless it must be new. `None` if no server accepts
    /// one.
    pub(super) fn connect(&mut self, to: &Connect<'_>, now: Now) -> Option<Conn> {
        self.discard(now);
        let (url, fresh) = (to.url, to.fresh);
        let origin = Origin::of(url)?;
        let place = self.places.iter().position(|place| place.origin == origin)?;
        loop {
            let effects = &mut Effects::default();
            let grant = match fresh {
                true => self.pool.request_fresh(&Key::of(url), now.mono, effects),
                false => self.pool.request(&Key::of(url), now.mono, effects),
            };
            match grant {
                Grant::Idle(checkout) => {
                    self.lease = Some(checkout.lease);
                    // A connection with bytes that were sent out of turn is not idle (row P133).
                    if checkout.connection.given == checkout.connection.answer.bytes.len() {
                        return self.reuse(checkout.connection);
                    }
                    self.discard(now);
                }
                Grant::Dial(lease) => {
                    self.lease = Some(lease);
                    return self.dial(place, to, now);
                }
                // No other call exists that could free a connection.
                Grant::Wait(_) | Grant::Refused(_) => return None,
            }
        }
    }

    fn reuse(&mut self, mut line: Line) -> Option<Conn> {
        let script = &mut self.places[line.place].script;
        let is_gone = script.front().is_none_or(|next| next.then == Fault::Refused);
        line.answer = if is_gone { None } else { script.pop_front() }.unwrap_or_else(Answer::gone);
        let conn = line.conn.take();
        self.start(line);
        conn
    }

    fn dial(&mut self, place: usize, to: &Connect<'_>, now: Now) -> Option<Conn> {
        let answer = self.places[place].script.pop_front().filter(|answer| answer.then != Fault::Refused)?;
        let number = self.pool.dialled();
        self.start(Line { conn: None, number, place, answer, taken: 0, given: 0 });
        to.open(number, now, &[]).ok()
    }

    fn start(&mut self, line: Line) {
        let to = self.places[line.place].name.clone();
        self.sent.push(Sent { to, connection: line.number, bytes: Vec::new() });
        self.line = Some(Line { taken: 0, given: 0, ..line });
    }

    /// Moves bytes: first all that are to be sent, then those received.
    pub(super) fn exchange(&mut self, io: Io<'_>) -> Moved {
        let Some(line) = &mut self.line else { return Moved::Broken(Direction::Receive) };
        if !io.send.is_empty() {
            let n = io.send.len().min(line.answer.takes - line.taken);
            if n > 0 {
                line.taken += n;
                if let Some(sent) = self.sent.last_mut() {
                    sent.bytes.extend_from_slice(&io.send[..n]);
                }
                return Moved::Sent(n);
            }
            return line.answer.then.strike(Direction::Send);
        }
        if io.recv.is_empty() {
            return Moved::Nothing;
        }
        let rest = &line.answer.bytes[line.given..];
        let n = rest.len().min(io.recv.len());
        if n == 0 {
            return line.answer.then.strike(Direction::Receive);
        }
        io.recv[..n].copy_from_slice(&rest[..n]);
        line.given += n;
        Moved::Received(n)
    }

    /// Returns the connection to the pool, or closes it.
    pub(super) fn release(&mut self, released: Option<(Conn, ReuseProof)>, now: Now) {
        let effects = &mut Effects::default();
        if let Some((conn, proof)) = released
            && let (Some(line), Some(lease)) = (self.line.take(), self.lease.take())
        {
            self.pool.checkin(lease, Line { conn: Some(conn), ..line }, proof, now.mono, effects);
        }
        self.discard(now);
    }

    /// Closes the connection in use, if there is one.
    fn discard(&mut self, now: Now) {
        self.line = None;
        if let Some(lease) = self.lease.take() {
            self.pool.discard(lease, now.mono, &mut Effects::default());
        }
    }
}

impl Answer {
    fn read(case: &Case<'_>) -> Result<Self, Failure> {
        let response = case.bytes("response_b64")?;
        let after = case.count("after")?;
        let then = match case.text("fault")? {
            Some("refused") => Fault::Refused,
            Some("reset") => Fault::Reset,
            Some("eof") => Fault::Eof,
            Some("stall") => Fault::Stall,
            None if response.is_some() => Fault::Eof,
            _ => {
                return Err(Failure::Input("an answer is neither response_b64 nor a known fault".to_owned()));
            }
        };
        let is_whole = case.value("fault").is_none();
        Ok(match response {
            Some(mut bytes) => {
                bytes.truncate(after.filter(|_| !is_whole).unwrap_or(usize::MAX));
                Self { takes: usize::MAX, bytes, then }
            }
            None => Self { takes: after.unwrap_or(usize::MAX), bytes: Vec::new(), then },
        })
    }

    /// The script of a server that has closed an idle connection.
    fn gone() -> Self {
        Self { takes: 0, bytes: Vec::new(), then: Fault::Eof }
    }
}

impl Fault {
    fn strike(self, direction: Direction) -> Moved {
        match self {
            Self::Refused | Self::Reset => Moved::Broken(direction),
            Self::Eof => Moved::Received(0),
            Self::Stall => Moved::Nothing,
        }
    }
}
