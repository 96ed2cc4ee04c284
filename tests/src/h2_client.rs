//! An HTTP/2 client for checks against real servers: `sessio-h2` over one blocking stream.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Instant;

use sessio_h2::{Config, Connection, ErrorCode, Event, Field, RequestHead, State, StreamError, StreamId};

/// A request.
#[derive(Clone, Debug)]
pub struct H2Request {
    /// Its method.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// Its header fields besides `Accept`.
    pub fields: Vec<(&'static str, String)>,
    /// Its body, if it has one.
    pub body: Option<Vec<u8>>,
    /// Whether its stream is reset as soon as a part of the response was received.
    pub is_dropped: bool,
}

impl H2Request {
    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), fields: Vec::new(), body: None, is_dropped: false }
    }
}

/// The outcome of a request.
#[derive(Clone, Debug, Default)]
pub struct H2Response {
    /// The status. 0 if the stream was reset before.
    pub status: u16,
    /// The fields.
    pub fields: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: BTreeMap<String, String>,
    /// The end of the stream. `None` if the client has reset it.
    pub outcome: Option<Result<(), StreamError>>,
}

/// A connection.
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
    machine: Connection,
    begin: Instant,
    authority: String,
    scheme: &'static str,
}

impl<S: Read + Write> Client<S> {
    /// A connection over a stream whose peer speaks HTTP/2.
    pub fn new(stream: S, scheme: &'static str, authority: String) -> Self {
        let begin = Instant::now();
        Self {
            stream,
            machine: Connection::new(&Config::default(), begin.elapsed()),
            begin,
            authority,
            scheme,
        }
    }

    /// Sends all requests, as many at once as the server allows, and reads all responses.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    ///
    /// # Panics
    ///
    /// If the events contradict each other.
    pub fn all(&mut self, requests: &[H2Request]) -> io::Result<Vec<H2Response>> {
        let mut came = vec![H2Response::default(); requests.len()];
        // The open streams, each with its request and the number of body bytes sent.
        let mut open: BTreeMap<StreamId, (usize, usize)> = BTreeMap::new();
        let mut asked = 0;
        while asked < requests.len() || !open.is_empty() {
            while asked < requests.len() && self.machine.state(self.begin.elapsed()).is_available() {
                open.insert(self.open(&requests[asked])?, (asked, 0));
                asked += 1;
            }
            let mut goes_on = false;
            for (id, (request, sent)) in &mut open {
                let body = requests[*request].body.as_deref().unwrap_or_default();
                if *sent < body.len() {
                    // The server may have responded early and read no more.
                    let taken =
                        self.machine.send_body(*id, &body[*sent..], true).unwrap_or(body.len() - *sent);
                    *sent += taken;
                    goes_on |= taken > 0;
                }
            }
            self.move_bytes(!goes_on)?;
            while let Some((id, event)) = self.machine.poll_event() {
                let Some(&(request, _)) = open.get(&id) else { continue };
                let one = &mut came[request];
                match event {
                    Event::Interim(_) | Event::Writable => continue,
                    Event::Head(head) => {
                        one.status = head.status;
                        one.fields = head.fields.iter().map(text).collect();
                    }
                    Event::Body => {
                        let bytes = self.machine.body(id);
                        let n = bytes.len();
                        one.body.extend_from_slice(bytes);
                        self.machine.consume(id, n);
                    }
                    Event::Trailers(fields) => one.trailers = fields.iter().map(text).collect(),
                    Event::Ended(outcome) => {
                        one.outcome = Some(outcome);
                        open.remove(&id);
                        continue;
                    }
                    _ => continue,
                }
                if requests[request].is_dropped {
                    self.machine.reset(id, ErrorCode::CANCEL);
                    open.remove(&id);
                }
            }
            if self.machine.state(self.begin.elapsed()) == State::Dead {
                let error = self.machine.error().map(io::Error::other);
                return Err(error.unwrap_or_else(|| io::Error::other("the server shut down")));
            }
        }
        Ok(came)
    }

    fn open(&mut self, request: &H2Request) -> io::Result<StreamId> {
        let head = RequestHead {
            method: request.method,
            scheme: self.scheme,
            authority: Some(&self.authority),
            path: &request.path,
        };
        let length = request.body.as_ref().map(|body| ("content-length", body.len().to_string()));
        let all: Vec<_> = request.fields.iter().cloned().chain(length).collect();
        let fields = all.iter().map(|(name, value)| Field::new(name, value));
        let fields = fields.chain([Field::new("accept", "*/*")]);
        let is_last = request.body.is_none();
        self.machine.open(&head, fields, is_last, self.begin.elapsed()).map_err(io::Error::other)
    }

    /// Writes everything that can be written. If `waits`, waits for bytes then.
    fn move_bytes(&mut self, waits: bool) -> io::Result<()> {
        loop {
            let io = self.machine.io(self.begin.elapsed());
            if io.send.is_empty() {
                break;
            }
            let n = self.stream.write(io.send)?;
            self.machine.sent(n);
        }
        self.stream.flush()?;
        let io = self.machine.io(self.begin.elapsed());
        if waits && !io.recv.is_empty() {
            let n = self.stream.read(io.recv)?;
            self.machine.received(n, self.begin.elapsed());
        }
        Ok(())
    }
}

fn text((name, value): (&[u8], &[u8])) -> (String, String) {
    (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
}
