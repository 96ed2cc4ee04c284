//! Servers of the random calls, in memory. Their responses are fixed before the call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use sessio_testkit::Adapter;
use sessio_tests::carrier::Carrier;
use sessio_tests::simulation::network::peer::{Output, Packet, Peer};

/// The response to one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) interim: Vec<u8>,
    pub(crate) said: Vec<u8>,
    pub(crate) head_end: usize,
    /// The number of body bytes before the connection ends.
    pub(crate) truncated: Option<usize>,
    pub(crate) closes: bool,
    /// The size of one write, in bytes.
    pub(crate) piece: usize,
}

/// The state that all connections of a call share.
#[derive(Debug)]
pub(crate) struct Play {
    answers: VecDeque<Answer>,
    asked: Vec<Vec<u8>>,
}

impl Play {
    pub(crate) fn of(answers: Vec<Answer>) -> Self {
        Self { answers: answers.into(), asked: Vec::new() }
    }

    /// All requests, as text.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect()
    }

    /// Records a request. Returns the response and whether the connection ends after it.
    fn answer(&mut self, request: Vec<u8>) -> (Vec<Vec<u8>>, bool) {
        let is_head = request.starts_with(b"HEAD ");
        self.asked.push(request);
        let Some(answer) = self.answers.pop_front() else {
            return (vec![b"HTTP/1.1 200 Over\r\nContent-Length: 0\r\n\r\n".to_vec()], false);
        };
        let has_body = !is_head && !matches!(answer.status, 204 | 304);
        let whole = if has_body { answer.said.len() } else { answer.head_end };
        let end = answer.truncated.map_or(whole, |size| (answer.head_end + size).min(whole));
        let said = [&answer.interim[..], &answer.said[..end]].concat();
        (said.chunks(answer.piece).map(<[u8]>::to_vec).collect(), answer.closes || end < whole)
    }
}

/// The server's end of one connection.
pub(crate) struct End {
    adapter: Box<dyn Adapter>,
    play: Arc<Mutex<Play>>,
    plain: Vec<u8>,
    has_continued: bool,
    queue: VecDeque<Packet>,
    is_over: bool,
}

impl End {
    pub(crate) fn new(carrier: Carrier, play: Arc<Mutex<Play>>) -> Self {
        let (plain, queue) = (Vec::new(), VecDeque::new());
        Self { adapter: carrier.adapter(), play, plain, has_continued: false, queue, is_over: false }
    }

    fn send_plain(&mut self, plain: &[u8]) {
        let mut out = Vec::new();
        if self.adapter.encode(plain, &mut out).is_err() {
            self.is_over = true;
        }
        self.send(out);
    }

    fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queue.push_back(Packet::Bytes(bytes));
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        let decoded = self.adapter.decode(bytes, &mut self.plain, &mut out);
        self.send(out);
        if decoded.is_err() {
            self.queue.push_back(Packet::End);
            self.is_over = true;
        }
        while !self.is_over {
            let Some(size) = whole(&self.plain) else {
                self.send_continue();
                return;
            };
            let request = self.plain.drain(..size).collect();
            self.has_continued = false;
            let (pieces, ends) = self.play.lock().unwrap().answer(request);
            for piece in pieces {
                self.send_plain(&piece);
            }
            if ends {
                let mut out = Vec::new();
                self.adapter.finish(&mut out);
                self.send(out);
                self.queue.push_back(Packet::End);
                self.is_over = true;
            }
        }
    }

    /// Sends `100 Continue` to a client that waits for it with its body.
    fn send_continue(&mut self) {
        let waits = |plain: &[u8]| {
            plain.ends_with(b"\r\n\r\n") && plain.windows(15).any(|window| window == b"Expect: 100-con")
        };
        if !self.has_continued && waits(&self.plain) {
            self.has_continued = true;
            self.send_plain(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }
}

impl Peer for End {
    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::Bytes(bytes) if !self.is_over => self.receive(&bytes),
            Packet::Bytes(_) => {}
            Packet::End => {
                if !self.is_over {
                    self.queue.push_back(Packet::End);
                }
                self.is_over = true;
            }
            Packet::Reset => {
                self.queue.clear();
                self.is_over = true;
            }
        }
    }

    fn run(&mut self, _: sessio::Instant, mut room: usize) -> Output {
        let mut packets = Vec::new();
        while let Some(packet) = self.queue.pop_front() {
            match packet {
                Packet::Bytes(bytes) if bytes.len() > room => {
                    let (now, later) = bytes.split_at(room);
                    self.queue.push_front(Packet::Bytes(later.to_vec()));
                    if !now.is_empty() {
                        packets.push(Packet::Bytes(now.to_vec()));
                    }
                    break;
                }
                packet => {
                    room -= packet.size();
                    packets.push(packet);
                }
            }
        }
        Output { packets, is_over: self.is_over && self.queue.is_empty(), ..Output::default() }
    }
}

/// The length of the first request, if it is complete.
fn whole(held: &[u8]) -> Option<usize> {
    let find = |from: usize, mark: &[u8]| {
        held.get(from..)?
            .windows(mark.len())
            .position(|window| window == mark)
            .map(|at| from + at + mark.len())
    };
    let body = find(0, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&held[..body]).to_ascii_lowercase();
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if value("transfer-encoding:").is_none() {
        let length: usize = value("content-length:").map_or(0, |digits| digits.parse().unwrap());
        return (held.len() >= body + length).then_some(body + length);
    }
    let mut at = body;
    loop {
        let line = find(at, b"\r\n")?;
        let size = std::str::from_utf8(&held[at..line - 2]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        at = line + size + 2;
        if held.len() < at {
            return None;
        }
        if size == 0 {
            return Some(at);
        }
    }
}
