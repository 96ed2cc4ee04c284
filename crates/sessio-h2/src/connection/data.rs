//! DATA of the peer.

use super::Connection;
use super::partial::DataFrame;
use super::receiving::{Progress, What};
use crate::frame::{self, FrameError, Header, Kind};
use crate::incoming::Loose;
use crate::stream::Remote;
use crate::{ConnectionError, ConnectionErrorKind, ErrorCode, Malformed, StreamErrorKind, StreamId};

impl Connection {
    /// Received bytes of a response's body that were not consumed.
    pub fn body(&self, id: StreamId) -> &[u8] {
        match &self.loose {
            Some(loose) if loose.stream == id.0 => &self.incoming.bytes[loose.start..loose.end],
            _ => self.streams.get(id.0).map_or(&[], |stream| stream.held.as_slice()),
        }
    }

    /// Releases the first `n` bytes of [`body`](Self::body). The peer gets credit for them.
    pub fn consume(&mut self, id: StreamId, n: usize) {
        let Some(stream) = self.streams.get_mut(id.0) else { return };
        let n = match &mut self.loose {
            Some(loose) if loose.stream == id.0 => {
                let n = n.min(loose.end - loose.start);
                loose.start += n;
                if loose.start == loose.end {
                    self.loose = None;
                }
                n
            }
            _ => {
                let n = n.min(stream.held.as_slice().len());
                stream.held.consume(n);
                n
            }
        };
        stream.window.release(n as u32);
        if stream.remote == Remote::Closed {
            self.leave(id.0);
        } else if stream.window.is_due() {
            // The caller has consumed all bytes, so the peer may have more in transit.
            if self.loose.is_none() && stream.held.is_empty() {
                stream.window.grow(self.config.max_stream_window);
            }
            frame::encode::window_update(id.0, stream.window.credit(), &mut self.outgoing.bytes);
        }
    }

    /// Copies unconsumed bytes to their stream, before the incoming bytes change.
    pub(super) fn settle_loose(&mut self) {
        let Some(loose) = self.loose.take() else { return };
        if let Some(stream) = self.streams.get_mut(loose.stream) {
            stream.held.push(&self.incoming.bytes[loose.start..loose.end]);
        }
    }

    /// Parses the header of a DATA frame and the length of its padding.
    pub(super) fn begin_data(&mut self, header: &Header) -> Result<Progress, ConnectionError> {
        if header.stream == 0 {
            return Err(FrameError::Stream(Kind::DATA).into());
        }
        self.check_stream(header.stream, Kind::DATA)?;
        if header.length > self.window.left {
            return Err(ConnectionErrorKind::WindowExceeded.into());
        }
        let (mut data, mut padding) = (header.length, 0);
        if header.has(Header::PADDED) {
            if header.length == 0 {
                return Err(FrameError::Size(Kind::DATA).into());
            }
            let Some(&length) = self.incoming.unread().get(Header::LEN) else {
                self.incoming.need = Header::LEN + 1;
                return Ok(Progress::Stuck);
            };
            padding = u32::from(length);
            data = (data - 1).checked_sub(padding).ok_or(FrameError::Padding(Kind::DATA))?;
        }
        let is_last = header.has(Header::END_STREAM);
        if data == 0 && !is_last {
            self.on_empty_frame()?;
        }
        self.incoming.start += Header::LEN;
        if let Some(stream) = self.streams.get(header.stream) {
            let broken = match stream.remote {
                Remote::Head => Some(StreamErrorKind::Malformed(Malformed::BodyBeforeHead)),
                Remote::Body if header.length > stream.window.left => Some(StreamErrorKind::WindowExceeded),
                // A frame that exceeds the length is refused as a whole. Otherwise the reported
                // bytes would depend on how the transport splits them.
                Remote::Body if stream.length.is_some_and(|rest| u64::from(data) > rest) => {
                    let rule =
                        if stream.is_head { Malformed::UnexpectedBody } else { Malformed::WrongLength };
                    Some(StreamErrorKind::Malformed(rule))
                }
                Remote::Body => None,
                Remote::Closed => {
                    self.reset_closed(header.stream)?;
                    None
                }
            };
            if let Some(kind) = broken {
                self.fail_stream(header.stream, kind)?;
            }
        }
        if header.has(Header::PADDED) {
            self.incoming.start += 1;
            self.receive_padding(header.stream, 1);
        }
        self.continue_data(DataFrame { stream: header.stream, data, padding, is_last })
    }

    /// Reads the received part of a DATA frame.
    pub(super) fn continue_data(&mut self, mut frame: DataFrame) -> Result<Progress, ConnectionError> {
        let there = self.incoming.len() as u32;
        let mut progress = Progress::Moved;
        if frame.data > 0 {
            let n = frame.data.min(there);
            if n > 0 {
                frame.data -= n;
                progress = self.receive_data(frame.stream, n);
            } else {
                progress = Progress::Stuck;
            }
        } else if frame.padding > 0 {
            let n = frame.padding.min(there);
            if n > 0 {
                frame.padding -= n;
                self.incoming.start += n as usize;
                self.receive_padding(frame.stream, n);
            } else {
                progress = Progress::Stuck;
            }
        }
        if frame.data > 0 || frame.padding > 0 {
            self.incoming.need = 1;
            self.data = Some(frame);
        } else if frame.is_last {
            if matches!(progress, Progress::Event(..)) {
                // The bytes are reported first, then the end.
                self.data = Some(frame);
            } else {
                self.end_body(frame.stream)?;
            }
        }
        Ok(progress)
    }

    /// Handles `n` bytes of a body. They are dropped if no stream needs them.
    fn receive_data(&mut self, id: u32, n: u32) -> Progress {
        let start = self.incoming.start;
        let end = start + n as usize;
        self.incoming.start = end;
        self.credit_connection(n);
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.remote == Remote::Body) else {
            return Progress::Moved;
        };
        stream.window.receive(n);
        if let Some(rest) = &mut stream.length {
            *rest = rest.saturating_sub(n.into());
        }
        if stream.held.is_empty() {
            self.loose = Some(Loose { stream: id, start, end });
        } else {
            stream.held.push(&self.incoming.bytes[start..end]);
        }
        Progress::Event(id, What::Body)
    }

    /// Padding is released on arrival.
    fn receive_padding(&mut self, id: u32, n: u32) {
        self.credit_connection(n);
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.remote == Remote::Body) else {
            return;
        };
        stream.window.receive(n);
        stream.window.release(n);
        if stream.window.is_due() {
            frame::encode::window_update(id, stream.window.credit(), &mut self.outgoing.bytes);
        }
    }

    /// Returns the connection's credit at once: the windows of the streams limit memory.
    fn credit_connection(&mut self, n: u32) {
        self.window.receive(n);
        self.window.release(n);
        if self.window.is_due() {
            frame::encode::window_update(0, self.window.credit(), &mut self.outgoing.bytes);
        }
    }

    /// Ends the body of a response; checks that it is complete.
    fn end_body(&mut self, id: u32) -> Result<(), ConnectionError> {
        let stream = self.streams.get(id).filter(|stream| stream.remote == Remote::Body);
        let Some(stream) = stream else { return Ok(()) };
        if stream.length.is_some_and(|rest| rest > 0) {
            self.fail_stream(id, StreamErrorKind::Malformed(Malformed::WrongLength))
        } else {
            self.end(id, Ok(()));
            Ok(())
        }
    }

    /// Handles DATA or HEADERS after the end of the response.
    pub(super) fn reset_closed(&mut self, id: u32) -> Result<(), ConnectionError> {
        // If the request has ended as well, the stream is closed, perhaps by this side. Frames that
        // were in transit then are no error of the peer.
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.is_sending) else { return Ok(()) };
        stream.is_sending = false;
        frame::encode::reset(id, ErrorCode::STREAM_CLOSED, &mut self.outgoing.bytes);
        self.leave(id);
        self.count_stream_error()
    }
}
