//! Logging in by forms, once for all requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use sessio::auth::{Need, Received, SubRequest};
use sessio::{Error, Flow, FlowDecision, Head, Kind, Now, Prepared, Result, Scheme};

use crate::renewals::{Part, Renewals, Seat};

/// A login by a form, for [`Auth::flow`](sessio::Auth::flow). It is repeated when the site's session
/// has ended.
///
/// The login consists of steps: requests whose responses set cookies in the session's jar. A step
/// may use the response before it, such as a token in the page of the form. There is no parser for
/// HTML: a function of yours finds the token.
///
/// The call sends its request first. If the response shows that the site knows no login, the call
/// logs in and sends the request again, at most once. If many calls find that out at the same time,
/// one of them logs in, and the others wait. If that call is dropped, the next one logs in. Clones
/// with the same configuration share the login.
///
/// ```
/// use sessio_driver::Login;
/// use sessio_driver::sessio::auth::SubRequest;
/// use sessio_driver::sessio::{Auth, Error, Kind, Settings};
///
/// let login = Login::new(|| SubRequest::get("https://site.example.org/login"))
///     .then(|page| {
///         let text = page.text();
///         let token = text.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
///         let token = token.ok_or_else(|| Error::new(Kind::Authentication).with_detail("no form"))?;
///         Ok(SubRequest::post("https://site.example.org/login").form([("user", "me"), ("password", "secret"), ("csrf", token)]))
///     })
///     .logged_out(|head, _| head.headers.get("Location").is_some_and(|to| to.starts_with("/login")));
/// let mut settings = Settings::default();
/// settings.auth = Auth::flow(login).only("https://site.example.org");
/// ```
#[derive(Clone)]
pub struct Login {
    config: Arc<Config>,
    shared: Arc<Shared>,
}

type Start = dyn Fn() -> SubRequest + Send + Sync;
type Then = dyn Fn(&Received<'_>) -> Result<SubRequest> + Send + Sync;
type LoggedOut = dyn Fn(&Head, &Prepared) -> bool + Send + Sync;
type LoggedOutBody = dyn Fn(&Received<'_>, &Prepared) -> bool + Send + Sync;
type Check = dyn Fn(&Received<'_>) -> Result<()> + Send + Sync;

#[derive(Clone)]
struct Config {
    start: Arc<Start>,
    then: Vec<Arc<Then>>,
    logged_out: Arc<LoggedOut>,
    /// How the start of a body shows it, and the number of bytes that this needs.
    logged_out_body: Option<(usize, Arc<LoggedOutBody>)>,
    check: Arc<Check>,
}

#[derive(Default)]
struct Shared {
    /// The number of logins so far.
    count: Mutex<u64>,
    renewals: Renewals,
}

impl Login {
    /// A login whose first step is this request.
    #[must_use]
    pub fn new(start: impl Fn() -> SubRequest + Send + Sync + 'static) -> Self {
        let config = Config {
            start: Arc::new(start),
            then: Vec::new(),
            logged_out: Arc::new(|head, _| head.status == 401),
            logged_out_body: None,
            check: Arc::new(|response| match response.head.status.as_u16() {
                status @ 400.. => Err(Error::new(Kind::Authentication)
                    .with_detail(format!("the login was refused with status {status}"))),
                _ => Ok(()),
            }),
        };
        Self { config: Arc::new(config), shared: Arc::default() }
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        if Arc::get_mut(&mut self.config).is_none() {
            // A clone with another configuration learns by itself.
            self.shared = Arc::default();
        }
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// Adds a step. Its function makes the request, from the response to the step before. That has
    /// at most 64 KiB of its body.
    #[must_use]
    pub fn then(self, step: impl Fn(&Received<'_>) -> Result<SubRequest> + Send + Sync + 'static) -> Self {
        self.with(|config| config.then.push(Arc::new(step)))
    }

    /// Sets how a response shows that the site knows no login. The function sees every final head
    /// and its request, before a redirect is followed. Default: the status is 401.
    #[must_use]
    pub fn logged_out(self, is_so: impl Fn(&Head, &Prepared) -> bool + Send + Sync + 'static) -> Self {
        self.with(|config| config.logged_out = Arc::new(is_so))
    }

    /// Sets how the start of a page shows that the site knows no login, where the head does not: such
    /// as the form itself, with status 200. The function sees at most so many bytes of each successful
    /// response whose type is HTML. Default: no body is read.
    ///
    /// ```
    /// use sessio_driver::Login;
    /// use sessio_driver::sessio::auth::SubRequest;
    ///
    /// let login = Login::new(|| SubRequest::post("/login").form([("user", "me"), ("password", "secret")]))
    ///     .logged_out_page(4096, |page, _| page.text().contains("<form action=\"/login\""));
    /// ```
    #[must_use]
    pub fn logged_out_page(
        self,
        most: usize,
        is_so: impl Fn(&Received<'_>, &Prepared) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(|config| config.logged_out_body = Some((most, Arc::new(is_so))))
    }

    /// Sets how the response to the last step shows that the login failed: by an error, which ends
    /// the call. Default: the status is 400 or higher.
    #[must_use]
    pub fn check(self, check: impl Fn(&Received<'_>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.with(|config| config.check = Arc::new(check))
    }

    /// The number of logins so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        *self.shared.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheme for Login {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(LoginFlow {
            seat: self.shared.renewals.seat(),
            login: self.clone(),
            used: self.count(),
            is_wanted: false,
            has_logged_in: false,
            is_logged_out: false,
            next: None,
            step: 0,
        })
    }
}

/// The flow of one call.
#[derive(Debug)]
struct LoginFlow {
    login: Login,
    seat: Seat,
    /// The number of logins before the request was sent.
    used: u64,
    is_wanted: bool,
    has_logged_in: bool,
    /// Whether the start of the last body shows that the site knows no login.
    is_logged_out: bool,
    /// The request of the step after the last response.
    next: Option<Box<SubRequest>>,
    step: usize,
}

impl LoginFlow {
    fn take_step(&mut self, response: &Received<'_>) -> Result<()> {
        let config = &self.login.config;
        if let Some(step) = config.then.get(self.step) {
            self.next = Some(Box::new(step(response)?));
            self.step += 1;
            return Ok(());
        }
        (config.check)(response)?;
        *self.login.shared.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.seat.finish(Ok(()));
        Ok(())
    }
}

impl Flow for LoginFlow {
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, _: Now) -> Result<Need> {
        if let Some(next) = self.next.take() {
            return Ok(Need::Response(next));
        }
        loop {
            if !self.is_wanted || self.login.count() != self.used {
                self.seat.leave();
                return Ok(Need::Nothing);
            }
            match self.seat.part()? {
                Part::Wait => return Ok(Need::Turn),
                // Another call may have logged in since the last look.
                Part::Renew if self.login.count() != self.used => {}
                Part::Renew => {
                    self.step = 0;
                    return Ok(Need::Response(Box::new((self.login.config.start)())));
                }
                Part::Renewed => {}
            }
        }
    }

    fn received(&mut self, response: &Received<'_>, _: Now) -> Result<()> {
        match self.take_step(response) {
            Ok(()) => Ok(()),
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Error) -> Result<()> {
        self.seat.finish(Err(&error));
        Err(error)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.seat.poll(cx)
    }

    fn sign(&mut self, _: &mut Prepared) -> Result<()> {
        (self.used, self.is_wanted) = (self.login.count(), false);
        Ok(())
    }

    fn body_bytes(&self, head: &Head, _: &Prepared) -> usize {
        let kind = head.headers.get("Content-Type").unwrap_or_default();
        let is_page = kind.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("text/html"));
        match &self.login.config.logged_out_body {
            Some((most, _)) if is_page && head.status.is_success() => *most,
            _ => 0,
        }
    }

    fn start(&mut self, response: &Received<'_>, request: &Prepared) -> Result<()> {
        if let Some((_, is_so)) = &self.login.config.logged_out_body {
            self.is_logged_out = is_so(response, request);
        }
        Ok(())
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        let by_body = std::mem::take(&mut self.is_logged_out);
        if !by_body && !(self.login.config.logged_out)(head, request) {
            return Ok(FlowDecision::Accept);
        }
        if self.login.count() == self.used && std::mem::replace(&mut self.has_logged_in, true) {
            return Ok(FlowDecision::Accept);
        }
        self.is_wanted = true;
        Ok(FlowDecision::Renew)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        let login = self.login.clone();
        Box::new(Self {
            seat: login.shared.renewals.seat(),
            login,
            used: self.used,
            is_wanted: self.is_wanted,
            has_logged_in: self.has_logged_in,
            is_logged_out: false,
            next: None,
            step: 0,
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} steps)", 1 + self.config.then.len())
    }
}
