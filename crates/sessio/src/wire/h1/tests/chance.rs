//! The framing against random input: generated, mutated and random responses (G1, G9, G10).

use http::Method;
use proptest::prelude::*;

use super::super::{RequestContext, Reuse};
use super::reference::{self, Outcome};
use super::wire::{End, Seen, Wire};
use crate::message::headers::Headers;

/// A small random generator for millions of cases: xorshift64*.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }
}

const STARTS: &[&str] = &[
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200",
    "HTTP/1.1 200 Fine",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 404 Nope",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 101 Switch",
    "HTTP/1.1 199 Odd",
    "HTTP/1.1 999 ",
    "HTTP/1.1 099 x",
    "HTTP/1.1  200 OK",
    "HTTP/1.2 200 OK",
    "HTTP/2 200",
];
const FIELDS: &[&str] = &[
    "Content-Length: 5",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
    "content-length: 5",
    "Transfer-Encoding: CHUNKED ",
    "Connection: keep-alive",
    "A: b",
    "A:",
    "A: \u{e9}",
    "A: b\r\n c",
    "Set-Cookie: a=b; Path=/",
    "Content-Length: 6",
    "Content-Length: 0",
    "Content-Length: 5, 5",
    "Content-Length: +5",
    "Content-Length:",
    "Content-Length: 99999999999999999999",
    "Connection: x,close",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding : chunked",
    "Connection: close",
    "A : b",
    ": b",
    "A",
    " A: b",
    "A: b\rc",
    "Content-Length: 5\r\n ",
];
const BODIES: &[&str] = &[
    "hello",
    "hello",
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    "05 \r\nhello\r\n00\r\nA: b\r\n\r\n",
    "0\r\nA: b\r\n c\r\n\r\n",
    "hell",
    "",
    "hello!",
    "0\r\nA: b\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "ffffffffffffffff\r\nhello",
    "7fffffffffffffff\r\nhello",
    "00000000000000005\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\n",
    "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "helloHTTP/1.1 200 OK\r\n\r\n",
];
const MEANINGFUL: &[u8] = b"\r\n\r\n \t:;,0159afFxX\0\x01\x0b\x7f\x80\xffHTP/.=\"+-_chunked";

/// A response of meaningful parts; it is seldom valid.
fn generate(chance: &mut Chance) -> Vec<u8> {
    // Mostly from the front of the lists, which holds the valid parts.
    let mut pick = |from: &[&'static str], valid: usize| {
        let most = if chance.below(4) == 0 { from.len() } else { valid };
        from[chance.below(most)]
    };
    let mut bytes = String::new();
    for _ in 0..1 + pick(&["", "", "", "1"], 4).len() {
        bytes.push_str(pick(STARTS, 11));
        let end = pick(&["\r\n", "\n"], 1);
        bytes.push_str(end);
        for _ in 0..pick(&["", "1", "12", "123"], 4).len() {
            bytes.push_str(pick(FIELDS, 12));
            bytes.push_str(pick(&["\r\n", "\r\n", "\r\n", "\n"], 3));
        }
        bytes.push_str(end);
    }
    bytes.push_str(pick(BODIES, 8));
    bytes.into_bytes()
}

/// Deletes, repeats, swaps and inserts meaningful bytes.
fn mutate(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..chance.below(4).saturating_sub(1) {
        if bytes.is_empty() {
            return;
        }
        let at = chance.below(bytes.len());
        let byte = MEANINGFUL[chance.below(MEANINGFUL.len())];
        match chance.below(5) {
            0 => {
                bytes.remove(at);
            }
            1 => bytes.insert(at, byte),
            2 => bytes[at] = byte,
            3 => bytes.truncate(at),
            _ => {
                let end = (at + 1 + chance.below(12)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

fn lines(headers: &Headers) -> Vec<reference::Line> {
    headers.iter().map(|field| (field.name.to_owned(), blanks(field.value))).collect()
}

/// Removes blanks: the number of blanks that a fold leaves does not matter.
fn blanks(value: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for &byte in value {
        let byte = if byte == b'\t' { b' ' } else { byte };
        if !(byte == b' ' && out.last() == Some(&b' ')) {
            out.push(byte);
        }
    }
    out
}

/// The observed response, in the terms of the reference.
fn as_read(seen: Seen) -> reference::Read {
    reference::Read {
        interim: seen.interim.iter().map(|head| head.status.as_u16()).collect(),
        head: seen
            .head
            .map(|head| (head.status.as_u16(), head.version, head.reason.to_vec(), lines(&head.headers))),
        body: seen.body,
        trailers: lines(&seen.trailers),
        end: match seen.end {
            End::Complete => Outcome::Complete,
            End::Waiting => Outcome::Waiting,
            End::Failed(..) => Outcome::Failed,
        },
        reusable: matches!(seen.reuse, Reuse::Yes { .. }),
    }
}

fn compare(method: &Method, bytes: &[u8], eof: bool) -> Seen {
    let mut wire = Wire::new(RequestContext::new(method), bytes);
    wire.eof = eof;
    let seen = wire.cut(&[]);
    let mut want = reference::read(method, bytes, eof);
    let normal = |lines: &mut Vec<reference::Line>| lines.iter_mut().for_each(|(_, v)| *v = blanks(v));
    normal(&mut want.trailers);
    if let Some((.., fields)) = &mut want.head {
        normal(fields);
    }
    assert_eq!(as_read(seen.clone()), want, "{method} eof={eof} \"{}\"", bytes.escape_ascii());
    seen
}

fn campaign(seed: u64, cases: usize) -> [usize; 3] {
    let mut chance = Chance(seed);
    let mut outcomes = [0; 3];
    let methods = [Method::GET, Method::GET, Method::HEAD, Method::CONNECT];
    for case in 0..cases {
        let mut bytes = generate(&mut chance);
        mutate(&mut bytes, &mut chance);
        let method = &methods[chance.below(4)];
        let seen = compare(method, &bytes, chance.below(2) == 0);
        outcomes[match seen.end {
            End::Complete => 0,
            End::Waiting => 1,
            End::Failed(..) => 2,
        }] += 1;
        if case % 64 == 0 {
            let mut wire = Wire::new(RequestContext::new(method), &bytes);
            wire.eof = chance.below(2) == 0;
            wire.everyhow();
        }
    }
    outcomes
}

#[test]
fn g10_two_parsers_agree() {
    // With `SESSIO_LONG` set, better with `--release`, ten million more.
    let more = if std::env::var_os("SESSIO_LONG").is_some() { 100 } else { 0 };
    for seed in 1..=more {
        campaign(seed, 100_000);
    }
    let [complete, waiting, failed] = campaign(0x5e55_1000, 40_000);
    assert!(complete > 10_000 && waiting > 3_000 && failed > 10_000, "{complete} {waiting} {failed}");
}

/// Every status with every pair of framing fields, and every body.
#[test]
fn g10_two_parsers_agree_on_every_combination() {
    for start in STARTS {
        for first in FIELDS {
            for second in FIELDS.iter().chain([&""]) {
                let second = if second.is_empty() { String::new() } else { format!("{second}\r\n") };
                let head = format!("{start}\r\n{first}\r\n{second}\r\n");
                for body in ["hello", "5\r\nhello\r\n0\r\n\r\n"] {
                    compare(&Method::GET, format!("{head}{body}").as_bytes(), true);
                }
                compare(&Method::HEAD, head.as_bytes(), false);
            }
        }
    }
}

/// Split points of one input.
fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..6)
}

fn places(cuts: &[prop::sample::Index], len: usize) -> Vec<usize> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    places.sort_unstable();
    places
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_neither_panic_nor_spin(
        bytes in prop::collection::vec(any::<u8>(), 0..400), eof: bool, begins: bool, cuts in cuts(),
    ) {
        let start: &[u8] = if begins { b"HTTP/1.1 200 OK\r\n" } else { b"" };
        let bytes = [start, &bytes].concat();
        let mut wire = Wire::new(RequestContext::new(&Method::GET), &bytes);
        wire.eof = eof;
        wire.cut(&places(&cuts, bytes.len()));
        compare(&Method::GET, &bytes, eof);
    }

    #[test]
    fn g1_splits_of_mutated_responses_change_nothing(seed in 1u64.., cuts in cuts(), sip in 1usize..9) {
        let mut chance = Chance(seed);
        let mut bytes = generate(&mut chance);
        mutate(&mut bytes, &mut chance);
        let mut wire = Wire::new(RequestContext::new(&Method::GET), &bytes);
        wire.eof = chance.below(2) == 0;
        let (mut whole, mut cut) = (wire.cut(&[]), wire.deliver(&places(&cuts, bytes.len()), sip));
        for seen in [&mut whole, &mut cut] {
            if let End::Failed(crate::base::kind::Kind::NotHttp, text) = &mut seen.end {
                text.clear();
            }
        }
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn a_chunked_body_is_its_data(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6000), 0..12), cuts in cuts(),
    ) {
        let mut wire = Wire::new(
            RequestContext::new(&Method::GET),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        for chunk in &chunks {
            wire.bytes.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.bytes.extend(chunk);
            wire.bytes.extend(b"\r\n");
        }
        wire.bytes.extend(b"0\r\n\r\n");
        let seen = wire.cut(&places(&cuts, wire.bytes.len()));
        prop_assert_eq!(seen.end, End::Complete);
        prop_assert_eq!(seen.body, chunks.concat());
    }
}
