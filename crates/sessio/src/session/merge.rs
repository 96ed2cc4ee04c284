//! Merges settings and a request.

use std::fmt;
use std::mem;
use std::sync::Arc;

use http::Method;
use sessio_cookie::RequestCookies;

use crate::base::change::Change;
use crate::base::time::Seed;
use crate::call::Memory;
use crate::call::options::{CallOptions, MountChoice};
use crate::call::overrides::{Override, Part};
use crate::error::Error;
use crate::message::body::Body;
use crate::message::coding::ContentCoding;
use crate::message::headers::Headers;
use crate::policy::redirect::belongs_to_origin;
use crate::policy::retry::{self, IDEMPOTENCY_KEY};
use crate::prepared::auth::Auth;
use crate::route::environment::{EnvSources, Environment};
use crate::route::proxy::{Proxies, Source};
use crate::route::tls::TlsChanges;
use crate::session::changes::{Changes, HeaderChanges};
use crate::session::mounting::{Mounting, change_options, options_of, pace_of};
use crate::session::mounts::Entry;
use crate::session::request::Request;
use crate::session::settings::{ACCEPT_ENCODING, Settings};
use crate::uri::address::{Address, Form};
use crate::uri::params::Params;
use crate::uri::pattern::UrlPattern;
use crate::uri::redacted::RedactedUrl;

/// A request that includes all defaults of the session.
#[non_exhaustive]
pub struct Merged {
    /// The method.
    pub method: Method,
    /// The address, still relative to `base_url` if the caller gave a relative one.
    pub address: Address,
    /// The base URL of relative addresses.
    pub base_url: Option<url::Url>,
    /// The headers: the session's in their order, then the request's.
    pub headers: Headers,
    /// The query parameters.
    pub params: Params,
    /// The authentication. `None` sends no credentials. [`Auth::None`] uses the URL's userinfo, if
    /// it has one.
    pub auth: Option<Auth>,
    /// The body.
    pub body: Body,
    /// The content coding to apply to the body.
    pub compress: Option<ContentCoding>,
    /// Whether the environment is used. `trust` selects its parts.
    pub trust_env: bool,
    /// See [`Settings::trust`].
    pub trust: EnvSources,
    /// The options of the call.
    pub options: CallOptions,
    /// The pattern of the mount.
    pub(crate) mount: Option<Arc<UrlPattern>>,
    pub(crate) problem: Option<Error>,
}

/// Merges a request with the settings of its session, and with the [mount](crate::Mounts) of its
/// URL.
///
/// The function is total and pure: errors of the request are returned by
/// [`prepare`](crate::prepare()).
///
/// # Laws
/// - *Identity*: a request that changes nothing has the settings' values.
/// - *Override*: the result has the values that the request sets, whatever the session has (rule
///   M-04).
/// - *Removal*: the result has no name that the request removes, in any case of letters (rules
///   M-01, M-07).
/// - *Association*: session, then mount, then request. It makes no difference whether the changes of
///   the mount and the request are [merged first](Changes::then).
/// - *Idempotence*: the same changes to the result change nothing. There are three exceptions.
///   Appended lines are added again. All observers run. Several values of a parameter that were
///   apart, as the request gave them, are together the second time.
/// - *No persistence*: the settings stay unchanged (story S8).
/// - *Origin*: with a `base_url`, the result for another origin has no credentials of the session,
///   unless [`credentials_beyond_base_url`](Settings::credentials_beyond_base_url) is set. The
///   other laws then apply to the session without its credentials.
/// - *Order*: the session's names keep their places, also those that the request overrides. The
///   request's other names follow in its order (rule M-06).
/// - *Case*: header names are compared without case, keys of parameters with case (rules M-07,
///   M-09).
///
/// ```
/// use sessio::{Request, Settings, merge};
///
/// let mut settings = Settings::default();
/// settings.headers.insert("X-Test", "true")?;
/// let merged = merge(&settings, Request::get("http://example.org/").remove_header("x-test"));
/// assert!(!merged.headers.contains("X-Test"));
/// assert!(merged.options.overrides[0].removed);
/// # Ok::<(), sessio::Error>(())
/// ```
#[must_use]
pub fn merge(settings: &Settings, mut request: Request) -> Merged {
    merge_in_place(settings, &mut request, Headers::new(), || Arc::new(settings.clone()))
}

/// `share` makes the settings that the mounts of later hops need. It runs only if there are mounts.
#[inline]
fn merge_in_place(
    settings: &Settings,
    request: &mut Request,
    memory: Headers,
    share: impl FnOnce() -> Arc<Settings>,
) -> Merged {
    let entry = match settings.mounts.is_empty() {
        true => None,
        false => find_mount(settings, &mut request.address),
    };
    let is_away = is_away(settings, &request.address);
    let mount = entry.as_ref().map(|entry| &entry.mount.changes);
    let mut overrides = Vec::new();
    let changes = &request.changes;
    let mut headers = start_headers(settings, changes, mount, is_away, memory, &mut overrides);
    let mut params = None;
    if let Some(mount) = mount {
        params = Some(change_lists(mount, &mut headers, &settings.params, &mut overrides));
    }
    let params =
        change_lists(changes, &mut headers, params.as_ref().unwrap_or(&settings.params), &mut overrides);
    let is_default = |changes: &Changes| !changes.sets_header("Accept-Encoding");
    if is_default(changes) && mount.is_none_or(is_default) {
        ask_for_plain_ranges(&mut headers, &mut overrides);
    }
    let base_url = match request.address.0 {
        Form::Whole(..) => None,
        Form::Text(_) => settings.base_url.clone(),
    };
    let mut options = options_of(settings);
    let mut auth = Some(settings.auth.clone());
    if is_away {
        let is_kept = |changes: &Changes| matches!(changes.auth, Change::Inherit);
        if !matches!(settings.auth, Auth::None) && is_kept(changes) && mount.is_none_or(is_kept) {
            overrides.push(Override::by_origin(Part::Auth, "auth"));
        }
        auth = Some(Auth::None);
        if options.routing.tls.forget_identity() {
            overrides.push(Override::by_origin(Part::Identity, "identity"));
        }
    }
    options.overrides = overrides;
    if entry.is_some() {
        options.pace = pace_of(settings, entry.as_ref());
    }
    if let Some(mount) = mount {
        change_by_mount(mount, &mut options, &mut auth);
    }
    let changes = &mut request.changes;
    // A later hop merges again what is moved here.
    let kept = (!settings.mounts.is_empty()).then(|| {
        let is_plain = entry.is_none() && changes.is_empty();
        (!is_plain).then(|| moved_parts(changes))
    });
    auth = mem::take(&mut changes.auth).applied(auth);
    change_options(changes, &mut options, Source::Request);
    let mount = entry.as_ref().map(|entry| Arc::clone(&entry.pattern));
    options.transport = entry.as_ref().and_then(|entry| entry.mount.transport.clone());
    options.routing.pool = entry.as_ref().and_then(|entry| entry.mount.pool.clone());
    options.mounts = match kept {
        None => MountChoice::None,
        Some(None) => MountChoice::Unchanged(share()),
        Some(Some((auth, cookies, proxies, tls))) => {
            let request = Changes { auth, cookies, proxies, tls, ..mem::take(changes) };
            MountChoice::Of(Mounting::new(share(), entry, request))
        }
    };
    Merged {
        method: mem::take(&mut request.method),
        address: mem::take(&mut request.address),
        base_url,
        headers,
        params,
        auth,
        body: mem::take(&mut request.body),
        compress: request.compress,
        trust_env: settings.trust_env,
        trust: settings.trust,
        options,
        mount,
        problem: request.problem.take(),
    }
}

#[inline(never)]
fn find_mount(settings: &Settings, address: &mut Address) -> Option<Entry> {
    if let Some((url, credentials)) = address.custom() {
        // Only a transport can carry another scheme.
        let entry = settings.mounts.find(&url).filter(|entry| entry.mount.transport.is_some())?;
        *address = Address(Form::Whole(url, credentials));
        return Some(entry.clone());
    }
    let url = address.at(settings.base_url.as_ref())?;
    settings.mounts.find(&url).cloned()
}

#[inline(never)]
fn change_by_mount(mount: &Changes, options: &mut CallOptions, auth: &mut Option<Auth>) {
    let mut mount = mount.clone();
    *auth = mem::take(&mut mount.auth).applied(auth.take());
    change_options(&mut mount, options, Source::Mount);
}

type Moved = (Change<Auth>, RequestCookies, Change<Proxies>, Option<Box<TlsChanges>>);

/// Copies of the values that [`change_options`] moves, apart from callbacks: these are for the whole
/// call.
fn moved_parts(changes: &Changes) -> Moved {
    let Changes { auth, cookies, proxies, tls, .. } = changes;
    let cookies = if cookies.is_empty() { RequestCookies::new() } else { cookies.clone() };
    (auth.clone(), cookies, proxies.clone(), tls.clone())
}

impl Merged {
    /// Merges a request in place, without moving it: it is large. Otherwise as [`merge`]. The
    /// request is empty afterwards and of no use. The headers are in memory of an earlier call.
    #[inline]
    pub fn of(settings: &Arc<Settings>, request: &mut Request, memory: &mut Memory) -> Self {
        merge_in_place(settings, request, mem::take(&mut memory.request), || Arc::clone(settings))
    }

    /// Whether the policy of retries wants an `Idempotency-Key` that the request does not have yet:
    /// [`draw_key`](Self::draw_key) adds it.
    #[must_use]
    pub fn wants_key(&self) -> bool {
        self.options.retry.as_ref().is_some_and(|policy| policy.draws_key)
            && !retry::is_idempotent(&self.method, &self.headers)
    }

    /// Adds an `Idempotency-Key` with a random value if the request [wants one](Self::wants_key).
    /// All attempts and redirects of the call keep it.
    ///
    /// ```
    /// use sessio::retry::RetryPolicy;
    /// use sessio::{Request, Seed, Settings, merge};
    ///
    /// let mut policy = RetryPolicy::web();
    /// policy.draws_key = true;
    /// let request = Request::post("http://example.org/orders").retry(policy);
    /// let mut merged = merge(&Settings::default(), request);
    /// merged.draw_key(&mut Seed::from_bytes([7; 32]));
    /// assert_eq!(merged.headers.get("Idempotency-Key").unwrap().len(), 38);
    /// assert!(!merged.wants_key());
    /// ```
    pub fn draw_key(&mut self, seed: &mut Seed) {
        if self.wants_key() {
            self.headers.append_known(IDEMPOTENCY_KEY, retry::draw_key(seed).as_bytes());
        }
    }

    /// Adds the values of the environment that neither request nor session sets, if the environment
    /// is used. These are proxies, trusted certificates, and netrc logins for hosts without other
    /// credentials (rows B01, B02, B03).
    ///
    /// ```
    /// use sessio::{Environment, Request, Settings, merge};
    ///
    /// let environment = Environment::new([("all_proxy", "http://proxy.test:3128")]);
    /// let mut merged = merge(&Settings::default(), Request::get("http://a.test/"));
    /// merged.apply_environment(&environment);
    /// let choice = merged.options.routing.plan.of(&merged.address.url().unwrap())?;
    /// assert_eq!(choice.to_string(), "http://proxy.test:3128 by the environment's rule all");
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub fn apply_environment(&mut self, environment: &Environment) {
        if !self.trust_env || !environment.has_effect() {
            return;
        }
        let mut environment = environment.trusted(self.trust);
        if self.auth.is_none() {
            // A request without authentication uses no netrc login either.
            environment = environment.trusted(EnvSources { netrc: false, ..self.trust });
        }
        let routing = &mut self.options.routing;
        routing.plan.set_environment(environment.proxies());
        routing.tls = environment.secures(mem::take(&mut routing.tls));
        routing.environment = environment;
    }
}

/// Formats the merged request without its secrets.
impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merged")
            .field("method", &self.method)
            .field("address", &self.address)
            .field("base_url", &self.base_url.as_ref().map(|url| RedactedUrl::new(url).to_string()))
            .field("headers", &self.headers)
            .field("params", &self.params)
            .field("cookies", &self.options.cookies)
            .field("auth", &self.auth)
            .field("body", &self.body)
            .field("overrides", &self.options.overrides)
            .finish_non_exhaustive()
    }
}

/// Whether the session has a `base_url` and this request goes to another origin, without the
/// session's credentials.
fn is_away(settings: &Settings, address: &Address) -> bool {
    match &settings.base_url {
        Some(base) => !settings.credentials_beyond_base_url && address.leaves(base),
        None => false,
    }
}

/// The session's headers, without those that do not belong to this origin.
fn start_headers(
    settings: &Settings,
    changes: &Changes,
    mount: Option<&Changes>,
    is_away: bool,
    memory: Headers,
    overrides: &mut Vec<Override>,
) -> Headers {
    let own = &changes.headers;
    // Room for Host, Cookie, the two fields of the body and Authorization: preparing then allocates
    // nothing more.
    let more = own.set.len() + own.appended.len() + 5;
    let mut headers = settings.headers.clone_into(memory, more, 192);
    if is_away {
        headers.retain(|field| {
            // A field that the request sets is replaced later, in its place.
            let stays = !belongs_to_origin(field, &settings.sensitive_headers)
                || changes.sets_header(field.name)
                || mount.is_some_and(|mount| mount.sets_header(field.name));
            if !stays {
                overrides.push(Override::by_origin(Part::Header, field.name));
            }
            stays
        });
    }
    headers
}

/// Applies the changes to headers and parameters, earlier ones first.
fn change_lists(
    changes: &Changes,
    headers: &mut Headers,
    params: &Params,
    overrides: &mut Vec<Override>,
) -> Params {
    let mut earlier = None;
    for lists in &changes.before {
        change_headers(headers, &lists.headers, overrides);
        earlier = Some(change_params(earlier.as_ref().unwrap_or(params), &lists.params, overrides));
    }
    change_headers(headers, &changes.headers, overrides);
    change_params(earlier.as_ref().unwrap_or(params), &changes.params, overrides)
}

fn change_params(
    params: &Params,
    changes: &[(String, Change<String>)],
    overrides: &mut Vec<Override>,
) -> Params {
    for (key, value) in params.iter() {
        let mut own = changes.iter().filter(|(k, change)| k == key && *change != Change::Inherit);
        if let Some((_, change)) = own.next()
            && *change != Change::Set(value.to_owned())
        {
            let removed = *change == Change::Remove && own.all(|(_, change)| *change == Change::Remove);
            overrides.push(Override::by_request(Part::Param, key.into(), removed));
        }
    }
    params.changed(changes)
}

fn change_headers(headers: &mut Headers, changes: &HeaderChanges, overrides: &mut Vec<Override>) {
    if changes.is_empty() {
        return;
    }
    for name in &changes.removed {
        if headers.remove(name) > 0 {
            overrides.push(Override::by_request(Part::Header, name.clone(), true));
        }
    }
    for field in changes.set.iter() {
        if headers.get_bytes(field.name).is_some_and(|value| value != field.value) {
            overrides.push(Override::by_request(Part::Header, field.name.into(), false));
        }
        let is_secret = headers.is_sensitive(field.name);
        headers.insert_known(field);
        if is_secret {
            // An earlier value was marked as sensitive, and this is the new one.
            headers.mark_sensitive(field.name);
        }
    }
    for field in changes.appended.iter() {
        let is_secret = headers.is_sensitive(field.name);
        headers.append_field(field);
        if is_secret {
            headers.mark_sensitive(field.name);
        }
    }
}

/// Replaces the default `Accept-Encoding` of a request with a `Range` by `identity`. A range counts
/// bytes as they are sent. With accepted codings, servers send the whole, or a part of the coded
/// body. Fetch also asks for no coding then (row FB4).
fn ask_for_plain_ranges(headers: &mut Headers, overrides: &mut Vec<Override>) {
    const NAME: &str = "Accept-Encoding";
    if headers.contains("Range")
        && headers.get_all(NAME).eq([ACCEPT_ENCODING.as_bytes()])
        && headers.insert(NAME, "identity").is_ok()
    {
        overrides.push(Override::by_request(Part::Header, NAME.into(), false));
    }
}
