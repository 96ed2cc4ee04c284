//! Public suffixes: names under which anybody can register, so that no cookie may span them.

use std::fmt;
use std::sync::Arc;

use super::host::{is_ip, lineage};

/// Which domains are public suffixes, such as `com`, `co.uk` and `github.io`. RFC 6265bis 5.7 step 9; rule 20.
///
/// ```
/// use sessio::cookie::PublicSuffixes;
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

    /// A list of your own. It is asked about lower-case names without a trailing dot.
    #[must_use]
    pub fn from_fn(contains: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(List::Custom(Arc::new(contains)))
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

    /// The registrable domain of a host: its longest public suffix and one label more. The host itself where it has none.
    #[must_use]
    pub fn registrable<'h>(&self, host: &'h str) -> &'h str {
        if is_ip(host) {
            return host;
        }
        let mut below = host;
        for name in lineage(host) {
            if self.contains(name) {
                break;
            }
            below = name;
        }
        below
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

#[cfg(all(test, feature = "psl"))]
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
        ] {
            assert_eq!(list.registrable(host), domain);
        }
    }
}
