//! One case, read field by field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Failure, Object};

/// The fields of an object. A `null` field counts as missing.
#[derive(Clone, Copy)]
pub(super) struct Case<'a>(Option<&'a Object>);

impl<'a> Case<'a> {
    pub(super) const fn new(object: &'a Object) -> Self {
        Self(Some(object))
    }

    pub(super) fn value(&self, field: &str) -> Option<&'a Value> {
        self.0?.get(field).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        field: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(field) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Failure::Input(format!("{field} is not {what}")))
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&'a str>, Failure> {
        self.read(field, "a string", Value::as_str)
    }

    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, Failure> {
        self.read(field, "true or false", Value::as_bool)
    }

    /// A non-negative number.
    pub(super) fn count<T: TryFrom<u64>>(&self, field: &str) -> Result<Option<T>, Failure> {
        self.read(field, "a count", |value| value.as_u64().and_then(|count| count.try_into().ok()))
    }

    pub(super) fn seconds(&self, field: &str) -> Result<Option<std::time::Duration>, Failure> {
        self.read(field, "a number of seconds", |value| {
            value.as_f64().and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok())
        })
    }

    /// The elements of a list. A missing field is an empty list.
    pub(super) fn list(&self, field: &str) -> Result<&'a [Value], Failure> {
        self.read(field, "a list", Value::as_array).map(|list| list.map_or(&[][..], Vec::as_slice))
    }

    pub(super) fn texts(&self, field: &str) -> Result<Vec<&'a str>, Failure> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| not_strings(field));
        self.list(field)?.iter().map(text).collect()
    }

    /// The object in this field. A missing field is an empty object.
    pub(super) fn inner(&self, field: &str) -> Result<Self, Failure> {
        self.read(field, "an object", Value::as_object).map(Self)
    }

    /// The objects in this list.
    pub(super) fn cases(&self, field: &str) -> Result<Vec<Self>, Failure> {
        let case = |value: &'a Value| {
            let object = value.as_object().ok_or_else(|| not_of(field, "objects"))?;
            Ok(Self::new(object))
        };
        self.list(field)?.iter().map(case).collect()
    }

    /// Names and values of an object.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// A list of `[name, value]`.
    pub(super) fn pairs(&self, field: &str) -> Result<Vec<(&'a str, &'a Value)>, Failure> {
        let pair = |value: &'a Value| match value.as_array().map(Vec::as_slice) {
            Some([Value::String(name), value]) => Ok((name.as_str(), value)),
            _ => Err(not_of(field, "[name, value]")),
        };
        self.list(field)?.iter().map(pair).collect()
    }

    /// The bytes of a `_b64` field.
    pub(super) fn bytes(&self, field: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.read(field, "base64", |value| STANDARD.decode(value.as_str()?).ok())
    }
}

fn not_of(field: &str, what: &str) -> Failure {
    Failure::Input(format!("{field} is not a list of {what}"))
}

fn not_strings(field: &str) -> Failure {
    not_of(field, "strings")
}

/// A value that is text, or `null`, which removes.
pub(super) fn text_or_null<'a>(name: &str, value: &'a Value) -> Result<Option<&'a str>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Failure::Input(format!("the value of {name} is neither a string nor null"))),
    }
}

/// The values of a query or form field: none for `null`, one for each element of a list. Numbers
/// and booleans are as Python's `str` writes them (rules P-21, P-22).
pub(super) fn scalars(name: &str, value: &Value) -> Result<Vec<String>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Number(number) => Ok(vec![number.to_string()]),
        Value::Bool(true) => Ok(vec!["True".to_owned()]),
        Value::Bool(false) => Ok(vec!["False".to_owned()]),
        Value::Array(list) if list.iter().all(|value| !value.is_array() && !value.is_object()) => list
            .iter()
            .map(|value| scalars(name, value))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat()),
        _ => Err(Failure::Input(format!("the value of {name} is nested too deep"))),
    }
}

/// Encodes bytes for a `_b64` field.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> Value {
    STANDARD.encode(bytes).into()
}

/// Bytes as text. They are text except in hostile cases.
pub(super) fn shown(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}
