//! One mount: the changes for the URLs of a pattern.

use std::sync::Arc;

use crate::base::change::Change;
#[cfg(feature = "json")]
use crate::base::kind::Kind;
use crate::base::progress::{BodyProgress, Way};
use crate::call::observer::Observer;
use crate::error::{Error, Result};
use crate::message::headers::Headers;
use crate::policy::host_policy::HostPolicy;
use crate::policy::pace::Pace;
use crate::prepared::auth::Auth;
use crate::prepared::transport::Transport;
use crate::route::proxy::{Proxies, Via};
use crate::route::tls::{Identity, Roots, Tls};
use crate::session::changes::Changes;
use crate::session::steps::change_steps;
use crate::uri::pair::Pair;

/// Changes to the session's defaults, for the URLs of a [pattern](crate::UrlPattern).
///
/// It has the options of a [`Request`](crate::Request), apart from method, address and body.
/// [`Mounts::add`](crate::Mounts::add) mounts it. A builder method keeps its error, such as a header
/// with a line break, and `add` returns it.
///
/// A mount's credentials are for its pattern alone: see [`Mounts`](crate::Mounts).
///
/// ```
/// use std::time::Duration;
/// use sessio::{Mount, Settings};
///
/// let mut settings = Settings::default();
/// let api = Mount::new().header("X-Api-Version", "2").bearer_auth("secret").timeout(Duration::from_secs(5));
/// settings.mounts.add("https://api.example.org/v2/", api)?;
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "a mount does nothing until it is added to the mounts of the settings"]
#[non_exhaustive]
pub struct Mount {
    /// The changes to the session's defaults.
    pub changes: Changes,
    /// The transport that carries the requests. Default: `None`, which is a connection.
    pub transport: Option<Arc<dyn Transport>>,
    /// The pace of the requests. Default: [`Change::Inherit`], which is the session's.
    pub pace: Change<Arc<Pace>>,
    /// Limits on the connections to each host, in place of those of the pool. Default: `None`.
    pub pool: Option<Arc<HostPolicy>>,
    pub(crate) problem: Option<Error>,
}

impl Mount {
    /// A mount that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Carries the requests by a [`Transport`], such as a mock, in place of connections.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets the [pace](crate::pace) of the requests of this pattern, to each origin by itself. It
    /// replaces the session's, and shares nothing with it. With `None` the requests have no pace.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessio::pace::Pace;
    /// use sessio::{Mount, Settings};
    ///
    /// let mut settings = Settings::default();
    /// let search = Mount::new().pace(Pace::rate(10, Duration::from_secs(60)));
    /// settings.mounts.add("https://api.example.org/search", search)?;
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub fn pace(mut self, pace: impl Into<Option<Arc<Pace>>>) -> Self {
        self.pace = pace.into().map_or(Change::Remove, Change::Set);
        self
    }

    /// Limits the connections to each host. These requests share no connection with requests that
    /// have other limits. Through a proxy that forwards requests the limits are those of its
    /// connections. A mount with a transport has none.
    ///
    /// ```
    /// use sessio::pool::HostPolicy;
    /// use sessio::{Mount, Settings};
    ///
    /// let mut settings = Settings::default();
    /// let two = Mount::new().pool(HostPolicy::new().max_connections(2));
    /// settings.mounts.add("https://*.slow.example.org/", two)?;
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub fn pool(mut self, limits: HostPolicy) -> Self {
        self.pool = Some(Arc::new(limits));
        self
    }

    change_steps!();
}

impl From<Changes> for Mount {
    fn from(changes: Changes) -> Self {
        Self { changes, ..Self::default() }
    }
}
