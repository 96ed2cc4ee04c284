//! Allowed targets of redirects.

use std::sync::Arc;

use url::{Host, Url};

use crate::base::escape::escape;

/// Schemes, hosts and ports that a redirect may lead to. Default: all. A list that is set is
/// exhaustive, and an empty one allows no redirect (row V61). The request of the caller itself is
/// not restricted.
///
/// ```
/// use sessio::Settings;
/// use sessio::redirect::AllowedTargets;
///
/// let mut settings = Settings::default();
/// settings.redirect_targets = AllowedTargets::any().schemes(["https"]).hosts(["a.test", ".b.test"]).ports([443, 8443]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedTargets(Option<Arc<Lists>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lists {
    schemes: Option<Vec<Box<str>>>,
    hosts: Option<Vec<Box<str>>>,
    ports: Option<Vec<u16>>,
    uses_routes: bool,
}

impl AllowedTargets {
    /// Allows every target.
    #[must_use]
    pub const fn any() -> Self {
        Self(None)
    }

    /// Allows only these schemes; of them, only `http` and `https` can be followed.
    #[must_use]
    pub fn schemes<S: AsRef<str>>(mut self, schemes: impl IntoIterator<Item = S>) -> Self {
        let schemes = schemes.into_iter().map(|scheme| scheme.as_ref().to_ascii_lowercase().into());
        self.lists().schemes = Some(schemes.collect());
        self
    }

    /// Allows only these hosts, written as in URLs; `.b.test` is `b.test` and all names below it.
    #[must_use]
    pub fn hosts<S: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.lists().hosts = Some(hosts.into_iter().map(|host| canonical(host.as_ref())).collect());
        self
    }

    /// Allows only these ports.
    #[must_use]
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.lists().ports = Some(ports.into_iter().collect());
        self
    }

    /// Allows the session's [`Routes`](crate::Routes) after a redirect from another host. Default:
    /// a redirect reaches no Unix socket but that of the previous hop, and its pinned addresses
    /// have to pass the [`Guard`](crate::Guard).
    ///
    /// With it, any server that the session talks to can send requests to those sockets.
    #[must_use]
    pub fn and_routes(mut self) -> Self {
        self.lists().uses_routes = true;
        self
    }

    /// Returns `true` if redirects use routes as the session's own requests do.
    #[must_use]
    pub fn uses_routes(&self) -> bool {
        self.0.as_ref().is_some_and(|lists| lists.uses_routes)
    }

    /// The reason why a redirect may not lead to this URL.
    #[must_use]
    pub fn refuses(&self, url: &Url) -> Option<String> {
        let lists = self.0.as_ref()?;
        let is_in = |list: &Option<Vec<Box<str>>>, fits: &dyn Fn(&str) -> bool| {
            list.as_ref().is_none_or(|list| list.iter().any(|entry| fits(entry)))
        };
        if !is_in(&lists.schemes, &|scheme| scheme == url.scheme()) {
            return Some(format!("the scheme {} is not allowed", url.scheme()));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let fits = |entry: &str| match entry.strip_prefix('.') {
            None => entry == host,
            Some(name) => host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        };
        if !is_in(&lists.hosts, &fits) {
            return Some(format!("the host {} is not allowed", escape(host.as_bytes())));
        }
        let port = url.port_or_known_default();
        match &lists.ports {
            Some(ports) if !port.is_some_and(|port| ports.contains(&port)) => {
                Some(format!("port {} is not allowed", port.unwrap_or_default()))
            }
            _ => None,
        }
    }

    fn lists(&mut self) -> &mut Lists {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

/// The host as in URLs, without a trailing dot.
fn canonical(host: &str) -> Box<str> {
    let (dot, name) = match host.strip_prefix('.') {
        Some(name) => (".", name),
        None => ("", host),
    };
    let name = Host::parse(name).map_or_else(|_| name.to_ascii_lowercase(), |name| name.to_string());
    format!("{dot}{}", name.strip_suffix('.').unwrap_or(&name)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v61_what_is_listed_is_all_that_is_allowed() {
        let none: [&str; 0] = [];
        let all = AllowedTargets::any();
        for (targets, url, is_allowed) in [
            (all.clone(), "http://x/", true),
            (all.clone().schemes(["HTTPS"]), "https://x/", true),
            (all.clone().schemes(["https"]), "http://x/", false),
            (all.clone().schemes(none), "https://x/", false),
            (all.clone().hosts(["A.test"]), "http://a.test:81/", true),
            (all.clone().hosts(["a.test"]), "http://a.test./", true),
            (all.clone().hosts(["a.test"]), "http://b.a.test/", false),
            (all.clone().hosts(["a.test"]), "http://xa.test/", false),
            (all.clone().hosts([".a.test"]), "http://b.a.test/", true),
            (all.clone().hosts([".a.test"]), "http://a.test/", true),
            (all.clone().hosts([".a.test"]), "http://xa.test/", false),
            (all.clone().hosts(["[::1]", "127.1"]), "http://127.0.0.1/", true),
            (all.clone().hosts(["[::1]", "127.1"]), "http://[0::1]/", true),
            (all.clone().hosts(["a.test"]), "http://a.test@b.test/", false),
            (all.clone().hosts(none), "http://a.test/", false),
            (all.clone().and_routes(), "http://x/", true),
            (all.clone().ports([80, 8443]), "http://x/", true),
            (all.clone().ports([80, 8443]), "https://x:8443/", true),
            (all.clone().ports([80, 8443]), "https://x/", false),
            (all.clone().ports([]), "http://x/", false),
            (all.schemes(["https"]).ports([443]), "https://x:444/", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(targets.refuses(&url).is_none(), is_allowed, "{targets:?} {url}");
        }
    }
}
