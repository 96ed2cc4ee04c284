//! The client of an authorization server.

use std::fmt;

use url::form_urlencoded::byte_serialize;

use crate::prepared::auth::sub_request::SubRequest;

/// A client that is registered at an authorization server. `Debug` hides its secret.
#[derive(Clone)]
pub struct Client {
    id: Box<str>,
    secret: Option<Box<str>>,
    is_in_body: bool,
}

impl Client {
    /// A client with a secret. It is sent as Basic credentials (RFC 6749 section 2.3.1).
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        let secret = secret.into().into_boxed_str();
        Self { id: id.into().into(), secret: Some(secret), is_in_body: false }
    }

    /// A client without a secret, such as a program on a user's machine.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into().into(), secret: None, is_in_body: true }
    }

    /// Sends the secret in the body, for a server that does not support Basic.
    #[must_use]
    pub fn in_body(self) -> Self {
        Self { is_in_body: true, ..self }
    }

    /// A request to the server with this form and the credentials of the client.
    pub(super) fn post<'a>(&'a self, endpoint: &str, mut form: Vec<(&'a str, &'a str)>) -> SubRequest {
        let request = SubRequest::post(endpoint).header("Accept", "application/json");
        match &self.secret {
            Some(secret) if !self.is_in_body => {
                let [id, secret] = [&self.id, secret].map(|text| encoded(text));
                request.basic_auth(id, secret).form(form)
            }
            secret => {
                form.push(("client_id", &self.id));
                form.extend(secret.as_ref().map(|secret| ("client_secret", &**secret)));
                request.form(form)
            }
        }
    }
}

/// A text in the encoding of forms. A blank is `%20`: servers that decode percent signs alone, such as
/// those of Authlib, do not know it as `+`.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({}, {})", self.id, if self.secret.is_some() { "***" } else { "public" })
    }
}
