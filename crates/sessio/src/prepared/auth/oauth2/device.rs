//! Device codes (RFC 8628): a user grants access on another device.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::client::Client;
use super::token::{Token, invalid, object, read};
use crate::base::time::{Instant, Now};
use crate::error::{Error, Result};
use crate::prepared::auth::Received;
use crate::prepared::auth::sub_request::SubRequest;

/// A code that a user enters on another device, and the code that the client polls with.
///
/// ```
/// use sessio::auth::oauth2::{Client, DeviceCode};
///
/// let request = DeviceCode::request("https://auth.example.org/device", &Client::public("my-app"), "read");
/// # let _ = request;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The code for the client: see [`Grant::DeviceCode`](super::Grant::DeviceCode).
    pub device_code: String,
    /// The code that the user enters.
    pub user_code: String,
    /// The address at which the user enters it.
    pub verification_uri: String,
    /// The same address with the code in it, such as for a picture code.
    pub verification_uri_complete: Option<String>,
    /// The end of the life of both codes.
    pub expires: Instant,
    /// The least time between two requests for the token.
    pub interval: Duration,
}

/// The state of a request for a token by a device code.
#[derive(Debug)]
#[non_exhaustive]
pub enum DevicePoll {
    /// The user has not decided: ask again after the interval.
    Pending,
    /// Ask less often: the interval grows by five seconds.
    SlowDown,
    /// The token.
    Done(Token),
    /// The user has refused, or the code has expired.
    Failed(Error),
}

impl DeviceCode {
    /// The request for the codes (section 3.1). An empty scope is left out.
    pub fn request(endpoint: &str, client: &Client, scope: &str) -> SubRequest {
        let form = if scope.is_empty() { Vec::new() } else { vec![("scope", scope)] };
        client.post(endpoint, form)
    }

    /// Reads the codes from a response (section 3.2).
    ///
    /// # Errors
    /// - [`Kind::Authentication`](crate::Kind::Authentication): the server refuses, or the body is no
    ///   such response.
    pub fn read(response: &Received<'_>, now: Now) -> Result<Self> {
        let object = object(response)?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let seconds = |name: &str| object.get(name).and_then(Value::as_u64);
        // Some servers use the name of a draft.
        let uri = text("verification_uri").or_else(|| text("verification_url"));
        let (Some(device_code), Some(user_code), Some(verification_uri)) =
            (text("device_code"), text("user_code"), uri)
        else {
            return Err(invalid("a response without `device_code`, `user_code` or `verification_uri`"));
        };
        let life = Duration::from_secs(seconds("expires_in").unwrap_or(600).min(86_400));
        Ok(Self {
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete: text("verification_uri_complete"),
            expires: now.mono + life,
            interval: Duration::from_secs(seconds("interval").unwrap_or(5).clamp(1, 3600)),
        })
    }

    /// Decides about a response to the request for the token (section 3.5). It changes the interval
    /// if the server asks for that.
    pub fn poll(&mut self, response: &Received<'_>, now: Now) -> DevicePoll {
        if let (400.., Some(object)) = read(response) {
            match object.get("error").and_then(Value::as_str) {
                Some("authorization_pending") => return DevicePoll::Pending,
                Some("slow_down") => {
                    self.interval += Duration::from_secs(5);
                    return DevicePoll::SlowDown;
                }
                _ => {}
            }
        }
        match Token::read(response, now) {
            Ok(token) => DevicePoll::Done(token),
            Err(error) => DevicePoll::Failed(error),
        }
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceCode(***, {} at {})", self.user_code, self.verification_uri)
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

    #[test]
    fn a_device_polls_until_the_user_has_decided() {
        let head = |status| Head::new(StatusCode::from_u16(status).unwrap(), Headers::new());
        let codes =
            br#"{"device_code":"d","user_code":"U-1","verification_uri":"https://a.test/","expires_in":60}"#;
        let mut code = DeviceCode::read(&Received::new(&head(200), codes, true), NOW).unwrap();
        assert_eq!((code.interval.as_secs(), code.expires), (5, NOW.mono + Duration::from_secs(60)));
        let mut poll =
            |status, body: &str| code.poll(&Received::new(&head(status), body.as_bytes(), true), NOW);
        assert!(matches!(poll(400, r#"{"error":"authorization_pending"}"#), DevicePoll::Pending));
        assert!(matches!(poll(400, r#"{"error":"slow_down"}"#), DevicePoll::SlowDown));
        assert!(matches!(poll(400, r#"{"error":"access_denied"}"#), DevicePoll::Failed(_)));
        assert!(
            matches!(poll(200, r#"{"access_token":"t"}"#), DevicePoll::Done(token) if token.access == "t")
        );
        assert_eq!(code.interval.as_secs(), 10);
        assert!(DeviceCode::read(&Received::new(&head(200), b"{}", true), NOW).is_err());
        assert!(!format!("{code:?}").contains("(d"));
    }
}
