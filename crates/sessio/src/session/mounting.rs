//! The options of a call by its settings, mount and request, and the choice of the mount for each
//! hop.

use std::mem;
use std::sync::Arc;

use sessio_cookie::RequestCookies;

use crate::base::change::Change;
use crate::base::progress::ProgressCallbacks;
use crate::base::timeouts::Timeouts;
use crate::call::options::{CallOptions, MountChoice, Mounted, PreparedCall, Remount};
use crate::message::headers::Headers;
use crate::policy::pace::PaceRule;
use crate::policy::redirect::{RedirectRules, belongs_to_origin, describes_body};
use crate::route::environment::EnvSources;
use crate::route::proxy::{Proxies, Source};
use crate::session::changes::{Changes, add_cookies};
use crate::session::mounts::Entry;
use crate::session::settings::Settings;

/// The state that chooses the mount of each hop of a call.
#[derive(Clone)]
pub(crate) struct Mounting {
    settings: Arc<Settings>,
    /// The changes of the request.
    request: Changes,
    /// The mount of the current hop.
    current: Option<Entry>,
    /// Whether a hop has left an origin or a mount. No client certificate is sent any more then,
    /// unless it was sent all the time.
    has_left: bool,
}

impl Mounting {
    /// The state of a first hop with this mount.
    pub(crate) fn new(settings: Arc<Settings>, current: Option<Entry>, request: Changes) -> Box<Self> {
        Box::new(Self { settings, request, current, has_left: false })
    }

    /// Whether the request itself says something about headers of this name.
    fn is_by_request(&self, name: &str) -> bool {
        self.request.changes_header(name)
    }

    /// Takes back the headers of the mount that the call leaves. Names of the session have its
    /// values again, apart from credentials.
    fn take_back(&self, left: &Changes, headers: &mut Headers, keeps_body: bool) {
        for name in names(left).filter(|name| !self.is_by_request(name)) {
            headers.remove(name);
            for field in self.settings.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)) {
                if self.is_for_any_origin(field.name, keeps_body)
                    && !belongs_to_origin(field, &self.settings.sensitive_headers)
                {
                    headers.append_field(field);
                }
            }
        }
    }

    /// Applies the headers of a mount that a redirect leads into, apart from its credentials. The
    /// values that these would have replaced are removed all the same.
    fn apply_headers(&self, entered: &Changes, headers: &mut Headers, keeps_body: bool) {
        let sensitive = &self.settings.sensitive_headers;
        for changes in entered.all_headers() {
            for name in changes.removed.iter().filter(|name| !self.is_by_request(name)) {
                if !name.eq_ignore_ascii_case("Host") {
                    headers.remove(name);
                }
            }
            let set = changes.set.iter().map(|field| (field, true));
            for (field, replaces) in set.chain(changes.appended.iter().map(|field| (field, false))) {
                if self.is_by_request(field.name) || field.name.eq_ignore_ascii_case("Host") {
                    continue;
                }
                let is_secret = belongs_to_origin(field, sensitive)
                    || headers.is_sensitive(field.name)
                    || self.settings.headers.is_sensitive(field.name);
                match (is_secret, replaces) {
                    (true, _) => drop(headers.remove(field.name)),
                    _ if !self.is_for_any_origin(field.name, keeps_body) => {}
                    (false, true) => headers.insert_known(field),
                    (false, false) => headers.append_field(field),
                }
            }
        }
    }

    /// Whether a default header of this name is for the request of a redirect.
    fn is_for_any_origin(&self, name: &str, keeps_body: bool) -> bool {
        !name.eq_ignore_ascii_case("Proxy-Authorization") && (keeps_body || !describes_body(name))
    }

    /// The options that do not depend on earlier hops.
    fn options(&self, mount: &Changes) -> CallOptions {
        let mut options = options_of(&self.settings);
        change_options(&mut mount.clone(), &mut options, Source::Mount);
        change_options(&mut self.request.clone(), &mut options, Source::Request);
        options
    }
}

impl Mounted for Settings {
    fn begin(self: Arc<Self>) -> Box<dyn Remount> {
        Mounting::new(self, None, Changes::default())
    }
}

impl Remount for Mounting {
    fn remount(&mut self, next: &mut PreparedCall, leaves_origin: bool) {
        self.has_left |= leaves_origin;
        let entered = self.settings.mounts.find(&next.request.url).cloned();
        let pattern = entered.as_ref().map(|entry| Arc::clone(&entry.pattern));
        let is_same = self.current.as_ref().map(|entry| &entry.pattern) == pattern.as_ref();
        next.request.mount = pattern;
        next.options.pace = pace_of(&self.settings, entered.as_ref());
        next.options.transport = entered.as_ref().and_then(|entry| entry.mount.transport.clone());
        next.options.routing.pool = entered.as_ref().and_then(|entry| entry.mount.pool.clone());
        if is_same {
            return;
        }
        let left = mem::replace(&mut self.current, entered);
        let none = Changes::default();
        let of = |entry: &Option<Entry>| entry.as_ref().map(|entry| Arc::clone(&entry.mount));
        let (left, entered) = (of(&left), of(&self.current));
        let left = left.as_ref().map_or(&none, |mount| &mount.changes);
        let entered = entered.as_ref().map_or(&none, |mount| &mount.changes);

        let keeps_body = !next.request.body.is_empty();
        let headers = &mut next.request.headers;
        self.take_back(left, headers, keeps_body);
        self.apply_headers(entered, headers, keeps_body);
        let (changes_auth, is_own) = (
            |changes: &Changes| !matches!(changes.auth, Change::Inherit),
            !matches!(self.request.auth, Change::Inherit) || self.is_by_request("Authorization"),
        );
        if (changes_auth(left) || changes_auth(entered)) && !is_own {
            next.request.headers.remove("Authorization");
            (next.options.flow, next.options.is_unsigned) = (None, false);
        }
        let options = &mut next.options;
        if !left.cookies.is_empty() {
            options.cookies = without(&options.cookies, &left.cookies, &self.request.cookies);
        }
        let fresh = self.options(entered);
        // The limit over the whole call began with it.
        options.timeouts = Timeouts { total: options.timeouts.total, ..fresh.timeouts };
        options.jar = fresh.jar;
        options.max_redirects = fresh.max_redirects;
        options.rules = fresh.rules;
        options.retry = fresh.retry;
        options.limits = fresh.limits;
        options.decode = fresh.decode;
        options.hooks = fresh.hooks;
        options.routing.plan.set_request_of(&fresh.routing.plan);
        let changes_identity =
            |changes: &Changes| changes.tls.as_ref().is_some_and(|tls| tls.changes_identity());
        let had_one = options.routing.tls.options().identity.is_some();
        options.routing.tls = options.routing.environment.secures(fresh.routing.tls);
        let is_own = changes_identity(&self.request);
        self.has_left |= !had_one || ((changes_identity(left) || changes_identity(entered)) && !is_own);
        if self.has_left {
            options.routing.tls.forget_identity();
        }
        let sends_none = match &self.request.auth {
            Change::Inherit => matches!(entered.auth, Change::Remove),
            change => matches!(change, Change::Remove),
        };
        if sends_none {
            // No login of the netrc file either.
            let trust = EnvSources { netrc: false, ..self.settings.trust };
            options.routing.environment = options.routing.environment.trusted(trust);
        }
    }

    fn clone_box(&self) -> Box<dyn Remount> {
        Box::new(self.clone())
    }
}

/// The names of all headers that changes are about.
fn names(changes: &Changes) -> impl Iterator<Item = &str> {
    changes.all_headers().flat_map(|changes| {
        let fields = changes.set.iter().chain(changes.appended.iter()).map(|field| field.name);
        fields.chain(changes.removed.iter().map(|name| &**name))
    })
}

/// The cookies without those of a mount, unless the request has cookies of the same names.
fn without(cookies: &RequestCookies, mount: &RequestCookies, request: &RequestCookies) -> RequestCookies {
    let has = |cookies: &RequestCookies, name: &[u8]| cookies.iter().any(|(other, _)| other == name);
    let mut kept = RequestCookies::new();
    for (name, value) in cookies.iter().filter(|(name, _)| !has(mount, name) || has(request, name)) {
        match value {
            Some(value) => drop(kept.set(name, value)),
            None => kept.remove(name),
        }
    }
    kept
}

/// The pace of a call with this mount.
#[inline]
pub(crate) fn pace_of(settings: &Settings, entry: Option<&Entry>) -> Option<PaceRule> {
    match entry.map(|entry| (&entry.mount.pace, &entry.pattern)) {
        Some((Change::Set(pace), pattern)) => Some(PaceRule::new(pace.clone(), Some(pattern.clone()))),
        Some((Change::Remove, _)) => None,
        Some((Change::Inherit, _)) | None => {
            settings.pace.as_ref().map(|pace| PaceRule::new(pace.clone(), None))
        }
    }
}

/// The options of a call under these settings alone.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the options are large, and are made in their place")]
pub(crate) fn options_of(settings: &Settings) -> CallOptions {
    let max_redirects = settings.follow_redirects.then_some(settings.max_redirects);
    CallOptions {
        cookies: RequestCookies::new(),
        jar: settings.cookies,
        max_redirects,
        rules: RedirectRules {
            max: max_redirects.unwrap_or(u32::MAX),
            sensitive: Arc::clone(&settings.sensitive_headers),
            targets: settings.redirect_targets.clone(),
            keep_on_upgrade: settings.keep_on_upgrade,
            detect_loops: settings.detect_loops,
            schemes: settings.mounts.schemes(),
        },
        retry: settings.retry.clone(),
        pace: pace_of(settings, None),
        timeouts: settings.timeouts,
        limits: settings.limits,
        codings: settings.codings.clone(),
        decode: None,
        observer: settings.observer.clone(),
        hooks: settings.hooks.clone(),
        routing: settings.routing(),
        overrides: Vec::new(),
        meters: ProgressCallbacks::default(),
        flow: None,
        is_unsigned: false,
        transport: None,
        mounts: MountChoice::None,
    }
}

/// Applies changes to the options of a call, and takes out the values that it moves. Headers,
/// parameters and `auth` are none of them.
#[inline(always)]
#[allow(clippy::inline_always, reason = "most of it has no effect for most requests")]
pub(crate) fn change_options(changes: &mut Changes, options: &mut CallOptions, source: Source) {
    // Without `..`, so that a new field does not compile before it is considered here.
    let Changes {
        headers: _,
        params: _,
        before: _,
        auth: _,
        cookies,
        jar,
        proxies,
        max_redirects,
        detect_loops,
        keep_on_upgrade,
        retry,
        timeouts,
        limits,
        body_bytes,
        decode,
        tls,
        observer,
        hooks,
        meters,
    } = changes;
    if !cookies.is_empty() {
        match options.cookies.is_empty() {
            true => options.cookies = mem::take(cookies),
            false => add_cookies(&mut options.cookies, cookies),
        }
    }
    options.jar = jar.applied(Some(options.jar)).unwrap_or(false);
    match mem::take(proxies) {
        Change::Inherit => {}
        Change::Set(own) => options.routing.plan.set_request(own, source),
        Change::Remove => options.routing.plan.set_request(Proxies::direct(), source),
    }
    options.max_redirects = max_redirects.applied(options.max_redirects);
    let rules = &mut options.rules;
    rules.max = options.max_redirects.unwrap_or(u32::MAX);
    rules.keep_on_upgrade = keep_on_upgrade.applied(Some(rules.keep_on_upgrade)).unwrap_or(false);
    rules.detect_loops = detect_loops.applied(Some(rules.detect_loops)).unwrap_or(false);
    match mem::take(retry) {
        Change::Inherit => {}
        change => options.retry = change.applied(None),
    }
    options.timeouts = timeouts.applied(&options.timeouts);
    options.limits = limits.applied(None).unwrap_or(options.limits);
    options.limits.body_bytes = body_bytes.applied(options.limits.body_bytes);
    options.decode = decode.applied(options.decode);
    if let Some(tls) = tls.take() {
        options.routing.tls = tls.applied(mem::take(&mut options.routing.tls));
    }
    if observer.is_set() {
        options.observer = mem::take(&mut options.observer).and(mem::take(observer));
    }
    if hooks.is_set() {
        // Copied, because a later hop merges them again.
        options.hooks = mem::take(&mut options.hooks).and(hooks.clone());
    }
    if meters.is_set() {
        options.meters = mem::take(&mut options.meters).then(mem::take(meters));
    }
}
