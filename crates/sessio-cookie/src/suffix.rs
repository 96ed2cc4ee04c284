//! Public suffixes: names under which the public can register. A cookie must not span one.

mod rules;

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "psl")]
use std::sync::LazyLock;

use self::rules::Rules;
use crate::host::{is_ip, lineage};

pub use self::rules::InvalidSuffixList;

/// The compiled-in list. Its first use builds the index, in about two milliseconds.
#[cfg(feature = "psl")]
static BUILT_IN: LazyLock<Rules> =
    LazyLock::new(|| Rules::index(include_str!("../data/public_suffixes.txt").into()));

/// The set of public suffixes, such as `com`, `co.uk` and `github.io`. RFC 6265bis 5.7 step 9; rule
/// 20.
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
    Parsed(Arc<Rules>),
    Custom(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl PublicSuffixes {
    /// The compiled-in list with its private section, by publicsuffix.org of 2026-10-22. A newer
    /// one can be [parsed](Self::parse).
    #[cfg(feature = "psl")]
    #[must_use]
    pub const fn built_in() -> Self {
        Self(List::BuiltIn)
    }

    /// A list in the format of publicsuffix.org, as `public_suffix_list.dat`. Both of its sections
    /// count. Names may be in Unicode. The list changes several times a month.
    ///
    /// ```
    /// use sessio_cookie::{Jar, Policy, PublicSuffixes};
    ///
    /// // Read from a file that is fetched once a day.
    /// let text = "// Countries\ncom\n*.ck\n!www.ck\n公司.cn";
    /// let list = PublicSuffixes::parse(text)?;
    /// assert!(list.contains("com") && list.contains("any.ck") && list.contains("xn--55qx5d.cn"));
    /// assert!(!list.contains("www.ck"));
    ///
    /// let mut policy = Policy::default();
    /// policy.suffixes = list;
    /// let jar = Jar::with_policy(policy);
    /// # let _ = jar;
    /// # Ok::<(), sessio_cookie::InvalidSuffixList>(())
    /// ```
    ///
    /// # Errors
    /// The text has no rule, or a line is not a rule. So a page of HTML is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidSuffixList> {
        Ok(Self(List::Parsed(Arc::new(Rules::parse(text)?))))
    }

    /// The rules of the list, one a line, in ASCII and without comments. [`parse`](Self::parse)
    /// reads them. `None` if the list has no rules: it is a function, `single_labels`, or switched
    /// off.
    #[must_use]
    pub fn rules(&self) -> Option<&str> {
        self.table().map(Rules::text)
    }

    /// Every name without a dot, and nothing else. This is the default without the feature `psl`.
    #[must_use]
    pub const fn single_labels() -> Self {
        Self(List::SingleLabels)
    }

    /// No public suffixes at all: `a.com` may then set a cookie for all of `com`.
    #[must_use]
    pub const fn off() -> Self {
        Self(List::Off)
    }

    /// A list as a function. It is called with lower-case names without a trailing dot. A session
    /// of sessio calls it without holding a lock.
    #[must_use]
    pub fn from_fn(contains: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(List::Custom(Arc::new(contains)))
    }

    /// Whether the list is a function of the caller; see
    /// [`ResponseCookies`](crate::ResponseCookies).
    #[must_use]
    #[inline]
    pub const fn is_function(&self) -> bool {
        matches!(self.0, List::Custom(_))
    }

    fn table(&self) -> Option<&Rules> {
        match &self.0 {
            #[cfg(feature = "psl")]
            List::BuiltIn => Some(&BUILT_IN),
            List::Parsed(rules) => Some(rules),
            _ => None,
        }
    }

    /// Whether `domain`, in lower case, is a public suffix.
    #[must_use]
    pub fn contains(&self, domain: &str) -> bool {
        // The names `co.uk.` and `co.uk` are of one registry.
        let name = domain.strip_suffix('.').unwrap_or(domain);
        match &self.0 {
            List::Off => false,
            List::SingleLabels => !name.contains('.'),
            List::Custom(contains) => contains(name),
            _ => !is_ip(name) && self.table().is_some_and(|it| it.suffix_len(name) == name.len()),
        }
    }

    /// The registrable domain of a host: its public suffix and one more label. It is the host
    /// itself if it has none.
    #[must_use]
    pub fn registrable<'h>(&self, host: &'h str) -> &'h str {
        lineage(host).take_while(|name| !self.reaches(name, host)).last().unwrap_or(host)
    }

    /// Whether `domain`, which is `host` or a parent of it, is the public suffix of `host` or above
    /// it. A name above it need not be a public suffix itself. For example, `compute.amazonaws.com`
    /// is none, but each name one label below it is.
    pub(crate) fn reaches(&self, domain: &str, host: &str) -> bool {
        match self.table() {
            Some(rules) => {
                let undotted = |name: &str| name.strip_suffix('.').unwrap_or(name).len();
                let name = &host[..undotted(host)];
                !is_ip(host) && undotted(domain) <= rules.suffix_len(name)
            }
            None => lineage(host).take_while(|up| up.len() >= domain.len()).any(|up| self.contains(up)),
        }
    }
}

/// Lists with the same rules are equal. A function equals its clones only.
impl PartialEq for PublicSuffixes {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (List::Custom(this), List::Custom(other)) => Arc::ptr_eq(this, other),
            (List::Parsed(this), List::Parsed(other)) => this.text() == other.text(),
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
            List::Parsed(_) => "PublicSuffixes::parse(..)",
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
            // A wildcard, an exception from it, and the parent of the wildcard.
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
