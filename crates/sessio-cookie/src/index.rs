//! The index from the name of a host to its bucket.
//!
//! The hasher is fixed, since the jar draws no random numbers. Names come from peers, and a peer
//! might choose names that collide. But a name enters the jar only if the client visits it or a
//! host below it, and [`Limits::total`](crate::Limits) bounds their number. An attacker needs
//! thousands of visited names to make one request some microseconds slower.

use std::hash::{BuildHasherDefault, Hasher};

/// The bucket of each host. The order of the map is not visible outside.
pub(crate) type Index = std::collections::HashMap<Box<str>, u32, BuildHasherDefault<HostHasher>>;

/// Odd constants without a pattern.
const START: u64 = 0xf39c_c060_5ced_c835;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const LENGTH: u64 = 0xd6e8_feb8_6659_fd93;

/// A hasher that reads eight bytes at a time and mixes them by a folded multiplication.
#[derive(Clone, Copy, Default)]
pub(crate) struct HostHasher(u64);

impl HostHasher {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word ^ START) * u128::from(FACTOR);
        self.0 = (wide as u64) ^ (wide >> 64) as u64;
    }
}

impl Hasher for HostHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        // The last bytes. In a name of eight bytes or more, they overlap the word before them.
        let tail = match (bytes.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
            (Some(last), ..) => u64::from_le_bytes(*last),
            (None, Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
            }
            _ => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        self.mix(tail ^ (bytes.len() as u64).wrapping_mul(LENGTH));
    }

    /// The end mark that `str` adds to its hash. It is ignored, since the hash includes the length.
    fn write_u8(&mut self, _end: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn names_that_look_alike_hash_apart() {
        let build = BuildHasherDefault::<HostHasher>::default();
        let names =
            (0..100_000).flat_map(|n| [format!("h{n}.example.com"), format!("{n}"), format!("w.{n}.net")]);
        let hashes: Vec<u64> =
            names.chain([String::new(), "\0".into()]).map(|name| build.hash_one(name.as_str())).collect();
        let distinct = |shift: u32| hashes.iter().map(|hash| hash >> shift).collect::<HashSet<_>>().len();
        assert_eq!(distinct(0), hashes.len());
        // The table uses the low bits and the top seven.
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xffff).collect();
        assert!(low.len() > 64_500, "{}", low.len());
        assert_eq!(distinct(57), 128);
    }
}
