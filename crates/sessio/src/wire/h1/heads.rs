//! The heads of one response, under one size limit.

use std::mem;

use http::StatusCode;

use super::buffer::Buffer;
use super::framing::Decision;
use super::request_context::RequestContext;
use super::reuse::{NoReuse, Reuse};
use super::section::{self, Lines};
use super::trailers;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::message::head::Head;
use crate::message::headers::Headers;

/// Finds the interim heads, the final head and the trailers, and counts their cost. A peer gains
/// nothing by spreading an endless head over many small ones (row V110).
#[derive(Default)]
pub(super) struct Heads {
    /// The section that is arriving.
    lines: Lines,
    /// Bytes of the earlier sections.
    spent: usize,
    interim: usize,
    /// Number of fields of the final head: those of the trailers are added.
    fields: usize,
}

impl Heads {
    /// The next head, once it is complete. Its fields are in the memory of `spare`.
    pub(super) fn head(
        &mut self,
        buffer: &mut Buffer,
        asked: RequestContext,
        limits: &Limits,
        spare: &mut Headers,
    ) -> Result<Option<(Head, Decision)>> {
        let window = self.window(buffer, limits);
        section::check_greeting(window, self.interim == 0)?;
        let Some(len) = self.lines.find_end(window, limits.fields.saturating_add(1), true)? else {
            return self.check_budget(window, limits).map(|()| None);
        };
        let bytes = &mut buffer.unread_mut()[..len];
        let bad = |detail| Fault::new(Kind::BadHead).with_detail(detail);
        let unfolded = self.lines.unfold(bytes).map_err(bad)?;
        let (head, mut decision) =
            section::parse_head(&bytes[..unfolded], &self.lines, asked, mem::take(spare))?;
        if let Some(why) = self.lines.tolerated()
            && decision.reuse != Reuse::No(NoReuse::Upgraded)
        {
            decision.reuse = Reuse::No(why);
        }
        self.count(&head, limits)?;
        self.turn(buffer, len);
        Ok(Some((head, decision)))
    }

    /// Counts a head.
    pub(super) fn count(&mut self, head: &Head, limits: &Limits) -> Result<()> {
        if !is_interim(head.status) {
            self.fields = head.headers.len();
            return Ok(());
        }
        self.interim += 1;
        match self.interim > limits.interim {
            true => Err(Fault::new(Kind::TooManyInterim)),
            false => Ok(()),
        }
    }

    /// The trailers, once they are complete, and the tolerated deviation in them.
    pub(super) fn trailers(
        &mut self,
        buffer: &mut Buffer,
        limits: &Limits,
    ) -> Result<Option<(Headers, Option<NoReuse>)>> {
        let bad = |detail| Fault::new(Kind::BadChunk).with_detail(detail);
        let window = self.window(buffer, limits);
        let end = self.lines.find_end(window, limits.fields.saturating_sub(self.fields), false)?;
        if self.lines.bare_line_feed {
            // Never within chunked framing (row P037).
            return Err(bad("LF alone in the trailers"));
        }
        let Some(len) = end else {
            return self.check_budget(window, limits).map(|()| None);
        };
        let bytes = &mut buffer.unread_mut()[..len];
        let unfolded = self.lines.unfold(bytes).map_err(bad)?;
        let mut trailers = section::parse_trailers(&bytes[..unfolded], &self.lines)?;
        trailers.retain(|field| trailers::may_follow(field.name));
        let tolerated = self.lines.tolerated();
        self.turn(buffer, len);
        Ok(Some((trailers, tolerated)))
    }

    /// The received bytes that the size limit allows. A section is too large at the same byte,
    /// independent of how it was cut.
    fn window<'b>(&self, buffer: &'b Buffer, limits: &Limits) -> &'b [u8] {
        let unread = buffer.unread();
        &unread[..unread.len().min(limits.head_bytes - self.spent)]
    }

    fn check_budget(&self, window: &[u8], limits: &Limits) -> Result<()> {
        if window.len() == limits.head_bytes - self.spent {
            return Err(Fault::new(Kind::HeadTooLarge));
        }
        Ok(())
    }

    /// Ends a section.
    fn turn(&mut self, buffer: &mut Buffer, len: usize) {
        buffer.advance(len);
        self.spent += len;
        self.lines = Lines::default();
    }
}

/// Interim responses: 101 is the last one in HTTP (RFC 9110 section 15.2).
pub(super) fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}
