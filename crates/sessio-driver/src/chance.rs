//! Chance from the operating system.

use std::hash::{BuildHasher as _, RandomState};

use sessio::Seed;

/// A seed of 256 bits that nobody else has.
pub(crate) fn of_the_system() -> Seed {
    let mut bits = [0; 32];
    if getrandom::fill(&mut bits).is_err() {
        // Every hasher of the standard library has keys that the system drew, by other ways if need be.
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
