//! Conversion of header blocks to heads and trailers.

use super::Connection;
use super::partial::Assembly;
use super::receiving::{Progress, What};
use crate::frame::{FrameError, Header, Kind};
use crate::hpack::{DecodeError, ListLimits};
use crate::stream::Remote;
use crate::{ConnectionError, ConnectionErrorKind, Malformed, StreamErrorKind, response};

impl Connection {
    pub(super) fn on_headers(&mut self, header: &Header, block: &[u8]) -> Result<Progress, ConnectionError> {
        self.check_stream(header.stream, Kind::HEADERS)?;
        let is_last = header.has(Header::END_STREAM);
        if header.has(Header::END_HEADERS) {
            return self.on_block(header.stream, is_last, block);
        }
        self.assembly =
            Some(Assembly { stream: header.stream, is_last, continuations: 0, block: block.to_vec() });
        Ok(Progress::Moved)
    }

    pub(super) fn on_continuation(
        &mut self,
        header: &Header,
        block: &[u8],
    ) -> Result<Progress, ConnectionError> {
        let Some(mut assembly) = self.assembly.take() else {
            return Err(FrameError::Stream(Kind::CONTINUATION).into());
        };
        assembly.continuations += 1;
        if assembly.continuations > self.config.limits.continuations {
            return Err(ConnectionErrorKind::TooManyContinuations.into());
        }
        // A list within the limit never has a longer block: it counts 32 bytes for each field
        // beside the text.
        if assembly.block.len() + block.len() > self.list_limits().fail {
            return Err(ConnectionErrorKind::HeaderListTooLarge.into());
        }
        assembly.block.extend_from_slice(block);
        if header.has(Header::END_HEADERS) {
            return self.on_block(assembly.stream, assembly.is_last, &assembly.block);
        }
        self.assembly = Some(assembly);
        Ok(Progress::Moved)
    }

    fn list_limits(&self) -> ListLimits {
        ListLimits::new(self.config.limits.header_list)
    }

    /// Handles a whole block. It is always decoded, because later blocks depend on it.
    fn on_block(&mut self, id: u32, is_last: bool, block: &[u8]) -> Result<Progress, ConnectionError> {
        let limits = self.list_limits();
        self.decoder.decode(block, limits, &mut self.fields).map_err(|error| match error {
            DecodeError::ListTooLarge => ConnectionErrorKind::HeaderListTooLarge,
            error => ConnectionErrorKind::HeaderBlock(error),
        })?;
        let Some(stream) = self.streams.get(id) else { return Ok(Progress::Moved) };
        let result = match stream.remote {
            Remote::Closed => return self.reset_closed(id).map(|()| Progress::Moved),
            _ if self.fields.is_cut() => Err(StreamErrorKind::HeaderListTooLarge),
            Remote::Head => self.on_head(id, is_last),
            Remote::Body => self.on_trailers(id, is_last).map_err(StreamErrorKind::Malformed),
        };
        match result {
            Ok(what) => Ok(Progress::Event(id, what)),
            Err(kind) => self.fail_stream(id, kind).map(|()| Progress::Moved),
        }
    }

    fn on_head(&mut self, id: u32, is_last: bool) -> Result<What, StreamErrorKind> {
        let head = response::check_head(self.fields.fields()).map_err(StreamErrorKind::Malformed)?;
        let most = self.config.limits.interim_heads;
        let Some(stream) = self.streams.get_mut(id) else { return Ok(What::Head(head.status)) };
        if head.status < 200 {
            if head.status == 101 {
                return Err(StreamErrorKind::Malformed(Malformed::SwitchingProtocols));
            }
            if is_last {
                return Err(StreamErrorKind::Malformed(Malformed::InterimEndsStream));
            }
            stream.interim_heads += 1;
            if stream.interim_heads > most {
                return Err(StreamErrorKind::TooManyInterimHeads);
            }
            return Ok(What::Interim(head.status));
        }
        stream.remote = Remote::Body;
        let is_tunnel = stream.is_connect && (200..300).contains(&head.status);
        stream.is_head |= matches!(head.status, 204 | 304);
        stream.length = match head.length {
            _ if stream.is_head => Some(0),
            _ if is_tunnel => None,
            length => length,
        };
        if is_last {
            if stream.length.is_some_and(|length| length > 0) {
                return Err(StreamErrorKind::Malformed(Malformed::WrongLength));
            }
            self.end(id, Ok(()));
        }
        Ok(What::Head(head.status))
    }

    fn on_trailers(&mut self, id: u32, is_last: bool) -> Result<What, Malformed> {
        if !is_last {
            return Err(Malformed::TrailersWithoutEnd);
        }
        response::check_trailers(self.fields.fields())?;
        if self.streams.get(id).is_some_and(|stream| stream.length.is_some_and(|rest| rest > 0)) {
            return Err(Malformed::WrongLength);
        }
        self.end(id, Ok(()));
        Ok(What::Trailers)
    }
}
