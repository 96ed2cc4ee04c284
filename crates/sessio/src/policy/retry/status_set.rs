//! Sets of status codes.

use std::fmt;

use http::StatusCode;

/// Number of status codes that exist: 100 to 999.
const CODES: usize = 900;

/// A set of status codes.
///
/// ```
/// use sessio::retry::StatusSet;
///
/// let mut statuses = StatusSet::new([429, 503]);
/// statuses.insert(500);
/// assert!(statuses.contains(500) && !statuses.contains(404));
/// assert_eq!(statuses.iter().collect::<Vec<_>>(), [429, 500, 503]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusSet([u64; CODES.div_ceil(64)]);

impl StatusSet {
    /// The set of these codes. Numbers that are no status code are ignored.
    #[must_use]
    pub fn new(codes: impl IntoIterator<Item = u16>) -> Self {
        let mut set = Self::default();
        codes.into_iter().for_each(|code| set.insert(code));
        set
    }

    /// Adds a code. A number that is no status code, 100 to 999, is ignored.
    pub fn insert(&mut self, code: u16) {
        if let Some((word, bit)) = place(code) {
            self.0[word] |= bit;
        }
    }

    /// Removes a code.
    pub fn remove(&mut self, code: u16) {
        if let Some((word, bit)) = place(code) {
            self.0[word] &= !bit;
        }
    }

    /// Whether the set has this code.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        place(code).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }

    /// The codes, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (100..1000).filter(|code| self.contains(*code))
    }
}

fn place(code: u16) -> Option<(usize, u64)> {
    let at = usize::from(code.checked_sub(100)?);
    (at < CODES).then_some((at / 64, 1 << (at % 64)))
}

impl From<StatusCode> for StatusSet {
    fn from(code: StatusCode) -> Self {
        Self::new([code.as_u16()])
    }
}

impl fmt::Debug for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_it_alone() {
        for code in 100..1000 {
            let set = StatusSet::new([code]);
            assert!(set.iter().eq([code]), "{code}");
            assert!(set.contains(code));
            let mut none = set;
            none.remove(code);
            assert_eq!(none, StatusSet::default());
        }
        for code in [0, 1, 99, 1000, u16::MAX] {
            let mut set = StatusSet::new([code, 200]);
            set.remove(code);
            assert!(set.iter().eq([200]) && !set.contains(code));
        }
    }
}
