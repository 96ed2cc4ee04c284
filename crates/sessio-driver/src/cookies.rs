//! Cookies that the caller sets and reads.

use sessio::cookie::{InvalidCookie, NewCookie};
use sessio::{Error, Result, escape};

use crate::runtime::Runtime;
use crate::session::Session;

impl<R: Runtime, M> Session<R, M> {
    /// Sets a cookie: a session cookie for the path `/`. It replaces the one that an earlier call
    /// has set.
    ///
    /// With a [`base_url`](sessio::Settings::base_url) it belongs to the host of that URL.
    /// Otherwise it belongs to the first host that a request is sent to. It is never sent to
    /// another host, for example after a redirect. In requests such a cookie goes to every host.
    /// Without a `base_url`, a jar with the policy
    /// [`Unscoped::DangerouslySendToAnyHost`](sessio::cookie::Unscoped) does the same.
    ///
    /// For a domain, a path or a time limit, see [`insert_cookie`](Self::insert_cookie). For one
    /// request only, see [`RequestBuilder::cookie`](crate::RequestBuilder::cookie).
    ///
    /// # Errors
    /// [`Kind::InvalidCookie`](sessio::Kind::InvalidCookie): the name or the value contains a `;` or
    /// a control character, both are empty, or they have more than 4096 bytes.
    ///
    /// ```
    /// # fn set<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio::Result<()> {
    /// session.set_cookie("sid", "31d4")?;
    /// assert_eq!(session.cookie("sid").as_deref(), Some("31d4"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_cookie(&self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.insert_own_cookie(new_cookie(name.as_ref(), value.as_ref())?)
    }

    /// Inserts a cookie for the host of the base URL, or for the first host.
    pub(crate) fn insert_own_cookie(&self, cookie: NewCookie) -> Result<()> {
        let settings = self.settings();
        self.insert_cookie(match settings.base_url.as_ref().and_then(|url| url.host_str()) {
            Some(host) => cookie.host(host),
            None => cookie,
        })
    }

    /// Puts a cookie into the jar, by the clock of the runtime. It replaces one with the same name,
    /// host or domain, and path. A cookie that has ended deletes it.
    ///
    /// # Errors
    /// [`Kind::InvalidCookie`](sessio::Kind::InvalidCookie): no response could set it, such as for a
    /// public suffix. See [`Jar::insert`](sessio::Jar::insert).
    ///
    /// ```
    /// # fn insert<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio::Result<()> {
    /// use sessio::cookie::NewCookie;
    ///
    /// session.insert_cookie(NewCookie::new("lang", "en")?.domain("example.org").secure(true))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert_cookie(&self, cookie: NewCookie) -> Result<()> {
        let now = self.runtime().now().wall;
        let name = cookie.name().to_owned();
        self.cookies(|jar| jar.insert(cookie, now)).map_err(|error| invalid(&name, error))?;
        Ok(())
    }

    /// The value of the cookie with this name. If several hosts or paths have one, it is the value
    /// of the youngest. `None` if there is none that is still valid. Bytes that are not UTF-8 are
    /// replaced by `\u{fffd}`.
    ///
    /// For the cookies of one URL, or for more than the value, see [`cookies`](Self::cookies) with
    /// [`Jar::get_for`](sessio::Jar::get_for).
    #[must_use]
    pub fn cookie(&self, name: impl AsRef<[u8]>) -> Option<String> {
        let now = self.runtime().now().wall;
        let name = name.as_ref();
        let state = self.shared().state();
        let youngest = state.jar.get(name)?;
        let found = match youngest.is_expired(now) {
            false => Some(youngest),
            true => state.jar.iter().filter(|cookie| cookie.name() == name && !cookie.is_expired(now)).last(),
        };
        found.map(|cookie| String::from_utf8_lossy(cookie.value()).into_owned())
    }
}

/// A cookie for the path `/`.
pub(crate) fn new_cookie(name: &[u8], value: &[u8]) -> Result<NewCookie> {
    NewCookie::new(name, value).map_err(|error| invalid(name, error))
}

/// The error of a cookie of the caller. It names the cookie, and never shows its value.
#[cold]
fn invalid(name: &[u8], error: InvalidCookie) -> Error {
    let detail = format!("\"{}\": {}", escape(name), error.reason().explanation());
    Error::from(error).with_detail(detail)
}
