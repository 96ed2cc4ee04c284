//! A connection that delivers a response in pieces, and the observed result.

use super::super::{Event, Limits, NoReuse, RequestContext, ResponseDecoder, Reuse};
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;

/// Everything observable of one response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) interim: Vec<Head>,
    pub(super) head: Option<Head>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Headers,
    pub(super) end: End,
    pub(super) reuse: Reuse,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Complete,
    /// The connection is silent, and the response is not over.
    Waiting,
    Failed(Kind, String),
}

/// One response in transit.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) asked: RequestContext,
    pub(super) limits: Limits,
    pub(super) bytes: Vec<u8>,
    /// Set if the connection ends after the bytes.
    pub(super) eof: bool,
}

impl Wire {
    pub(super) fn new(asked: RequestContext, bytes: &[u8]) -> Self {
        Self { asked, limits: Limits::default(), bytes: bytes.to_vec(), eof: false }
    }

    /// Delivers it cut at these positions, each piece as one read or, if there is less room, as
    /// several.
    pub(super) fn cut(&self, cuts: &[usize]) -> Seen {
        self.deliver(cuts, usize::MAX)
    }

    /// Delivers it to a reader that consumes `sip` body bytes at once.
    pub(super) fn deliver(&self, cuts: &[usize], sip: usize) -> Seen {
        let mut receiver = ResponseDecoder::new(self.asked, self.limits, Vec::new());
        let mut seen = Seen {
            interim: Vec::new(),
            head: None,
            body: Vec::new(),
            trailers: Headers::new(),
            end: End::Waiting,
            reuse: Reuse::No(NoReuse::Unfinished),
        };
        let mut ends = cuts.iter().copied().chain([self.bytes.len()]);
        let (mut at, mut end, mut is_ended) = (0, ends.next().unwrap(), false);
        let most_steps = 20 + 8 * self.bytes.len();
        for step in 0.. {
            assert!(step < most_steps, "it goes round in circles");
            let read = match receiver.poll() {
                Ok(Event::Interim(head)) => {
                    assert!(seen.head.is_none());
                    seen.interim.push(head);
                    0
                }
                Ok(Event::Head(head)) => {
                    assert!(seen.head.replace(head).is_none(), "the final head came twice");
                    0
                }
                Ok(Event::Body(bytes)) => {
                    let read = bytes.len().min(sip);
                    seen.body.extend_from_slice(&bytes[..read]);
                    read
                }
                Ok(Event::End) => {
                    seen.end = End::Complete;
                    break;
                }
                Err(error) => {
                    seen.end = End::Failed(error.kind(), error.to_string());
                    assert_eq!(receiver.poll().unwrap_err().kind(), error.kind());
                    break;
                }
                Ok(Event::More) => {
                    assert!(matches!(receiver.poll(), Ok(Event::More)), "asking changed something");
                    while end == at && at < self.bytes.len() {
                        end = ends.next().unwrap();
                    }
                    let room = receiver.room();
                    let n = room.len().min(end - at);
                    room[..n].copy_from_slice(&self.bytes[at..at + n]);
                    if n > 0 {
                        receiver.received(n);
                        at += n;
                    } else if self.eof && !is_ended {
                        receiver.received(0);
                        is_ended = true;
                    } else {
                        break;
                    }
                    continue;
                }
            };
            if read > 0 {
                assert_eq!(receiver.room(), b"", "room while body bytes wait");
                let told = receiver.is_complete() || receiver.reuse() == Reuse::No(NoReuse::Unfinished);
                assert!(told, "a verdict before the last byte");
                receiver.consume(read);
            }
        }
        seen.reuse = receiver.reuse();
        if seen.end != End::Waiting {
            assert_eq!(receiver.room(), b"");
            assert_eq!(receiver.bytes_received(), at as u64);
        }
        // Bytes left in the socket must be noticed when the connection returns to a pool.
        let is_ours = seen.end == End::Complete && seen.reuse != Reuse::No(NoReuse::Upgraded);
        if is_ours && at < self.bytes.len() {
            seen.reuse = Reuse::No(NoReuse::Excess);
        }
        seen.trailers = receiver.take_trailers();
        seen
    }

    /// Delivers it whole, byte by byte, at every 2-split and at 3-splits with a small middle piece.
    /// It panics if any result differs (G1). Long responses are split at some positions only.
    pub(super) fn everyhow(&self) -> Seen {
        let whole = self.cut(&[]);
        let len = self.bytes.len();
        let check = |cuts: &[usize], sip: usize| {
            let mut seen = self.deliver(cuts, sip);
            // The text of a peer that speaks no HTTP shows as many bytes as had arrived.
            if let (End::Failed(Kind::NotHttp, text), End::Failed(Kind::NotHttp, other)) =
                (&mut seen.end, &whole.end)
            {
                text.clone_from(other);
            }
            if seen != whole {
                let at: Vec<_> = cuts.iter().take(4).collect();
                panic!("cut at {at:?}, sips of {sip}:\n{seen:?}\nwhole:\n{whole:?}");
            }
        };
        let every: Vec<usize> = (1..len).collect();
        check(&every, usize::MAX);
        check(&every, 1);
        check(&[], 1);
        let stride = if len <= 2048 { 1 } else { len / 16 };
        for at in (0..=len).step_by(stride) {
            check(&[at], usize::MAX);
            for middle in 1..4 {
                check(&[at, (at + middle).min(len)], 2);
            }
        }
        whole
    }
}
