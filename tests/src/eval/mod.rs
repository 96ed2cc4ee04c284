//! The core as a filter of JSON lines, to be compared with any other implementation without a socket.
//!
//! One JSON object in, one out, in order, `id` echoed. A line that makes no sense is answered with
//! `{"id":.., "error":"eval-input: .."}` and the run goes on; what the core refuses is answered with
//! `{"id":.., "error":"kind-in-kebab-case", "message":".."}`. Bytes that may not be UTF-8 travel as base64 in
//! fields whose names end in `_b64`. There is no logic in here: everything is asked of `sessio`.
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
mod prepare;
mod redirect;
mod request;
mod response;
mod session;
mod world;

use serde_json::{Map, Value};
use sessio::cookie::Prefixes;

use case::Case;

type Object = Map<String, Value>;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// What a jar sends after these `Set-Cookie` lines. The prefixes of names that it enforces.
    Jar(Prefixes),
    /// What a cookie's date means.
    Date,
    /// What a session makes of a request.
    Prepare,
    /// What follows from a redirect.
    Redirect,
    /// What bytes mean as a response.
    Response,
    /// A whole call against a scripted world.
    Exchange,
}

impl What {
    /// What the arguments of the program ask for.
    ///
    /// # Errors
    /// What is wrong with them.
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
            [] => Err("what is to be evaluated?".to_owned()),
            _ => Err(format!("unknown: {}", arguments.join(" "))),
        }
    }

    /// The answer to one line.
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

    /// Echoes what tells this case from others: the cases of a jar have names.
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
        }
    }
}

/// The same JSON with everything beyond ASCII escaped: no reader takes U+2028 or the like for the end of a line.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            // Only strings hold such characters, and there the escape means the same.
            out.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Why a case has no answer.
#[derive(Debug)]
enum Failure {
    /// It makes no sense.
    Input(String),
    /// The core refuses what it asks for.
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

/// Fields in this order.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
