//! A request that a mock has received.

use std::fmt;

use bytes::Bytes;
use sessio::http::Method;
use sessio::{Headers, Prepared, Url};

/// A request that a [`Mock`](super::Mock) has received, with its whole body.
///
/// It displays as method and target, such as `GET /users?page=2`. Its `Debug` output masks the
/// values of sensitive headers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The URL, without user and password.
    pub url: Url,
    /// The request target: path and query.
    pub target: String,
    /// The header fields, as they would be sent.
    pub headers: Headers,
    /// The body, without its framing.
    pub body: Bytes,
    /// The trailers of the body.
    pub trailers: Headers,
}

impl Received {
    pub(super) fn new(request: &Prepared) -> Self {
        let mut url = request.url().clone();
        // A URL that cannot have a user has none.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self {
            method: request.method().clone(),
            url,
            target: request.target().to_owned(),
            headers: request.headers().clone(),
            body: Bytes::new(),
            trailers: Headers::new(),
        }
    }

    /// The first value of a header. `None` if there is none, or if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body as text. Empty if it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// The body is not JSON, or does not fit the expected type.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> sessio::Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            sessio::Error::new(sessio::Kind::InvalidBody).with_url(&self.url).with_source(error)
        })
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}
