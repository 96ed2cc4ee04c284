//! The mounts of a session, and the lookup of the one that applies.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use url::Url;

use crate::base::fnv::Fnv;
use crate::error::Result;
use crate::session::mount::Mount;
use crate::uri::pattern::{UrlPattern, path_of};

/// Mounts by the patterns of their URLs. Default: none. A clone allocates nothing until one of the
/// two is changed.
///
/// The longest pattern that matches applies, and no other. The order of adding makes no difference.
/// The host decides first: a whole name is longer than `*.example.org`, which is longer than no
/// host. Then the longer path wins. See [`UrlPattern`] for the rules.
///
/// Options are merged in this order: session, mount, request. The mount is chosen when the request
/// is merged, and again for each redirect. [`Prepared::mount`](crate::Prepared::mount) is the
/// pattern that applied.
///
/// A mount with a [transport](crate::transport) may have any scheme, such as `mock://`. Redirects may
/// lead there too. Cookies are for `http` and `https` alone.
///
/// # Redirects
///
/// A mount's credentials are for its pattern alone. These are its `auth`, its cookies, its client
/// certificate, and those of its headers that a redirect to another origin would drop.
///
/// - A redirect out of the pattern drops them, also within one origin.
/// - A redirect from elsewhere into the pattern does not get them. It gets the other headers, TLS
///   settings, time limits, limits and proxy. It loses the credentials of the session that the mount
///   replaces.
/// - The whole call keeps its `total` time limit, its observers and progress callbacks. Query
///   parameters are for the first request only.
/// - The [hooks](crate::hook) of a mount run for the hops to its URLs.
///
/// ```
/// use sessio::{Jar, Mount, Now, Request, Settings, UnixTime, merge, prepare};
///
/// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
/// let mut settings = Settings::default();
/// settings.mounts.add("https://api.example.org/", Mount::new().bearer_auth("secret"))?;
/// settings.mounts.add("https://api.example.org/public/", Mount::new().without_auth())?;
/// let ask = |url| prepare(merge(&settings, Request::get(url)), &mut Jar::new(), now).map(|it| it.request);
///
/// let users = ask("https://api.example.org/users")?;
/// assert_eq!(users.mount().unwrap().to_string(), "https://api.example.org/");
/// assert_eq!(users.headers().get("Authorization"), Some("Bearer secret"));
/// let public = ask("https://api.example.org/public/news")?;
/// assert_eq!(public.mount().unwrap().to_string(), "https://api.example.org/public/");
/// assert!(!public.headers().contains("Authorization"));
/// assert_eq!(ask("https://api.example.org.evil.test/")?.mount(), None);
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Mounts(
    /// `None` without mounts, as in most sessions.
    Option<Arc<Table>>,
);

#[derive(Clone, Default)]
struct Table {
    /// Ascending by key.
    sites: Vec<Site>,
    /// Number of patterns with `*.`.
    wildcards: usize,
    /// Number of patterns without a host.
    hostless: usize,
    /// The schemes that transports carry, apart from `http` and `https`.
    schemes: Arc<[Box<str>]>,
}

/// The mounts of one scheme, host and port.
#[derive(Clone)]
struct Site {
    key: u64,
    /// Ascending by path.
    entries: Vec<Entry>,
    /// Hashes of the first segments of the paths, ascending. The path `/` has none.
    segments: Vec<u64>,
}

/// One mount and its pattern.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) pattern: Arc<UrlPattern>,
    pub(crate) mount: Arc<Mount>,
    /// The index of the longest other path of this site that is a prefix of this one as text.
    parent: Option<usize>,
}

impl Mounts {
    /// Mounts on the URLs of a pattern, in place of an earlier mount on the same pattern.
    ///
    /// # Errors
    /// - [`Kind::InvalidUrl`](crate::Kind::InvalidUrl) or
    ///   [`Kind::MissingScheme`](crate::Kind::MissingScheme): the text is no [pattern](UrlPattern).
    /// - The first error of the mount's builder methods.
    pub fn add(&mut self, pattern: &str, mut mount: Mount) -> Result<()> {
        if let Some(problem) = mount.problem.take() {
            return Err(problem);
        }
        let pattern = UrlPattern::parse(pattern)?;
        let table = Arc::make_mut(self.0.get_or_insert_default());
        table.remove(&pattern);
        table.insert(Entry { pattern: Arc::new(pattern), mount: Arc::new(mount), parent: None });
        table.list_schemes();
        Ok(())
    }

    /// Removes the mount on exactly this pattern. Returns `true` if there was one.
    pub fn remove(&mut self, pattern: &str) -> bool {
        let Ok(pattern) = UrlPattern::parse(pattern) else { return false };
        let Some(table) = self.0.as_mut().map(Arc::make_mut) else { return false };
        let removed = table.remove(&pattern);
        table.list_schemes();
        if table.sites.is_empty() {
            self.0 = None;
        }
        removed
    }

    /// Removes all mounts.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Whether there are no mounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The mount that applies to a URL, and its pattern.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<(&UrlPattern, &Mount)> {
        self.find(url).map(|entry| (&*entry.pattern, &*entry.mount))
    }

    /// Iterates over the mounts, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&UrlPattern, &Mount)> {
        let sites = self.0.iter().flat_map(|table| &table.sites);
        sites.flat_map(|site| &site.entries).map(|entry| (&*entry.pattern, &*entry.mount))
    }

    /// The schemes that transports carry, apart from `http` and `https`.
    pub(crate) fn schemes(&self) -> Arc<[Box<str>]> {
        self.0.as_ref().map_or_else(Arc::default, |table| Arc::clone(&table.schemes))
    }

    pub(crate) fn find(&self, url: &Url) -> Option<&Entry> {
        let table = self.0.as_deref()?;
        let host = url.host_str().unwrap_or_default();
        let (scheme, port) = (url.scheme(), url.port_or_known_default());
        let found = table.site(scheme, host, port).and_then(|site| site.find(url));
        if found.is_some() {
            return found;
        }
        if table.wildcards > 0 {
            // The first dot begins the longest suffix.
            for (dot, _) in host.match_indices('.').filter(|(dot, _)| *dot > 0) {
                let found = table.site(scheme, &host[dot..], port).and_then(|site| site.find(url));
                if found.is_some() {
                    return found;
                }
            }
        }
        if table.hostless == 0 {
            return None;
        }
        table.site(scheme, "", None)?.find(url)
    }
}

impl Table {
    fn site(&self, scheme: &str, host: &str, port: Option<u16>) -> Option<&Site> {
        self.place(key(scheme, host, port)).ok().map(|at| &self.sites[at])
    }

    fn place(&self, key: u64) -> Result<usize, usize> {
        self.sites.binary_search_by_key(&key, |site| site.key)
    }

    fn insert(&mut self, entry: Entry) {
        let (scheme, host, port) = entry.pattern.site();
        let key = key(scheme, host, port);
        self.wildcards += usize::from(entry.pattern.is_below());
        self.hostless += usize::from(host.is_empty());
        let at = self.place(key).unwrap_or_else(|at| {
            self.sites.insert(at, Site { key, entries: Vec::new(), segments: Vec::new() });
            at
        });
        let site = &mut self.sites[at];
        let at = site.entries.partition_point(|other| other.pattern.path() < entry.pattern.path());
        site.entries.insert(at, entry);
        site.link();
    }

    fn list_schemes(&mut self) {
        let entries = self.sites.iter().flat_map(|site| &site.entries);
        let carried = entries.filter(|entry| entry.mount.transport.is_some());
        let mut schemes: Vec<Box<str>> = carried.map(|entry| entry.pattern.scheme().into()).collect();
        schemes.retain(|scheme| !matches!(&**scheme, "http" | "https"));
        schemes.sort_unstable();
        schemes.dedup();
        self.schemes = schemes.into();
    }

    fn remove(&mut self, pattern: &UrlPattern) -> bool {
        let (scheme, host, port) = pattern.site();
        let is_hostless = host.is_empty();
        let Ok(at) = self.place(key(scheme, host, port)) else { return false };
        let site = &mut self.sites[at];
        let Some(index) = site.entries.iter().position(|entry| *entry.pattern == *pattern) else {
            return false;
        };
        site.entries.remove(index);
        site.link();
        self.wildcards -= usize::from(pattern.is_below());
        self.hostless -= usize::from(is_hostless);
        if self.sites[at].entries.is_empty() {
            self.sites.remove(at);
        }
        true
    }
}

impl Site {
    /// The entry with the longest path that matches.
    ///
    /// Every path that is a prefix of the URL's path is a prefix of the last path that does not sort
    /// after it. So the search follows the parents of that one.
    fn find(&self, url: &Url) -> Option<&Entry> {
        let path = path_of(url);
        // Patterns match whole segments. With 50 paths this saves 500 instructions of a request that
        // none of them matches.
        if self.segments.binary_search(&first_segment(path)).is_err() {
            return self
                .entries
                .first()
                .filter(|entry| entry.pattern.path() == "/" && entry.pattern.matches(url));
        }
        let after = self.entries.partition_point(|entry| entry.pattern.path() <= path);
        let mut at = after.checked_sub(1);
        while let Some(entry) = at.and_then(|at| self.entries.get(at)) {
            // Two sites may have one key: the pattern decides.
            if entry.pattern.matches(url) {
                return Some(entry);
            }
            at = entry.parent;
        }
        None
    }

    fn link(&mut self) {
        for at in 0..self.entries.len() {
            let (before, rest) = self.entries.split_at_mut(at);
            let Some(entry) = rest.first_mut() else { continue };
            let path = entry.pattern.path();
            entry.parent = before.iter().rposition(|other| path.starts_with(other.pattern.path()));
        }
        let paths = self.entries.iter().map(|entry| entry.pattern.path()).filter(|path| *path != "/");
        self.segments = paths.map(first_segment).collect();
        self.segments.sort_unstable();
        self.segments.dedup();
    }
}

/// The hash of the first segment of a path.
fn first_segment(path: &str) -> u64 {
    let path = path.strip_prefix('/').unwrap_or(path);
    let end = path.bytes().position(|b| b == b'/').unwrap_or(path.len());
    let mut hash = Fnv::default();
    hash.write(&path.as_bytes()[..end]);
    hash.finish()
}

/// The key of a site. Hosts are hashed in lower case: schemes other than those of the web leave the
/// case of their hosts.
fn key(scheme: &str, host: &str, port: Option<u16>) -> u64 {
    let mut hash = Fnv::default();
    hash.write(scheme.as_bytes());
    hash.write_u32(port.map_or(u32::MAX, u32::from));
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        hash.write(host.to_ascii_lowercase().as_bytes());
    } else {
        hash.write(host.as_bytes());
    }
    hash.finish()
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(pattern, mount)| (pattern.to_string(), mount))).finish()
    }
}

#[cfg(test)]
mod tests;
