//! Proof Key for Code Exchange (RFC 7636), and the URL for the browser.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::base::time::Seed;

/// A random verifier, and its challenge by S256. `Debug` hides the verifier.
#[derive(Clone)]
pub struct Pkce {
    verifier: String,
    challenge: String,
}

impl Pkce {
    /// A new verifier of 43 characters, from 256 random bits.
    ///
    /// ```
    /// use sessio::Seed;
    /// use sessio::auth::oauth2::Pkce;
    ///
    /// let pkce = Pkce::new(&mut Seed::from_bytes([7; 32]));
    /// assert_eq!((pkce.verifier().len(), pkce.challenge().len()), (43, 43));
    /// ```
    #[must_use]
    pub fn new(seed: &mut Seed) -> Self {
        Self::from_verifier(URL_SAFE_NO_PAD.encode(seed.draw_bytes::<32>()))
    }

    /// A verifier that was made before, with its challenge.
    #[must_use]
    pub fn from_verifier(verifier: impl Into<String>) -> Self {
        let verifier = verifier.into();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        Self { verifier, challenge }
    }

    /// The verifier, for the request of the token.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// The challenge, for the URL of the browser.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }
}

impl fmt::Debug for Pkce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkce(***, {})", self.challenge)
    }
}

/// The URL at which a user grants access in a browser (RFC 6749 section 4.1.1). An empty scope is
/// left out. Check that the browser returns with the same `state`.
#[must_use]
pub fn authorize_url(
    endpoint: &Url,
    client_id: &str,
    redirect_uri: &str,
    scope: &str,
    state: &str,
    pkce: &Pkce,
) -> Url {
    let mut url = endpoint.clone();
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("response_type", "code").append_pair("client_id", client_id);
    pairs.append_pair("redirect_uri", redirect_uri);
    if !scope.is_empty() {
        pairs.append_pair("scope", scope);
    }
    pairs.append_pair("state", state).append_pair("code_challenge", pkce.challenge());
    pairs.append_pair("code_challenge_method", "S256");
    drop(pairs);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b() {
        let pkce = Pkce::from_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_url_for_the_browser_keeps_the_query_of_its_endpoint() {
        let pkce = Pkce::from_verifier("v");
        let endpoint = "https://a.test/auth?tenant=1".parse().unwrap();
        let url = authorize_url(&endpoint, "me", "http://localhost/back?x", "a b", "s&t", &pkce);
        let expected = format!(
            "https://a.test/auth?tenant=1&response_type=code&client_id=me&redirect_uri=http%3A%2F%2Flocalhost%2Fback%3Fx\
             &scope=a+b&state=s%26t&code_challenge={}&code_challenge_method=S256",
            pkce.challenge()
        );
        assert_eq!(url.as_str(), expected);
        assert!(!authorize_url(&endpoint, "me", "http://l/", "", "s", &pkce).as_str().contains("scope"));
    }
}
