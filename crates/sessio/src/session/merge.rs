//! Merges settings and a request.

use std::fmt;
use std::mem;
use std::sync::Arc;

use http::Method;

use crate::base::change::Change;
use crate::call::options::CallOptions;
use crate::call::overrides::{Override, Part};
use crate::error::Error;
use crate::message::body::Body;
use crate::message::coding::ContentCoding;
use crate::message::headers::Headers;
use crate::policy::redirect::{RedirectRules, belongs_to_origin};
use crate::prepared::auth::Auth;
use crate::route::environment::{EnvSources, Environment};
use crate::route::proxy::Proxies;
use crate::session::request::{HeaderChanges, Request};
use crate::session::settings::{ACCEPT_ENCODING, Settings};
use crate::uri::address::{Address, Form, Shown};
use crate::uri::params::Params;

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
    pub(crate) problem: Option<Error>,
}

/// Merges a request with the settings of its session.
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
    Merged::of(settings, &mut request)
}

#[inline]
fn merge_in_place(settings: &Settings, request: &mut Request) -> Merged {
    let mut overrides = Vec::new();
    let is_away = is_away(settings, &request.address);
    let headers = merge_headers(settings, &request.headers, is_away, &mut overrides);
    for (key, value) in settings.params.iter() {
        let mut own = request.params.iter().filter(|(k, change)| k == key && *change != Change::Inherit);
        if let Some((_, change)) = own.next()
            && *change != Change::Set(value.to_owned())
        {
            let removed = *change == Change::Remove && own.all(|(_, change)| *change == Change::Remove);
            overrides.push(Override::by_request(Part::Param, key.into(), removed));
        }
    }
    let base_url = match request.address.0 {
        Form::Whole(..) => None,
        Form::Text(_) => settings.base_url.clone(),
    };
    let mut routing = settings.routing();
    match mem::take(&mut request.proxies) {
        Change::Inherit => {}
        Change::Set(own) => routing.plan.set_request(own),
        Change::Remove => routing.plan.set_request(Proxies::direct()),
    }
    if is_away {
        if !matches!(settings.auth, Auth::None) && matches!(request.auth, Change::Inherit) {
            overrides.push(Override::by_origin(Part::Auth, "auth"));
        }
        if routing.tls.forget_identity() {
            overrides.push(Override::by_origin(Part::Identity, "identity"));
        }
    }
    if let Some(changes) = request.tls.take() {
        routing.tls = changes.applied(routing.tls);
    }
    let mut limits = request.limits.applied(None).unwrap_or(settings.limits);
    limits.body_bytes = request.body_bytes.applied(limits.body_bytes);
    let max_redirects =
        request.max_redirects.applied(settings.follow_redirects.then_some(settings.max_redirects));
    let options = CallOptions {
        cookies: mem::take(&mut request.cookies),
        jar: request.jar.applied(Some(settings.cookies)).unwrap_or(false),
        max_redirects,
        rules: RedirectRules {
            max: max_redirects.unwrap_or(u32::MAX),
            sensitive: Arc::clone(&settings.sensitive_headers),
            targets: settings.redirect_targets.clone(),
            keep_on_upgrade: request.keep_on_upgrade.applied(Some(settings.keep_on_upgrade)).unwrap_or(false),
            detect_loops: request.detect_loops.applied(Some(settings.detect_loops)).unwrap_or(false),
        },
        timeouts: request.timeouts.applied(&settings.timeouts),
        limits,
        codings: settings.codings.clone(),
        decode: request.decode.applied(None),
        observer: settings.observer.clone().and(mem::take(&mut request.observer)),
        routing,
        overrides,
        meters: mem::take(&mut request.meters),
        flow: None,
    };
    Merged {
        method: mem::take(&mut request.method),
        address: mem::take(&mut request.address),
        base_url,
        headers,
        params: settings.params.changed(&request.params),
        auth: match mem::take(&mut request.auth) {
            Change::Inherit if is_away => Some(Auth::None),
            Change::Inherit => Some(settings.auth.clone()),
            change => change.applied(None),
        },
        body: mem::take(&mut request.body),
        compress: request.compress,
        trust_env: settings.trust_env,
        trust: settings.trust,
        options,
        problem: request.problem.take(),
    }
}

impl Merged {
    /// Merges a request in place, without moving it: it is large. Otherwise as [`merge`]. The
    /// request is empty afterwards and of no use.
    #[inline]
    pub fn of(settings: &Settings, request: &mut Request) -> Self {
        merge_in_place(settings, request)
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
            .field("base_url", &self.base_url.as_ref().map(|url| Shown(url).to_string()))
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

fn merge_headers(
    settings: &Settings,
    changes: &HeaderChanges,
    is_away: bool,
    overrides: &mut Vec<Override>,
) -> Headers {
    let session = &settings.headers;
    // Room for Host, Cookie, the two fields of the body and Authorization: preparing then allocates
    // nothing more.
    let mut headers = session.clone_with_room(changes.set.len() + changes.appended.len() + 5, 192);
    if is_away {
        headers.retain(|field| {
            // A field that the request sets is replaced below, in its place.
            let stays =
                !belongs_to_origin(field, &settings.sensitive_headers) || changes.set.contains(field.name);
            if !stays {
                overrides.push(Override::by_origin(Part::Header, field.name));
            }
            stays
        });
    }
    if changes.is_empty() {
        ask_for_plain_ranges(&mut headers, overrides);
        return headers;
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
            // The session marked the name as sensitive, and this is its new value.
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
    if !changes.set.contains("Accept-Encoding") {
        ask_for_plain_ranges(&mut headers, overrides);
    }
    headers
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
