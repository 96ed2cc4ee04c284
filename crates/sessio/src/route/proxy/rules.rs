//! Rules that choose a proxy for a URL.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use url::{Host, Url};

use super::no_proxy::NoProxy;
use super::server::Proxy;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::uri::address::without_userinfo;

/// The route of a request: through a proxy, or direct.
///
/// Text converts into it: the URL of a proxy. Empty text is [`Direct`](Self::Direct) (rule D-14).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Via {
    /// Directly to the origin.
    Direct,
    /// Through this proxy.
    Proxy(Proxy),
}

impl TryFrom<&str> for Via {
    type Error = Fault;

    fn try_from(text: &str) -> Result<Self> {
        if text.trim_ascii().is_empty() { Ok(Self::Direct) } else { Proxy::parse(text).map(Self::Proxy) }
    }
}

impl TryFrom<String> for Via {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self> {
        Self::try_from(text.as_str())
    }
}

impl From<Proxy> for Via {
    fn from(proxy: Proxy) -> Self {
        Self::Proxy(proxy)
    }
}

impl From<Infallible> for Fault {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Rules that choose a proxy, and the hosts that are reached without one. Default: no rules and no
/// such list. A clone allocates nothing until one of the two is changed.
///
/// A rule is for `scheme://host`, for a `scheme`, for `all://host` or for `all`; the first match in
/// this order is used (rule D-14). The scheme is `http` or `https`. The host is written as in a URL
/// and covers all its ports.
///
/// ```
/// use sessio::proxy::{Proxies, Via};
///
/// let mut proxies = Proxies::new();
/// proxies.set("http", "http://proxy.test:3128")?;
/// proxies.set("https://plain.test", Via::Direct)?;
/// proxies.set("all", "socks5h://127.0.0.1:9050")?;
/// proxies.except("localhost,.lan");
/// assert!(proxies.remove("HTTP"));
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies(Option<Arc<Table>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Table {
    rules: Vec<Rule>,
    function: Option<Function>,
    no_proxy: Option<NoProxy>,
}

#[derive(Clone, PartialEq, Eq)]
struct Rule {
    fits: Pattern,
    to: To,
}

#[derive(Clone, PartialEq, Eq)]
enum To {
    Via(Via),
    /// A value of the environment that is no proxy. It is an error only for a URL that would use
    /// it.
    Broken(Box<str>),
}

/// The URLs that a rule covers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// `None` is both schemes.
    scheme: Option<&'static str>,
    host: Option<Box<str>>,
}

#[derive(Clone)]
struct Function(Arc<Choose>);

type Choose = dyn Fn(&Url) -> Option<Via> + Send + Sync;

/// Clones are equal; functions that were made separately are not, even if they do the same.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Function {}

/// The rule for a URL.
pub(super) struct Found {
    pub(super) via: Result<Via>,
    /// The rule, or `None` if the function chose.
    pub(super) rule: Option<Box<str>>,
}

impl Proxies {
    /// No rules.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// No proxy for any URL, in spite of the environment.
    #[must_use]
    pub fn direct() -> Self {
        Self::one(Via::Direct)
    }

    /// Chooses proxies by a function; `None` falls through, as if there were no rule.
    ///
    /// The function is called once for each hop of a call, before anything else, with the URL
    /// without userinfo. It may use the session; requests of that session call the function, too.
    ///
    /// ```
    /// use sessio::proxy::{Proxies, Proxy};
    ///
    /// let tor = Proxy::parse("socks5h://127.0.0.1:9050")?;
    /// let proxies = Proxies::from_fn(move |url| {
    ///     url.host_str()?.ends_with(".onion").then(|| tor.clone().into())
    /// });
    /// # Ok::<(), sessio::Error>(())
    /// ```
    #[must_use]
    pub fn from_fn(choose: impl Fn(&Url) -> Option<Via> + Send + Sync + 'static) -> Self {
        let mut proxies = Self::new();
        proxies.choose_by(choose);
        proxies
    }

    /// Asks this function before the rules: see [`from_fn`](Self::from_fn).
    pub fn choose_by(&mut self, choose: impl Fn(&Url) -> Option<Via> + Send + Sync + 'static) {
        self.table().function = Some(Function(Arc::new(choose)));
    }

    fn one(via: Via) -> Self {
        let all = Rule { fits: Pattern { scheme: None, host: None }, to: To::Via(via) };
        Self(Some(Arc::new(Table { rules: vec![all], ..Table::default() })))
    }

    /// Sets the rule of exactly this pattern, in place of an earlier one.
    ///
    /// # Errors
    ///
    /// - [`Kind::InvalidProxy`] if the pattern is invalid.
    /// - The error of parsing the text of a proxy.
    pub fn set<V: TryInto<Via, Error: Into<Fault>>>(&mut self, pattern: &str, via: V) -> Result<()> {
        let fits = Pattern::parse(pattern)?;
        let via = via.try_into().map_err(Into::into)?;
        self.insert(Rule { fits, to: To::Via(via) });
        Ok(())
    }

    /// Sets the environment's rule for a scheme. Text that is no proxy is reported as the value of
    /// `variable`.
    pub(crate) fn set_from(&mut self, scheme: &str, variable: &str, text: &str) {
        let Ok(fits) = Pattern::parse(scheme) else { return };
        let to = match Proxy::parse(text) {
            Ok(proxy) => To::Via(Via::Proxy(proxy)),
            Err(_) => To::Broken(variable.into()),
        };
        self.insert(Rule { fits, to });
    }

    fn insert(&mut self, rule: Rule) {
        let rules = &mut self.table().rules;
        match rules.iter_mut().find(|old| old.fits == rule.fits) {
            Some(old) => *old = rule,
            None => rules.push(rule),
        }
    }

    /// Removes the rule of exactly this pattern; returns `true` if there was one.
    pub fn remove(&mut self, pattern: &str) -> bool {
        let Ok(fits) = Pattern::parse(pattern) else { return false };
        let Some(table) = self.0.as_mut().map(Arc::make_mut) else { return false };
        let before = table.rules.len();
        table.rules.retain(|rule| rule.fits != fits);
        let removed = table.rules.len() < before;
        if *table == Table::default() {
            self.0 = None;
        }
        removed
    }

    /// Sets the hosts that are reached without a proxy, in place of an earlier list.
    ///
    /// The list also applies to proxies of the environment and to those of requests (row B35). An
    /// empty list is a list, and replaces that of the environment.
    pub fn except(&mut self, hosts: impl Into<NoProxy>) {
        self.table().no_proxy = Some(hosts.into());
    }

    /// The hosts that are reached without a proxy, if a list was set.
    #[must_use]
    pub fn no_proxy(&self) -> Option<&NoProxy> {
        self.0.as_ref()?.no_proxy.as_ref()
    }

    /// Returns `true` if there are neither rules nor a list of exceptions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Finds the rule for this URL.
    pub(super) fn find(&self, url: &Url) -> Option<Found> {
        let table = self.0.as_ref()?;
        if let Some(Function(choose)) = &table.function
            && let Some(via) = choose(&without_userinfo(url))
        {
            return Some(Found { via: Ok(via), rule: None });
        }
        let (scheme, host) = (Some(url.scheme()), url.host_str());
        let order = [(scheme, host), (scheme, None), (None, host), (None, None)];
        let fitting = |(scheme, host): &(Option<&str>, Option<&str>)| {
            table.rules.iter().find(|rule| rule.fits.scheme == *scheme && rule.fits.host.as_deref() == *host)
        };
        let rule = order.iter().find_map(fitting)?;
        let via = match &rule.to {
            To::Via(via) => Ok(via.clone()),
            To::Broken(variable) => {
                let detail = format!("{variable} in the environment is none");
                Err(Fault::new(Kind::InvalidProxy).with_detail(detail))
            }
        };
        Some(Found { via, rule: Some(rule.fits.to_string().into()) })
    }

    fn table(&mut self) -> &mut Table {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let invalid = || {
            let detail = format!(
                "{} is no rule: it is http, https or all, and perhaps ://host",
                escape(text.as_bytes())
            );
            Fault::new(Kind::InvalidProxy).with_detail(detail)
        };
        let (scheme, host) = match text.split_once("://") {
            Some((scheme, host)) => (scheme, Some(host)),
            None => (text, None),
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Some("http"),
            "https" => Some("https"),
            "all" => None,
            _ => return Err(invalid()),
        };
        let host = match host {
            None => None,
            Some(host) if host.is_empty() || host.starts_with(['*', '.']) => return Err(invalid()),
            Some(host) => Some(Host::parse(host).map_err(|_| invalid())?.to_string().into()),
        };
        Ok(Self { scheme, host })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.unwrap_or("all"))?;
        self.host.as_ref().map_or(Ok(()), |host| write!(f, "://{host}"))
    }
}

/// The same proxy for all URLs.
impl From<Proxy> for Proxies {
    fn from(proxy: Proxy) -> Self {
        Self::one(Via::Proxy(proxy))
    }
}

impl From<Via> for Proxies {
    fn from(via: Via) -> Self {
        Self::one(via)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        if let Some(table) = &self.0 {
            if table.function.is_some() {
                map.entry(&"a function", &format_args!("first"));
            }
            for Rule { fits, to } in &table.rules {
                match to {
                    To::Via(via) => map.entry(&format_args!("{fits}"), via),
                    To::Broken(variable) => {
                        map.entry(&format_args!("{fits}"), &format_args!("no proxy in {variable}"))
                    }
                };
            }
            if let Some(no_proxy) = &table.no_proxy {
                map.entry(&"except", &format_args!("{no_proxy}"));
            }
        }
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(proxies: &Proxies, url: &str) -> Option<String> {
        let found = proxies.find(&Url::parse(url).unwrap())?;
        Some(match found.via.unwrap() {
            Via::Direct => "direct".to_owned(),
            Via::Proxy(proxy) => proxy.host().to_string(),
        })
    }

    #[test]
    fn d14_scheme_and_host_then_scheme_then_all_and_host_then_all() {
        let mut proxies = Proxies::new();
        let url = "http://a.test/";
        for (pattern, proxy) in [
            ("all", "http://fourth"),
            ("all://A.test", "http://third"),
            ("HTTP", "http://second"),
            ("http://A.Test", "http://first"),
        ] {
            proxies.set(pattern, proxy).unwrap();
            assert_eq!(found(&proxies, url).as_deref(), proxy.strip_prefix("http://"));
        }
        for (url, proxy) in [
            ("http://a.test:8080/", "first"),
            ("http://b.test/", "second"),
            ("https://a.test/", "third"),
            ("https://a.test.b.test/", "fourth"),
        ] {
            assert_eq!(found(&proxies, url).as_deref(), Some(proxy), "{url}");
        }
    }

    #[test]
    fn d14_a_rule_without_a_proxy_is_direct_and_stops_the_search() {
        let mut proxies = Proxies::from(Proxy::parse("http://p").unwrap());
        proxies.set("https", "").unwrap();
        assert_eq!(found(&proxies, "https://a/").as_deref(), Some("direct"));
        assert_eq!(found(&proxies, "http://a/").as_deref(), Some("p"));
        assert!(proxies.remove("https") && !proxies.remove("https"));
        assert_eq!(found(&proxies, "https://a/").as_deref(), Some("p"));
        assert!(proxies.remove("all") && proxies.is_empty());
    }

    #[test]
    fn a_function_goes_first_and_sees_no_userinfo() {
        let mut proxies = Proxies::from_fn(|url| {
            assert!(url.username().is_empty() && url.password().is_none());
            (url.host_str() == Some("a")).then_some(Via::Direct)
        });
        proxies.set("all", "http://p").unwrap();
        assert_eq!(found(&proxies, "http://u:p@a/").as_deref(), Some("direct"));
        assert_eq!(found(&proxies, "http://b/").as_deref(), Some("p"));
        assert_eq!(proxies, proxies.clone());
        assert_ne!(Proxies::from_fn(|_| None), Proxies::from_fn(|_| None));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for pattern in ["", "ftp", "http:", "http://", "all://*.a", "http://a b", "http://a:80", "no"] {
            let error = Proxies::new().set(pattern, "http://p").unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidProxy, "{pattern}");
        }
        assert!(Proxies::new().set("http", "ftp://p").is_err());
        assert!(Proxies::new().set("http://[::1]", "http://p").is_ok());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let mut proxies = Proxies::new();
        proxies.set("http", "http://user:hunter2@p:1").unwrap();
        proxies.except("a,b");
        assert_eq!(format!("{proxies:?}"), r#"{http: Proxy(Proxy(http://p:1, ***)), "except": a,b}"#);
    }
}
