//! Policy: decides what follows from a response. All policy of a call is in this file.

use std::hash::Hasher;

use http::StatusCode;
use url::Position;

use super::event::Event;
use super::machine::{Call, Next, Phase};
use super::marks::Marks;
use super::options::PreparedCall;
use super::rare::Past;
use crate::base::fnv::Fnv;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::body::Body;
use crate::message::exchange::Exchange;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::policy::redirect::{self, Decision, Follow, Hop, Replay};
use crate::policy::session_state::SessionState;
use crate::prepared::Prepared;
use crate::prepared::auth::{FlowDecision, Received};
use crate::prepared::hook::{FinalResponse, Reaction};
use sessio_cookie::{Extracted, ResponseCookies};

/// Lends the session's state to a closure that runs no code of the caller.
pub(super) type Lend<'a> = dyn FnMut(&mut dyn FnMut(&mut SessionState)) + 'a;

/// Maximum number of challenges that one call answers.
const MAX_CHALLENGES: u32 = 8;

impl Call {
    /// State that earlier decisions left, if there were any.
    pub(super) fn past(&self) -> Option<&Past> {
        self.rare.as_ref()?.past.as_deref()
    }

    pub(super) fn past_mut(&mut self) -> &mut Past {
        self.rare_mut().past.get_or_insert_default()
    }

    /// Whether this response needs the jar or a decision.
    pub(super) fn needs_decision(&self, head: &Head) -> bool {
        self.prepared.options.flow.is_some()
            || self.prepared.options.hooks.is_set()
            || redirect::is_redirect(head.status)
            || self.is_from_proxy(head)
            || self.prepared.options.routing.plan.has_news()
            || self.refuses_expectation(head)
            || self.prepared.options.retry.is_some()
            || self.prepared.options.pace.is_some()
            || (self.prepared.options.jar && head.headers.contains("Set-Cookie"))
    }

    /// Whether a proxy asks for credentials, and not the origin: a 407 belongs to the proxy (RFC
    /// 9110 section 15.5.8).
    fn is_from_proxy(&self, head: &Head) -> bool {
        head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED && self.prepared.forwarded_by().is_some()
    }

    /// Whether the request is sent again without its expectation (row Q11). That is always safe
    /// before bytes of its body were sent.
    fn refuses_expectation(&self, head: &Head) -> bool {
        head.status == StatusCode::EXPECTATION_FAILED
            && self.prepared.request.says.expects
            && self.can_replay()
    }

    /// Whether a hook or a flow may want the start of a body.
    pub(super) fn wants_start(&self) -> bool {
        self.prepared.options.flow.is_some() || self.prepared.options.hooks.is_set()
    }

    pub(super) fn decide_next(&mut self, lend: &mut Lend<'_>, now: Now) {
        match self.phase {
            Phase::Lost(_) => return self.decide_failure(lend, now),
            Phase::Sign { .. } => return self.decide_signature(lend, now),
            _ => {}
        }
        let Some(mut head) = self.head.take() else { return self.misuse() };
        let plan = &mut self.prepared.options.routing.plan;
        if plan.has_news() {
            lend(&mut |state| plan.remember_challenge(state));
        }
        if self.is_from_proxy(&head) {
            let has_bytes = self.prepared.request.body.as_bytes().is_some();
            if self.prepared.options.routing.plan.challenge(&head, has_bytes) {
                if !self.can_replay() {
                    return self.refuse(Kind::NotReplayable.into(), self.exchange(head));
                }
                return self.follow(self.exchange(head), Next::Again);
            }
            // Its cookies are the proxy's, not the origin's.
        } else if self.prepared.options.jar {
            self.past_mut().extracted = extract(lend, &self.prepared.request.url, &head.headers, now);
        }
        if self.refuses_expectation(&head) {
            let exchange = self.exchange(head);
            self.prepared.request.headers.remove("Expect");
            lend(&mut |state| self.prepared.attach_cookies(&mut state.jar, now));
            return match self.prepared.seal() {
                Ok(()) => self.follow(exchange, Next::Unexpecting),
                Err(error) => self.refuse(error, exchange),
            };
        }
        // The flow edits the request. The history keeps the one that was sent.
        if let Some(asked) = self.prepared.options.flow.is_some().then(|| self.prepared.request.clone()) {
            match self.challenged(&head) {
                Ok(FlowDecision::Again) => {
                    // The challenge may have set cookies (rule A-07).
                    lend(&mut |state| self.prepared.attach_cookies(&mut state.jar, now));
                    let exchange = self.exchange_of(&asked, head);
                    return self.follow(exchange, Next::Again);
                }
                Ok(FlowDecision::Renew) => {
                    self.prepared.options.is_unsigned = true;
                    self.rare_mut().has_asked = true;
                    let exchange = self.exchange_of(&asked, head);
                    return self.follow(exchange, Next::Again);
                }
                Ok(FlowDecision::Accept) => {}
                Err(error) => {
                    let exchange = self.exchange_of(&asked, head);
                    return self.refuse(error, exchange);
                }
            }
        }
        if self.prepared.options.hooks.is_set() {
            match self.after_hooks(&head) {
                Ok(None) => {}
                Ok(Some(edited)) => {
                    let exchange = self.exchange(head);
                    self.prepared.request = edited;
                    return match self.prepare_again(lend, now) {
                        Ok(()) => self.follow(exchange, Next::Again),
                        Err(error) => self.refuse(error, exchange),
                    };
                }
                Err(error) => return self.refuse(error, self.exchange(head)),
            }
        }
        let hop = Hop {
            method: &self.prepared.request.method,
            url: &self.prepared.request.url,
            headers: &self.prepared.request.headers,
            body: match &self.prepared.request.body {
                body if body.is_empty() => Replay::None,
                _ if self.can_replay() => Replay::Possible,
                _ => Replay::Impossible,
            },
            taken: self.redirects,
        };
        match redirect::decide(&hop, &head, &self.prepared.options.rules) {
            Decision::Stop(_) => {}
            Decision::Follow(follow) => {
                let next = self.request_after(follow, lend, now);
                match (next, self.prepared.options.max_redirects) {
                    (next, None) => self.past_mut().next = Some(next),
                    (Err(error), Some(_)) => return self.refuse(error, self.exchange(head)),
                    (Ok(next), Some(_)) => {
                        if self.is_loop(&next) {
                            return self.refuse(Kind::RedirectLoop.into(), self.exchange(head));
                        }
                        let past = self.past_mut();
                        (past.next, past.redirect) = (Some(Ok(next)), Some(head));
                        return self.skip(Next::Redirect);
                    }
                }
            }
            Decision::Fail(fail) => {
                let mut error = Error::new(fail.kind);
                if let Some(detail) = fail.detail {
                    error = error.with_detail(detail);
                }
                if self.prepared.options.max_redirects.is_some() {
                    return self.refuse(error, self.exchange(head));
                }
                // A caller that does not follow redirects receives this error from `take_next` only
                // (row B22).
                self.past_mut().next = Some(Err(error));
            }
        }
        if let Some(at) = self.decide_response(&head, lend, now) {
            let exchange = self.exchange(head);
            return match self.prepare_again(lend, now) {
                Ok(()) => self.follow(exchange, Next::Later(at)),
                Err(error) => self.refuse(error, exchange),
            };
        }
        if self.prepared.options.hooks.is_set()
            && let Err(error) = self.response_hooks(&mut head)
        {
            return self.refuse(error, self.exchange(head));
        }
        self.head = Some(head);
        self.phase = Phase::HeadReady(self.upload());
    }

    /// Runs the hooks on the head of a hop. Returns the request to send again, if one of them says
    /// so.
    #[cold]
    fn after_hooks(&mut self, head: &Head) -> Result<Option<Prepared>> {
        let mut edited = self.prepared.request.clone();
        let hooks = self.prepared.options.hooks.clone();
        let mut look = |most: usize, see: &mut dyn FnMut(&Received<'_>) -> Reaction| {
            self.with_start(head, most, |start| see(start))
        };
        match hooks.after(head, &mut edited, &mut look) {
            Reaction::Continue => return Ok(None),
            Reaction::Fail(error) => return Err(error),
            Reaction::Again if self.challenges == MAX_CHALLENGES => return Ok(None),
            Reaction::Again => {}
        }
        if !self.can_replay() {
            return Err(Kind::NotReplayable.into());
        }
        self.challenges += 1;
        Ok(Some(edited))
    }

    #[cold]
    fn response_hooks(&self, head: &mut Head) -> Result<()> {
        let (request, history) = (&self.prepared.request, self.history());
        self.prepared.options.hooks.response(&mut FinalResponse { head, request, history })
    }

    /// Passes the response to the authentication flow.
    fn challenged(&mut self, head: &Head) -> Result<FlowDecision> {
        let Some(mut flow) = self.prepared.options.flow.take() else { return Ok(FlowDecision::Accept) };
        let most = flow.body_bytes(head, &self.prepared.request);
        let seen = match most {
            0 => Ok(()),
            most => self.with_start(head, most, |start| flow.start(start, &self.prepared.request)),
        };
        let decision = seen.and_then(|()| flow.challenged(head, &mut self.prepared.request));
        self.prepared.options.flow = Some(flow);
        let decision = decision?;
        if decision == FlowDecision::Accept || self.challenges == MAX_CHALLENGES {
            return Ok(FlowDecision::Accept);
        }
        if !self.can_replay() {
            return Err(Kind::NotReplayable.into());
        }
        self.challenges += 1;
        self.prepared.request.frame();
        self.prepared.seal()?;
        Ok(decision)
    }

    /// The complete request that a redirect leads to.
    fn request_after(&self, follow: Follow, lend: &mut Lend<'_>, now: Now) -> Result<PreparedCall> {
        let PreparedCall { request: from, options } = &*self.prepared;
        // The body of a token request is a secret of the flow, and so for its origin alone.
        if self.is_nested() && follow.leaves_origin && follow.keeps_body && !from.body.is_empty() {
            let detail = "it leads the body of a request of the authentication flow to another origin";
            return Err(Error::new(Kind::RedirectForbidden).with_detail(detail));
        }
        let body = if follow.keeps_body { from.body.clone() } else { Body::empty() };
        let mut next = PreparedCall {
            request: Prepared::new(follow.method, follow.url, follow.headers, body),
            options: options.redirected(follow.leaves_origin),
        };
        next.request.sensitive.clone_from(&from.sensitive);
        let PreparedCall { request, options } = &mut next;
        options.routing.follow_redirect(&from.url, &request.url, &options.rules.targets)?;
        request.address_host()?;
        next.remount(follow.leaves_origin);
        if self.is_nested() {
            // The mount has brought the options of ordinary requests.
            next.options.be_of_flow(true);
        } else if follow.leaves_origin {
            next.log_in()?;
        }
        next.request.headers.remove("Cookie");
        lend(&mut |state| next.attach_cookies(&mut state.jar, now));
        next.request.frame();
        if next.options.hooks.is_set() {
            let mut attach =
                |call: &mut PreparedCall| lend(&mut |state| call.attach_cookies(&mut state.jar, now));
            next.run_hooks(&mut attach)?;
        }
        if next.options.flow.as_ref().is_some_and(|flow| flow.asks()) {
            next.options.is_unsigned = true;
        } else if let Some(flow) = &mut next.options.flow {
            flow.sign(&mut next.request)?;
            next.request.frame();
        }
        next.seal()?;
        Ok(next)
    }

    /// Whether this exact request was sent before: the same response would follow without end.
    fn is_loop(&mut self, next: &PreparedCall) -> bool {
        if !self.prepared.options.rules.detect_loops {
            return false;
        }
        let (this, next) = (request_hash(&self.prepared.request), request_hash(&next.request));
        let marks = &mut self.past_mut().marks;
        if marks.is_empty() {
            marks.push(this);
        }
        let is_loop = marks.contains(&next);
        marks.push(next);
        is_loop
    }

    fn follow(&mut self, exchange: Exchange, next: Next) {
        self.decoding = None;
        self.past_mut().history.push(exchange);
        self.skip(next);
    }

    /// Reads the rest of the response, before the request that follows.
    fn skip(&mut self, next: Next) {
        if let Some(rare) = &mut self.rare {
            rare.drain_deadline = None;
        }
        self.phase = Phase::Drain { next, budget: self.prepared.options.limits.drain_bytes };
    }

    /// The event of the last decision.
    pub(super) fn decision(&self) -> Option<Event<'_>> {
        match &self.phase {
            Phase::Drain { next: Next::Redirect, .. } => {
                let next = self.past()?.next.as_ref()?.as_ref().ok()?;
                Some(Event::Redirect { next: &next.request })
            }
            Phase::Drain { next: Next::Again, .. } => Some(Event::Challenge { next: &self.prepared.request }),
            Phase::Drain { next: Next::Unexpecting, .. } => {
                Some(Event::Unexpecting { next: &self.prepared.request })
            }
            Phase::Drain { next: Next::Later(_), .. } | Phase::Wait { .. } => self.waiting(),
            Phase::Failing(error) => Some(Event::Failed(error)),
            Phase::Connect { .. } => self.connecting(),
            _ => self.answer(),
        }
    }

    /// The response that is followed is over. `whole` is whether it was read to its end.
    pub(super) fn drained(&mut self, whole: bool) {
        let Phase::Drain { next, .. } =
            std::mem::replace(&mut self.phase, Phase::Connect { fresh: false, limit: Timeout::Pool })
        else {
            return self.misuse();
        };
        if !whole {
            self.conn = None;
        }
        let reusable = self.link.is_kept;
        let is_fresh = matches!(next, Next::Unexpecting);
        let later = match next {
            Next::Later(until) => Some(until),
            _ => None,
        };
        let following = self.rare.as_mut().and_then(|rare| rare.past.as_mut()?.next.take());
        if matches!(next, Next::Redirect) {
            let (Some(Ok(following)), Some(head)) = (following, self.past_mut().redirect.take()) else {
                return self.misuse();
            };
            // The history takes the URL and the fields of the request that is over: no copies.
            let asked = std::mem::replace(&mut *self.prepared, following).request;
            let exchange = self.exchange_from(asked.method, asked.url, asked.headers, head);
            self.past_mut().history.push(exchange);
            self.redirects += 1;
            if let Err(error) = self.prepared.choose_proxy() {
                return self.fail(error);
            }
        }
        self.retries = u32::from(is_fresh);
        self.forget_connection();
        self.marks = Marks::default();
        self.clock.rest();
        self.phase = match (later, self.must_rewind()) {
            (Some(until), rewinds) => Phase::Wait { until, rewinds },
            (None, rewinds) if self.prepared.is_unsigned() => Phase::Sign { rewinds, fresh: is_fresh },
            (None, true) => Phase::Rewind { fresh: is_fresh },
            (None, false) => Phase::Connect { fresh: is_fresh, limit: Timeout::Pool },
        };
        self.recycle();
        self.report(Event::Skipped { reusable });
        self.report_own(Self::connecting);
    }

    /// Adds the redirect at hand to the history, if the call ends before it is drained.
    pub(super) fn keep_redirect(&mut self) {
        if let Some(head) = self.rare.as_mut().and_then(|rare| rare.past.as_mut()?.redirect.take()) {
            let exchange = self.exchange(head);
            self.past_mut().history.push(exchange);
        }
    }

    /// Ends the call with an error that contains the response.
    fn refuse(&mut self, error: Error, exchange: Exchange) {
        self.fail(error.with_response(exchange));
    }
}

/// Prepares the proof of the next request to the proxy.
pub(super) fn renew_proof(call: &mut PreparedCall, lend: &mut Lend<'_>) {
    let plan = &mut call.options.routing.plan;
    if plan.wants_proof() {
        lend(&mut |state| plan.renew_proof(state));
    }
}

/// Stores the cookies of a response. A list of public suffixes may be a function of the caller: it
/// runs before the jar is lent.
fn extract(lend: &mut Lend<'_>, url: &url::Url, headers: &Headers, now: Now) -> Extracted {
    let lines = || headers.get_all("Set-Cookie");
    let (mut extracted, mut policy) = (Extracted::default(), None);
    if lines().next().is_none() {
        return extracted;
    }
    lend(&mut |state| match state.jar.policy().suffixes.is_function() {
        true => policy = Some(state.jar.policy().clone()),
        false => extracted = state.jar.extract(url, lines(), now.wall),
    });
    if let Some(policy) = policy {
        let mut checked = Some(ResponseCookies::new(url, lines(), &policy, now.wall));
        lend(&mut |state| extracted = checked.take().map(|it| state.jar.accept(it)).unwrap_or_default());
    }
    extracted
}

/// A hash over all of a request that is sent, to recognize the same request. The fragment is not
/// sent.
fn request_hash(request: &Prepared) -> u64 {
    let mut mix = Fnv::default();
    mix.write(request.method.as_str().as_bytes());
    mix.write(request.url[..Position::AfterQuery].as_bytes());
    for field in request.headers.iter() {
        mix.write(field.name.as_bytes());
        mix.write(field.value);
    }
    mix.write(request.body.as_bytes().unwrap_or_default());
    mix.finish()
}
