//! The grants for which a server gives a token.

use std::fmt;

use super::client::Client;
use crate::prepared::auth::sub_request::SubRequest;

/// The right for which a server gives a token. `Debug` hides its secrets.
#[derive(Clone)]
#[non_exhaustive]
pub enum Grant {
    /// The client's own credentials (RFC 6749 section 4.4).
    ClientCredentials,
    /// A refresh token (section 6).
    RefreshToken(String),
    /// The code that a browser returned with (section 4.1.3).
    AuthorizationCode {
        /// The code.
        code: String,
        /// The URL that the browser returned to, as in the request for the code.
        redirect_uri: String,
        /// The verifier of [`Pkce`](super::Pkce), if the request for the code had a challenge.
        verifier: Option<String>,
    },
    /// A device code (RFC 8628 section 3.4).
    DeviceCode(String),
}

impl Grant {
    /// The request for a token. `more` are further fields of its form, such as `scope`.
    pub fn request(&self, endpoint: &str, client: &Client, more: &[(String, String)]) -> SubRequest {
        let mut form = match self {
            Self::ClientCredentials => vec![("grant_type", "client_credentials")],
            Self::RefreshToken(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
            Self::AuthorizationCode { code, redirect_uri, verifier } => {
                let mut form = vec![
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", redirect_uri),
                ];
                form.extend(verifier.as_ref().map(|verifier| ("code_verifier", &**verifier)));
                form
            }
            Self::DeviceCode(code) => {
                vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)]
            }
        };
        form.extend(more.iter().map(|(key, value)| (&**key, &**value)));
        client.post(endpoint, form)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientCredentials => "ClientCredentials",
            Self::RefreshToken(_) => "RefreshToken(***)",
            Self::AuthorizationCode { .. } => "AuthorizationCode(***)",
            Self::DeviceCode(_) => "DeviceCode(***)",
        })
    }
}
