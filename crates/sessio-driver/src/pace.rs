//! Requests with a pace: their wait, and the outcome that they report.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use sessio::Instant;
use sessio::pool::{Grant, Ticket};

use crate::in_flight::InFlight;
use crate::pooled_connection::PooledConnection;
use crate::runtime::Runtime;

impl<R: Runtime> InFlight<R> {
    /// Requests a connection of the pool at the pace of the host, or only the right to begin. `None`
    /// at the deadline, and if the pace has refused.
    pub(crate) async fn paced_admission(
        &mut self,
        needs_connection: bool,
        fresh: bool,
        deadline: Option<Instant>,
    ) -> Option<Grant<PooledConnection<R::Stream>>> {
        let rule = self.call.options().pace.clone()?;
        // A request begins when it is admitted, so an old time would let the next one begin early.
        self.look_at_clock();
        if let Some(process) = self.runtime.process() {
            self.shared.belong_to(process);
        }
        let (host, now) = (rule.key(self.call.request().url()), self.now);
        let grant = {
            let key = needs_connection.then(|| self.shared.key(self.call.key(), self.runtime.reactor()));
            self.shared.request_paced(key.as_ref(), fresh, host, &rule.pace, now)
        };
        let grant = match grant {
            Grant::Wait(ticket) => self.paced_turn(ticket, deadline).await?,
            grant => grant,
        };
        match grant {
            Grant::Refused(refusal) => {
                self.call.pace_refused(refusal);
                None
            }
            grant => Some(grant),
        }
    }

    /// The grant of a ticket with a pace. `None` at the deadline, and if the wait does not fit into
    /// the time limit of the call.
    async fn paced_turn(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
    ) -> Option<Grant<PooledConnection<R::Stream>>> {
        self.ticket = Some(ticket);
        let shared = Arc::clone(&self.shared);
        // The earliest time that the call has received.
        let mut reported = None;
        poll_fn(|cx| {
            loop {
                self.look_at_clock();
                let wait = match shared.poll_paced(ticket, self.now, cx) {
                    Ok(grant) => {
                        self.ticket = None;
                        return Poll::Ready(Some(grant));
                    }
                    Err(wait) => wait,
                };
                if let Some(wait) = wait
                    && reported.is_none_or(|reported| wait.earliest > reported)
                {
                    let is_first = reported.replace(wait.earliest).is_none();
                    self.call.paced(&wait, self.now);
                    if self.call.wanted().is_none() {
                        return Poll::Ready(None);
                    }
                    if is_first {
                        // It has called an observer, which may have taken time.
                        continue;
                    }
                }
                if deadline.is_some_and(|end| end <= self.now.mono) {
                    return Poll::Ready(None);
                }
                let until = wait.and_then(|wait| wait.until);
                let until = until.into_iter().chain(deadline).min();
                match self.poll_deadline(cx, until) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return self.wait(),
                }
            }
        })
        .await
    }

    /// Waits until a transport may begin. Returns `false` at the deadline, and if the pace has
    /// refused.
    pub(crate) async fn admit_transport(&mut self, deadline: Option<Instant>) -> bool {
        match Box::pin(self.paced_admission(false, false, deadline)).await {
            Some(Grant::Dial(lease)) => {
                self.hold(lease);
                true
            }
            _ => false,
        }
    }

    /// Reports the outcome of an attempt with a pace, once it is known.
    pub(crate) fn report_pace(&mut self) {
        if self.lease.is_none() || self.call.options().pace.is_none() {
            return;
        }
        // `Retry-After` may be a date, and the exchange may have taken long.
        self.now = self.runtime.now();
        if let Some(lease) = &self.lease
            && let Some(outcome) = self.call.pace_outcome(self.now)
        {
            self.shared.report(lease, &outcome, self.now);
        }
    }
}
