//! OAuth 2.0 whose token is shared by requests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use sessio::auth::oauth2::{Client, Grant, Token};
use sessio::auth::{Need, Received};
use sessio::{Address, Error, Flow, FlowDecision, Head, Kind, Now, Prepared, Result, Scheme};

use crate::renewals::{Part, Renewals, Seat};

/// The time before its end at which a token is renewed.
const LEEWAY: Duration = Duration::from_secs(30);

/// Bearer tokens of an authorization server (RFC 6749, RFC 6750), for
/// [`Auth::flow`](sessio::Auth::flow).
///
/// A call gets a token before its first request, if there is none. It renews the token when its life
/// is nearly over, and after a response with status 401: once in a call. A refresh token is used if
/// the server has given one. Clones with the same configuration share the token. If many calls need
/// one at the same time, one of them asks for it, and the others wait. If that call is dropped, the
/// next one asks.
///
/// The request for a token goes through the session of the call: its jar, pool, proxies and TLS
/// settings. It carries the credentials of the client and nothing else of the session. The token is
/// for every origin to which the session's `auth` applies: bind it with
/// [`Auth::only`](sessio::Auth::only) or a [`Mount`](sessio::Mount). Sessions that share a token need
/// runtimes with the same clock.
///
/// Errors of the server are [`Kind::Authentication`], with its own words.
///
/// ```
/// use sessio_driver::OAuth2;
/// use sessio_driver::sessio::{Auth, Settings};
///
/// let tokens = OAuth2::client_credentials("https://auth.example.org/token", "client", "secret").scope("read");
/// let mut settings = Settings::default();
/// settings.auth = Auth::flow(tokens.clone()).only("https://api.example.org");
/// // The token so far, such as to store its refresh token.
/// assert!(tokens.token().is_none());
/// ```
#[derive(Clone)]
pub struct OAuth2 {
    config: Arc<Config>,
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Config {
    endpoint: String,
    client: Client,
    grant: Grant,
    more: Vec<(String, String)>,
    leeway: Duration,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    renewals: Renewals,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Whether a server has refused the token.
    is_refused: bool,
    /// The refresh token.
    refresh: Option<String>,
    /// The number of tokens so far.
    count: u64,
}

impl OAuth2 {
    /// Tokens for the client's own credentials.
    #[must_use]
    pub fn client_credentials(
        endpoint: impl Into<String>,
        id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self::new(endpoint, Client::new(id, secret), Grant::ClientCredentials)
    }

    /// Tokens for a refresh token that was got before. Servers may replace it: store that of
    /// [`token`](Self::token).
    #[must_use]
    pub fn refresh_token(endpoint: impl Into<String>, client: Client, refresh: impl Into<String>) -> Self {
        Self::new(endpoint, client, Grant::RefreshToken(refresh.into()))
    }

    /// Tokens for any grant. A code is used once: later tokens need a refresh token.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, client: Client, grant: Grant) -> Self {
        let endpoint = endpoint.into();
        let config = Config { endpoint, client, grant, more: Vec::new(), leeway: LEEWAY };
        Self { config: Arc::new(config), shared: Arc::default() }
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        if Arc::get_mut(&mut self.config).is_none() {
            // A clone with another configuration learns by itself.
            self.shared = Arc::default();
        }
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// Asks for tokens with this scope: words with blanks between them.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.param("scope", scope)
    }

    /// Adds a field to the form of the request for a token, such as `audience` or `resource`.
    #[must_use]
    pub fn param(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|config| config.more.push((key.into(), value.into())))
    }

    /// Sends the secret of the client in the body, for a server that does not support Basic.
    #[must_use]
    pub fn client_in_body(self) -> Self {
        self.with(|config| config.client = config.client.clone().in_body())
    }

    /// Renews a token so long before its end. Default: 30 seconds.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|config| config.leeway = leeway)
    }

    /// Starts with a token that was got before.
    #[must_use]
    pub fn start_with(self, token: Token) -> Self {
        self.store(token);
        self
    }

    /// The current token. `None` before the first one.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        self.state().token.clone()
    }

    /// No code of the caller runs under the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, token: Token) {
        let mut state = self.state();
        if token.refresh.is_some() {
            state.refresh.clone_from(&token.refresh);
        }
        let refresh = state.refresh.clone();
        state.token = Some(Token::clone(&token).with_refresh(refresh));
        (state.is_refused, state.count) = (false, state.count + 1);
    }

    fn has_good(&self, now: Now) -> bool {
        let state = self.state();
        !state.is_refused
            && state.token.as_ref().is_some_and(|token| token.is_good(now.mono, self.config.leeway))
    }
}

impl Scheme for OAuth2 {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(TokenFlow {
            seat: self.shared.renewals.seat(),
            tokens: self.clone(),
            used: 0,
            has_renewed: false,
            is_new: false,
        })
    }
}

/// The flow of one call.
#[derive(Debug)]
struct TokenFlow {
    tokens: OAuth2,
    seat: Seat,
    /// The number of the token that the request carries.
    used: u64,
    has_renewed: bool,
    /// Whether this call got the token, or waited for it, and has yet to use it. It does so however
    /// short the life of the token is.
    is_new: bool,
}

impl Flow for TokenFlow {
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, now: Now) -> Result<Need> {
        loop {
            if self.is_new || self.tokens.has_good(now) {
                self.seat.leave();
                return Ok(Need::Nothing);
            }
            match self.seat.part()? {
                Part::Wait => return Ok(Need::Turn),
                // The token may be younger than the last look at it.
                Part::Renew if self.tokens.has_good(now) => {}
                Part::Renew => {
                    let Config { endpoint, client, grant, more, .. } = &*self.tokens.config;
                    let refresh = self.tokens.state().refresh.clone().map(Grant::RefreshToken);
                    let request = refresh.as_ref().unwrap_or(grant).request(endpoint, client, more);
                    return Ok(Need::Response(Box::new(request)));
                }
                Part::Renewed => self.is_new = true,
            }
        }
    }

    fn received(&mut self, response: &Received<'_>, now: Now) -> Result<()> {
        match Token::read(response, now) {
            Ok(token) => {
                self.tokens.store(token);
                self.is_new = true;
                self.seat.finish(Ok(()));
                Ok(())
            }
            // The refresh token is used up. The grant of the client may still be good.
            Err(_)
                if matches!(self.tokens.config.grant, Grant::ClientCredentials) && {
                    self.tokens.state().refresh.take().is_some()
                } =>
            {
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Error) -> Result<()> {
        self.seat.finish(Err(&error));
        Err(error)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.seat.poll(cx)
    }

    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        let state = self.tokens.state();
        let Some(token) = &state.token else {
            return Err(Error::new(Kind::Authentication).with_detail("there is no token"));
        };
        (self.used, self.is_new) = (state.count, false);
        Ok(request.headers_mut().insert("Authorization", format!("Bearer {}", token.access))?)
    }

    fn challenged(&mut self, head: &Head, _: &mut Prepared) -> Result<FlowDecision> {
        if head.status != 401 {
            return Ok(FlowDecision::Accept);
        }
        let mut state = self.tokens.state();
        if state.count == self.used {
            if std::mem::replace(&mut self.has_renewed, true) {
                return Ok(FlowDecision::Accept);
            }
            state.is_refused = true;
        }
        // Otherwise another call has renewed the token since.
        Ok(FlowDecision::Renew)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        let tokens = self.tokens.clone();
        let seat = tokens.shared.renewals.seat();
        Box::new(Self { tokens, seat, used: self.used, has_renewed: self.has_renewed, is_new: false })
    }
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuth2({:?}, {:?})", Address::from(&*self.config.endpoint), self.config.client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_configurations_share_a_token() {
        let one = OAuth2::client_credentials("https://id:hidden@auth.test/token", "id", "hidden");
        assert!(!format!("{one:?}").contains("hidden"));
        let same = one.clone();
        assert!(Arc::ptr_eq(&one.shared, &same.shared));
        let other = one.clone().param("audience", "https://b.test");
        assert!(!Arc::ptr_eq(&one.shared, &other.shared));
    }
}
