//! The tokens of the authorization server behind `/oauth/token`.

/// The only client that gets tokens at `/oauth/token`, by Basic.
pub const TOKEN_CLIENT: &str = "client";

/// That client's secret.
pub const TOKEN_SECRET: &str = "key";

/// The current token and refresh token. Their names are counted and not random, so every run is the
/// same.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    count: usize,
    is_valid: bool,
}

impl Tokens {
    /// Issues the next token and returns its number. Earlier ones are not valid any more.
    pub(crate) fn issue(&mut self) -> usize {
        self.count += 1;
        self.is_valid = true;
        self.count
    }

    /// Whether the last token has this number, and is valid.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.is_valid && token == format!("token-{}", self.count)
    }

    /// Whether this is the last refresh token. It outlives its token.
    pub(crate) fn renews(&self, refresh: &str) -> bool {
        refresh == format!("refresh-{}", self.count)
    }

    /// Ends the current token.
    pub(crate) fn revoke(&mut self) {
        self.is_valid = false;
    }
}
