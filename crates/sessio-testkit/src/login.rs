//! The users who are logged in at the site behind the login form.

use std::collections::BTreeMap;

/// The only user who can log in at `/login`.
pub const LOGIN_USER: &str = "user";

/// That user's password.
pub const LOGIN_PASSWORD: &str = "secret";

/// The reason why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Token,
    Credentials,
}

/// The tokens issued with forms, and the open sessions. Their names are numbered, not random, so
/// every run is the same.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    tokens: Vec<String>,
    sessions: BTreeMap<String, String>,
    count: usize,
}

impl Logins {
    /// Issues a token for the hidden field of the form.
    pub(crate) fn issue_token(&mut self) -> String {
        let token = format!("csrf-{}", self.next());
        self.tokens.push(token.clone());
        token
    }

    /// Logs in and returns the identifier of a new session. A token is valid once, also for a login
    /// that fails.
    pub(crate) fn log_in(&mut self, user: &str, password: &str, token: &str) -> Result<String, Refusal> {
        let issued = self.tokens.iter().position(|t| t == token).ok_or(Refusal::Token)?;
        self.tokens.remove(issued);
        if (user, password) != (LOGIN_USER, LOGIN_PASSWORD) {
            return Err(Refusal::Credentials);
        }
        let id = format!("{:08X}", self.next());
        self.sessions.insert(id.clone(), user.to_owned());
        Ok(id)
    }

    pub(crate) fn user(&self, id: &str) -> Option<&str> {
        self.sessions.get(id).map(String::as_str)
    }

    pub(crate) fn log_out(&mut self, id: &str) {
        self.sessions.remove(id);
    }

    /// Ends all sessions and returns their number.
    pub(crate) fn expire(&mut self) -> usize {
        self.tokens.clear();
        std::mem::take(&mut self.sessions).len()
    }

    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }
}
