//! Reads the bytes of the client and checks them against the rules.

use super::exchange::Exchange;
use super::frame::{self, ACK, END_HEADERS, END_STREAM, Frame, number};
use super::peer::{Credit, Peer, Stream};
use super::request::Request;
use super::rules;
use super::settings::{HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE};
use super::windows::{MOST, Windows};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Peer {
    /// Takes bytes from the client.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
        if self.is_lost {
            return;
        }
        if !self.is_greeted {
            let n = self.incoming.len().min(PREFACE.len());
            if self.incoming[..n] != PREFACE[..n] {
                return self.lose("the preface is wrong");
            }
            if n < PREFACE.len() {
                return;
            }
            self.incoming.drain(..n);
            self.is_greeted = true;
        }
        while let Some(frame) = Frame::take(&mut self.incoming).filter(|_| !self.is_lost) {
            self.read(&frame);
        }
    }

    /// Records a connection error: no later byte can be parsed.
    fn lose(&mut self, fault: &str) {
        self.fault(fault);
        self.is_lost = true;
    }

    fn read(&mut self, frame: &Frame) {
        if frame.payload.len() > self.settings.max_frame as usize {
            return self.lose("a frame is larger than allowed");
        }
        if !self.has_settings && (frame.kind != frame::SETTINGS || frame.flags & ACK != 0) {
            return self.lose("SETTINGS do not come first");
        }
        let is_continuation = frame.kind == frame::CONTINUATION;
        if is_continuation != self.block.as_ref().is_some_and(|block| block.0 == frame.stream)
            || !is_continuation && self.block.is_some()
        {
            return self.lose("a header block is interrupted, or continued without a beginning");
        }
        let is_for_stream =
            [frame::DATA, frame::HEADERS, frame::PRIORITY, frame::RST_STREAM, frame::CONTINUATION];
        let is_for_connection = [frame::SETTINGS, frame::PING, frame::GOAWAY];
        if is_for_stream.contains(&frame.kind) && frame.stream == 0
            || is_for_connection.contains(&frame.kind) && frame.stream != 0
        {
            return self
                .lose("a frame belongs to a stream and came for the connection, or the other way round");
        }
        match frame.kind {
            frame::DATA => self.read_data(frame),
            frame::HEADERS => match frame.content() {
                Ok(content) => {
                    let is_last = frame.flags & END_STREAM != 0;
                    self.block = Some((frame.stream, is_last, content.to_vec()));
                    self.end_block(frame);
                }
                Err(fault) => self.lose(fault),
            },
            frame::CONTINUATION => {
                if let Some((_, _, block)) = &mut self.block {
                    block.extend_from_slice(&frame.payload);
                }
                self.end_block(frame);
            }
            frame::PRIORITY if frame.payload.len() != 5 => self.lose("PRIORITY has a wrong size"),
            frame::PRIORITY => {}
            frame::RST_STREAM => self.read_reset(frame),
            frame::SETTINGS => self.read_settings(frame),
            frame::PUSH_PROMISE => self.lose("a client pushes"),
            frame::PING => self.read_ping(frame),
            frame::GOAWAY if frame.payload.len() < 8 => self.lose("GOAWAY has a wrong size"),
            frame::GOAWAY => {
                if self.client_goaway.replace(number(&frame.payload[4..])).is_some_and(|code| code != 0) {
                    self.fault("the client says goodbye behind an error");
                }
            }
            frame::WINDOW_UPDATE => self.read_window_update(frame),
            kind => self.fault(format!("a frame of type {kind:#x} came")),
        }
    }

    fn read_data(&mut self, frame: &Frame) {
        let id = frame.stream;
        let length = frame.payload.len();
        let content = match frame.content() {
            Ok(content) => content,
            Err(fault) => return self.lose(fault),
        };
        if !self.windows.take(length) {
            self.fault(format!("DATA exceeds the window of the connection by {}", -self.windows.receive));
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return self.lose("DATA came for an idle stream");
        };
        let is_kept = stream.windows.take(length);
        let excess = -stream.windows.receive;
        let (is_reset, was_ended) = (stream.is_reset, stream.is_ended);
        let request = &mut self.requests[stream.request];
        if !was_ended && !is_reset {
            request.body.extend_from_slice(content);
        }
        stream.is_ended |= frame.flags & END_STREAM != 0;
        request.is_ended |= stream.is_ended && !was_ended;
        if was_ended {
            self.fault(format!("DATA came on stream {id}, whose request had ended"));
        }
        if !is_kept && !is_reset {
            self.fault(format!("DATA exceeds the window of stream {id} by {excess}"));
        }
        self.check_end(id, was_ended);
        if self.credit == Credit::AsRead {
            self.grant(0, length as u32);
            self.grant(id, length as u32);
        }
    }

    fn check_end(&mut self, id: u32, was_ended: bool) {
        let Some(request) = self.requests.iter().find(|request| request.stream == id) else { return };
        let is_short =
            request.is_ended && !was_ended && !rules::is_length_kept(&request.fields, request.body.len());
        if is_short && self.streams.get(&id).is_some_and(|stream| !stream.is_reset) {
            self.fault(format!("the request on stream {id} has another length than it says"));
        }
    }

    fn end_block(&mut self, frame: &Frame) {
        if frame.flags & END_HEADERS == 0 {
            return;
        }
        let Some((id, is_last, block)) = self.block.take() else { return };
        let fields = match self.decoder.decode(&block) {
            Ok(fields) => fields,
            Err(fault) => return self.lose(fault),
        };
        if let Some(stream) = self.streams.get_mut(&id) {
            let was_ended = stream.is_ended;
            stream.is_ended = true;
            let request = &mut self.requests[stream.request];
            request.is_ended |= !was_ended;
            let faults = rules::trailers(&fields);
            request.trailers = fields;
            self.faults.extend(faults);
            if was_ended || !is_last {
                self.fault(format!("HEADERS came on stream {id} where no trailers may be"));
            }
            return self.check_end(id, was_ended);
        }
        let last = self.streams.keys().next_back().copied().unwrap_or(0);
        if id % 2 == 0 || id <= last {
            return self.lose("a stream has a wrong id");
        }
        let open = self.streams.values().filter(|stream| !stream.is_closed()).count() + 1;
        self.most_open = self.most_open.max(open);
        if self.settings.max_streams.is_some_and(|most| open > most as usize) {
            self.fault(format!("{open} streams are open"));
        }
        self.faults.extend(rules::head(&fields));
        let is_refused = self.goaway.is_some_and(|last| id > last);
        let script = if is_refused { Exchange::new() } else { self.next_script() };
        let windows =
            Windows { receive: self.settings.initial_window.into(), send: self.client_window.into() };
        self.streams.insert(
            id,
            Stream {
                steps: script.steps,
                request: self.requests.len(),
                windows,
                is_ended: is_last,
                is_answered: is_refused,
                is_reset: is_refused,
            },
        );
        self.requests.push(Request { stream: id, fields, is_ended: is_last, ..Request::default() });
        self.check_end(id, false);
    }

    fn read_reset(&mut self, frame: &Frame) {
        let id = frame.stream;
        if frame.payload.len() != 4 {
            return self.lose("RST_STREAM has a wrong size");
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return self.lose("RST_STREAM came for an idle stream");
        };
        (stream.is_ended, stream.is_answered) = (true, true);
        stream.steps.clear();
        if self.requests[stream.request].reset.replace(number(&frame.payload)).is_some() {
            self.fault(format!("stream {id} is reset twice"));
        }
    }

    fn read_settings(&mut self, frame: &Frame) {
        self.has_settings = true;
        if frame.flags & ACK != 0 {
            return match self.pending.pop_front() {
                Some(settings) if frame.payload.is_empty() => self.apply(&settings),
                _ => self.lose("SETTINGS are acknowledged that were never sent"),
            };
        }
        if !frame.payload.len().is_multiple_of(6) {
            return self.lose("SETTINGS have a wrong size");
        }
        for pair in frame.payload.chunks(6) {
            let (id, value) = (u16::from_be_bytes([pair[0], pair[1]]), number(&pair[2..]));
            let is_fine = match id {
                // ENABLE_PUSH.
                2 => value <= 1,
                INITIAL_WINDOW_SIZE => i64::from(value) <= MOST,
                MAX_FRAME_SIZE => (16_384..1 << 24).contains(&value),
                _ => true,
            };
            if !is_fine {
                self.fault(format!("setting {id:#x} has the value {value}"));
            }
            if id == HEADER_TABLE_SIZE {
                self.encoder.allow(value as usize);
            }
            if id == INITIAL_WINDOW_SIZE {
                let change = i64::from(value) - i64::from(self.client_window);
                self.client_window = value;
                self.streams.values_mut().for_each(|stream| stream.windows.send += change);
            }
        }
        self.put(frame::SETTINGS, ACK, 0, &[]);
    }

    fn read_ping(&mut self, frame: &Frame) {
        if frame.payload.len() != 8 {
            self.lose("PING has a wrong size");
        } else if frame.flags & ACK == 0 {
            self.put(frame::PING, ACK, 0, &frame.payload);
        } else if self.pings.pop_front().is_none_or(|ping| ping != frame.payload) {
            self.fault("a PING is answered that was not sent");
        }
    }

    fn read_window_update(&mut self, frame: &Frame) {
        if frame.payload.len() != 4 {
            return self.lose("WINDOW_UPDATE has a wrong size");
        }
        let id = frame.stream;
        let windows = match self.streams.get_mut(&id) {
            _ if id == 0 => &mut self.windows,
            Some(stream) => &mut stream.windows,
            None => return self.lose("WINDOW_UPDATE came for an idle stream"),
        };
        if !windows.credit(number(&frame.payload) & 0x7fff_ffff) {
            self.fault(format!("the credit of stream {id} is 0, or its window too large"));
        }
    }
}

impl Stream {
    /// Whether both directions have ended.
    pub(super) fn is_closed(&self) -> bool {
        self.is_reset || self.is_ended && self.is_answered
    }
}
