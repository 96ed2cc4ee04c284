//! The site behind the login form: who is logged in.

use std::collections::BTreeMap;

/// The one user who can log in at `/login`.
pub const LOGIN_USER: &str = "user";

/// That user's password.
pub const LOGIN_PASSWORD: &str = "secret";

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Token,
    Credentials,
}

/// The tokens handed out with forms and the sessions opened. Their names are counted, not drawn: every run is
/// the same.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    tokens: Vec<String>,
    sessions: BTreeMap<String, String>,
    count: usize,
}

impl Logins {
    /// A token for the form's hidden field.
    pub(crate) fn issue_token(&mut self) -> String {
        let token = format!("csrf-{}", self.next());
        self.tokens.push(token.clone());
        token
    }

    /// The identifier of a new session. A token serves once, whatever comes of it.
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

    /// Ends all sessions, and says how many there were.
    pub(crate) fn expire(&mut self) -> usize {
        self.tokens.clear();
        std::mem::take(&mut self.sessions).len()
    }

    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }
}
