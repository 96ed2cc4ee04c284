//! Reads the start of a body before the decision about its response.
//!
//! A hook or a flow may want it. The decoder of the response reads ahead, so the caller receives the
//! same bytes later. Without such a hook or flow, no call gets here.

use super::machine::{Call, Phase, Upload};
use crate::error::Result;
use crate::message::coding::BodyDecoder;
use crate::message::head::Head;
use crate::prepared::auth::Received;
use crate::wire::h1::Event as Came;

/// Maximum number of bytes that are read ahead.
const MOST: usize = 64 * 1024;

impl Call {
    /// Reads the start of the body before the decision about its head, if it is wanted.
    #[cold]
    pub(super) fn begin_peek(&mut self, upload: Upload) {
        let Some(head) = self.head.take() else { return };
        self.phase = self.before_decision(&head, upload);
        self.head = Some(head);
        self.peek();
    }

    /// The phase after a head that needs a decision.
    fn before_decision(&mut self, head: &Head, upload: Upload) -> Phase {
        let (request, options) = (&self.prepared.request, &self.prepared.options);
        let by_flow = options.flow.as_ref().map_or(0, |flow| flow.body_bytes(head, request));
        let most = options.hooks.body_bytes(head).max(by_flow).min(MOST);
        // An error of the codings is for the reader of the body.
        let Ok(decoding) = self.decoding_of(head) else { return Phase::Decide(upload) };
        if most == 0 {
            return Phase::Decide(upload);
        }
        self.decoding = Some(decoding.unwrap_or_else(|| Box::new(BodyDecoder::identity())));
        Phase::Peek { upload, most }
    }

    /// Reads ahead, as far as the received bytes allow.
    #[cold]
    pub(super) fn peek(&mut self) {
        let Phase::Peek { upload, most } = self.phase else { return };
        match self.try_peek(most) {
            Ok(false) => {}
            Ok(true) => self.phase = Phase::Decide(upload),
            Err(error) => {
                self.rare_mut().receive_failure.get_or_insert(error);
                self.phase = Phase::Decide(upload);
            }
        }
    }

    /// Returns whether enough was read, or nothing more can be.
    fn try_peek(&mut self, most: usize) -> Result<bool> {
        let has_ended = self.rare.as_ref().is_some_and(|rare| rare.receive_failure.is_some());
        let Some(decoding) = &mut self.decoding else { return Ok(true) };
        loop {
            // One byte more shows that the body goes on.
            if decoding.ready().len() > most {
                return Ok(true);
            }
            match self.receiver.poll()? {
                Came::Body(bytes) => {
                    // A body that cannot be decoded fails its reader in the same way.
                    let Ok(taken) = decoding.push_ahead(bytes, most + 1) else { return Ok(true) };
                    self.receiver.consume(taken);
                }
                Came::End => return Ok(true),
                _ => return Ok(has_ended),
            }
        }
    }

    /// Lends the start of the body, at most so many bytes of it.
    pub(super) fn with_start<T>(&self, head: &Head, most: usize, look: impl FnOnce(&Received<'_>) -> T) -> T {
        let ready = self.decoding.as_ref().map_or(&[][..], |decoding| decoding.ready());
        let most = most.min(MOST);
        let has_all = self.receiver.is_complete() && self.receiver.unread().is_empty();
        let (body, is_whole) = (&ready[..ready.len().min(most)], has_all && ready.len() <= most);
        look(&Received { head, body, is_whole })
    }
}
