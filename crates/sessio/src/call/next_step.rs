//! How a call determines its next step.

use crate::base::time::Instant;

use super::event::Event;
use super::machine::{Call, Phase, Upload};
use super::step::{Connect, Io, Step};
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Now;
use crate::error::Result;
use crate::wire::conn::Conn;
use crate::wire::h1::Event as Came;

impl Call {
    /// Returns the next operation that the call wants, and advances its time limits to `now`.
    ///
    /// # Errors
    /// The reason why the call failed. It stays failed, and the driver drops its connection.
    pub fn step(&mut self, now: Now) -> Result<Step<'_>> {
        if self.is_nested() {
            self.play_nested(now);
        }
        self.next_step(now)
    }

    /// The next operation, of the request that is played.
    pub(super) fn next_step(&mut self, now: Now) -> Result<Step<'_>> {
        let now = now.mono;
        if self.rare.as_mut().is_some_and(|rare| std::mem::take(&mut rare.has_decided)) {
            self.report_own(Self::decision);
            self.settle();
        }
        if matches!(self.phase, Phase::Drain { .. } | Phase::Handshake | Phase::Wait { .. })
            || self.sender.is_held()
            || self.has_send_failed()
        {
            self.check_grace(now);
        }
        self.clock.start(&self.prepared.options.timeouts, now);
        if self.clock.total_is_over(now) && !self.is_over() {
            self.fail(Kind::Timeout(Timeout::Total).into());
        }
        self.mark(now);
        if self.conn.is_some() && self.has_carried() {
            return Ok(Step::Release);
        }
        match &self.phase {
            Phase::Connect { fresh, limit } => {
                let (fresh, limit) = (*fresh, *limit);
                self.connect(limit, fresh, now)
            }
            Phase::Handshake => {
                let until = self.grace_deadline();
                self.io(Some(Timeout::Connect), now).map(|step| step.by(until))
            }
            Phase::Exchange => {
                let until = self.grace_deadline();
                self.send_and_wait(now).map(|step| step.by(until))
            }
            Phase::Decide(_) | Phase::Lost(_) | Phase::Sign { .. } => Ok(Step::Decide),
            Phase::Turn { .. } => Ok(Step::Turn { deadline: self.clock.wait_for_ever() }),
            Phase::Wait { until, .. } => Ok(Step::Wait { until: *until }),
            Phase::Peek { upload, .. } => {
                let upload = *upload;
                if let Err(timeout) = self.clock.wait(Timeout::Read, &self.prepared.options.timeouts, now) {
                    // The caller receives the head and the bytes before it, as without the hook.
                    self.rare_mut().receive_failure = Some(Kind::Timeout(timeout).into());
                    self.clock.rest();
                    self.phase = Phase::Decide(upload);
                    return Ok(Step::Decide);
                }
                self.io(Some(Timeout::Read), now)
            }
            Phase::HeadReady(_) => Ok(Step::Head),
            Phase::Body(_) => self.read(now),
            Phase::Drain { .. } => {
                let until = self.grace_deadline();
                self.io(Some(Timeout::Read), now).map(|step| step.by(until))
            }
            Phase::Rewind { .. } => Ok(Step::Rewind),
            Phase::Done => Ok(Step::Done),
            Phase::Failed(_) | Phase::Failing(_) => Err(self.tell()),
        }
    }

    /// Whether the time limit of the whole call has no effect any more.
    fn is_over(&self) -> bool {
        match &self.phase {
            Phase::Done | Phase::Failed(_) | Phase::Failing(_) => true,
            // It has passed, and the policy step has yet to take it.
            Phase::Lost(error) => error.kind() == Kind::Timeout(Timeout::Total),
            _ => false,
        }
    }

    /// Checks the grace periods:
    ///
    /// - for the rest of a response that is followed (rows Q18 and Q19),
    /// - for the response of a peer that takes no more (row Q08),
    /// - for `100 Continue` (RFC 9110 section 10.1.1).
    ///
    /// It also ends the wait for the next attempt.
    #[cold]
    fn check_grace(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Wait { .. }) {
            return self.check_wait(now);
        }
        let (patience, expect) =
            (self.prepared.options.limits.drain_time, self.prepared.options.timeouts.expect);
        let is_skipped = matches!(self.phase, Phase::Drain { .. });
        let is_lost = matches!(self.phase, Phase::Exchange) && self.has_send_failed();
        let is_handshaking = matches!(self.phase, Phase::Handshake) && self.has_send_failed();
        let is_challenged =
            matches!(self.phase, Phase::Handshake) && self.conn.as_ref().is_some_and(Conn::is_challenged);
        let is_waiting = matches!(self.phase, Phase::Exchange) && self.awaits_continue();
        let rare = self.rare_mut();
        if (is_skipped || is_lost) && *rare.drain_deadline.get_or_insert_with(|| now + patience) <= now {
            return if is_lost {
                self.fail_or_retry(Kind::ClosedBeforeResponse.into())
            } else {
                self.drained(false)
            };
        }
        if is_challenged && *rare.drain_deadline.get_or_insert_with(|| now + patience) <= now {
            return self.cut_off(None);
        }
        if is_handshaking && *rare.drain_deadline.get_or_insert_with(|| now + patience) <= now {
            let cause = rare.send_failure.take();
            return self.cut_off(cause);
        }
        if is_waiting
            && let Some(span) = expect
            && *rare.continued_by.get_or_insert_with(|| now + span) <= now
        {
            self.go_ahead();
        }
    }

    /// Deadline of a wait that may expire without an error.
    fn grace_deadline(&self) -> Option<Instant> {
        let rare = self.rare.as_ref()?;
        let continued_by = rare.continued_by.filter(|_| self.sender.is_held());
        rare.drain_deadline.into_iter().chain(continued_by).min()
    }

    /// Whether the head is out and the body waits for `100 Continue`.
    fn awaits_continue(&self) -> bool {
        self.sender.is_held() && self.sender.unsent().is_empty()
    }

    /// Sends the body after its head.
    pub(super) fn go_ahead(&mut self) {
        self.sender.release();
        self.clock.rest();
        self.settle();
    }

    /// The connection that the call wants, if it wants one. For a driver that has asked and has yet
    /// to open it.
    #[must_use]
    pub fn wanted(&self) -> Option<Connect<'_>> {
        let Phase::Connect { fresh, limit } = self.phase else { return None };
        Some(self.wanted_connection(fresh, limit, None))
    }

    #[inline]
    fn wanted_connection(&self, fresh: bool, limit: Timeout, deadline: Option<Instant>) -> Connect<'_> {
        Connect {
            url: &self.prepared.request.url,
            routing: &self.prepared.options.routing,
            fresh,
            is_admitted: limit != Timeout::Pool,
            deadline,
            transport: self.prepared.options.transport.as_ref(),
            pace: self.prepared.options.pace.as_ref(),
            limits: self.prepared.options.limits,
            remaining_addresses: self.rare.as_ref().map_or(&[], |rare| &rare.remaining_addresses),
        }
    }

    pub(super) fn connect(&mut self, limit: Timeout, fresh: bool, now: Instant) -> Result<Step<'_>> {
        match self.clock.wait(limit, &self.prepared.options.timeouts, now) {
            Ok(deadline) => Ok(Step::Connect(self.wanted_connection(fresh, limit, deadline))),
            Err(timeout) => self.expire(timeout),
        }
    }

    pub(super) fn send_and_wait(&mut self, now: Instant) -> Result<Step<'_>> {
        let is_sending = !self.sender.is_done() && !self.has_send_failed();
        let limit = if is_sending { Timeout::Send } else { Timeout::Head };
        self.io((!self.awaits_continue()).then_some(limit), now)
    }

    pub(super) fn read(&mut self, now: Instant) -> Result<Step<'_>> {
        self.receiver.advance();
        if self.prepared.options.meters.is_set() {
            self.report_download();
        }
        // Advancing may have shown that these bytes are the last. Then another `step` must return
        // the same step.
        if self.conn.is_some() && self.has_carried() {
            return Ok(Step::Release);
        }
        if !self.unread().is_empty() {
            // The caller has bytes to read: its time is not the peer's.
            self.clock.rest();
            return Ok(Step::Body(self.unread()));
        }
        match self.receiver.poll() {
            // The end of a chunked body may show only now. The connection is returned first.
            Ok(Came::End) if self.conn.is_some() => Ok(Step::Release),
            Ok(Came::End) => {
                if let Err(fault) = self.decoding.as_ref().map_or(Ok(()), |decoding| decoding.finish()) {
                    self.fail(fault.into());
                    return Err(self.tell());
                }
                self.phase = Phase::Done;
                self.report(Event::Done { body: self.receiver.body_received(), reusable: self.link.is_kept });
                Ok(Step::Done)
            }
            Ok(_) => match self.rare.as_mut().and_then(|rare| rare.receive_failure.take()) {
                Some(error) => {
                    self.fail(error);
                    Err(self.tell())
                }
                None => self.io(Some(Timeout::Read), now),
            },
            Err(fault) => {
                // A decoder tells the details once.
                let first = self.rare.as_mut().and_then(|rare| rare.receive_failure.take());
                self.fail(first.unwrap_or_else(|| fault.into()));
                Err(self.tell())
            }
        }
    }

    /// Whether more of the request is sent: until the response begins, and after that if both
    /// continue.
    pub(super) fn is_sending(&self) -> bool {
        match self.phase {
            Phase::Exchange => !self.has_send_failed(),
            Phase::Body(upload) | Phase::Peek { upload, .. } => upload == Upload::Continues,
            _ => false,
        }
    }

    /// Whether the call can still ask the source of the request's body for bytes. If not, the
    /// source can be dropped.
    #[must_use]
    pub fn needs_source(&self) -> bool {
        match self.phase {
            _ if self.is_nested() => true,
            Phase::HeadReady(upload) | Phase::Body(upload) => upload == Upload::Continues,
            Phase::Done | Phase::Failed(_) | Phase::Failing(_) => false,
            _ => true,
        }
    }

    /// Moves bytes within this limit and the total limit.
    pub(super) fn io(&mut self, limit: Option<Timeout>, now: Instant) -> Result<Step<'_>> {
        let deadline = match limit.map(|limit| self.clock.wait(limit, &self.prepared.options.timeouts, now)) {
            Some(Ok(deadline)) => deadline,
            Some(Err(timeout)) => return self.expire(timeout),
            None => self.clock.wait_for_ever(),
        };
        let (is_sending, has_failed) = (self.is_sending(), self.has_send_failed());
        let body = if is_sending { self.sender.wanted() } else { 0 };
        if self.conn.is_none() {
            self.misuse();
            return Err(self.tell());
        }
        if self.is_carried() {
            return Ok(Step::Message(self.message_io(is_sending, body, deadline)));
        }
        let Some(conn) = &mut self.conn else { return Err(Kind::Misuse.into()) };
        let look = conn.is_unheard();
        let (send, recv) = conn.io(&self.sender, &mut self.receiver, is_sending);
        Ok(Step::Io(Io { send: if has_failed { &[] } else { send }, recv, body, look, deadline }))
    }
}
