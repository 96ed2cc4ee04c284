//! The requests that share one pace.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::rules::Pace;
use crate::uri::pattern::UrlPattern;

/// The pace of a call, and the mount that sets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PaceRule {
    /// The pace.
    pub pace: Arc<Pace>,
    /// The pattern of the mount that sets it. `None` if the session does.
    pub mount: Option<Arc<UrlPattern>>,
}

impl PaceRule {
    /// A pace of the session, or of the mount on this pattern.
    #[must_use]
    pub const fn new(pace: Arc<Pace>, mount: Option<Arc<UrlPattern>>) -> Self {
        Self { pace, mount }
    }

    /// The key of a request to this URL.
    #[must_use]
    pub fn key(&self, url: &Url) -> PaceKey {
        PaceKey::new(url, self.mount.clone())
    }
}

/// The key of the requests that share one pace: an origin, and the mount if that sets the pace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaceKey {
    origin: Box<str>,
    mount: Option<Arc<UrlPattern>>,
}

impl PaceKey {
    /// The key of a request to this URL.
    #[must_use]
    pub fn new(url: &Url, mount: Option<Arc<UrlPattern>>) -> Self {
        let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
        let origin = match url.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Self { origin: origin.into(), mount }
    }
}

/// Formats the origin.
impl fmt::Display for PaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}
