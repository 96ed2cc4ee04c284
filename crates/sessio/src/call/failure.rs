//! How a call fails.

use super::event::Event;
use super::machine::{Call, Phase};
use super::step::Step;
use crate::base::kind::{Kind, Timeout};
use crate::base::repeat::Repeat;
use crate::error::{Error, Progress, Result, Stage};
use crate::policy::retry;
use crate::uri::origin::Origin;
use crate::wire::conn::Conn;

impl Call {
    pub(super) fn expire(&mut self, timeout: Timeout) -> Result<Step<'_>> {
        // If the proxy has begun to send the reason of its refusal, that is the error.
        let refusal = self.conn.as_mut().and_then(Conn::cut_short);
        self.fail(refusal.unwrap_or_else(|| Kind::Timeout(timeout).into()).into());
        match self.phase {
            Phase::Lost(_) => Ok(Step::Decide),
            _ => Err(self.tell()),
        }
    }

    /// Whether the current stage is the proxy's, and not the origin's.
    pub(super) fn is_at_proxy(&self) -> bool {
        self.prepared.forwarded_by().is_some() || self.conn.as_ref().is_some_and(Conn::is_before_host)
    }

    pub(super) fn misuse(&mut self) {
        self.fail(Kind::Misuse.into());
    }

    pub(super) fn fail(&mut self, error: Error) {
        if matches!(self.phase, Phase::Failed(_) | Phase::Failing(_)) {
            return;
        }
        self.keep_redirect();
        let mut error = error.with_url(&self.prepared.request.url).with_progress(self.progress());
        error = error.with_history(self.history().to_vec());
        if let Some(proxy) = self.prepared.options.routing.plan.proxy() {
            error = error.with_proxy(proxy);
        }
        if let Some(tried) =
            self.rare.as_mut().and_then(|rare| rare.tried.take()).filter(|_| error.is_timeout())
        {
            error = error.with_source(tried);
        }
        // A TLS session that fails within its handshake sends an alert. Later it may hold bytes of
        // the request, which are not sent any more.
        let has_words = matches!(self.phase, Phase::Handshake) && error.is_tls();
        if let Some(filter) = self.conn.take().filter(|_| has_words).and_then(Conn::into_filter) {
            self.rare_mut().parting = Some(filter);
        }
        if self.is_for_policy(&error) {
            self.phase = Phase::Lost(error);
            return;
        }
        error = error.with_attempts(self.attempts().to_vec());
        let is_over = matches!(self.phase, Phase::Done);
        self.phase = Phase::Failing(error);
        if !is_over {
            self.report_own(|call| match &call.phase {
                Phase::Failing(error) => Some(Event::Failed(error)),
                _ => None,
            });
        }
    }

    pub(super) fn tell(&mut self) -> Error {
        let kind = match &self.phase {
            Phase::Failing(error) => error.kind(),
            Phase::Failed(kind) => *kind,
            _ => Kind::Misuse,
        };
        match std::mem::replace(&mut self.phase, Phase::Failed(kind)) {
            Phase::Failing(error) => error,
            _ => kind.into(),
        }
    }

    pub(super) fn progress(&self) -> Progress {
        let stage = match self.phase {
            Phase::Connect { .. } if self.prepared.options.routing.plan.proxy().is_some() => Stage::Proxy,
            Phase::Connect { .. }
            | Phase::Rewind { .. }
            | Phase::Wait { .. }
            | Phase::Sign { .. }
            | Phase::Turn { .. } => Stage::Connect,
            Phase::Handshake if self.is_at_proxy() => Stage::Proxy,
            Phase::Handshake => Stage::Tls,
            Phase::Exchange if self.sender.is_done() => Stage::Head,
            Phase::Exchange => Stage::Send,
            Phase::Peek { .. } | Phase::Decide(_) | Phase::Lost(_) | Phase::Drain { .. } => Stage::Decide,
            Phase::HeadReady(_) | Phase::Body(_) | Phase::Done | Phase::Failed(_) | Phase::Failing(_) => {
                Stage::Body
            }
        };
        let is_before = matches!(stage, Stage::Connect | Stage::Proxy | Stage::Tls);
        // Messages have no bytes beside their bodies.
        let (sent, received) = match self.sender.is_message() {
            true => (self.sender.body_sent(), self.receiver.body_received()),
            false => (self.request_sent(), self.receiver.bytes_received()),
        };
        Progress {
            stage,
            peer: Origin::of(&self.prepared.request.url),
            hop: self.redirects,
            bytes_sent: if is_before { 0 } else { sent },
            bytes_received: if is_before { 0 } else { received },
            reused: !is_before && self.link.is_reused,
            repeat: match if is_before { Repeat::Safe } else { retry::repeat(&self.failure()) } {
                // The call followed a redirect, answered a challenge or replaced a stale
                // connection: a repeated request would have been sent once already.
                Repeat::Safe if !self.history().is_empty() || self.retries > 0 || self.has_sent_before() => {
                    Repeat::IfIdempotent
                }
                repeat => repeat,
            },
        }
    }
}
