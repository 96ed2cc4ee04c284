//! A merged request becomes the exact one.

use std::sync::Arc;

use sessio_cookie::Jar;

use crate::base::kind::Kind;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::body::Content;
use crate::message::coding::Coding;
use crate::message::multipart::Declared;
use crate::policy::redirect::RedirectRules;
use crate::prepared::auth::Auth;
use crate::prepared::{Prepared, Says, userinfo};
use crate::session::merge::Merged;
use crate::uri::params::encode_pairs;

/// Turns a merged request into exactly what is sent: URL with parameters, Host, headers, the one Cookie
/// line, the framing of the body, and last the credentials, so that whoever signs sees everything (rules
/// P-01 to P-51).
///
/// The jar is only told which cookies were used last; nothing in it changes otherwise.
///
/// # Errors
/// Everything that is wrong with the request is found here, before a byte is sent: its
/// [`Kind::blame`] is the caller's.
pub fn prepare(merged: Merged, jar: &mut Jar, now: Now) -> Result<Prepared> {
    let mut request = Prepared::boxed(merged, |request| request.attach_cookies(jar, now))?;
    request.choose_proxy()?;
    Ok(*request)
}

impl Prepared {
    /// As [`prepare`], in the box that a [`Call`](crate::Call) keeps it in: it is large, and nobody moves it then.
    ///
    /// `attach` is called once, to [attach the cookies](Self::attach_cookies). A jar that lies under a lock is locked in
    /// there and nowhere else: what comes after may run code of the user, such as a signer. Which proxy the request goes
    /// through is still to be [chosen](Self::choose_proxy).
    ///
    /// # Errors
    /// As [`prepare`].
    #[inline]
    pub fn boxed(merged: Merged, attach: impl FnOnce(&mut Self)) -> Result<Box<Self>> {
        if let Some(problem) = merged.problem {
            return Err(problem);
        }
        let limits = merged.timeouts;
        let all = [
            limits.pool,
            limits.resolve,
            limits.connect,
            limits.send,
            limits.head,
            limits.read,
            limits.total,
            limits.expect,
        ];
        if all.into_iter().flatten().any(|limit| limit.is_zero()) {
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
        let mut request = Box::write(
            Box::new_uninit(),
            Self {
                method: merged.method,
                url,
                target: None,
                headers: merged.headers,
                body: merged.body,
                cookies: merged.cookies,
                jar: merged.jar,
                flow: None,
                follow: merged.max_redirects,
                rules: RedirectRules {
                    max: merged.max_redirects.unwrap_or(u32::MAX),
                    sensitive: merged.sensitive_headers,
                    targets: merged.redirect_targets,
                    keep_on_upgrade: merged.keep_on_upgrade,
                    detect_loops: merged.detect_loops,
                },
                timeouts: merged.timeouts,
                limits: merged.limits,
                codings: merged.codings,
                decode: merged.decode,
                observer: merged.observer,
                meters: merged.meters,
                reach: merged.reach,
                overrides: merged.overrides,
                framed: None,
                says: Says::default(),
            },
        );
        // It is for proxies alone: for the one of the first hop, if there is one (row B16).
        if let Some(words) = request.headers.get_bytes("Proxy-Authorization") {
            request.reach.plan.authorize(words);
            request.headers.remove("Proxy-Authorization");
        }
        request.address_host()?;
        request.own_cookies()?;
        attach(&mut request);
        request.settle_boundary()?;
        if let Some(coding) = merged.compress {
            request.compress(coding);
        }
        request.frame();
        let is_by_hand = request.headers.contains("Authorization");
        let auth = match merged.auth {
            Some(Auth::None) if !credentials => {
                request.log_in()?;
                None
            }
            auth => auth,
        };
        if let Some(auth) = auth
            && !is_by_hand
        {
            match &auth {
                Auth::None => {
                    let (user, password) = userinfo(&request.url);
                    Auth::basic(user, password).apply(&mut request)?;
                }
                auth => auth.apply(&mut request)?,
            }
            if matches!(auth, Auth::Flow(_)) {
                // A signer may have changed the body (rule P-45).
                request.frame();
            }
        }
        request.seal()?;
        Ok(request)
    }

    /// Chooses the proxy, unless that was done. A [`Call`](crate::Call) does so as it begins, and for each redirect.
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`] if the environment decides, and says something that is no proxy.
    pub fn choose_proxy(&mut self) -> Result<()> {
        if !self.reach.plan.is_open() {
            return Ok(());
        }
        self.reach.choose(&self.url).map_err(|fault| {
            let error = Error::from(fault).with_url(&self.url);
            match self.reach.plan.proxy() {
                Some(proxy) => error.with_proxy(proxy),
                None => error,
            }
        })
    }

    /// Logs in as the netrc file says of this host (rules ), unless somebody does already. A user that the
    /// URL names takes no other's password (row V20).
    pub(crate) fn log_in(&mut self) -> Result<()> {
        let Some(netrc) = self.reach.environment.netrc() else { return Ok(()) };
        if self.headers.contains("Authorization") {
            return Ok(());
        }
        let (user, _) = userinfo(&self.url);
        let found = self.url.host_str().and_then(|host| match &*user {
            [] => netrc.of(host),
            user => netrc.of_user(host, user),
        });
        let Some(login) = found else { return Ok(()) };
        if netrc.is_exposed() && !login.password().is_empty() {
            let detail = "it holds a password, and others than its owner can read it";
            return Err(Error::new(Kind::InvalidNetrc).with_detail(detail).with_url(&self.url));
        }
        Auth::basic(login.user(), login.password()).apply(self)
    }

    /// Makes one of the boundary of a form and of what the Content-Type says: its own is kept, a missing one added
    /// (rule P-43, row B28). A form that is all here becomes plain bytes.
    pub(crate) fn settle_boundary(&mut self) -> Result<()> {
        let Some(form) = self.body.form.take() else { return Ok(()) };
        let declared = self.headers.iter().find(|field| field.name.eq_ignore_ascii_case("Content-Type"));
        let mut layout = form;
        match declared.map(|field| (field.name.to_owned(), Declared::read(field.value, layout.boundary()))) {
            None => self.headers.append_with("Content-Type", |out| {
                out.extend_from_slice(b"multipart/form-data; boundary=");
                out.extend_from_slice(layout.boundary().as_bytes());
            }),
            Some((_, Declared::NotMultipart)) => {}
            Some((name, Declared::Missing(value))) => self.headers.insert(name, value)?,
            Some((_, Declared::Given(boundary))) => layout = Arc::new(layout.with_boundary(boundary)?),
            Some((_, Declared::Invalid)) => {
                let detail = "the boundary in Content-Type is not one (RFC 2046 section 5.1.1)";
                return Err(Error::new(Kind::InvalidHeader).with_detail(detail));
            }
        }
        if let Some(bytes) = layout.bytes() {
            self.body.content = Content::Bytes(bytes);
        } else {
            self.body.content =
                Content::Source { length: layout.length(), replayable: layout.is_replayable() };
            self.body.form = Some(layout);
        }
        Ok(())
    }

    /// Codes the body, unless it is coded already or there is none.
    #[cold]
    fn compress(&mut self, coding: Coding) {
        let is_coded = self.headers.contains("Content-Encoding");
        if is_coded || self.body.length() == Some(0) {
            return;
        }
        let length = match &mut self.body.content {
            Content::None => return,
            Content::Bytes(bytes) => Some(std::mem::replace(bytes, coding.applied(bytes)).len() as u64),
            Content::Source { length, .. } => length.take(),
        };
        self.body.coding = Some(Box::new((coding, length)));
        // What it said was the length before.
        self.headers.remove("Content-Length");
        self.headers.append_known("Content-Encoding", coding.name().as_bytes());
    }

    /// Takes a hand-written Cookie header for what it is: cookies of this request. Those that were given by
    /// name win.
    fn own_cookies(&mut self) -> Result<()> {
        for line in self.headers.get_all("Cookie") {
            self.cookies.parse_header(line)?;
        }
        Ok(())
    }

    /// Writes the one Cookie line anew: the jar's cookies for this URL, unless the request uses no jar, and the request's
    /// own. It calls no code of the user.
    pub fn attach_cookies(&mut self, jar: &mut Jar, now: Now) {
        let Self { headers, cookies, url, .. } = self;
        let uses_jar = self.jar;
        let mut write = |out: &mut Vec<u8>| match uses_jar {
            true => sessio_cookie::line(jar, cookies, url, now.wall, out),
            false => cookies.write(out),
        };
        if !headers.contains("Cookie") {
            return headers.append_if("Cookie", |out| write(out) > 0);
        }
        let own = headers.iter().find(|field| field.name.eq_ignore_ascii_case("Cookie"));
        let name = own.map_or("Cookie", |field| field.name).to_owned();
        let mut line = Vec::new();
        // It stays where the caller wrote it, and as the caller spelled it (rule M-07).
        if write(&mut line) == 0 || headers.insert(name, &line).is_err() {
            headers.remove("Cookie");
        }
    }
}

impl From<sessio_cookie::InvalidCookie> for Error {
    fn from(error: sessio_cookie::InvalidCookie) -> Self {
        Self::new(Kind::InvalidCookie).with_source(error)
    }
}
