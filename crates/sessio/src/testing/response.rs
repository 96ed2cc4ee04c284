//! Fuzz body for responses: for any bytes of a peer, the decoder reads each cut as it reads the
//! whole, within its caps.

use http::Method;

use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::wire::h1::{Event, Limits, NoReuse, RequestContext, ResponseDecoder, Reuse};

/// The most bytes of room for a response without limits. Only a large head needs more.
const ROOM: usize = 256 * 1024;

/// One response as the decoder reads it.
#[derive(Debug, PartialEq)]
struct Seen {
    interim: Vec<Head>,
    head: Option<Head>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    /// Whether the response is complete. An error is its kind.
    end: Result<bool, Kind>,
    reuse: Reuse,
    /// Number of bytes that the response does not include. An error leaves all of them.
    left: usize,
}

/// The bytes of one response, and the limits on it.
struct Peer<'a> {
    bytes: &'a [u8],
    context: RequestContext,
    limits: Limits,
    /// Whether the connection ends after the bytes.
    closes: bool,
}

impl Peer<'_> {
    /// Reads the response, with `cut` bytes in each read, and `sip` bytes of the body in each step.
    fn read(&self, cut: usize, sip: usize) -> Seen {
        let mut decoder = ResponseDecoder::new(self.context, self.limits, Vec::new());
        let (mut interim, mut head, mut body) = (Vec::new(), None, Vec::new());
        let (mut left, mut is_ended) = (self.bytes, false);
        let most_room = ROOM.max(self.limits.head_bytes + ROOM / 4);
        let mut steps = 32 + 8 * self.bytes.len();
        let end = loop {
            steps = steps.checked_sub(1).expect("each step moves bytes or takes an event");
            let n = match decoder.poll() {
                Ok(Event::Interim(next)) => {
                    assert!(head.is_none(), "an interim response after the final head");
                    interim.push(next);
                    continue;
                }
                Ok(Event::Head(next)) => {
                    assert!(head.replace(next).is_none(), "two final heads");
                    continue;
                }
                Ok(Event::Body(bytes)) => {
                    let n = bytes.len().min(sip);
                    body.extend_from_slice(&bytes[..n]);
                    n
                }
                Ok(Event::More) => {
                    assert!(matches!(decoder.poll(), Ok(Event::More)), "a repeated poll is the same");
                    let room = decoder.room();
                    assert!(!room.is_empty() || is_ended, "it waits without room");
                    assert!(room.len() <= most_room, "{} bytes of room", room.len());
                    let n = left.len().min(room.len()).min(cut);
                    room[..n].copy_from_slice(&left[..n]);
                    left = &left[n..];
                    if n > 0 {
                        decoder.received(n);
                    } else if self.closes && !is_ended {
                        decoder.received(0);
                        is_ended = true;
                    } else {
                        break Ok(false);
                    }
                    continue;
                }
                Ok(Event::End) => break Ok(true),
                Err(error) => {
                    let again = decoder.poll().expect_err("an error stays");
                    assert_eq!(again.kind(), error.kind());
                    break Err(error.kind());
                }
            };
            assert!(decoder.room().is_empty(), "room while body bytes wait");
            decoder.consume(n);
        };
        assert!(end == Ok(false) || decoder.room().is_empty(), "room after the end");
        let left = if end.is_err() { self.bytes.len() } else { left.len() + decoder.leftover().len() };
        let (mut reuse, trailers) = (decoder.reuse(), decoder.take_trailers());
        // The decoder finds excess that arrives with the response. The owner of the connection finds
        // later excess.
        if end == Ok(true) && left > 0 && !matches!(reuse, Reuse::No(NoReuse::Upgraded | NoReuse::UntilClose))
        {
            reuse = Reuse::No(NoReuse::Excess);
        }
        let trailers = trailers.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect();
        Seen { interim, head, body, trailers, end, reuse, left }
    }

    /// Checks the caps on what was read.
    fn check(&self, seen: &Seen) {
        let Limits { head_bytes, fields, interim, body_bytes, .. } = self.limits;
        assert!(seen.interim.len() <= interim);
        assert!(seen.body.len() <= self.bytes.len(), "a body larger than the response");
        assert!(body_bytes.is_none_or(|most| seen.body.len() as u64 <= most), "{} bytes", seen.body.len());
        let heads = seen.interim.iter().chain(&seen.head);
        let mut size: usize = seen.trailers.iter().map(|(name, value)| name.len() + value.len()).sum();
        for head in heads {
            assert!(head.headers.len() <= fields);
            size += head.headers.iter().map(|field| field.name.len() + field.value.len()).sum::<usize>();
        }
        assert!(size <= head_bytes, "{size} bytes of heads");
        let of_final = seen.head.as_ref().map_or(0, |head| head.headers.len());
        assert!(of_final + seen.trailers.len() <= fields);
        if matches!(seen.reuse, Reuse::Yes { .. }) {
            assert_eq!((&seen.end, seen.left), (&Ok(true), 0), "a connection that is not clean");
        }
        // The response to a HEAD has no body.
        assert!(!self.context.head || seen.body.is_empty());
    }
}

/// Reads one response. The first three bytes draw the request, the limits and the cuts; the others
/// are the bytes of the peer.
pub fn h1(data: &[u8]) {
    let Some((&[plan, cut, sip], bytes)) = data.split_first_chunk() else { return };
    let mut context = RequestContext::new(match plan % 4 {
        0 => &Method::HEAD,
        1 => &Method::CONNECT,
        _ => &Method::GET,
    });
    (context.upgrade, context.close) = (plan & 4 != 0, plan & 8 != 0);
    let mut limits = Limits::default();
    if plan & 16 != 0 {
        (limits.head_bytes, limits.fields, limits.interim) = (200, 4, 2);
        (limits.chunk_ext_bytes, limits.body_bytes) = (16, Some(40));
    }
    let peer = Peer { bytes, context, limits, closes: plan & 32 != 0 };
    let whole = peer.read(usize::MAX, usize::MAX);
    peer.check(&whole);
    let (cut, sip) = (usize::from(cut).max(1), usize::from(sip).max(1));
    for (cut, sip) in [(cut, sip), (1, usize::MAX), (usize::MAX, 1)] {
        let mut seen = peer.read(cut, sip);
        // A response can have two faults. The cut decides which of them is found first.
        if seen.end.is_err() && whole.end.is_err() {
            seen.end = whole.end;
        }
        assert_eq!(seen, whole, "cut {cut}, sip {sip}: {}", bytes.escape_ascii());
    }
}
