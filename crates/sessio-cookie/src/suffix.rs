//! Public suffixes: names under which the public can register, so that no cookie may span them.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "psl")]
use crate::host::is_ip;
use crate::host::lineage;

/// Which domains are public suffixes, such as `com`, `co.uk` and `github.io`. RFC 6265bis 5.7 step 9; rule 20.
///
/// ```
/// use sessio_cookie::PublicSuffixes;
///
/// # #[cfg(feature = "psl")] {
/// let list = PublicSuffixes::built_in();
/// assert!(list.contains("co.uk") && list.contains("github.io"));
/// assert_eq!(list.registrable("www.example.co.uk"), "example.co.uk");
/// # }
/// let mine = PublicSuffixes::from_fn(|domain| domain == "corp.internal");
/// assert!(mine.contains("corp.internal") && !mine.contains("a.corp.internal"));
/// ```
#[derive(Clone)]
pub struct PublicSuffixes(List);

#[derive(Clone)]
enum List {
    Off,
    SingleLabels,
    #[cfg(feature = "psl")]
    BuiltIn,
    Custom(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl PublicSuffixes {
    /// The list that is compiled in, with its private section.
    #[cfg(feature = "psl")]
    #[must_use]
    pub const fn built_in() -> Self {
        Self(List::BuiltIn)
    }

    /// Every name without a dot, and nothing else: what is left of the list without the feature `psl`.
    #[must_use]
    pub const fn single_labels() -> Self {
        Self(List::SingleLabels)
    }

    /// No public suffixes at all: `a.com` may then set a cookie for all of `com`.
    #[must_use]
    pub const fn off() -> Self {
        Self(List::Off)
    }

    /// A list of your own. It is asked about lower-case names without a trailing dot. A session of sessio calls it under no lock.
    #[must_use]
    pub fn from_fn(contains: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(List::Custom(Arc::new(contains)))
    }

    /// Whether the list is a function of the caller; see [`ResponseCookies`](crate::ResponseCookies).
    #[must_use]
    #[inline]
    pub const fn is_function(&self) -> bool {
        matches!(self.0, List::Custom(_))
    }

    /// Whether `domain`, in lower case, is a public suffix.
    #[must_use]
    pub fn contains(&self, domain: &str) -> bool {
        // `co.uk.` is the same registry as `co.uk`.
        let name = domain.strip_suffix('.').unwrap_or(domain);
        match &self.0 {
            List::Off => false,
            List::SingleLabels => !name.contains('.'),
            #[cfg(feature = "psl")]
            List::BuiltIn => !is_ip(name) && psl::suffix(name.as_bytes()).is_none_or(|suffix| suffix == name),
            List::Custom(contains) => contains(name),
        }
    }

    /// The registrable domain of a host: its public suffix and one label more. The host itself where it has none.
    #[must_use]
    pub fn registrable<'h>(&self, host: &'h str) -> &'h str {
        lineage(host).take_while(|name| !self.reaches(name, host)).last().unwrap_or(host)
    }

    /// Whether `domain`, which is `host` or a parent of it, is the public suffix of `host` or a parent of that. Such a
    /// parent need not be a public suffix by itself: `compute.amazonaws.com` is none, but what is one label below it is.
    pub(crate) fn reaches(&self, domain: &str, host: &str) -> bool {
        match &self.0 {
            #[cfg(feature = "psl")]
            List::BuiltIn => {
                let undotted = |name: &str| name.strip_suffix('.').unwrap_or(name).len();
                let name = &host[..undotted(host)];
                let suffix = || psl::suffix(name.as_bytes()).map_or(name.len(), |it| it.as_bytes().len());
                !is_ip(host) && undotted(domain) <= suffix()
            }
            _ => lineage(host).take_while(|up| up.len() >= domain.len()).any(|up| self.contains(up)),
        }
    }
}

/// A clone is the same list; two functions are not, whatever they say.
impl PartialEq for PublicSuffixes {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (List::Custom(this), List::Custom(other)) => Arc::ptr_eq(this, other),
            (this, other) => std::mem::discriminant(this) == std::mem::discriminant(other),
        }
    }
}

impl Default for PublicSuffixes {
    /// `built_in`, or [`single_labels`](Self::single_labels) without the feature `psl`.
    fn default() -> Self {
        #[cfg(feature = "psl")]
        return Self::built_in();
        #[cfg(not(feature = "psl"))]
        return Self::single_labels();
    }
}

impl fmt::Debug for PublicSuffixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            List::Off => "PublicSuffixes::off()",
            List::SingleLabels => "PublicSuffixes::single_labels()",
            #[cfg(feature = "psl")]
            List::BuiltIn => "PublicSuffixes::built_in()",
            List::Custom(_) => "PublicSuffixes::from_fn(..)",
        })
    }
}

#[cfg(feature = "psl")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v65_the_list_and_its_private_part() {
        let list = PublicSuffixes::built_in();
        for suffix in ["com", "co.uk", "github.io", "com.", "unlisted", "localhost"] {
            assert!(list.contains(suffix), "{suffix}");
        }
        for name in ["example.com", "a.github.io", "a.unlisted", "127.0.0.1", "[::1]"] {
            assert!(!list.contains(name), "{name}");
        }
    }

    #[test]
    fn registrable_domains() {
        let list = PublicSuffixes::built_in();
        for (host, domain) in [
            ("a.b.example.com", "example.com"),
            ("example.com", "example.com"),
            ("com", "com"),
            ("a.co.uk", "a.co.uk"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
            ("www.example.com.", "example.com."),
            // A wildcard, an exception from it, and what the wildcard hangs from.
            ("a.b.c.kobe.jp", "b.c.kobe.jp"),
            ("c.kobe.jp", "c.kobe.jp"),
            ("www.city.kobe.jp", "city.kobe.jp"),
            ("kobe.jp", "kobe.jp"),
            ("www.www.ck", "www.ck"),
        ] {
            assert_eq!(list.registrable(host), domain);
        }
    }

    #[test]
    fn v65_what_reaches_beyond_the_suffix_of_a_host() {
        let list = PublicSuffixes::built_in();
        let mine = PublicSuffixes::from_fn(|name| matches!(name, "com" | "b.corp.com"));
        for (list, host, domain, expected) in [
            (&list, "a.us-east-1.compute.amazonaws.com", "a.us-east-1.compute.amazonaws.com", false),
            (&list, "a.us-east-1.compute.amazonaws.com", "us-east-1.compute.amazonaws.com", true),
            (&list, "a.us-east-1.compute.amazonaws.com", "compute.amazonaws.com", true),
            (&list, "a.us-east-1.compute.amazonaws.com", "amazonaws.com", true),
            (&list, "docs.amazonaws.com", "amazonaws.com", false),
            (&list, "www.city.kobe.jp", "city.kobe.jp", false),
            (&list, "www.city.kobe.jp", "kobe.jp", true),
            (&list, "www.example.com.", "example.com.", false),
            (&list, "www.example.com.", "com.", true),
            (&list, "127.0.0.1", "127.0.0.1", false),
            (&mine, "a.b.corp.com", "a.b.corp.com", false),
            (&mine, "a.b.corp.com", "corp.com", true),
            (&mine, "c.corp.com", "corp.com", false),
        ] {
            assert_eq!(list.reaches(domain, host), expected, "{domain} {host}");
        }
    }
}
