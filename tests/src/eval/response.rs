//! Evaluates the response in given bytes.

use serde_json::{Value, json};
use sessio::h1::{Event, Limits, RequestContext, ResponseDecoder, Reuse};
use sessio::http::Method;
use sessio::{Error, Head, Headers, Kind, Timeout};

use super::case::{Case, encode, shown};
use super::{Failure, Object, object};

/// In: `response_b64`, the bytes that a server sent on a new connection after a request with
/// `method`. They are delivered in pieces cut at `splits`, then the end of the stream if `eof`.
/// Out: the response, or the error with everything received before it. A wait for bytes that never
/// come is a timeout.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let method = case.text("method")?.unwrap_or("GET").to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Error::new(Kind::InvalidMethod))?;
    let bytes = case.bytes("response_b64")?.unwrap_or_default();
    let mut cuts = Vec::new();
    for cut in case.list("splits")? {
        let cut = cut.as_u64().and_then(|cut| usize::try_from(cut).ok());
        cuts.push(cut.ok_or_else(|| Failure::Input("splits is not a list of offsets".to_owned()))?);
    }
    cuts.retain(|cut| *cut < bytes.len());
    cuts.push(bytes.len());
    cuts.sort_unstable();

    let mut reading = Reading::new(&method);
    let mut start = 0;
    for end in cuts {
        start += reading.deliver(&bytes[start..end]);
    }
    if case.flag("eof")?.unwrap_or(false) {
        reading.receiver.received(0);
        reading.read();
    }
    Ok(reading.tell(start == bytes.len()))
}

/// A response that is being received.
struct Reading {
    receiver: ResponseDecoder,
    interim: Vec<Value>,
    head: Option<Head>,
    body: Vec<u8>,
    end: Option<Result<(), Error>>,
}

impl Reading {
    fn new(method: &Method) -> Self {
        let receiver = ResponseDecoder::new(RequestContext::new(method), Limits::default(), Vec::new());
        Self { receiver, interim: Vec::new(), head: None, body: Vec::new(), end: None }
    }

    /// Delivers a piece. Returns how many of its bytes were taken.
    fn deliver(&mut self, piece: &[u8]) -> usize {
        let mut delivered = 0;
        while self.end.is_none() && delivered < piece.len() {
            let room = self.receiver.room();
            let n = room.len().min(piece.len() - delivered);
            if n > 0 {
                room[..n].copy_from_slice(&piece[delivered..delivered + n]);
                self.receiver.received(n);
                delivered += n;
            }
            if !self.read() && n == 0 {
                break;
            }
        }
        delivered
    }

    /// Reads the available part. Returns whether there was any.
    fn read(&mut self) -> bool {
        let mut found = false;
        while self.end.is_none() {
            let read = match self.receiver.poll() {
                Ok(Event::More) => break,
                Ok(Event::Interim(head)) => {
                    self.interim.push(head.status.as_u16().into());
                    0
                }
                Ok(Event::Head(head)) => {
                    self.head = Some(head);
                    0
                }
                Ok(Event::Body(bytes)) => {
                    self.body.extend_from_slice(bytes);
                    bytes.len()
                }
                Ok(Event::End) => {
                    self.end = Some(Ok(()));
                    break;
                }
                Err(error) => {
                    self.end = Some(Err(error.into()));
                    break;
                }
            };
            self.receiver.consume(read);
            found = true;
        }
        found
    }

    fn tell(self, is_all: bool) -> Object {
        let late = if self.head.is_some() { Timeout::Read } else { Timeout::Head };
        let kind = match self.end {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(error.kind()),
            None => Some(Kind::Timeout(late)),
        };
        // Bytes after the response concern the owner of the connection, not this response.
        let reusable = kind.is_none() && is_all && matches!(self.receiver.reuse(), Reuse::Yes { .. });
        let head = self.head.as_ref();
        let consumed = self.receiver.bytes_received() - self.receiver.leftover().len() as u64;
        object([
            ("outcome", if kind.is_none() { "ok" } else { "error" }.into()),
            ("error", kind.map(Kind::name).into()),
            ("interim", self.interim.into()),
            ("status", head.map(|head| head.status.as_u16()).into()),
            ("version", head.map(|head| format!("{:?}", head.version)).into()),
            ("reason", head.map_or(Value::Null, |head| shown(&head.reason))),
            ("headers", head.map_or_else(|| json!([]), |head| fields(&head.headers))),
            ("body_b64", encode(&self.body)),
            ("trailers", fields(self.receiver.trailers())),
            ("reusable", reusable.into()),
            ("consumed", consumed.into()),
        ])
    }
}

/// Header fields as `[name, value in base64]`.
fn fields(headers: &Headers) -> Value {
    headers.iter().map(|field| json!([field.name, encode(field.value)])).collect()
}
