//! Query parameters.

use crate::base::change::Change;
use crate::uri::address::form_encode;

/// Query parameters in order. A key may occur more than once. Keys are compared with case: `a` is
/// not `A` (rule M-09).
///
/// ```
/// let mut params = sessio::Params::new();
/// params.append("tag", "a b");
/// params.append("tag", "c");
/// assert_eq!(params.encode(), "tag=a+b&tag=c");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Creates an empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets a parameter. It replaces the first one of that key and removes the others.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        let Some(place) = self.0.iter().position(|(k, _)| *k == key) else {
            self.0.push((key, value));
            return;
        };
        let mut index = 0;
        self.0.retain(|(k, _)| {
            index += 1;
            index == place + 1 || *k != key
        });
        self.0[place].1 = value;
    }

    /// Adds a parameter at the end.
    pub fn append(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// Removes every parameter of that key.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(k, _)| k != key);
    }

    /// All parameters, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encodes the parameters as `application/x-www-form-urlencoded` (rule P-21).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        encode_pairs(self.iter(), &mut out);
        out
    }

    /// Applies a request's changes to the session's parameters. A changed key keeps the session's
    /// place and has the request's values. Other keys follow in the request's order (rules M-04,
    /// M-06).
    pub(crate) fn changed(&self, changes: &[(String, Change<String>)]) -> Self {
        let mut out = Vec::with_capacity(self.0.len() + changes.len());
        for (at, (key, value)) in self.0.iter().enumerate() {
            if changes.iter().all(|(k, change)| k != key || *change == Change::Inherit) {
                out.push((key.clone(), value.clone()));
            } else if self.0[..at].iter().all(|(earlier, _)| earlier != key) {
                out.extend(set(changes).filter(|(k, _)| k == key));
            }
        }
        out.extend(set(changes).filter(|(key, _)| self.0.iter().all(|(k, _)| k != key)));
        Self(out)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

fn set(changes: &[(String, Change<String>)]) -> impl Iterator<Item = (String, String)> {
    changes.iter().filter_map(|(key, change)| match change {
        Change::Set(value) => Some((key.clone(), value.clone())),
        Change::Inherit | Change::Remove => None,
    })
}

pub(crate) fn encode_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    for (index, (key, value)) in pairs.enumerate() {
        if index > 0 {
            out.push('&');
        }
        form_encode(key.as_bytes(), out);
        out.push('=');
        form_encode(value.as_bytes(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m04_m06_m09_m13_a_request_changes_the_sessions_parameters() {
        let session: Params = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        let set = |key: &str, value: &str| (key.to_owned(), Change::Set(value.to_owned()));
        let remove = |key: &str| (key.to_owned(), Change::Remove);
        for (changes, encoded) in [
            (vec![], "a=1&b=2&a=3"),
            (vec![set("b", "9")], "a=1&b=9&a=3"),
            (vec![set("a", "8"), set("c", "7"), set("a", "9")], "a=8&a=9&b=2&c=7"),
            (vec![remove("a")], "b=2"),
            (vec![remove("a"), set("A", "x")], "b=2&A=x"),
            (vec![remove("zz")], "a=1&b=2&a=3"),
        ] {
            assert_eq!(session.changed(&changes).encode(), encoded, "{changes:?}");
        }
    }

    #[test]
    fn insert_keeps_the_place() {
        let mut params: Params = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        params.insert("a", "9");
        assert_eq!(params.encode(), "a=9&b=2");
    }
}
