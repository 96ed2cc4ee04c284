//! Settings and a request become one.

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

/// A request with all of the session's defaults in it.
#[non_exhaustive]
pub struct Merged {
    /// The method.
    pub method: Method,
    /// Where to, still relative to `base_url` if it was given so.
    pub address: Address,
    /// What a relative address is resolved against.
    pub base_url: Option<url::Url>,
    /// The headers: the session's in their order, then the request's.
    pub headers: Headers,
    /// The query parameters.
    pub params: Params,
    /// How to authenticate; `None` is not at all, [`Auth::None`] is by the URL's userinfo if it has one.
    pub auth: Option<Auth>,
    /// The body.
    pub body: Body,
    /// How the body is coded.
    pub compress: Option<ContentCoding>,
    /// Whether the environment takes part, and which parts of it.
    pub trust_env: bool,
    /// See [`Settings::trust`].
    pub trust: EnvSources,
    /// Everything that the request is sent with.
    pub options: CallOptions,
    pub(crate) problem: Option<Error>,
}

/// Merges a request with the settings of its session. Total and pure: what is wrong with the request comes
/// out of [`prepare`](crate::session::prepare).
///
/// # Laws
/// - *Identity*: a request that changes nothing has the settings' values.
/// - *Override*: what a request sets is what comes out, whatever the session says (rule M-04).
/// - *Removal*: what a request removes does not come out, however it is spelled (rules M-01, M-07).
/// - *Idempotence*: the same changes made to the outcome change nothing more. Lines that are appended are
///   the exception, as their name says, and so are observers, which all are told; and several values of a parameter that stood apart, as the request
///   gave them, stand together the second time.
/// - *No persistence*: the settings stay as they are (story S8).
/// - *Origin*: with a `base_url` no credential of the session comes out for another origin, unless
///   [`credentials_beyond_base_url`](Settings::credentials_beyond_base_url) is set. The other laws then hold for the
///   session without its credentials.
/// - *Order*: the session's names keep their places, also those that the request overrides; the request's
///   further names follow in its order (rule M-06).
/// - *Case*: header names are one whatever their case, keys of parameters are not (rules M-07, M-09).
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
    /// As [`merge`], of a request that stays where it is: it is large, and nobody moves it then. What is in it is taken
    /// out of it; what is left is of no use.
    #[inline]
    pub fn of(settings: &Settings, request: &mut Request) -> Self {
        merge_in_place(settings, request)
    }

    /// Lets the environment fill in what neither request nor session says, if it takes part: proxies, certificates to
    /// trust, and the logins of a netrc file for hosts that are asked without any other (rows B01, B02, B03).
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
            // Who is not to authenticate at all does not do it by a file either.
            environment = environment.trusted(EnvSources { netrc: false, ..self.trust });
        }
        let routing = &mut self.options.routing;
        routing.plan.set_environment(environment.proxies());
        routing.tls = environment.secures(mem::take(&mut routing.tls));
        routing.environment = environment;
    }
}

/// What was merged, without what is secret in it.
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

/// Whether the session has a home, its `base_url`, and this request goes to another origin without the session's
/// credentials.
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
    // Room for Host, Cookie, the body's two and Authorization, so that preparing allocates nothing more.
    let mut headers = session.clone_with_room(changes.set.len() + changes.appended.len() + 5, 192);
    if is_away {
        headers.retain(|field| {
            // One that the request sets is replaced below, in its place.
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
            // The session has marked the name, and this is its value now.
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

/// A range is counted in bytes as they are sent: where the default says which codings are accepted, servers answer with
/// the whole, or with a part of something coded. Fetch asks for no coding then (row FB4).
fn ask_for_plain_ranges(headers: &mut Headers, overrides: &mut Vec<Override>) {
    const NAME: &str = "Accept-Encoding";
    if headers.contains("Range")
        && headers.get_all(NAME).eq([ACCEPT_ENCODING.as_bytes()])
        && headers.insert(NAME, "identity").is_ok()
    {
        overrides.push(Override::by_request(Part::Header, NAME.into(), false));
    }
}
