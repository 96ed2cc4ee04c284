//! OAuth 2.0 for clients (RFC 6749), as pure parts: requests for tokens, their responses, PKCE and
//! device codes.
//!
//! The drivers have a ready scheme over these parts, `OAuth2`. It keeps a token for all calls, and
//! renews it once for all of them. The parts here are for the first steps of a user: a URL for the
//! browser, and the code that it returns.
//!
//! ```
//! use sessio::Seed;
//! use sessio::auth::oauth2::{Client, Grant, Pkce, authorize_url};
//!
//! let pkce = Pkce::new(&mut Seed::new(7));
//! let back = "http://localhost:8000/back";
//! let url = authorize_url(&"https://auth.example.org/authorize".parse()?, "my-app", back, "read", "state-1", &pkce);
//! assert!(url.as_str().contains("code_challenge_method=S256"));
//! // The browser returns with a code.
//! let grant = Grant::AuthorizationCode { code: "abc".into(), redirect_uri: back.into(), verifier: Some(pkce.verifier().into()) };
//! let request = grant.request("https://auth.example.org/token", &Client::public("my-app"), &[]);
//! # let _ = request;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod device;
mod grant;
mod pkce;
mod token;

pub use client::Client;
pub use device::{DeviceCode, DevicePoll};
pub use grant::Grant;
pub use pkce::{Pkce, authorize_url};
pub use token::Token;
