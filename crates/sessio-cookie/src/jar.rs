//! The jar: it stores cookies and writes `Cookie` headers.

use std::fmt;
use std::sync::{Arc, LazyLock};

use url::Url;

use crate::header::HeaderLine;
use crate::host::lineage;
use crate::path::path_match;
use crate::policy::{Policy, Unscoped};
use crate::record::Cookie;
use crate::site::Site;
use crate::store::{Outcome, Store};
use crate::unix_time::UnixTime;

/// The cookies of a session.
///
/// It reads no clock: time is an argument. [`extract`](Self::extract) stores the cookies of a
/// response, and [`header`](Self::header) writes the header of a request. Both follow RFC 6265bis,
/// see the [chapter](crate). A request costs the same whether the jar holds ten cookies or a
/// hundred thousand.
///
/// ```
/// use sessio_cookie::{Jar, UnixTime, Url};
///
/// let now = UnixTime(1_767_225_600);
/// let mut jar = Jar::new();
/// jar.extract(&Url::parse("https://example.com/login")?, [&b"sid=31d4; Path=/"[..], b"lang=en"], now);
///
/// let mut out = Vec::new();
/// let sent = jar.header(&Url::parse("https://example.com/account")?, now, &mut out);
/// assert_eq!((sent, &out[..]), (2, &b"sid=31d4; lang=en"[..]));
/// # Ok::<(), url::ParseError>(())
/// ```
///
/// A clone shares its cookies with the original until one of the two changes. The first change
/// copies all of them.
#[derive(Clone)]
pub struct Jar {
    policy: Policy,
    store: Arc<Store>,
    /// The order number of the next new cookie.
    order: u64,
    /// A counter of uses. It shows which cookie was used least recently.
    tick: u64,
    /// Whether there may be cookies without a domain. They are in the bucket of the empty domain.
    unscoped: bool,
    /// The buffer of [`select`](Self::select), kept so that requests do not allocate.
    found: Vec<Found>,
}

/// A cookie to send: its sort key and its position in the store.
#[derive(Clone, Copy)]
struct Found {
    path_len: u32,
    bucket: u32,
    place: u32,
    order: u64,
}

impl Default for Jar {
    fn default() -> Self {
        static NOTHING: LazyLock<Arc<Store>> = LazyLock::new(Arc::default);
        Self {
            policy: Policy::default(),
            store: Arc::clone(&NOTHING),
            order: 0,
            tick: 0,
            unscoped: false,
            found: Vec::new(),
        }
    }
}

impl Jar {
    /// An empty jar with the default [`Policy`]. It allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty jar with a policy of your own.
    #[must_use]
    pub fn with_policy(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// The rules by which the jar accepts and sends cookies.
    #[must_use]
    #[inline]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Changes the rules for accepting and sending cookies from now on. Stored cookies stay. A
    /// cookie for all hosts of a domain that is now a public suffix is not sent any more.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        Arc::make_mut(&mut self.store).reconsider(&self.policy);
    }

    /// Appends the value of the `Cookie` header for a request to `out`. Returns the number of
    /// cookies written. If it is 0, `out` is unchanged: send no header.
    ///
    /// Longest path first, then oldest first. RFC 6265bis 5.8; rules 36 to 40. In a chain of
    /// redirects, call it again for each URL.
    #[inline]
    pub fn header(&mut self, url: &Url, now: UnixTime, out: &mut Vec<u8>) -> usize {
        self.header_from(url, Site::Same, now, out)
    }

    /// [`header`](Self::header) for a request that comes from `site`.
    pub fn header_from(&mut self, url: &Url, site: Site, now: UnixTime, out: &mut Vec<u8>) -> usize {
        let mut line = HeaderLine::new(out);
        self.send(url, site, now, &mut line, |_, _| false);
        line.written()
    }

    /// The cookies that a request to `url` would send, in the order of the header.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime, Url};
    ///
    /// let now = UnixTime(1_767_225_600);
    /// let url = Url::parse("https://example.com/")?;
    /// let mut jar = Jar::new();
    /// jar.insert_str("a=1; Max-Age=60", &url, now)?;
    /// assert_eq!(jar.matching(&url, now)[0].expires(), Some(UnixTime(1_767_225_660)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn matching(&self, url: &Url, now: UnixTime) -> Vec<&Cookie> {
        let mut found = Vec::new();
        self.select(url, Site::Same, now, &mut found);
        found.iter().map(|at| &self.store.bucket(at.bucket as usize).cookies[at.place as usize]).collect()
    }

    /// Writes the cookies of a request into its header, in order and as many as fit, and marks
    /// these as used. `replace` is called with each cookie first. If it returns true, the cookie is
    /// skipped: `replace` may have written another one in its place.
    pub(crate) fn send(
        &mut self,
        url: &Url,
        site: Site,
        now: UnixTime,
        line: &mut HeaderLine<'_>,
        mut replace: impl FnMut(&Cookie, &mut HeaderLine<'_>) -> bool,
    ) {
        if self.unscoped && self.policy.unscoped == Unscoped::BindToFirstHost {
            self.bind(url, now);
        }
        let mut found = std::mem::take(&mut self.found);
        let ended = self.select(url, site, now, &mut found);
        if found.is_empty() && !ended {
            self.found = found;
            return;
        }
        self.tick += u64::from(!found.is_empty());
        let store = Arc::make_mut(&mut self.store);
        let mut room = self.policy.limits.raised().header_octets;
        for at in &found {
            let cookie = store.cookie_mut(at.bucket as usize, at.place as usize);
            if replace(cookie, line) {
                continue;
            }
            let pair = cookie.pair();
            if pair.len() > room {
                // The cookies after it are left out, too, even if a shorter one would fit.
                room = 0;
                continue;
            }
            line.push(pair);
            room = room.saturating_sub(pair.len() + 2);
            cookie.used = self.tick;
        }
        found.clear();
        self.found = found;
        if ended {
            for domain in url.host_str().into_iter().flat_map(lineage).chain([""]) {
                store.retain_at(domain, |cookie| !cookie.is_expired(now));
            }
        }
    }

    /// Finds the cookies to send. Returns whether an expired one matched. Rules 36 to 38.
    fn select(&self, url: &Url, site: Site, now: UnixTime, found: &mut Vec<Found>) -> bool {
        let Some(host) = url.host_str().filter(|_| self.store.len() > 0) else { return false };
        let Some(secure) = self.policy.channel(url) else { return false };
        let path = url.path().as_bytes();
        let mut ended = false;
        let mut sorted = true;
        let unscoped = self.unscoped.then_some("");
        for (distance, domain) in lineage(host).chain(unscoped).enumerate() {
            let Some(at) = self.store.find(domain) else { continue };
            let bucket = self.store.bucket(at);
            let start = found.len();
            for (place, cookie) in bucket.cookies.iter().enumerate() {
                let host_matches = if cookie.host_only { distance == 0 } else { bucket.suffix != Some(true) };
                if !host_matches || (cookie.secure && !secure) || !path_match(path, cookie.path_bytes()) {
                    continue;
                }
                if cookie.is_expired(now) {
                    ended = true;
                } else if site.sends(cookie, now) {
                    let (path_len, order) = (cookie.path_len(), cookie.order);
                    found.push(Found { path_len, bucket: at as u32, place: place as u32, order });
                }
            }
            // Each bucket is sorted. So cookies of one bucket alone need no sort.
            sorted &= start == 0 || start == found.len();
        }
        if !sorted {
            found.sort_unstable_by_key(|at| (std::cmp::Reverse(at.path_len), at.order));
        }
        ended
    }

    /// Binds the cookies without a domain to the host of `url`.
    fn bind(&mut self, url: &Url, now: UnixTime) {
        let takes = |host: &&str| !host.is_empty() && self.policy.channel(url).is_some();
        let Some(host) = url.host_str().filter(takes) else { return };
        self.unscoped = false;
        for cookie in Arc::make_mut(&mut self.store).take("") {
            self.put(cookie.bound_to(host), now);
        }
    }

    /// Stores a cookie that passed all checks, and makes room for it. Returns the outcome, and how
    /// many cookies were removed.
    pub(crate) fn put(&mut self, cookie: Cookie, now: UnixTime) -> (Outcome, usize) {
        self.put_judged(cookie, now, None)
    }

    /// As `put`. `suffix` says whether the cookie's domain is a public suffix, if that is known.
    pub(crate) fn put_judged(
        &mut self,
        mut cookie: Cookie,
        now: UnixTime,
        suffix: Option<bool>,
    ) -> (Outcome, usize) {
        self.tick += 1;
        cookie.used = self.tick;
        self.place_judged(cookie, now, suffix)
    }

    /// As `put`, for a cookie whose last use is set already.
    pub(crate) fn place(&mut self, cookie: Cookie, now: UnixTime) -> (Outcome, usize) {
        self.place_judged(cookie, now, None)
    }

    fn place_judged(&mut self, mut cookie: Cookie, now: UnixTime, suffix: Option<bool>) -> (Outcome, usize) {
        cookie.order = self.order;
        self.order += 1;
        self.tick = self.tick.max(cookie.used);
        self.unscoped |= cookie.domain().is_empty();
        Arc::make_mut(&mut self.store).put(cookie, now, &self.policy, suffix)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Copies the cookies if another jar shares them.
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        Arc::make_mut(&mut self.store)
    }

    /// Whether this jar and `copy` still share their cookies and have equal policies.
    pub(crate) fn shares_all(&self, copy: &Self) -> bool {
        Arc::ptr_eq(&self.store, &copy.store) && self.policy == copy.policy
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar")
            .field("policy", &self.policy)
            .field("cookies", &self.iter().collect::<Vec<_>>())
            .finish()
    }
}
