//! A prepared call: the request and its options.

use std::fmt;
use std::sync::Arc;

use url::Position;

use super::observer::Observer;
use super::overrides::Override;
use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::base::progress::ProgressCallbacks;
use crate::base::time::Now;
use crate::base::timeouts::Timeouts;
use crate::error::{Error, Result};
use crate::message::coding::Decoders;
use crate::message::headers::Headers;
use crate::policy::pace::PaceRule;
use crate::policy::redirect::RedirectRules;
use crate::policy::retry::RetryPolicy;
use crate::prepared::auth::{Auth, Flow};
use crate::prepared::hook::Hooks;
use crate::prepared::transport::Transport;
use crate::prepared::{Prepared, userinfo};
use crate::route::key::Key;
use crate::route::netrc::Login;
use crate::route::proxy::{Proxy, ProxyChoice, ProxyRequest};
use crate::route::routing::RouteOptions;
use crate::uri::origin::Origin;
use crate::uri::redacted::RedactedUrl;
use crate::wire::h1::{BodyKind, RequestEncoder};
use sessio_cookie::{Jar, RequestCookies};

/// The options of a call, apart from its request. They apply to its redirects and retries.
#[derive(Clone)]
#[non_exhaustive]
pub struct CallOptions {
    /// The request's own part of the Cookie line.
    pub cookies: RequestCookies,
    /// Whether the jar is used.
    pub jar: bool,
    /// Maximum number of redirects to follow. `None` returns a redirect to the caller.
    pub max_redirects: Option<u32>,
    /// The rules of redirects.
    pub rules: RedirectRules,
    /// The policy of retries. `None` retries stale connections only.
    pub retry: Option<Arc<RetryPolicy>>,
    /// The pace of the host. `None` is no limit.
    pub pace: Option<PaceRule>,
    /// The time limits.
    pub timeouts: Timeouts,
    /// The limits on the response.
    pub limits: Limits,
    /// The content codings that can be decoded.
    pub codings: Decoders,
    /// Whether bodies are decoded. `None` decodes the codings that Accept-Encoding accepts.
    pub decode: Option<bool>,
    /// Receives the events of the call: the session's observer first, then the request's (row B14).
    pub observer: Observer,
    /// The hooks of the session, the mount and the request, in this order.
    pub hooks: Hooks,
    /// The routes of this request's origin and of its redirects.
    pub routing: RouteOptions,
    /// The session's defaults that do not apply to this request.
    pub overrides: Vec<Override>,
    pub(crate) meters: ProgressCallbacks,
    pub(crate) flow: Option<Box<dyn Flow>>,
    /// Whether the flow has yet to be asked for its needs and to sign the request.
    pub(crate) is_unsigned: bool,
    /// The transport that carries the request, in place of a connection. Default: `None`.
    pub transport: Option<Arc<dyn Transport>>,
    /// The mounts of the session, if it has any.
    pub(crate) mounts: MountChoice,
}

/// A request and its options, ready to be sent.
///
/// [`prepare`](crate::prepare()) makes one, and a [`Call`](super::Call) sends it. Both parts can be
/// read and changed before. The call checks the request again.
#[derive(Clone)]
#[allow(clippy::exhaustive_structs, reason = "a prepared call has only these two parts")]
pub struct PreparedCall {
    /// The exact request.
    pub request: Prepared,
    /// The options.
    pub options: CallOptions,
}

impl CallOptions {
    /// Options of the request that a redirect leads to. Credentials stay with their origin: the
    /// request's own cookies (row B04), the flow and the client certificate.
    pub(super) fn redirected(&self, leaves_origin: bool) -> Self {
        let mut next = Self { overrides: Vec::new(), ..self.clone() };
        next.routing.plan.reopen();
        if leaves_origin {
            next.leave_origin();
        }
        next
    }

    /// Drops the credentials of an origin.
    fn leave_origin(&mut self) {
        self.cookies = RequestCookies::new();
        (self.flow, self.is_unsigned) = (None, false);
        self.routing.tls.forget_identity();
    }
}

impl PreparedCall {
    /// The chosen proxy and the rule that chose it. `None` without any rule for proxies.
    #[must_use]
    pub fn proxy_choice(&self) -> Option<&ProxyChoice> {
        self.options.routing.plan.choice()
    }

    /// The key of the pooled connections that can carry it.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        Key::reaching(&self.request.url, &self.options.routing)
    }

    /// Adds an observer that runs after those that are set.
    pub fn observe(&mut self, observer: Observer) {
        self.options.observer = std::mem::take(&mut self.options.observer).and(observer);
    }

    /// The head as it is sent, with the credentials for a proxy.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        if self.forwarded_by().is_none() {
            return self.request.head();
        }
        let (target, headers) = self.for_proxy();
        let method = &self.request.method;
        RequestEncoder::new(method, target.as_bytes(), &headers, BodyKind::None, Vec::new()).unsent().to_vec()
    }

    /// The proxy that forwards this request. `None` without a proxy and for a tunnel.
    pub(crate) fn forwarded_by(&self) -> Option<&Proxy> {
        let proxy = self.options.routing.plan.proxy()?;
        (self.request.url.scheme() == "http" && !proxy.protocol().is_socks()).then_some(proxy)
    }

    /// Target and headers for that proxy. The target has absolute-form, without userinfo and
    /// fragment (RFC 9112 section 3.2.2, rule D-16). The headers include the fields that are only
    /// for the proxy.
    pub(crate) fn for_proxy(&self) -> (String, Headers) {
        let host = &self.request.url[Position::BeforeHost..Position::AfterPort];
        let target = match self.request.target() {
            // Section 3.2.4.
            "*" => format!("http://{host}"),
            path if path.starts_with('/') => format!("http://{host}{path}"),
            target => target.to_owned(),
        };
        let (method, body) = (self.request.method.as_str(), self.request.body.as_bytes());
        let says = self.options.routing.plan.says(ProxyRequest { method, target: &target, body });
        let mut headers = self.request.headers.clone_with_room(says.len(), 128);
        // The proxy would forward a field of any other name to the origin.
        let is_for_proxies = |name: &[u8]| name.len() > 6 && name[..6].eq_ignore_ascii_case(b"proxy-");
        for field in says.iter().filter(|field| is_for_proxies(field.name.as_ref())) {
            headers.insert_known(field);
        }
        (target, headers)
    }

    /// Checks the current request, and the framing of its body.
    ///
    /// # Errors
    /// - The errors of invalid edits by the caller.
    /// - [`Kind::HttpsOnly`]: an `http` URL where only `https` is allowed.
    pub(crate) fn seal(&mut self) -> Result<()> {
        for name in self.options.rules.sensitive.iter() {
            // So logs mask them, too.
            self.request.headers.mark_sensitive(name);
        }
        let url = &self.request.url;
        if self.options.routing.tls.is_https_only() && url.scheme() == "http" {
            return Err(Error::new(Kind::HttpsOnly).with_url(url));
        }
        if !Origin::is_one(url) && self.options.transport.is_none() {
            return Err(Error::new(Kind::UnsupportedScheme).with_url(url));
        }
        self.check_url_of_flow()?;
        self.request.seal()
    }

    /// Checks an edit of the URL that is not [followed](Self::follow_edit): that of the flow. It signs
    /// last, for the proxy, the mount and the cookies of this URL. They do not depend on its query.
    fn check_url_of_flow(&mut self) -> Result<()> {
        let Some(before) = self.request.moved_from.take() else { return Ok(()) };
        let url = &self.request.url;
        if before[..Position::AfterPath] == url[..Position::AfterPath] {
            return Ok(());
        }
        let detail = format!("the flow has replaced more than the query of {}", RedactedUrl::new(&before));
        Err(Error::new(Kind::Authentication).with_detail(detail).with_url(url))
    }

    /// Chooses the proxy, unless it is chosen already. A [`Call`](crate::Call) does so when it
    /// begins, and for each redirect.
    ///
    /// # Errors
    /// - [`Kind::InvalidProxy`]: the environment decides, and its value is not a proxy.
    pub fn choose_proxy(&mut self) -> Result<()> {
        if !self.options.routing.plan.is_open() || self.options.transport.is_some() {
            return Ok(());
        }
        self.options.routing.choose(&self.request.url).map_err(|fault| {
            let error = Error::from(fault).with_url(&self.request.url);
            match self.options.routing.plan.proxy() {
                Some(proxy) => error.with_proxy(proxy),
                None => error,
            }
        })
    }

    /// Whether the request is still to be signed, for its origin or for its proxy.
    pub(super) fn is_unsigned(&self) -> bool {
        self.options.is_unsigned || self.options.routing.plan.wants_proof()
    }

    /// Runs the hooks on a request that is about to be sent, and follows their edits. `attach`
    /// attaches the cookies if the URL has changed. Returns whether it has another origin now.
    #[cold]
    pub(crate) fn run_hooks(&mut self, attach: &mut dyn FnMut(&mut Self)) -> Result<bool> {
        let hooks = self.options.hooks.clone();
        hooks.before(&mut self.request)?;
        let has_left = self.follow_edit(attach)?;
        self.request.frame();
        Ok(has_left)
    }

    /// Follows an edit of the [URL](Prepared::set_url) before the call begins. `attach` attaches the
    /// [cookies](Self::attach_cookies) of the new URL. Without this a [`Call`](super::Call) does the
    /// same, without the jar.
    ///
    /// # Errors
    /// - [`Kind::InvalidNetrc`]: the netrc file cannot be used.
    pub fn follow_url(&mut self, mut attach: impl FnMut(&mut Self)) -> Result<()> {
        self.follow_edit(&mut attach).map(drop)
    }

    /// Follows an edit of the URL: proxy, mount, cookies, and credentials as on a redirect. Returns
    /// whether it has another origin.
    pub(crate) fn follow_edit(&mut self, attach: &mut dyn FnMut(&mut Self)) -> Result<bool> {
        let Some(before) = self.request.moved_from.take() else { return Ok(false) };
        let has_left = !Origin::is_same(&before, &self.request.url);
        self.options.routing.plan.reopen();
        if has_left {
            self.options.leave_origin();
        }
        if has_left {
            // The old credentials are gone: these were set for the new origin.
            self.remount_with_credentials(true)?;
            self.log_in()?;
        } else {
            self.remount(false);
        }
        attach(self);
        Ok(has_left)
    }

    /// The login for the URL of this request: that of the URL, or else that of the netrc file for its
    /// host. A user named in the URL never gets the password of another user (row V20). `None` if
    /// there is neither, or if the request uses no environment.
    ///
    /// # Errors
    /// - [`Kind::InvalidNetrc`]: the netrc file cannot be used.
    pub fn login(&self) -> Result<Option<Login>> {
        let (user, password) = userinfo(&self.request.url);
        if !password.is_empty() {
            return Ok(Some(Login::new(&user, &password)));
        }
        let own = (!user.is_empty()).then(|| Login::new(&user, b""));
        Ok(self.netrc_login()?.cloned().or(own))
    }

    /// The login of the netrc file for this host and the user of the URL, if it has one.
    fn netrc_login(&self) -> Result<Option<&Login>> {
        let Some(netrc) = self.options.routing.environment.netrc() else { return Ok(None) };
        let (user, _) = userinfo(&self.request.url);
        let found = self.request.url.host_str().and_then(|host| match &*user {
            [] => netrc.of(host),
            user => netrc.of_user(host, user),
        });
        if netrc.is_exposed() && found.is_some_and(|login| !login.password().is_empty()) {
            let detail = "it contains a password, and users other than its owner can read it";
            return Err(Error::new(Kind::InvalidNetrc).with_detail(detail).with_url(&self.request.url));
        }
        Ok(found)
    }

    /// Adds the credentials of the netrc file for this host (rules ), unless the
    /// request has credentials already.
    pub(crate) fn log_in(&mut self) -> Result<()> {
        // Most requests have no netrc file, and to find that out is cheap.
        if self.options.routing.environment.netrc().is_none()
            || self.request.headers.contains("Authorization")
        {
            return Ok(());
        }
        let Some(login) = self.netrc_login()? else { return Ok(()) };
        Auth::basic(login.user(), login.password()).apply(&mut self.request).map(drop)
    }

    /// Parses a Cookie header that the caller wrote into the request's own cookies. Cookies that
    /// were set by name take precedence.
    pub(crate) fn own_cookies(&mut self) -> Result<()> {
        for line in self.request.headers.get_all("Cookie") {
            self.options.cookies.parse_header(line)?;
        }
        Ok(())
    }

    /// Writes the one Cookie line: the jar's cookies for this URL, unless the request uses no jar,
    /// and the request's own. It runs no code of the caller.
    pub fn attach_cookies(&mut self, jar: &mut Jar, now: Now) {
        let Prepared { headers, url, .. } = &mut self.request;
        let CallOptions { cookies, jar: uses_jar, .. } = &self.options;
        let mut write = |out: &mut Vec<u8>| match *uses_jar {
            true => sessio_cookie::line(jar, cookies, url, now.wall, out),
            false => cookies.write(out),
        };
        if !headers.contains("Cookie") {
            return headers.append_if("Cookie", |out| write(out) > 0);
        }
        let own = headers.iter().find(|field| field.name.eq_ignore_ascii_case("Cookie"));
        let name = own.map_or("Cookie", |field| field.name).to_owned();
        let mut line = Vec::new();
        // The line stays where the caller wrote it, with the caller's spelling (rule M-07).
        if write(&mut line) == 0 || headers.insert(name, &line).is_err() {
            headers.remove("Cookie");
        }
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("cookies", &self.cookies)
            .field("jar", &self.jar)
            .field("max_redirects", &self.max_redirects)
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("overrides", &self.overrides)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PreparedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

/// How the mount of the next hop is chosen.
#[derive(Clone, Default)]
pub(crate) enum MountChoice {
    /// Not at all: the session has no mounts.
    #[default]
    None,
    /// By the settings alone: neither a mount nor the request itself has changed anything. Most
    /// requests that no mount applies to are such. This saves them one allocation of 600 bytes.
    Unchanged(Arc<dyn Mounted>),
    /// By the settings, the current mount and the request.
    Of(Box<dyn Remount>),
}

/// Settings with mounts, without anything of a request.
pub(crate) trait Mounted: Send + Sync {
    /// The state of a request that changes nothing, before the first mount applies.
    fn begin(self: Arc<Self>) -> Box<dyn Remount>;
}

/// Applies the mount of the next hop in place of the current one. The settings implement it, which
/// are above this floor.
pub(crate) trait Remount: Send + Sync {
    /// Changes the request that a redirect leads to. Its URL, headers and options are those that
    /// the redirect keeps. Its cookies are not attached yet.
    fn remount(&mut self, next: &mut PreparedCall, leaves_origin: bool);

    /// Copies the state, for a copy of the request.
    fn clone_box(&self) -> Box<dyn Remount>;
}

impl Clone for Box<dyn Remount> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

impl PreparedCall {
    /// Applies the mount of this URL. The credentials of the request are for this URL, and stay.
    pub(super) fn remount_with_credentials(&mut self, leaves_origin: bool) -> Result<()> {
        let own = self.request.headers.get_bytes("Authorization").map(<[u8]>::to_vec);
        self.remount(leaves_origin);
        if let Some(own) = own {
            self.request.headers.insert("Authorization", own)?;
        }
        Ok(())
    }

    /// Applies the mount of this URL, after a redirect.
    pub(super) fn remount(&mut self, leaves_origin: bool) {
        let mut mounts = match std::mem::take(&mut self.options.mounts) {
            MountChoice::None => return,
            MountChoice::Unchanged(settings) => settings.begin(),
            MountChoice::Of(mounts) => mounts,
        };
        mounts.remount(self, leaves_origin);
        self.options.mounts = MountChoice::Of(mounts);
    }
}
