//! A merged request becomes the exact one.

use crate::base::kind::Kind;
use crate::base::time::Now;
use crate::call::options::PreparedCall;
use crate::error::{Error, Result};
use crate::prepared::auth::Auth;
use crate::prepared::{Prepared, userinfo};
use crate::session::merge::Merged;
use crate::uri::params::encode_pairs;
use sessio_cookie::Jar;

/// Turns a merged request into exactly what is sent: URL with parameters, Host, headers, the one Cookie
/// line, the framing of the body, and last the credentials, so that whoever signs sees everything (rules
/// P-01 to P-51).
///
/// The jar is only told which cookies were used last; nothing in it changes otherwise.
///
/// # Errors
/// Everything that is wrong with the request is found here, before a byte is sent: its
/// [`Kind::blame`] is the caller's.
pub fn prepare(merged: Merged, jar: &mut Jar, now: Now) -> Result<PreparedCall> {
    let mut call = PreparedCall::boxed(merged, |call| call.attach_cookies(jar, now))?;
    call.choose_proxy()?;
    Ok(*call)
}

impl PreparedCall {
    /// As [`prepare`], in the box that a [`Call`](crate::Call) keeps it in: it is large, and moving it costs time.
    ///
    /// `attach` is called once, to [attach the cookies](Self::attach_cookies). Lock a shared jar in there and nowhere
    /// else: the code of the user that runs after it, such as a signer, then runs under no lock. The proxy is still to be
    /// [chosen](Self::choose_proxy).
    ///
    /// # Errors
    /// As [`prepare`].
    #[inline]
    pub fn boxed(merged: Merged, attach: impl FnOnce(&mut Self)) -> Result<Box<Self>> {
        if let Some(problem) = merged.problem {
            return Err(problem);
        }
        if merged.options.timeouts.has_zero() {
            return Err(Kind::InvalidTimeout.into());
        }
        let (mut url, credentials) = merged.address.resolve(merged.base_url.as_ref())?;
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
        // It is for proxies alone: for the one of the first hop, if there is one (row B16).
        if let Some(words) = call.request.headers.get_bytes("Proxy-Authorization") {
            call.options.routing.plan.authorize(words);
            call.request.headers.remove("Proxy-Authorization");
        }
        call.request.address_host()?;
        call.own_cookies()?;
        attach(&mut call);
        let request = &mut call.request;
        request.settle_boundary()?;
        if let Some(coding) = merged.compress {
            request.compress(coding);
        }
        request.frame();
        let is_by_hand = request.headers.contains("Authorization");
        let auth = match merged.auth {
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
                auth => call.options.flow = auth.apply(request)?,
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
