//! Requests that an authentication flow asks for, played before the request of the call.
//!
//! The call becomes the call of that request, and keeps its own state beside it. So a driver sees
//! ordinary steps, and every outcome that it reports belongs to the request that is played. A call
//! within a field would need each method twice.

use std::mem;
use std::task::{Context, Poll};

use super::clock::Clock;
use super::machine::{Call, Memory, Phase};
use super::marks::Marks;
use super::options::{CallOptions, PreparedCall};
use super::policy::{Lend, renew_proof};
use super::rare::Nested;
use super::step::Step;
use crate::base::kind::{Kind, Timeout};
use crate::base::progress::ProgressCallbacks;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::headers::Headers;
use crate::policy::redirect::describes_body;
use crate::prepared::auth::{Auth, Flow, Need, Received, SubRequest};
use crate::prepared::hook::Hooks;
use crate::prepared::{Prepared, userinfo};
use crate::uri::origin::Origin;
use crate::uri::redacted::RedactedUrl;
use crate::wire::h1::{RequestContext, RequestEncoder, ResponseDecoder};
use sessio_cookie::RequestCookies;

/// Maximum number of bytes of a response that a flow receives.
const MOST_BODY: usize = 64 * 1024;

/// Maximum number of requests of the flows of one call.
const MOST_REQUESTS: u32 = 16;

/// Maximum number of redirects of such a request, if the call returns redirects.
const MOST_REDIRECTS: u32 = 30;

/// Headers of the call that such a request has, too.
const SHARED: [&str; 4] = ["User-Agent", "Accept", "Accept-Encoding", "Accept-Language"];

impl Call {
    /// Whether a request of the authentication flow is played.
    pub(super) fn is_nested(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.nested.is_some())
    }

    /// Waits for another call that does what this call needs, as [`Step::Turn`] asks. Ready once the
    /// flow can continue. Then ask for the next step.
    pub fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Turn { rewinds, fresh } = self.phase else {
            self.misuse();
            return Poll::Ready(());
        };
        if let Some(flow) = &mut self.prepared.options.flow
            && flow.poll_turn(cx).is_pending()
        {
            return Poll::Pending;
        }
        self.phase = Phase::Sign { rewinds, fresh };
        Poll::Ready(())
    }

    /// Asks the flow for its needs, and signs the request if it has none.
    #[cold]
    pub(super) fn decide_signature(&mut self, lend: &mut Lend<'_>, now: Now) {
        let Phase::Sign { rewinds, fresh } = self.phase else { return self.misuse() };
        // The flow is out of the call while it runs: one that panics is not put back.
        let flow = self.prepared.options.flow.take();
        let signed = match flow {
            None => Ok(Need::Nothing),
            Some(mut flow) => {
                let need = self.ask(&mut *flow, lend, now);
                self.prepared.options.flow = Some(flow);
                need
            }
        };
        match signed.and_then(|need| match need {
            Need::Response(request) => self.nest(*request, lend, now).map(|()| None),
            Need::Turn => {
                self.rare_mut().has_asked = true;
                Ok(Some(Phase::Turn { rewinds, fresh }))
            }
            Need::Nothing => {
                renew_proof(&mut self.prepared, lend);
                self.prepared.seal()?;
                self.prepared.options.is_unsigned = false;
                self.marks = Marks::default();
                Ok(Some(match rewinds {
                    true => Phase::Rewind { fresh },
                    false => Phase::Connect { fresh, limit: Timeout::Pool },
                }))
            }
        }) {
            Ok(Some(phase)) => self.phase = phase,
            Ok(None) => {}
            Err(error) => self.fail(error),
        }
    }

    fn ask(&mut self, flow: &mut dyn Flow, lend: &mut Lend<'_>, now: Now) -> Result<Need> {
        match self.rare_mut().received.take().map(|received| *received) {
            Some(Ok((head, body))) => {
                let is_whole = body.len() <= MOST_BODY;
                let body = &body[..body.len().min(MOST_BODY)];
                flow.received(&Received { head: &head, body, is_whole }, now)?;
            }
            Some(Err(error)) => flow.failed(error)?,
            None => {}
        }
        let need = flow.need(&self.prepared.request, now)?;
        if matches!(need, Need::Nothing) {
            // Its requests may have set cookies. Otherwise the line is that of the hooks and the caller.
            if mem::take(&mut self.rare_mut().has_asked) {
                lend(&mut |state| self.prepared.attach_cookies(&mut state.jar, now));
            }
            flow.sign(&mut self.prepared.request)?;
            self.prepared.request.frame();
        }
        Ok(need)
    }

    /// Becomes the call of this request.
    fn nest(&mut self, request: SubRequest, lend: &mut Lend<'_>, now: Now) -> Result<()> {
        let rare = self.rare_mut();
        rare.has_asked = true;
        rare.sub_requests += 1;
        if rare.sub_requests > MOST_REQUESTS {
            let detail = format!("the authentication flow asks for more than {MOST_REQUESTS} requests");
            return Err(Error::new(Kind::Authentication).with_detail(detail));
        }
        let (method, shown) = (request.method.clone(), format!("{:?}", request.address));
        let prepared =
            self.prepare_sub(request, lend, now).map_err(|error| of_sub(error, &method, &shown))?;
        let memory = Memory {
            send: self.sender.take_buffer(),
            recv: self.receiver.take_buffer(),
            request: Headers::new(),
            response: self.receiver.take_spare(),
        };
        let mut call = Self::placed(prepared, memory);
        call.phase = Phase::Connect { fresh: false, limit: Timeout::Pool };
        call.clock = Clock::within(&self.clock);
        let outer = mem::replace(self, call);
        let nested = Nested { outer, is_announced: false, head: None, body: Vec::new() };
        self.rare_mut().nested = Some(Box::new(nested));
        Ok(())
    }

    fn prepare_sub(&self, mut sub: SubRequest, lend: &mut Lend<'_>, now: Now) -> Result<Box<PreparedCall>> {
        sub.check()?;
        let PreparedCall { request: from, options } = &*self.prepared;
        let (url, has_userinfo) = sub.address.resolve(Some(&from.url))?;
        let leaves_origin = !Origin::is_same(&from.url, &url);
        let own = sub.headers.clone();
        let mut headers = sub.headers;
        for name in SHARED.into_iter().filter(|name| !headers.contains(name)).collect::<Vec<_>>() {
            for field in from.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)) {
                if !field.is_sensitive() {
                    headers.append_field(field);
                }
            }
        }
        let mut next = Box::new(PreparedCall {
            request: Prepared::new(sub.method, url, headers, sub.body),
            options: options.redirected(leaves_origin),
        });
        next.request.sensitive.clone_from(&from.sensitive);
        next.request.address_host()?;
        next.remount_with_credentials(leaves_origin)?;
        // Its own fields come last, as those of a request. A mount does not describe its body.
        next.request.headers.retain(|field| !own.contains(field.name) && !describes_body(field.name));
        own.iter().for_each(|field| next.request.headers.append_field(field));
        next.options.be_of_flow(sub.follows_redirects);
        if has_userinfo && !next.request.headers.contains("Authorization") {
            let (user, password) = userinfo(&next.request.url);
            Auth::basic(user, password).apply(&mut next.request)?;
        }
        lend(&mut |state| next.attach_cookies(&mut state.jar, now));
        next.request.frame();
        next.seal()?;
        next.choose_proxy()?;
        renew_proof(&mut next, lend);
        Ok(next)
    }

    /// Runs the request of the flow as far as it needs no driver. At its end the call is itself
    /// again.
    #[cold]
    pub(super) fn play_nested(&mut self, now: Now) {
        self.announce();
        loop {
            let Some(nested) = self.rare.as_mut().and_then(|rare| rare.nested.as_ref()) else { return };
            let room = (MOST_BODY + 1).saturating_sub(nested.body.len());
            let mut bytes = Vec::new();
            let wanted = match self.next_step(now) {
                Ok(Step::Head) => Wanted::Head,
                Ok(Step::Body(_)) if room == 0 => Wanted::End,
                Ok(Step::Body(body)) => {
                    bytes.extend_from_slice(&body[..body.len().min(room)]);
                    Wanted::Body
                }
                Ok(Step::Done) => Wanted::End,
                Ok(_) => return,
                Err(error) => Wanted::Error(error),
            };
            match wanted {
                Wanted::Head => {
                    let head = self.take_head();
                    if let Some(nested) = &mut self.rare_mut().nested {
                        nested.head = head;
                    }
                }
                Wanted::Body => {
                    self.consume(bytes.len());
                    if let Some(nested) = &mut self.rare_mut().nested {
                        nested.body.append(&mut bytes);
                    }
                }
                Wanted::End => return self.unnest(None),
                Wanted::Error(error) => return self.unnest(Some(error)),
            }
        }
    }

    /// Begins to report to the observer.
    fn announce(&mut self) {
        let Some(rare) = &mut self.rare else { return };
        let Some(nested) = rare.nested.as_mut().filter(|nested| !nested.is_announced) else { return };
        nested.is_announced = true;
        rare.has_decided = false;
        if let Some(watch) = self.prepared.options.observer.begin(&self.prepared.request) {
            self.watch(watch);
        }
    }

    /// Ends the request of the flow.
    fn unnest(&mut self, error: Option<Error>) {
        let Some(nested) = self.rare.as_mut().and_then(|rare| rare.nested.take()) else { return };
        let Nested { mut outer, head, body, .. } = *nested;
        let (method, url) =
            (&self.prepared.request.method, RedactedUrl::new(&self.prepared.request.url).to_string());
        let is_late = error.as_ref().is_some_and(|error| error.kind() == Kind::Timeout(Timeout::Total));
        let outcome = match (error, head) {
            (Some(error), _) => Err(of_sub(error, method, &url)),
            (None, Some(head)) => Ok((head, body)),
            (None, None) => Err(Kind::Misuse.into()),
        };
        let memory = self.take_memory();
        outer.sender = RequestEncoder::idle(memory.send);
        outer.receiver = ResponseDecoder::with_memory(
            RequestContext::default(),
            outer.prepared.options.limits,
            memory.recv,
            memory.response,
        );
        *self = outer;
        match outcome {
            Err(error) if is_late => self.fail(error),
            outcome => self.rare_mut().received = Some(Box::new(outcome)),
        }
    }
}

/// The step of a request of the flow, apart from those for the driver.
enum Wanted {
    Head,
    Body,
    End,
    Error(Error),
}

impl CallOptions {
    /// The options of a request that the flow sends itself.
    pub(super) fn be_of_flow(&mut self, follows_redirects: bool) {
        self.cookies = RequestCookies::new();
        (self.flow, self.is_unsigned) = (None, false);
        self.hooks = Hooks::default();
        self.meters = ProgressCallbacks::default();
        self.limits.body_bytes = None;
        let most = self.max_redirects.unwrap_or(MOST_REDIRECTS);
        self.max_redirects = follows_redirects.then_some(most);
        self.rules.max = self.max_redirects.unwrap_or(u32::MAX);
    }
}

/// The error of a request of the flow, for the call.
fn of_sub(error: Error, method: &http::Method, url: &str) -> Error {
    let detail = format!("in a request of the authentication flow: {method} {url}");
    Error::new(error.kind()).with_detail(detail).with_source(error)
}
