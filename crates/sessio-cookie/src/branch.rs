//! Merging the changes of a clone into the jar that it was cloned from.

use crate::jar::Jar;
use crate::unix_time::UnixTime;

impl Jar {
    /// Whether this jar and `copy`, a clone of it, are both unchanged since the clone was made.
    #[must_use]
    pub fn is_unchanged(&self, copy: &Self) -> bool {
        self.shares_all(copy)
    }

    /// Applies the changes from `base` to `changed` to this jar. This jar and `changed` began as
    /// clones of `base`, and each may have changed since. If both changed a cookie, that of
    /// `changed` wins.
    ///
    /// So a shared jar need not stay locked while a caller works on it. The caller clones the jar
    /// twice, changes the second clone, and applies its changes to the shared jar.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime, Url};
    ///
    /// let now = UnixTime(0);
    /// let url = Url::parse("http://a.test/")?;
    /// let mut jar = Jar::new();
    /// jar.extract(&url, [&b"old=1"[..], b"both=1"], now);
    /// let base = jar.clone();
    /// let mut changed = base.clone();
    /// changed.remove("old");
    /// changed.extract(&url, [&b"both=2"[..]], now);
    ///
    /// // Meanwhile a response comes.
    /// jar.extract(&url, [&b"new=1"[..], b"both=3"], now);
    /// jar.redo(&base, &changed, now);
    /// let mut line = Vec::new();
    /// jar.header(&url, now, &mut line);
    /// assert_eq!(line, b"both=2; new=1");
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn redo(&mut self, base: &Self, changed: &Self, now: UnixTime) {
        if changed.policy() != base.policy() {
            self.set_policy(changed.policy().clone());
        }
        for cookie in changed.iter().filter(|cookie| base.store().same(cookie) != Some(*cookie)) {
            self.put(cookie.clone(), now);
        }
        for cookie in base.store().iter().filter(|cookie| changed.store().same(cookie).is_none()) {
            self.store_mut().retain_at(cookie.domain(), |other| !other.is_same(cookie));
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::policy::Policy;
    use crate::unix_time::UnixTime;

    const NOW: UnixTime = UnixTime(1_000);

    fn now() -> UnixTime {
        NOW
    }

    fn set(jar: &mut Jar, host: &str, line: &str) {
        jar.insert_str(line, &Url::parse(&format!("http://{host}/")).unwrap(), now()).unwrap();
    }

    fn all(jar: &Jar) -> Vec<String> {
        let shown = |cookie: &crate::Cookie| {
            format!("{}@{}", String::from_utf8_lossy(cookie.pair()), cookie.domain())
        };
        let mut all: Vec<_> = jar.iter().map(shown).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn both_changes_are_kept_and_of_one_cookie_the_later() {
        let mut jar = Jar::new();
        for line in ["left=1", "gone=1", "gone-there=1", "both=1", "changed-there=1"] {
            set(&mut jar, "a.test", line);
        }
        set(&mut jar, "b.test", "gone=1");
        let base = jar.clone();
        let mut changed = base.clone();
        assert!(jar.is_unchanged(&base) && changed.is_unchanged(&base));
        changed.clear_domain("b.test");
        changed.remove("gone");
        set(&mut changed, "a.test", "both=2");
        set(&mut changed, "c.test", "new=1");
        assert!(!changed.is_unchanged(&base));

        jar.remove("gone-there");
        set(&mut jar, "a.test", "both=3");
        set(&mut jar, "a.test", "changed-there=2");
        set(&mut jar, "d.test", "came=1");
        // The base is as it was: a jar that shares its cookies copies them before it changes them.
        assert_eq!(base.len(), 6);
        jar.redo(&base, &changed, now());
        let expected =
            ["both=2@a.test", "came=1@d.test", "changed-there=2@a.test", "left=1@a.test", "new=1@c.test"];
        assert_eq!(all(&jar), expected);
    }

    #[test]
    fn a_changed_end_and_a_changed_policy_are_changes() {
        let mut jar = Jar::new();
        set(&mut jar, "a.test", "a=1; Max-Age=10");
        let base = jar.clone();
        let mut changed = base.clone();
        set(&mut changed, "a.test", "a=1; Max-Age=20");
        let mut policy = Policy::default();
        policy.limits.per_domain = 60;
        changed.set_policy(policy.clone());
        set(&mut jar, "a.test", "b=1");
        jar.redo(&base, &changed, now());
        assert_eq!(jar.get("a").unwrap().expires(), Some(UnixTime(NOW.0 + 20)));
        assert_eq!((jar.len(), jar.policy()), (2, &policy));

        // If the policy of the changed jar is that of the base, this jar keeps its own.
        let base = jar.clone();
        jar.set_policy(Policy::default());
        jar.redo(&base, &base.clone(), now());
        assert_eq!(jar.policy(), &Policy::default());
        assert!(!jar.is_unchanged(&base));
    }

    #[test]
    fn to_look_copies_nothing() {
        let mut jar = Jar::new();
        set(&mut jar, "a.test", "a=1");
        let copy = jar.clone();
        let url = Url::parse("http://a.test/").unwrap();
        assert_eq!((copy.matching(&url, now()).len(), copy.get("a").is_some(), copy.len()), (1, true, 1));
        assert!(jar.is_unchanged(&copy));
        // A request marks the cookies that it sends as used. A request to another host sends none.
        jar.header(&Url::parse("http://b.test/").unwrap(), now(), &mut Vec::new());
        assert!(jar.is_unchanged(&copy));
        jar.header(&url, now(), &mut Vec::new());
        assert!(!jar.is_unchanged(&copy));
    }
}
