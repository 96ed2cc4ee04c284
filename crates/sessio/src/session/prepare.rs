//! Prepares a merged request.

use std::sync::Arc;

use crate::base::kind::Kind;
use crate::base::time::Now;
use crate::call::options::PreparedCall;
use crate::error::{Error, Result};
use crate::prepared::auth::{self, Auth};
use crate::prepared::{Prepared, userinfo};
use crate::session::merge::Merged;
use crate::uri::params::encode_pairs;
use sessio_cookie::Jar;

/// Prepares a merged request exactly as it is sent.
///
/// It builds the URL with parameters, Host, headers, the one Cookie line and the framing of the
/// body. The credentials come last, so that a signer sees everything (rules P-01 to P-51).
///
/// In the jar, only the last use of the cookies is recorded.
///
/// # Errors
/// - All errors of the request itself, before a byte is sent. Their [`Kind::blame`] is the
///   caller's.
pub fn prepare(merged: Merged, jar: &mut Jar, now: Now) -> Result<PreparedCall> {
    let mut call = PreparedCall::boxed(merged, |call| call.attach_cookies(jar, now))?;
    call.choose_proxy()?;
    Ok(*call)
}

impl PreparedCall {
    /// Prepares a request in the box that a [`Call`](crate::Call) keeps: the value is large, and
    /// moving it costs time.
    ///
    /// `attach` [attaches the cookies](Self::attach_cookies): once, and again if a
    /// [hook](crate::hook) replaces the URL. Lock a shared jar only
    /// there: the caller's code that runs later, such as a signer, then runs under no lock. The
    /// proxy is still to be [chosen](Self::choose_proxy).
    ///
    /// # Errors
    /// As [`prepare`].
    #[inline]
    pub fn boxed(merged: Merged, mut attach: impl FnMut(&mut Self)) -> Result<Box<Self>> {
        if let Some(problem) = merged.problem {
            return Err(problem);
        }
        if merged.options.timeouts.has_zero() {
            let name = merged.options.timeouts.zero().unwrap_or_default();
            return Err(Error::new(Kind::InvalidTimeout).with_detail(format!("`timeouts.{name}`")));
        }
        let (mut url, mut credentials) = merged.address.resolve(merged.base_url.as_ref())?;
        if !merged.params.is_empty() {
            let mut query = String::from(url.query().unwrap_or_default());
            if !query.is_empty() {
                query.push('&');
            }
            encode_pairs(merged.params.iter(), &mut query);
            url.set_query(Some(&query));
        }
        let mut call = Box::write(
            Box::new_uninit(),
            Self {
                request: Prepared::new(merged.method, url, merged.headers, merged.body),
                options: merged.options,
            },
        );
        call.request.mount = merged.mount;
        // The field is for proxies only: for the one of the first hop, if there is one (row B16).
        if let Some(words) = call.request.headers.get_bytes("Proxy-Authorization") {
            call.options.routing.plan.authorize(words);
            call.request.headers.remove("Proxy-Authorization");
        }
        call.request.address_host()?;
        call.own_cookies()?;
        attach(&mut call);
        if !call.options.rules.sensitive.is_empty() {
            call.request.sensitive = Some(Arc::clone(&call.options.rules.sensitive));
        }
        let request = &mut call.request;
        request.settle_boundary()?;
        if let Some(coding) = merged.compress {
            request.compress(coding);
        }
        request.frame();
        let mut auth = merged.auth;
        if call.options.hooks.is_set() {
            let before = (call.request.url.clone(), call.request.mount.clone());
            let has_left = call.run_hooks(&mut attach)?;
            // The credentials are those of another origin or of another mount.
            if (has_left || call.request.mount != before.1) && auth.is_some() {
                auth = Some(Auth::None);
            }
            if call.request.url != before.0 {
                credentials = userinfo(&call.request.url) != (Vec::new(), Vec::new());
            }
        }
        let request = &mut call.request;
        let is_by_hand = request.headers.contains("Authorization");
        let auth = match auth {
            Some(auth @ Auth::Only(_)) => Some(auth.at(&call.request.url)?),
            auth => auth,
        };
        let auth = match auth {
            Some(Auth::None) if !credentials => {
                call.log_in()?;
                None
            }
            auth => auth,
        };
        if let Some(auth) = auth
            && !is_by_hand
        {
            let request = &mut call.request;
            match &auth {
                Auth::None => {
                    let (user, password) = userinfo(&request.url);
                    Auth::basic(user, password).apply(request)?;
                }
                auth => {
                    call.options.flow = match auth {
                        Auth::Flow(scheme) if scheme.wants_login() => {
                            let flow = scheme.begin_with(call.login()?);
                            Some(auth::start(flow, &mut call.request)?)
                        }
                        auth => auth.apply(request)?,
                    };
                    call.options.is_unsigned = call.options.flow.as_ref().is_some_and(|flow| flow.asks());
                }
            }
            if matches!(auth, Auth::Flow(_)) {
                // A signer may have changed the body (rule P-45).
                call.request.frame();
            }
        }
        call.seal()?;
        Ok(call)
    }
}

impl From<sessio_cookie::InvalidCookie> for Error {
    fn from(error: sessio_cookie::InvalidCookie) -> Self {
        Self::new(Kind::InvalidCookie).with_source(error)
    }
}
