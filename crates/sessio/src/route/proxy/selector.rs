//! The proxy settings of request, session and environment, combined.

use std::fmt;

use url::Url;

use super::auth::{ProxyAuth, ProxyRequest};
use super::no_proxy::NoProxy;
use super::rules::{Found, Proxies, Via};
use super::server::Proxy;
use crate::base::fault::Result;
use crate::base::secret::Secret;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::policy::session_state::SessionState;

/// The rules of a request, and the choice for its URL. Boxed, so that the usual empty one is one
/// word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySelector(Option<Box<Layers>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Layers {
    /// The rules of the request. Without any: those of the mount.
    request: Proxies,
    /// Whether `request` are the rules of the mount.
    is_by_mount: bool,
    session: Proxies,
    environment: Proxies,
    choice: Option<ProxyChoice>,
    /// The choice belongs to the previous hop; the next one is not made yet.
    is_stale: bool,
    /// The credentials for the chosen proxy.
    auth: ProxyAuth,
    /// A Proxy-Authorization that the caller set as a header, and the proxy that receives it.
    by_hand: Option<(Proxy, Secret)>,
    /// The same, before a proxy was chosen.
    pending: Option<Secret>,
}

/// The origin of a rule or a list of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "in the order of precedence, and there is no fifth")]
pub enum Source {
    /// The request.
    Request,
    /// The mount, if the request has no rules of its own.
    Mount,
    /// The session.
    Session,
    /// The environment.
    Environment,
}

/// The proxy of a URL, and the reason. `Display` is one line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyChoice {
    /// The proxy; `None` is a direct connection.
    pub proxy: Option<Proxy>,
    /// The reason.
    pub why: Why,
}

/// The reason for a choice of proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// No rule matches the URL.
    Nothing,
    /// This rule matches.
    Rule(Source, Box<str>),
    /// A function chose.
    Function(Source),
    /// This entry of a list of exceptions matches; a rule had chosen a proxy.
    Exception(Source, Box<str>),
    /// The host is reached over a Unix socket, without a proxy.
    Route,
}

impl ProxySelector {
    /// Combines the rules of request, session and environment.
    #[must_use]
    pub fn new(request: Proxies, session: Proxies, environment: Proxies) -> Self {
        if request.is_empty() && session.is_empty() && environment.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Layers { request, session, environment, ..Layers::default() })))
    }

    /// Replaces the rules of the request. `source` is the request or the mount.
    pub(crate) fn set_request(&mut self, request: Proxies, source: Source) {
        if self.0.is_some() || !request.is_empty() {
            let layers = self.0.get_or_insert_default();
            (layers.request, layers.is_by_mount) = (request, source == Source::Mount);
        }
    }

    /// Takes the rules of the request from another selector.
    pub(crate) fn set_request_of(&mut self, other: &Self) {
        match &other.0 {
            Some(other) => self.set_request(other.request.clone(), other.first()),
            None => self.set_request(Proxies::new(), Source::Request),
        }
    }

    /// Replaces the rules of the environment.
    pub(crate) fn set_environment(&mut self, environment: &Proxies) {
        if self.0.is_some() || !environment.is_empty() {
            self.0.get_or_insert_default().environment = environment.clone();
        }
    }

    /// Chooses the proxy of a URL.
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`](crate::Kind::InvalidProxy) if the choice falls on a variable of the
    /// environment that holds no proxy.
    pub fn of(&self, url: &Url) -> Result<ProxyChoice> {
        let Some(layers) = &self.0 else { return Ok(ProxyChoice::nothing()) };
        let found = layers.iter().find_map(|(source, layer)| Some((source, layer.find(url)?)));
        let Some((source, Found { via, rule })) = found else { return Ok(ProxyChoice::nothing()) };
        let because = || match rule {
            Some(rule) => Why::Rule(source, rule),
            None => Why::Function(source),
        };
        if let Ok(Via::Direct) = via {
            return Ok(ProxyChoice { proxy: None, why: because() });
        }
        if let Some((source, no_proxy)) = layers.no_proxy()
            && let Some(entry) = no_proxy.covers(url)
        {
            return Ok(ProxyChoice { proxy: None, why: Why::Exception(source, entry.into()) });
        }
        Ok(match via? {
            Via::Direct => ProxyChoice { proxy: None, why: because() },
            Via::Proxy(proxy) => ProxyChoice { proxy: Some(proxy), why: because() },
        })
    }

    /// Chooses for the URL of the next hop.
    pub(crate) fn choose(&mut self, url: &Url, is_routed: bool) -> Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        let choice = if is_routed { ProxyChoice { proxy: None, why: Why::Route } } else { self.of(url)? };
        if let Some(layers) = &mut self.0 {
            // A challenge of one proxy says nothing about another.
            if layers.choice.as_ref().is_none_or(|before| before.proxy != choice.proxy) {
                layers.auth = ProxyAuth::default();
            }
            layers.by_hand.take_if(|(proxy, _)| choice.proxy.as_ref() != Some(proxy));
            if let Some(words) = layers.pending.take() {
                layers.by_hand = choice.proxy.clone().map(|proxy| (proxy, words));
            }
            layers.choice = Some(choice);
            layers.is_stale = false;
        }
        Ok(())
    }

    /// The choice for the current URL; `None` if there are no proxy settings at all, or no choice
    /// was made yet.
    #[must_use]
    pub fn choice(&self) -> Option<&ProxyChoice> {
        self.0.as_ref().filter(|layers| !layers.is_stale)?.choice.as_ref()
    }

    /// The proxy for the current URL.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.choice()?.proxy.as_ref()
    }

    /// Returns `true` if a choice is still to be made.
    pub(crate) fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|layers| layers.choice.is_none() || layers.is_stale)
    }

    /// Marks the choice as outdated: the URL has changed.
    pub(crate) fn reopen(&mut self) {
        if let Some(layers) = &mut self.0 {
            layers.is_stale = true;
        }
    }

    /// Sets the value of a Proxy-Authorization that the caller wrote as a header. It goes to the
    /// proxy of the first hop, in place of that proxy's credentials, and to no other (rows B16,
    /// V02).
    pub(crate) fn authorize(&mut self, words: &[u8]) {
        let Some(layers) = &mut self.0 else { return };
        layers.pending = Some(Secret(words.into()));
    }

    /// The headers for the current proxy, beside those of the request.
    pub(crate) fn says(&self, request: ProxyRequest<'_>) -> Headers {
        let Some((layers, proxy)) = self.current() else { return Headers::new() };
        let Some((_, words)) = &layers.by_hand else { return layers.auth.headers(proxy, request) };
        let mut headers = proxy.adds(false);
        // The value was valid in a header before.
        let _ = headers.insert("Proxy-Authorization", &words.0);
        headers.mark_sensitive("Proxy-Authorization");
        headers
    }

    /// The settings with the current proxy.
    fn current(&self) -> Option<(&Layers, &Proxy)> {
        let layers = self.0.as_deref()?;
        Some((layers, layers.choice.as_ref()?.proxy.as_ref()?))
    }

    /// Everything that tells connections through the current proxy apart, secrets included; it must
    /// not be shown.
    pub(crate) fn identity(&self) -> Option<String> {
        let layers = self.0.as_ref()?;
        let mut bytes = layers.choice.as_ref()?.proxy.as_ref()?.identity();
        if let Some((_, words)) = &layers.by_hand {
            bytes.push(b'\n');
            bytes.extend_from_slice(&words.0);
        }
        Some(bytes.escape_ascii().to_string())
    }

    /// Handles a challenge of the current proxy. Returns `true` if credentials go out now that did
    /// not go out before. `has_bytes` says whether the body of the request consists of bytes.
    pub(crate) fn challenge(&mut self, head: &Head, has_bytes: bool) -> bool {
        let Some(layers) = self.0.as_deref_mut().filter(|layers| layers.by_hand.is_none()) else {
            return false;
        };
        let proxy = layers.choice.as_ref().and_then(|choice| choice.proxy.as_ref());
        proxy.is_some_and(|proxy| layers.auth.challenge(proxy, head, has_bytes))
    }

    /// The credentials for the current proxy, for a tunnel. `None` if the caller has set them by
    /// hand.
    pub(crate) fn auth(&self) -> Option<ProxyAuth> {
        let (layers, _) = self.current()?;
        layers.by_hand.is_none().then(|| layers.auth.clone())
    }

    /// Takes the credentials back after a tunnel was challenged.
    pub(crate) fn set_auth(&mut self, auth: ProxyAuth) {
        if let Some(layers) = &mut self.0 {
            layers.auth = auth;
        }
    }

    /// Returns `true` if each request to the current proxy needs a proof of its own, or may need
    /// one: see [`renew_proof`](Self::renew_proof).
    #[inline]
    pub(crate) fn wants_proof(&self) -> bool {
        #[cfg(feature = "digest")]
        return self.0.is_some()
            && self
                .current()
                .is_some_and(|(layers, proxy)| layers.by_hand.is_none() && layers.auth.may_prove(proxy));
        #[cfg(not(feature = "digest"))]
        false
    }

    /// Returns `true` if the proxy has sent a challenge that the session does not know.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        #[cfg(feature = "digest")]
        return self.0.as_ref().is_some_and(|layers| layers.auth.has_news());
        #[cfg(not(feature = "digest"))]
        false
    }

    /// Prepares the proof of the next request to the current proxy, by the challenges that the
    /// session knows.
    #[cfg_attr(
        not(feature = "digest"),
        allow(clippy::needless_pass_by_ref_mut, reason = "without the feature there is no proof")
    )]
    pub(crate) fn renew_proof(&mut self, state: &mut SessionState) {
        #[cfg(feature = "digest")]
        if let Some(layers) = &mut self.0
            && let Some(proxy) = layers.choice.as_ref().and_then(|choice| choice.proxy.as_ref())
        {
            layers.auth.renew(proxy, &mut state.proxies, state.seed.draw_bytes());
        }
        #[cfg(not(feature = "digest"))]
        let _ = state;
    }

    /// Tells the session the last challenge of the current proxy.
    #[cfg_attr(
        not(feature = "digest"),
        allow(clippy::needless_pass_by_ref_mut, reason = "without the feature there is no proof")
    )]
    pub(crate) fn remember_challenge(&mut self, state: &mut SessionState) {
        #[cfg(feature = "digest")]
        if let Some(layers) = &mut self.0
            && let Some(proxy) = layers.choice.as_ref().and_then(|choice| choice.proxy.as_ref())
        {
            layers.auth.remember(proxy, &mut state.proxies);
        }
        #[cfg(not(feature = "digest"))]
        let _ = state;
    }
}

impl Layers {
    fn iter(&self) -> impl Iterator<Item = (Source, &Proxies)> {
        [
            (self.first(), &self.request),
            (Source::Session, &self.session),
            (Source::Environment, &self.environment),
        ]
        .into_iter()
    }

    /// The source of the first rules.
    fn first(&self) -> Source {
        if self.is_by_mount { Source::Mount } else { Source::Request }
    }

    fn no_proxy(&self) -> Option<(Source, &NoProxy)> {
        self.iter().find_map(|(source, layer)| Some((source, layer.no_proxy()?)))
    }
}

impl ProxyChoice {
    const fn nothing() -> Self {
        Self { proxy: None, why: Why::Nothing }
    }
}

impl fmt::Display for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "{proxy}")?,
            None => f.write_str("direct")?,
        }
        match &self.why {
            Why::Nothing => f.write_str(", nothing says otherwise"),
            Why::Rule(source, rule) => write!(f, " by {source} rule {rule}"),
            Why::Function(source) => write!(f, " by {source} function"),
            Why::Exception(source, entry) => write!(f, " by {source} exception {entry}"),
            Why::Route => f.write_str(" over a Unix socket"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "the request's",
            Self::Mount => "the mount's",
            Self::Session => "the session's",
            Self::Environment => "the environment's",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::kind::Kind;

    const GET: ProxyRequest<'_> = ProxyRequest { method: "GET", target: "http://a.test/", body: Some(b"") };

    fn url() -> Url {
        Url::parse("http://a.test/").unwrap()
    }

    fn challenge(offers: &str) -> Head {
        let mut headers = Headers::new();
        headers.insert("Proxy-Authenticate", offers).unwrap();
        Head::new(http::StatusCode::PROXY_AUTHENTICATION_REQUIRED, headers)
    }

    /// A layer of rules: nothing, direct, or its own proxy.
    fn layer(name: &str, says: u8) -> Proxies {
        match says {
            0 => Proxies::new(),
            1 => Proxies::direct(),
            _ => Proxies::from(Proxy::parse(name).unwrap()),
        }
    }

    #[test]
    fn b02_m22_request_then_session_then_environment_in_every_combination() {
        for case in 0..27 {
            let (r, s, e) = (case % 3, case / 3 % 3, case / 9);
            let plan = ProxySelector::new(layer("r", r), layer("s", s), layer("e", e));
            let expected = match (r, s, e) {
                (2, _, _) => "http://r:80 by the request's rule all",
                (1, _, _) => "direct by the request's rule all",
                (_, 2, _) => "http://s:80 by the session's rule all",
                (_, 1, _) => "direct by the session's rule all",
                (_, _, 2) => "http://e:80 by the environment's rule all",
                (_, _, 1) => "direct by the environment's rule all",
                _ => "direct, nothing says otherwise",
            };
            assert_eq!(plan.of(&url()).unwrap().to_string(), expected, "{r} {s} {e}");
        }
    }

    #[test]
    fn b35_the_first_list_of_exceptions_holds_for_every_proxy() {
        let except = |mut layer: Proxies, list: Option<&str>| {
            if let Some(list) = list {
                layer.except(list);
            }
            layer
        };
        for (r, s, e, expected) in [
            (None, None, Some("a.test"), "direct by the environment's exception a.test"),
            (None, Some(""), Some("a.test"), "http://r:80 by the request's rule all"),
            (None, Some("*"), Some(""), "direct by the session's exception *"),
            (Some("b.test"), Some("*"), Some("*"), "http://r:80 by the request's rule all"),
            (Some("a.test"), None, None, "direct by the request's exception a.test"),
        ] {
            let plan = ProxySelector::new(
                except(layer("r", 2), r),
                except(layer("s", 2), s),
                except(layer("e", 2), e),
            );
            assert_eq!(plan.of(&url()).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn b23_a_broken_variable_is_an_error_where_it_decides() {
        let mut environment = Proxies::new();
        environment.set_from("http", "http_proxy", "ftp://user:hunter2@p");
        environment.set_from("https", "https_proxy", "p:3128");
        environment.except("b.test");
        let plan = ProxySelector::new(Proxies::new(), Proxies::new(), environment.clone());
        let error = plan.of(&url()).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidProxy);
        assert!(error.to_string().contains("http_proxy") && !error.to_string().contains("hunter2"));
        for fine in ["https://a.test/", "http://b.test/"] {
            assert!(plan.of(&Url::parse(fine).unwrap()).is_ok(), "{fine}");
        }
        assert!(ProxySelector::new(Proxies::direct(), Proxies::new(), environment).of(&url()).is_ok());
    }

    #[test]
    fn v22_a_challenge_is_answered_once_and_only_for_the_proxy_that_asked() {
        let proxy = |text: &str| Proxy::parse(text).unwrap().wait_for_challenge();
        let mut rules = Proxies::from(proxy("u:p@one"));
        rules.set("https", proxy("u:p@two")).unwrap();
        let mut plan = ProxySelector::new(rules, Proxies::new(), Proxies::new());
        let head = challenge("Basic");
        assert!(!plan.challenge(&head, true), "no proxy was chosen yet");
        plan.choose(&url(), false).unwrap();
        assert!(!plan.says(GET).contains("Proxy-Authorization"));
        assert!(plan.challenge(&head, true) && plan.says(GET).contains("Proxy-Authorization"));
        assert!(!plan.challenge(&head, true), "once");
        plan.choose(&url(), false).unwrap();
        assert!(plan.says(GET).contains("Proxy-Authorization"), "the same proxy");
        plan.choose(&Url::parse("https://a.test/").unwrap(), false).unwrap();
        assert!(!plan.says(GET).contains("Proxy-Authorization"), "another");
        plan.choose(&url(), true).unwrap();
        assert_eq!(plan.choice().unwrap().why, Why::Route);
        assert!(!plan.challenge(&head, true));
    }

    #[test]
    fn v02_v10_b16_what_was_set_by_hand_is_for_the_first_proxy_alone() {
        let mut rules = Proxies::from(Proxy::parse("u:p@one").unwrap());
        rules.set("https", "two").unwrap();
        let mut plan = ProxySelector::new(rules, Proxies::new(), Proxies::new());
        let mut bare = plan.clone();
        plan.authorize(b"Custom x");
        for plan in [&mut bare, &mut plan] {
            plan.choose(&url(), false).unwrap();
        }
        assert_ne!(plan.identity(), bare.identity());
        assert_eq!(plan.says(GET).get("Proxy-Authorization"), Some("Custom x"));
        plan.choose(&url(), false).unwrap();
        assert_eq!(plan.says(GET).get("Proxy-Authorization"), Some("Custom x"), "the same proxy");
        plan.choose(&Url::parse("https://a.test/").unwrap(), false).unwrap();
        assert_eq!(plan.says(GET).get("Proxy-Authorization"), None, "another");
        plan.choose(&url(), false).unwrap();
        assert_eq!(plan.says(GET).get("Proxy-Authorization"), Some("Basic dTpw"), "gone is gone");
        assert!(!format!("{plan:?}").contains("Custom"));
    }
}
