//! Random values of the operating system.

use std::hash::{BuildHasher as _, RandomState};

use sessio::Seed;

/// A random seed of 256 bits.
pub(crate) fn of_the_system() -> Seed {
    let mut bits = [0; 32];
    if getrandom::fill(&mut bits).is_err() {
        // The standard library seeds its hashers with random values of the system. It has other
        // sources if necessary.
        for (number, word) in bits.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *word = RandomState::new().hash_one(number).to_le_bytes();
        }
    }
    Seed::from_bytes(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fa3_two_seeds_of_the_system_are_not_the_same() {
        assert_ne!(of_the_system(), of_the_system());
    }
}
