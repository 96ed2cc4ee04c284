//! Conversion of frames to events.

use super::Connection;
use crate::frame::{Frame, FrameError, Header, Kind};
use crate::settings::DEFAULT_FRAME_SIZE;
use crate::{ConnectionError, ConnectionErrorKind, Event, Head, StreamError, StreamId};

/// The effect of a frame.
#[derive(Debug)]
pub(super) enum Progress {
    /// More bytes must arrive.
    Stuck,
    /// A change without an event for the caller.
    Moved,
    /// An event of a stream.
    Event(u32, What),
}

/// An event without its borrowed data.
#[derive(Debug)]
pub(super) enum What {
    Interim(u16),
    Head(u16),
    Body,
    Trailers,
    Writable,
    Ended(Result<(), StreamError>),
}

impl Connection {
    /// Returns the next event. Call it until there is none: after bytes were received, after bytes
    /// were sent, and after a time limit.
    ///
    /// Body bytes that are not consumed before the next call are copied; none are lost.
    pub fn poll_event(&mut self) -> Option<(StreamId, Event<'_>)> {
        let (id, what) = self.next_event()?;
        let fields = self.fields.fields();
        let event = match what {
            // The first field is `:status`.
            What::Interim(status) => Event::Interim(Head { status, fields: fields.skip(1) }),
            What::Head(status) => Event::Head(Head { status, fields: fields.skip(1) }),
            What::Body => Event::Body,
            What::Trailers => Event::Trailers(fields),
            What::Writable => Event::Writable,
            What::Ended(outcome) => Event::Ended(outcome),
        };
        Some((StreamId(id), event))
    }

    fn next_event(&mut self) -> Option<(u32, What)> {
        self.settle_loose();
        loop {
            while let Some(id) = self.finished.pop_front() {
                if let Some(outcome) = self.take_outcome(id) {
                    return Some((id, What::Ended(outcome)));
                }
            }
            if self.error.is_some() {
                return None;
            }
            match self.step() {
                Ok(Progress::Event(id, what)) => return Some((id, what)),
                Ok(Progress::Moved) => {}
                // The header of a frame can end a stream before its payload arrives.
                Ok(Progress::Stuck) if !self.finished.is_empty() => {}
                Ok(Progress::Stuck) if self.is_at_end => self.fail(ConnectionErrorKind::Closed.into()),
                Ok(Progress::Stuck) => break,
                Err(error) => self.fail(error),
            }
        }
        self.next_writable().map(|id| (id, What::Writable))
    }

    /// Reads a frame, or a piece of DATA.
    fn step(&mut self) -> Result<Progress, ConnectionError> {
        if let Some(data) = self.data.take() {
            return self.continue_data(data);
        }
        let unread = self.incoming.unread();
        let Some(head) = unread.first_chunk() else {
            self.incoming.need = Header::LEN;
            return Ok(Progress::Stuck);
        };
        let header = Header::parse(head);
        if !self.is_greeted && (header.kind != Kind::SETTINGS || header.is_ack()) {
            return Err(ConnectionErrorKind::NotHttp2.into());
        }
        if header.length > DEFAULT_FRAME_SIZE {
            return Err(ConnectionErrorKind::FrameTooLarge(header.length).into());
        }
        let open_block = self.assembly.as_ref().map(|assembly| assembly.stream);
        let is_continued = header.kind == Kind::CONTINUATION && open_block == Some(header.stream);
        if is_continued != (open_block.is_some() || header.kind == Kind::CONTINUATION) {
            return Err(ConnectionErrorKind::BrokenHeaderBlock(header.kind).into());
        }
        if header.kind == Kind::DATA {
            return self.begin_data(&header);
        }
        let length = Header::LEN + header.length as usize;
        if unread.len() < length {
            self.incoming.need = length;
            return Ok(Progress::Stuck);
        }
        // The payload is borrowed while everything else changes.
        let bytes = std::mem::take(&mut self.incoming.bytes);
        let start = self.incoming.start;
        self.incoming.start += length;
        let result = match Frame::parse(&header, &bytes[start + Header::LEN..start + length]) {
            Ok(frame) => self.on_frame(&header, frame),
            Err(error) => Err(error.into()),
        };
        self.incoming.bytes = bytes;
        result
    }

    fn on_frame(&mut self, header: &Header, frame: Frame<'_>) -> Result<Progress, ConnectionError> {
        match frame {
            Frame::Headers { block, .. } => return self.on_headers(header, block),
            Frame::Continuation(block) => return self.on_continuation(header, block),
            Frame::Settings(_) if header.is_ack() => self.on_settings_ack(),
            Frame::Settings(payload) => self.on_settings(payload)?,
            Frame::Ping(opaque) => self.on_ping(header, opaque)?,
            Frame::GoAway { last, code, debug } => self.on_goaway(last, code, debug)?,
            Frame::WindowUpdate(increment) => self.on_window_update(header.stream, increment)?,
            Frame::Reset(code) => self.on_reset(header.stream, code)?,
            Frame::PushPromise { .. } => return Err(ConnectionErrorKind::PushPromise.into()),
            Frame::Priority(_) | Frame::Unknown(_) => self.on_empty_frame()?,
            // DATA is handled in pieces, not here.
            Frame::Data(_) => return Err(FrameError::Stream(Kind::DATA).into()),
        }
        Ok(Progress::Moved)
    }

    /// Checks that a frame may refer to this stream: the client must have opened it.
    pub(super) fn check_stream(&self, stream: u32, kind: Kind) -> Result<(), ConnectionError> {
        if stream.is_multiple_of(2) || stream >= self.next_id {
            return Err(ConnectionErrorKind::IdleStream(kind).into());
        }
        Ok(())
    }
}
