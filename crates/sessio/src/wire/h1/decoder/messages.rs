//! Responses that arrive as messages: heads, bytes of the body, and the end.
//!
//! The framing fields hold here too. A Content-Length must fit the body, and a response to HEAD has
//! none.

use super::{ResponseDecoder, Slot, State};
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::wire::h1::body::Body;
use crate::wire::h1::framing::Framing;
use crate::wire::h1::heads::is_interim;
use crate::wire::h1::reuse::{NoReuse, Reuse};
use crate::wire::h1::trailers::may_follow;

impl ResponseDecoder {
    /// Takes a head. Interim heads may precede the final one.
    ///
    /// A head that is not expected, and a fault in it, are errors of the next
    /// [`poll`](Self::poll).
    pub(crate) fn message_head(&mut self, head: Head) {
        if self.state != State::Head || matches!(self.ready, Slot::Full(_)) || self.is_ended {
            return self.misused("a second head");
        }
        self.is_settled = false;
        // A received message is at least one byte.
        self.received += 1;
        if let Err(fault) = self.begin_message(&head) {
            return self.fail(fault);
        }
        self.ready = Slot::Full(head);
    }

    fn begin_message(&mut self, head: &Head) -> Result<()> {
        self.heads.count(head, &self.limits)?;
        let fields = head.headers.pairs();
        let mut decision = Framing::decide(head.status, self.asked, http::Version::HTTP_11, fields)?;
        if decision.reuse == Reuse::No(NoReuse::UntilClose) {
            // A message ends by itself. So the request may continue after an early response.
            decision.reuse = Reuse::Yes { idle_for: None, max: None };
        }
        if is_interim(head.status) {
            if let Reuse::No(why) = decision.reuse {
                self.close(why);
            }
        } else {
            self.set_body(decision, Body::of_message(decision.framing));
        }
        Ok(())
    }

    /// The buffer for the next bytes of the body. Empty before the head, while earlier bytes are
    /// not consumed, and at the end.
    pub(crate) fn message_room(&mut self) -> &mut [u8] {
        match self.state {
            State::Body => self.room(),
            _ => &mut [],
        }
    }

    /// Takes `n` bytes of the body, from the start of [`message_room`](Self::message_room).
    pub(crate) fn message_body(&mut self, n: usize) {
        if self.state != State::Body || self.is_ended || n == 0 {
            return self.misused("bytes of a body that is not expected");
        }
        self.received(n);
    }

    /// Takes the end of the body, and trailers. Fields that are only valid in a head are dropped
    /// (RFC 9110 section 6.5.1).
    pub(crate) fn message_end(&mut self, mut trailers: Headers) {
        if self.state != State::Body || self.is_ended {
            return self.misused("an end that is not expected");
        }
        self.is_settled = false;
        self.is_ended = true;
        trailers.retain(|field| may_follow(field.name));
        if !trailers.is_empty() {
            self.trailers = Some(Box::new(trailers));
        }
    }

    fn misused(&mut self, detail: &'static str) {
        self.is_settled = false;
        self.fail(Fault::new(Kind::Misuse).with_detail(detail));
    }
}
