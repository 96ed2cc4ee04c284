//! The last challenges of proxies.

use crate::base::secret::Secret;
use crate::message::digest::Terms;

/// Maximum number of proxies. Beyond it, the least recently used one is forgotten, and challenges
/// again.
const MOST: usize = 64;

/// The last challenge of each proxy, and the number of its uses. Calls through the proxy use it
/// before they are challenged.
#[derive(Default)]
pub(crate) struct ProxyChallenges {
    /// Ordered by last use: the most recent is last.
    known: Vec<Known>,
}

struct Known {
    /// The proxy with its credentials.
    proxy: Secret,
    terms: Terms,
    count: u32,
}

impl ProxyChallenges {
    /// Sets the challenge of a proxy, whose nonce was used so many times.
    pub(crate) fn put(&mut self, proxy: &[u8], terms: &Terms, count: u32) {
        let mut uses = count;
        if let Some(at) = self.find(proxy) {
            let before = self.known.remove(at);
            if before.terms.nonce == terms.nonce {
                uses = uses.max(before.count);
            }
        }
        if self.known.len() == MOST {
            self.known.remove(0);
        }
        self.known.push(Known { proxy: Secret(proxy.into()), terms: terms.clone(), count: uses });
    }

    /// The challenge of a proxy, and the number of its next use.
    pub(crate) fn next_use(&mut self, proxy: &[u8]) -> Option<(Terms, u32)> {
        let at = self.find(proxy)?;
        self.known[at..].rotate_left(1);
        let known = self.known.last_mut()?;
        known.count = known.count.saturating_add(1);
        Some((known.terms.clone(), known.count))
    }

    fn find(&self, proxy: &[u8]) -> Option<usize> {
        self.known.iter().position(|known| *known.proxy.0 == *proxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::challenge::challenges;

    fn terms(nonce: &str) -> Terms {
        let line = format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"");
        Terms::read(&challenges(line.as_bytes())[0], true).unwrap().0
    }

    #[test]
    fn each_use_of_a_nonce_has_a_number_of_its_own() {
        let mut known = ProxyChallenges::default();
        assert!(known.next_use(b"a").is_none());
        known.put(b"a", &terms("1"), 1);
        known.put(b"b", &terms("1"), 1);
        let mut next = |proxy: &[u8]| known.next_use(proxy).map(|(_, count)| count);
        assert_eq!([next(b"a"), next(b"a"), next(b"b")], [Some(2), Some(3), Some(2)]);
        // A call that was challenged with the same nonce, and another nonce.
        known.put(b"a", &terms("1"), 2);
        assert_eq!(known.next_use(b"a").unwrap().1, 4);
        known.put(b"a", &terms("2"), 1);
        assert_eq!(known.next_use(b"a").unwrap().1, 2);
    }

    #[test]
    fn the_proxy_that_was_not_used_for_longest_is_forgotten() {
        let mut known = ProxyChallenges::default();
        for number in 0..=MOST {
            known.put(&number.to_be_bytes(), &terms("1"), 1);
            known.next_use(&0_usize.to_be_bytes()).unwrap();
        }
        assert_eq!(known.known.len(), MOST);
        assert!(known.next_use(&0_usize.to_be_bytes()).is_some());
        assert!(known.next_use(&1_usize.to_be_bytes()).is_none());
    }
}
