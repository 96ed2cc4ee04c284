//! Tokens, and the responses that contain them.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::base::time::{Instant, Now};
use crate::error::{Error, Result};
use crate::prepared::auth::Received;

/// The longest life of a token that counts, in seconds: about 30 years.
const LONGEST: u64 = 1_000_000_000;

/// A token of an authorization server. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The token that requests carry.
    pub access: String,
    /// The token for the next token, if the server gives one.
    pub refresh: Option<String>,
    /// The end of its life. `None` if the server does not say.
    pub expires: Option<Instant>,
    /// The scope of the token, if the server names it.
    pub scope: Option<String>,
}

impl Token {
    /// A token that was got elsewhere, without a known end.
    #[must_use]
    pub fn new(access: impl Into<String>) -> Self {
        Self { access: access.into(), refresh: None, expires: None, scope: None }
    }

    /// Reads the response of a token endpoint (RFC 6749 sections 5.1 and 5.2).
    ///
    /// # Errors
    /// - [`Kind::Authentication`]: the server refuses, the body is no such response, or the token is
    ///   no bearer token (RFC 6750).
    pub fn read(response: &Received<'_>, now: Now) -> Result<Self> {
        let object = object(response)?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(access) = text("access_token") else {
            return Err(invalid("a token response without `access_token`"));
        };
        if !text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(invalid("a token that is no bearer token"));
        }
        if !access.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("a token with a character that no header can carry"));
        }
        // Some servers write the number as text.
        let seconds = match object.get("expires_in") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64().or_else(|| value.as_f64().map(|seconds| seconds.max(0.0) as u64)),
            None => None,
        };
        Ok(Self {
            access: access.to_owned(),
            refresh: text("refresh_token").map(str::to_owned),
            expires: seconds.map(|seconds: u64| now.mono + Duration::from_secs(seconds.min(LONGEST))),
            scope: text("scope").map(str::to_owned),
        })
    }

    /// The same token with this refresh token.
    #[must_use]
    pub fn with_refresh(self, refresh: Option<String>) -> Self {
        Self { refresh, ..self }
    }

    /// Whether the token is still good at a time that is `leeway` later.
    #[must_use]
    pub fn is_good(&self, now: Instant, leeway: Duration) -> bool {
        self.expires.is_none_or(|end| now + leeway < end)
    }
}

/// The fields of a response with a status of success.
pub(super) fn object(response: &Received<'_>) -> Result<serde_json::Map<String, Value>> {
    let (status, read) = read(response);
    if !response.head.status.is_success() {
        return Err(invalid(match read {
            Some(object) => refusal(status, &object),
            None => format!("the token endpoint responded with status {status}"),
        }));
    }
    read.ok_or_else(|| {
        invalid(format!("the token endpoint responded with {status}, and not with a JSON object"))
    })
}

/// The status, and the body as an object.
pub(super) fn read(response: &Received<'_>) -> (u16, Option<serde_json::Map<String, Value>>) {
    let status = response.head.status.as_u16();
    match serde_json::from_slice(response.body) {
        Ok(Value::Object(object)) if response.is_whole => (status, Some(object)),
        _ => (status, None),
    }
}

fn refusal(status: u16, object: &serde_json::Map<String, Value>) -> String {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(|text| escape(text.as_bytes()));
    let mut said = format!("the token endpoint responded with status {status}");
    for part in [text("error"), text("error_description")].into_iter().flatten() {
        said.push_str(": ");
        said.extend(part.chars().take(200));
    }
    said
}

pub(super) fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::Authentication).with_detail(detail)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("access", &"***")
            .field("refresh", &self.refresh.as_ref().map(|_| "***"))
            .field("expires", &self.expires)
            .field("scope", &self.scope)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::base::time::UnixTime;
    use crate::message::head::Head;
    use crate::message::headers::Headers;

    const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(0) };

    fn token(status: u16, body: &str) -> Result<Token> {
        let head = Head::new(StatusCode::from_u16(status).unwrap(), Headers::new());
        Token::read(&Received::new(&head, body.as_bytes(), true), NOW)
    }

    #[test]
    fn a_response_has_a_token_and_its_life() {
        let read = token(
            200,
            r#"{"access_token":"abc","token_type":"BEARER","expires_in":60,"refresh_token":"r","scope":"a b","x":[{}]}"#,
        );
        let read = read.unwrap();
        assert_eq!(
            (&*read.access, read.refresh.as_deref(), read.scope.as_deref()),
            ("abc", Some("r"), Some("a b"))
        );
        let at = |seconds| NOW.mono + Duration::from_secs(seconds);
        assert!(
            read.is_good(at(49), Duration::from_secs(10)) && !read.is_good(at(50), Duration::from_secs(10))
        );
        for (expires, expected) in [
            ("\"60\"", Some(60)),
            ("60.7", Some(60)),
            ("-1", Some(0)),
            ("null", None),
            ("1e30", Some(LONGEST)),
        ] {
            let read = token(200, &format!(r#"{{"access_token":"a","expires_in":{expires}}}"#)).unwrap();
            assert_eq!(read.expires, expected.map(at), "{expires}");
        }
        assert!(Token::new("a").is_good(at(LONGEST), Duration::ZERO));
        assert!(!format!("{read:?}").contains("abc"));
    }

    #[test]
    fn any_other_response_is_refused_with_the_words_of_the_server() {
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_client","error_description":"no\nsuch"}"#, "400: invalid_client: no"),
            (500, "<html>", "status 500"),
            (200, "<html>", "not with a JSON object"),
            (200, "{}", "without `access_token`"),
            (200, r#"{"access_token":""}"#, "without `access_token`"),
            (200, r#"{"access_token":"a","token_type":"mac"}"#, "no bearer token"),
            (200, "{\"access_token\":\"a\\r\\nb\"}", "no header can carry"),
        ] {
            let error = token(status, body).unwrap_err();
            assert_eq!(error.kind(), Kind::Authentication);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.to_string().contains('\n'));
        }
    }
}
