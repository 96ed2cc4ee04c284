//! Plays the scripts of streams.

use std::collections::VecDeque;

use super::exchange::Step;
use super::frame::{self, END_HEADERS, END_STREAM, PADDED};
use super::peer::Peer;

impl Peer {
    /// Plays at most one step, or one piece of a body, of each stream. Returns whether anything was
    /// done.
    pub fn turn(&mut self) -> bool {
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        let mut has_moved = false;
        for id in ids {
            has_moved |= !self.is_closed && self.play(id);
        }
        has_moved
    }

    fn play(&mut self, id: u32) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return false };
        let Some(step) = stream.steps.pop_front() else { return false };
        let request = &self.requests[stream.request];
        let is_waiting = match &step {
            Step::WaitBody(bytes) => (request.body.len() as u64) < *bytes && !stream.is_ended,
            Step::WaitEnd => !stream.is_ended,
            _ => false,
        };
        if is_waiting {
            stream.steps.push_front(step);
            return false;
        }
        // The steps that send on a stream end with it. The steps that act on the connection do not.
        let is_answered = stream.is_answered;
        match step {
            Step::WaitBody(_) | Step::WaitEnd => {}
            Step::Pause(0) => {}
            Step::Pause(turns) => stream.steps.push_front(Step::Pause(turns - 1)),
            Step::Headers { .. } | Step::Body { .. } | Step::End if is_answered => {}
            Step::Headers { fields, is_last } => {
                let is_last = is_last | take_end(&mut stream.steps);
                stream.is_answered = is_last;
                let block = self.encoder.encode(&fields);
                self.put_block(id, &block, is_last);
            }
            Step::Body { bytes, padding } => return self.play_body(id, bytes, padding),
            Step::End => {
                stream.is_answered = true;
                self.put(frame::DATA, END_STREAM, id, &[]);
            }
            Step::Reset(code) => self.reset(id, code),
            Step::Grant(bytes) => self.grant(id, bytes),
            Step::GrantConnection(bytes) => self.grant(0, bytes),
            Step::Ping => self.ping(),
            Step::Settings(settings) => self.settings(&settings),
            Step::GoAway { last, code } => self.goaway(last, code),
            Step::Raw(bytes) => self.raw(&bytes),
            Step::Close => self.is_closed = true,
        }
        true
    }

    /// Writes HEADERS, and CONTINUATION if the block is longer than a frame.
    fn put_block(&mut self, id: u32, block: &[u8], is_last: bool) {
        let mut pieces = block.chunks(16_384).peekable();
        let mut kind = frame::HEADERS;
        let mut flags = if is_last { END_STREAM } else { 0 };
        loop {
            let piece = pieces.next().unwrap_or_default();
            let is_end = pieces.peek().is_none();
            self.put(kind, flags | if is_end { END_HEADERS } else { 0 }, id, piece);
            if is_end {
                break;
            }
            (kind, flags) = (frame::CONTINUATION, 0);
        }
    }

    /// Sends one frame of a body, if there is credit for any of it.
    fn play_body(&mut self, id: u32, mut bytes: Vec<u8>, padding: Option<u8>) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return false };
        let overhead = padding.map_or(0, |padding| usize::from(padding) + 1);
        let credit = usize::try_from(self.windows.send.min(stream.windows.send)).unwrap_or(0);
        let most = credit.min(16_384).saturating_sub(overhead).min(self.piece);
        let fits = credit >= overhead && (most > 0 || bytes.is_empty());
        if !fits {
            stream.steps.push_front(Step::Body { bytes, padding });
            return false;
        }
        let rest = bytes.split_off(most.min(bytes.len()));
        let mut is_last = false;
        if rest.is_empty() {
            is_last = take_end(&mut stream.steps);
            stream.is_answered = is_last;
        } else {
            stream.steps.push_front(Step::Body { bytes: rest, padding });
        }
        let length = (bytes.len() + overhead) as i64;
        stream.windows.send -= length;
        self.windows.send -= length;
        let mut flags = if is_last { END_STREAM } else { 0 };
        if let Some(padding) = padding {
            flags |= PADDED;
            bytes = [&[padding][..], &bytes, &vec![0; padding.into()]].concat();
        }
        self.put(frame::DATA, flags, id, &bytes);
        true
    }
}

/// Takes the end of the response if it is the next step. It becomes a flag of the frame before.
fn take_end(steps: &mut VecDeque<Step>) -> bool {
    let is_end = matches!(steps.front(), Some(Step::End));
    if is_end {
        steps.pop_front();
    }
    is_end
}
