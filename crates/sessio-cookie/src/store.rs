//! The cookies of a jar, in one bucket for each domain.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Bound;

use crate::host::{domain_match, lineage};
use crate::index::Index;
use crate::policy::{Limits, Policy};
use crate::record::Cookie;
use crate::unix_time::UnixTime;

/// All cookies of a jar.
#[derive(Clone, Default)]
pub(crate) struct Store {
    index: Index,
    buckets: Vec<Bucket>,
    len: usize,
    /// The domains that have, or had, a `Secure` cookie. The bytes of each are reversed, so that
    /// all hosts below a domain are one range.
    secure: BTreeSet<Box<[u8]>>,
}

/// The cookies of one domain, host-only or not. They have the order of the header: longest path
/// first, then oldest first.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    pub(crate) cookies: Vec<Cookie>,
    /// Whether the domain is a public suffix. Set with the first cookie for all hosts of the
    /// domain.
    pub(crate) suffix: Option<bool>,
    /// Whether the domain is in `Store::secure`.
    secure: bool,
}

/// The outcome for a cookie that passed all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is stored, and replaced none.
    Stored,
    /// It replaced the one with the same name, domain, path and host-only flag.
    Replaced,
    /// It is expired already, and the cookie that it replaces was removed.
    Deleted,
    /// It is expired already, and there was no cookie to remove.
    NothingToDelete,
}

impl Store {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find(&self, domain: &str) -> Option<usize> {
        self.index.get(domain).map(|&at| at as usize)
    }

    pub(crate) fn bucket(&self, at: usize) -> &Bucket {
        &self.buckets[at]
    }

    pub(crate) fn cookie_mut(&mut self, bucket: usize, place: usize) -> &mut Cookie {
        &mut self.buckets[bucket].cookies[place]
    }

    /// The cookie with the name, domain, path and host-only flag of this one.
    pub(crate) fn same(&self, cookie: &Cookie) -> Option<&Cookie> {
        let bucket = &self.buckets[self.find(cookie.domain())?];
        bucket.cookies.iter().find(|other| other.is_same(cookie))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.buckets.iter().flat_map(|bucket| &bucket.cookies)
    }

    /// Stores a cookie and makes room for it. Returns the outcome, and how many other cookies were
    /// removed. Rules 31, 32 and 34.
    ///
    /// `cookie.order` is that of a new cookie; a replaced one passes on its own. `suffix` says
    /// whether the domain is a public suffix. If it is `None`, the policy decides.
    pub(crate) fn put(
        &mut self,
        mut cookie: Cookie,
        now: UnixTime,
        policy: &Policy,
        suffix: Option<bool>,
    ) -> (Outcome, usize) {
        let ended = cookie.is_expired(now);
        let at = match self.find(cookie.domain()) {
            Some(at) => at,
            None if ended => return (Outcome::NothingToDelete, 0),
            None => self.add_bucket(cookie.domain()),
        };
        let bucket = &mut self.buckets[at];
        let mut outcome = if ended { Outcome::NothingToDelete } else { Outcome::Stored };
        if let Some(place) = bucket.cookies.iter().position(|old| old.is_same(&cookie)) {
            // An expired cookie counts as gone, even before it is removed.
            let old = &bucket.cookies[place];
            if !old.is_expired(now) {
                outcome = if ended { Outcome::Deleted } else { Outcome::Replaced };
                (cookie.order, cookie.created) = (old.order, old.created);
            }
            bucket.cookies.remove(place);
            self.len -= 1;
        }
        if ended {
            if bucket.cookies.is_empty() {
                self.drop_bucket(at, cookie.domain());
            }
            return (outcome, 0);
        }
        if !cookie.host_only && bucket.suffix.is_none() {
            bucket.suffix = Some(suffix.unwrap_or_else(|| is_suffix(cookie.domain(), policy)));
        }
        if cookie.secure && !bucket.secure {
            self.secure.insert(reversed(cookie.domain()));
            bucket.secure = true;
        }
        let key = |cookie: &Cookie| (Reverse(cookie.path_len()), cookie.order);
        let place = bucket.cookies.partition_point(|old| key(old) < key(&cookie));
        bucket.cookies.insert(place, cookie);
        self.len += 1;
        (outcome, self.evict(at, policy.limits.raised(), now))
    }

    /// Looks up again which domains are public suffixes.
    pub(crate) fn reconsider(&mut self, policy: &Policy) {
        for bucket in &mut self.buckets {
            let (Some(_), Some(first)) = (bucket.suffix, bucket.cookies.first()) else { continue };
            bucket.suffix = Some(is_suffix(first.domain(), policy));
        }
    }

    /// Whether `new`, from an insecure host, would shadow a `Secure` cookie of its own domain, of a
    /// parent, or of a domain below. Rule 25.
    pub(crate) fn shadows_secure(&self, new: &Cookie, now: UnixTime) -> bool {
        if self.secure.is_empty() {
            return false;
        }
        let domain = new.domain();
        let mut above = lineage(domain).filter_map(|name| self.find(name));
        if above.any(|at| self.buckets[at].shadowed_by(new, now)) {
            return true;
        }
        let prefix = [&*reversed(domain), b"."].concat();
        let from = (Bound::Included(&*prefix), Bound::Unbounded);
        let below = self.secure.range::<[u8], _>(from).take_while(|name| name.starts_with(&prefix));
        below
            .filter_map(|name| String::from_utf8(name.iter().rev().copied().collect()).ok())
            .filter(|name| domain_match(name, domain))
            .filter_map(|name| self.find(&name))
            .any(|at| self.buckets[at].shadowed_by(new, now))
    }

    /// Removes the cookies for which `keep` returns false, and returns their number.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Cookie) -> bool) -> usize {
        (0..self.buckets.len()).rev().map(|at| self.retain_in(at, &mut keep)).sum()
    }

    /// As `retain`, for one domain.
    pub(crate) fn retain_at(&mut self, domain: &str, mut keep: impl FnMut(&Cookie) -> bool) -> usize {
        self.find(domain).map_or(0, |at| self.retain_in(at, &mut keep))
    }

    fn retain_in(&mut self, at: usize, keep: &mut impl FnMut(&Cookie) -> bool) -> usize {
        let cookies = &mut self.buckets[at].cookies;
        let (mut gone, mut last) = (0, None);
        for cookie in cookies.extract_if(.., |cookie| !keep(cookie)) {
            gone += 1;
            last = Some(cookie);
        }
        self.len -= gone;
        if let (true, Some(last)) = (cookies.is_empty(), last) {
            self.drop_bucket(at, last.domain());
        }
        gone
    }

    /// Removes all cookies of one domain and returns them.
    pub(crate) fn take(&mut self, domain: &str) -> Vec<Cookie> {
        let Some(at) = self.find(domain) else { return Vec::new() };
        let cookies = std::mem::take(&mut self.buckets[at].cookies);
        self.len -= cookies.len();
        self.drop_bucket(at, domain);
        cookies
    }

    /// Makes room in one bucket, and then in the whole jar. Returns how many cookies were removed.
    /// Rule 34.
    fn evict(&mut self, at: usize, limits: Limits, now: UnixTime) -> usize {
        let mut gone = 0;
        if self.buckets[at].cookies.len() > limits.per_domain {
            gone += self.retain_in(at, &mut |cookie| !cookie.is_expired(now));
            // The new cookie is not expired, so the bucket is not empty and still exists.
            while let Some(surplus) = self.buckets[at].surplus(limits.per_domain) {
                gone += self.retain_in(at, &mut |cookie| cookie.order != surplus);
            }
        }
        if self.len > limits.total {
            gone += self.retain(|cookie| !cookie.is_expired(now));
        }
        if self.len > limits.total {
            let left = (limits.total - limits.total / 11).max(3000);
            let mut uses: Vec<_> = self.iter().map(|cookie| (cookie.used, cookie.order)).collect();
            let surplus = uses.len() - left;
            let (_, &mut oldest_kept, _) = uses.select_nth_unstable(surplus);
            gone += self.retain(|cookie| (cookie.used, cookie.order) >= oldest_kept);
        }
        gone
    }

    fn add_bucket(&mut self, domain: &str) -> usize {
        let at = self.buckets.len();
        self.index.insert(domain.into(), at as u32);
        self.buckets.push(Bucket::default());
        at
    }

    /// Removes an empty bucket. The last one moves to its index.
    fn drop_bucket(&mut self, at: usize, domain: &str) {
        self.index.remove(domain);
        if self.buckets.swap_remove(at).secure {
            self.secure.remove(&reversed(domain));
        }
        let moved = self.buckets.get(at).and_then(|bucket| bucket.cookies.first());
        if let Some(slot) = moved.and_then(|cookie| self.index.get_mut(cookie.domain())) {
            *slot = at as u32;
        }
    }
}

impl Bucket {
    fn shadowed_by(&self, new: &Cookie, now: UnixTime) -> bool {
        self.secure && self.cookies.iter().any(|cookie| cookie.is_shadowed_by(new) && !cookie.is_expired(now))
    }

    /// The order of the cookie to remove from a domain with too many. Cookies without `Secure` come
    /// first, and among equals the least recently used one.
    fn surplus(&self, limit: usize) -> Option<u64> {
        let first = self.cookies.iter().min_by_key(|cookie| (cookie.secure, cookie.used, cookie.order));
        first.filter(|_| self.cookies.len() > limit).map(|cookie| cookie.order)
    }
}

fn is_suffix(domain: &str, policy: &Policy) -> bool {
    !domain.is_empty() && policy.suffixes.contains(domain)
}

fn reversed(domain: &str) -> Box<[u8]> {
    domain.bytes().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_what_went() {
        let (mut store, policy) = (Store::default(), Policy::default());
        for domain in ["a.example", "b.example", "c.example"] {
            for name in [b"x", b"y"] {
                let mut cookie = Cookie::new(name, b"1", b"/", domain).unwrap();
                cookie.secure = true;
                store.put(cookie, UnixTime(0), &policy, None);
            }
        }
        assert_eq!((store.take("a.example").len(), store.len()), (2, 4));
        assert_eq!(store.retain_at("c.example", |_| false), 2);
        assert_eq!(store.retain(|cookie| cookie.name() == b"y"), 1);
        let mut ended = store.iter().next().cloned().unwrap();
        ended.expires = -1;
        assert_eq!(store.put(ended, UnixTime(0), &policy, None), (Outcome::Deleted, 0));
        assert_eq!((store.len(), store.index.len(), store.buckets.len(), store.secure.len()), (0, 0, 0, 0));
    }
}
