//! A key and a value, for queries and forms.

/// A key and a value of a query or a form: a pair, or a reference to one. The key is text, and the
/// value is anything that can be shown: text, a number, a truth value.
///
/// ```
/// use std::collections::BTreeMap;
/// use sessio::Request;
///
/// let map = BTreeMap::from([("page", 2), ("size", 50)]);
/// let request = Request::get("http://example.org/").query(&[("tag", "a b"), ("tag", "c")]).query(&map);
/// # let _ = request;
/// ```
pub trait Pair {
    /// The key and the value as text.
    fn into_texts(self) -> (String, String);
}

impl<K: AsRef<str>, V: ToString> Pair for (K, V) {
    fn into_texts(self) -> (String, String) {
        (self.0.as_ref().to_owned(), self.1.to_string())
    }
}

impl<K: AsRef<str>, V: ToString> Pair for &(K, V) {
    fn into_texts(self) -> (String, String) {
        (self.0.as_ref().to_owned(), self.1.to_string())
    }
}
