//! The core as a filter of JSON lines, for comparison with other implementations without a socket.
//!
//! It reads one JSON object per line and writes one per line, in order, with the same `id`. A
//! malformed line gives `{"id":.., "error":"eval-input: .."}`, and the run continues. An error of
//! the core gives `{"id":.., "error":"kind-in-kebab-case", "message":".."}`. Bytes that may not be
//! UTF-8 are base64 in fields whose names end in `_b64`. This module has no logic: `sessio`
//! computes every result.
//!
//! ```
//! use sessio_tests::eval::What;
//!
//! let answer = What::Date.answer(br#"{"id": 7, "text": "Thu, 01 Jan 1970 00:00:09 GMT"}"#);
//! assert_eq!(answer, r#"{"id":7,"unix":9}"#);
//! ```

mod case;
mod clock;
mod date;
mod exchange;
mod jar;
mod mount;
mod prepare;
mod redirect;
mod request;
mod response;
mod retry;
mod session;
mod world;

use serde_json::{Map, Value};
use sessio::cookie::Prefixes;

use case::Case;

type Object = Map<String, Value>;

/// The kind of evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The cookies that a jar sends after given `Set-Cookie` lines. Its value: the name prefixes
    /// that the jar enforces.
    Jar(Prefixes),
    /// The date of a cookie.
    Date,
    /// The request that a session prepares.
    Prepare,
    /// The decision about a redirect.
    Redirect,
    /// The response in given bytes.
    Response,
    /// A complete call against a scripted world.
    Exchange,
    /// The mount that applies to a URL.
    Mount,
    /// The decisions about further attempts.
    Retry,
}

impl What {
    /// Parses the arguments of the program.
    ///
    /// # Errors
    ///
    /// The reason why they are invalid.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = arguments.iter().flat_map(|argument| argument.splitn(2, '=')).collect();
        match words[..] {
            ["jar"] => Ok(Self::Jar(Prefixes::default())),
            ["jar", "--prefixes", "bis"] => Ok(Self::Jar(Prefixes::Bis)),
            ["jar", "--prefixes", "layered"] => Ok(Self::Jar(Prefixes::Layered)),
            ["date"] => Ok(Self::Date),
            ["prepare"] => Ok(Self::Prepare),
            ["redirect"] => Ok(Self::Redirect),
            ["response"] => Ok(Self::Response),
            ["exchange"] => Ok(Self::Exchange),
            ["mount"] => Ok(Self::Mount),
            ["retry"] => Ok(Self::Retry),
            [] => Err("what is to be evaluated?".to_owned()),
            _ => Err(format!("unknown: {}", arguments.join(" "))),
        }
    }

    /// Evaluates one line.
    #[must_use]
    pub fn answer(&self, line: &[u8]) -> String {
        let mut answer = Object::new();
        let outcome = match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(object)) => {
                self.identify(&object, &mut answer);
                self.evaluate(&Case::new(&object))
            }
            Ok(_) => Err(Failure::Input("not an object".to_owned())),
            Err(error) => Err(Failure::Input(error.to_string())),
        };
        match outcome {
            Ok(fields) => answer.extend(fields),
            Err(failure) => {
                answer.entry("id").or_insert(Value::Null);
                failure.tell(&mut answer);
            }
        }
        ascii(&Value::Object(answer).to_string())
    }

    /// Copies the identification of a case: its `id`, or the name of a jar case.
    fn identify(&self, object: &Object, answer: &mut Object) {
        let id = object.get("id");
        if id.is_some() || !matches!(self, Self::Jar(_)) {
            answer.insert("id".to_owned(), id.cloned().unwrap_or(Value::Null));
        }
        if matches!(self, Self::Jar(_)) {
            answer.insert("name".to_owned(), object.get("name").cloned().unwrap_or(Value::Null));
        }
    }

    fn evaluate(&self, case: &Case<'_>) -> Result<Object, Failure> {
        match self {
            Self::Jar(prefixes) => jar::evaluate(case, *prefixes),
            Self::Date => date::evaluate(case),
            Self::Prepare => prepare::evaluate(case),
            Self::Redirect => redirect::evaluate(case),
            Self::Response => response::evaluate(case),
            Self::Exchange => exchange::evaluate(case),
            Self::Mount => mount::evaluate(case),
            Self::Retry => retry::evaluate(case),
        }
    }
}

/// The same JSON in ASCII. Readers then cannot take U+2028 or similar for a line end.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            // Only strings contain such characters, and there the escape means the same.
            out.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// The reason why a case has no result.
#[derive(Debug)]
enum Failure {
    /// The input is malformed.
    Input(String),
    /// The core returned an error.
    Core(sessio::Error),
}

impl Failure {
    fn tell(self, answer: &mut Object) {
        match self {
            Self::Input(why) => {
                answer.insert("error".to_owned(), format!("eval-input: {why}").into());
            }
            Self::Core(error) => {
                answer.insert("error".to_owned(), error.kind().name().into());
                answer.insert("message".to_owned(), error.to_string().into());
            }
        }
    }
}

impl<E: Into<sessio::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Core(error.into())
    }
}

/// An object with fields in this order.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
