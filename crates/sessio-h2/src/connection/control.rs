//! Frames that control streams and the connection.

use super::{Connection, DEBUG_BYTES, GoAway};
use crate::frame::{self, Header, Kind, MAX_WINDOW};
use crate::stream::{Remote, Turn};
use crate::{ConnectionError, ConnectionErrorKind, ErrorCode, StreamError, StreamErrorKind};

impl Connection {
    pub(super) fn on_settings(&mut self, payload: &[u8]) -> Result<(), ConnectionError> {
        if !self.budgets.settings.spend(self.config.limits.settings, self.now) {
            return Err(ConnectionErrorKind::TooManySettings.into());
        }
        let before = i64::from(self.peer.initial_window);
        self.peer.apply(payload, &mut self.encoder)?;
        self.is_greeted = true;
        let change = i64::from(self.peer.initial_window) - before;
        if change != 0 {
            for stream in self.streams.iter_mut() {
                stream.send_window += change;
                if stream.send_window > MAX_WINDOW.into() {
                    return Err(ConnectionErrorKind::WindowOverflow.into());
                }
                if stream.turn == Turn::Blocked && stream.send_window > 0 {
                    stream.turn = Turn::Queued;
                    self.writable.push_back(stream.id);
                }
            }
        }
        frame::encode::settings_ack(&mut self.outgoing.bytes);
        self.count_reply()
    }

    pub(super) fn on_settings_ack(&mut self) {
        if self.unacknowledged.take().is_some() && self.config.header_table < 4096 {
            self.decoder.set_max_table_size(self.config.header_table);
        }
    }

    pub(super) fn on_ping(&mut self, header: &Header, opaque: [u8; 8]) -> Result<(), ConnectionError> {
        // An acknowledged PING needs no action: its arrival ends the silence.
        if header.is_ack() {
            return Ok(());
        }
        if !self.budgets.pings.spend(self.config.limits.pings, self.now) {
            return Err(ConnectionErrorKind::TooManyPings.into());
        }
        frame::encode::ping(opaque, true, &mut self.outgoing.bytes);
        self.count_reply()
    }

    fn count_reply(&mut self) -> Result<(), ConnectionError> {
        self.outgoing.replies += 1;
        if self.outgoing.replies > self.config.limits.replies {
            return Err(ConnectionErrorKind::TooManyReplies.into());
        }
        Ok(())
    }

    pub(super) fn on_goaway(
        &mut self,
        last: u32,
        code: ErrorCode,
        debug: &[u8],
    ) -> Result<(), ConnectionError> {
        if self.goaway.as_ref().is_some_and(|before| last > before.last) {
            return Err(ConnectionErrorKind::GoAwayIncreased.into());
        }
        if self.goaway.is_some() {
            // A graceful shutdown sends two GOAWAY frames. Each one after the first counts as a
            // frame without content, which limits a flood.
            self.on_empty_frame()?;
        }
        let debug = debug[..debug.len().min(DEBUG_BYTES)].to_vec();
        self.goaway = Some(GoAway { last, code, debug });
        // Streams above `last` are safe to repeat: the peer has not processed them and will not.
        let above: Vec<u32> = self.streams.ids_from(last.saturating_add(1)).collect();
        for id in above {
            self.end(id, Err(StreamError::new(StreamErrorKind::GoAway(code), true)));
        }
        Ok(())
    }

    pub(super) fn on_window_update(&mut self, id: u32, increment: u32) -> Result<(), ConnectionError> {
        if id == 0 {
            if increment == 0 {
                return Err(ConnectionErrorKind::ZeroIncrement.into());
            }
            self.send_window += i64::from(increment);
            if self.send_window > MAX_WINDOW.into() {
                return Err(ConnectionErrorKind::WindowOverflow.into());
            }
            return Ok(());
        }
        self.check_stream(id, Kind::WINDOW_UPDATE)?;
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if increment == 0 {
            return self.fail_stream(id, StreamErrorKind::ZeroIncrement);
        }
        stream.send_window += i64::from(increment);
        if stream.send_window > MAX_WINDOW.into() {
            return self.fail_stream(id, StreamErrorKind::WindowOverflow);
        }
        if stream.turn == Turn::Blocked && stream.send_window > 0 {
            stream.turn = Turn::Queued;
            self.writable.push_back(id);
        }
        Ok(())
    }

    pub(super) fn on_reset(&mut self, id: u32, code: ErrorCode) -> Result<(), ConnectionError> {
        self.check_stream(id, Kind::RST_STREAM)?;
        if !self.budgets.resets.spend(self.config.limits.resets, self.now) {
            return Err(ConnectionErrorKind::TooManyResets.into());
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if stream.remote == Remote::Closed {
            // The response is complete, and the rest of the request is not needed (RFC 9113 section
            // 8.1).
            stream.is_sending = false;
            self.leave(id);
            return Ok(());
        }
        let is_retry_safe = code == ErrorCode::REFUSED_STREAM && stream.remote == Remote::Head;
        self.end(id, Err(StreamError::new(StreamErrorKind::Reset(code), is_retry_safe)));
        Ok(())
    }

    /// A frame without content.
    pub(super) fn on_empty_frame(&mut self) -> Result<(), ConnectionError> {
        if !self.budgets.empty_frames.spend(self.config.limits.empty_frames, self.now) {
            return Err(ConnectionErrorKind::TooManyEmptyFrames.into());
        }
        Ok(())
    }
}
