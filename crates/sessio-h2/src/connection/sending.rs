//! The caller's requests.

use core::time::Duration;

use super::Connection;
use crate::frame::{self, Header, Kind};
use crate::open_error::{NotSending, OpenError};
use crate::request::{self, Field, InvalidRequest, RequestHead};
use crate::state::State;
use crate::stream::{Held, Remote, Stream, Turn};
use crate::window::Window;
use crate::{ErrorCode, StreamId};

/// Number of queued bytes from which on the connection takes no more body bytes.
const AHEAD: usize = 64 * 1024;
/// The smallest piece of a body in bytes that is sent if room is short. With less room the body
/// waits.
const LEAST: usize = 1024;
/// The opaque data of PING frames.
const PING: [u8; 8] = *b"sessio?\0";

impl Connection {
    /// Sends the head of a request. `is_last` is set if neither body nor trailers follow.
    ///
    /// - Names are sent in lower case.
    /// - `Host` becomes `:authority`.
    /// - Fields of HTTP/1 connections are dropped, and those that `Connection` names.
    /// - Of `TE`, `trailers` is kept.
    /// - Each cookie becomes a field.
    ///
    /// # Errors
    /// The connection takes no stream, or the request is not valid.
    pub fn open<'a, F>(
        &mut self,
        head: &RequestHead<'a>,
        fields: F,
        is_last: bool,
        now: Duration,
    ) -> Result<StreamId, OpenError>
    where
        F: IntoIterator<Item = Field<'a>>,
        F::IntoIter: Clone,
    {
        self.tick(now);
        match self.state(now) {
            State::Open { free: 1.. } => {}
            State::Open { .. } | State::Doubtful => return Err(OpenError::Full),
            State::Draining | State::Dead => return Err(OpenError::Closed),
        }
        let fields = fields.into_iter();
        let checked = request::check(head, fields.clone())?;
        if self.peer.header_list.is_some_and(|most| checked.list_size() > most as usize) {
            return Err(InvalidRequest::TooLarge.into());
        }
        let id = self.next_id;
        self.next_id += 2;
        let head_at = self.outgoing.end();
        let start = self.begin_block();
        request::encode(head, &checked, fields, &mut self.encoder, &mut self.outgoing.bytes);
        self.end_block(start, id, is_last);
        if self.is_quiet() {
            frame::encode::ping(PING, false, &mut self.outgoing.bytes);
            self.doubt = Some(self.now);
        }
        self.streams.insert(Stream {
            id,
            is_sending: !is_last,
            remote: Remote::Head,
            send_window: self.peer.initial_window.into(),
            window: Window::new(self.config.stream_window),
            held: Held::default(),
            length: None,
            is_head: head.method == "HEAD",
            is_connect: head.method == "CONNECT",
            interim_heads: 0,
            turn: Turn::Idle,
            head_at,
            outcome: None,
            is_counted: true,
        });
        Ok(StreamId(id))
    }

    /// Makes room for the header of HEADERS; returns the start of the block.
    fn begin_block(&mut self) -> usize {
        let out = &mut self.outgoing.bytes;
        out.extend_from_slice(&[0; Header::LEN]);
        out.len()
    }

    /// Writes the header of HEADERS, and splits a block that is too long for one frame.
    fn end_block(&mut self, start: usize, stream: u32, is_last: bool) {
        let out = &mut self.outgoing.bytes;
        let most = self.peer.max_frame as usize;
        if out.len() - start > most {
            let block = out.split_off(start);
            out.truncate(start - Header::LEN);
            return frame::encode::headers(stream, &block, is_last, most, out);
        }
        let length = (out.len() - start) as u32;
        let flags = Header::END_HEADERS | if is_last { Header::END_STREAM } else { 0 };
        let header = Header { length, kind: Kind::HEADERS, flags, stream };
        out[start - Header::LEN..start].copy_from_slice(&header.encode());
    }

    /// Sends bytes of a request's body. Returns the number of bytes taken.
    ///
    /// `is_last` marks these bytes as the last. It has an effect only if all of them are taken. An
    /// empty slice with `is_last` ends the request.
    ///
    /// If not all are taken, [`Event::Writable`](crate::Event::Writable) follows when there is room
    /// again.
    ///
    /// # Errors
    /// The request has ended, or the stream has.
    pub fn send_body(&mut self, id: StreamId, bytes: &[u8], is_last: bool) -> Result<usize, NotSending> {
        let room = self.room(id.0, bytes.len()).ok_or(NotSending)?;
        let stream = self.streams.get_mut(id.0).ok_or(NotSending)?;
        let taken = bytes.len().min(room);
        let is_end = is_last && taken == bytes.len();
        if taken > 0 || is_end {
            stream.send_window -= taken as i64;
            self.send_window -= taken as i64;
            let mut rest = &bytes[..taken];
            loop {
                let (piece, behind) = rest.split_at(rest.len().min(self.peer.max_frame as usize));
                rest = behind;
                frame::encode::data(id.0, piece, is_end && rest.is_empty(), &mut self.outgoing.bytes);
                if rest.is_empty() {
                    break;
                }
            }
        }
        if is_end {
            stream.is_sending = false;
            self.leave(id.0);
        } else if taken < bytes.len() {
            self.wait_to_send(id.0);
        }
        Ok(taken)
    }

    /// Returns the number of bytes that [`send_body`](Self::send_body) takes now, for a caller that
    /// reads a body in pieces. If it is 0, [`Event::Writable`](crate::Event::Writable) follows once
    /// there is room.
    ///
    /// # Errors
    /// The request has ended, or the stream has.
    pub fn body_room(&mut self, id: StreamId) -> Result<usize, NotSending> {
        let room = self.room(id.0, usize::MAX).ok_or(NotSending)?;
        if room == 0 {
            self.wait_to_send(id.0);
        }
        Ok(room)
    }

    /// The number of body bytes that the windows and the queue allow. It is 0 if only a small piece
    /// would fit. `None` if the request has ended.
    fn room(&self, id: u32, wanted: usize) -> Option<usize> {
        let stream = self.streams.get(id).filter(|stream| stream.is_sending)?;
        let credit = usize::try_from(self.send_window.min(stream.send_window)).unwrap_or(0);
        let room = AHEAD.saturating_sub(self.outgoing.len());
        Some(if room < wanted.min(LEAST) { 0 } else { room.min(credit) })
    }

    /// Requests an event once the stream can send.
    fn wait_to_send(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.turn == Turn::Idle) else {
            return;
        };
        if stream.send_window > 0 {
            stream.turn = Turn::Queued;
            self.writable.push_back(id);
        } else {
            stream.turn = Turn::Blocked;
        }
    }

    /// Ends a request with trailers.
    ///
    /// # Errors
    /// The request has ended, or a trailer is not valid.
    pub fn send_trailers<'a, F>(&mut self, id: StreamId, fields: F) -> Result<(), OpenError>
    where
        F: IntoIterator<Item = Field<'a>>,
        F::IntoIter: Clone,
    {
        let fields = fields.into_iter();
        request::check_trailers(fields.clone())?;
        let stream = self.streams.get_mut(id.0).filter(|stream| stream.is_sending);
        stream.ok_or(OpenError::Closed)?.is_sending = false;
        let start = self.begin_block();
        request::encode_trailers(fields, &mut self.encoder, &mut self.outgoing.bytes);
        self.end_block(start, id.0, true);
        self.leave(id.0);
        Ok(())
    }

    /// Cancels a stream: its data is dropped, and no event of it follows. The usual code is
    /// [`ErrorCode::CANCEL`]. No effect on a stream that is gone.
    pub fn reset(&mut self, id: StreamId, code: ErrorCode) {
        let Some(stream) = self.streams.get(id.0) else { return };
        if !stream.is_closed() && self.error.is_none() {
            frame::encode::reset(id.0, code, &mut self.outgoing.bytes);
            self.budgets.own_resets.spend(self.config.limits.own_resets, self.now);
        }
        if self.loose.as_ref().is_some_and(|loose| loose.stream == id.0) {
            self.loose = None;
        }
        self.streams.remove(id.0);
    }

    /// The next stream that can send again.
    pub(super) fn next_writable(&mut self) -> Option<u32> {
        if self.send_window <= 0 || AHEAD.saturating_sub(self.outgoing.len()) < LEAST {
            return None;
        }
        while let Some(id) = self.writable.pop_front() {
            let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.is_sending) else { continue };
            if stream.send_window > 0 {
                stream.turn = Turn::Idle;
                return Some(id);
            }
            stream.turn = Turn::Blocked;
        }
        None
    }
}
