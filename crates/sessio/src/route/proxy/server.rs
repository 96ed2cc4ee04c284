//! One proxy server.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use url::Host;

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::percent;
use crate::base::secret::Secret;
use crate::base::secret::basic;
use crate::message::headers::Headers;
use crate::route::tls::Tls;
use crate::uri::address;

/// The protocol between client and proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP: absolute-form for `http` URLs (RFC 9112 section 3.2.2), CONNECT for `https` ones.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS 5 (RFC 1928) with addresses: the client resolves names.
    Socks5,
    /// SOCKS 5 with names: the proxy resolves them.
    Socks5h,
}

impl Protocol {
    /// The scheme of its URLs.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    /// The default port of its URLs.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 | Self::Socks5h => 1080,
        }
    }

    /// Returns `true` for SOCKS.
    #[must_use]
    pub const fn is_socks(self) -> bool {
        matches!(self, Self::Socks5 | Self::Socks5h)
    }

    fn of(scheme: &str) -> Option<Self> {
        if scheme.eq_ignore_ascii_case("socks") {
            // The form that desktops write for SOCKS. It names no version, and they let the proxy
            // resolve.
            return Some(Self::Socks5h);
        }
        [Self::Http, Self::Https, Self::Socks5, Self::Socks5h]
            .into_iter()
            .find(|protocol| scheme.eq_ignore_ascii_case(protocol.scheme()))
    }
}

/// A server that forwards requests. A clone allocates nothing.
///
/// Its credentials and headers are sent to the proxy only, and are never shown.
///
/// ```
/// use sessio::proxy::{Protocol, Proxy};
///
/// let proxy = Proxy::parse("user:p%40ss@proxy.test:3128")?; // no scheme is http (rule D-15)
/// assert_eq!(proxy.protocol(), Protocol::Http);
/// assert_eq!(proxy.to_string(), "http://proxy.test:3128");
/// assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy.test:3128, ***)");
///
/// let proxy = Proxy::parse("https://proxy.test")?
///     .basic_auth("user", "pass")?
///     .header("X-Team", "crawlers")?;
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Arc<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    protocol: Protocol,
    host: Host<String>,
    port: u16,
    credentials: Option<(Secret, Secret)>,
    waits_for_challenge: bool,
    /// Whether the password is only proved, and never sent.
    is_digest_only: bool,
    headers: Headers,
    tls: Option<Tls>,
}

impl Proxy {
    /// Parses the URL of a proxy: `http`, `https`, `socks5` or `socks5h`. Without a scheme it is
    /// `http` (rule D-15). `socks`, as desktops write it, is `socks5h`.
    ///
    /// User and password are percent-decoded. They are used if there is a colon and the user is not
    /// empty (rule A-03). Path and query are ignored. A URL whose host is ambiguous is refused.
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`], with the text. The message never contains the userinfo: it leaves out
    /// everything before the last `@`.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text.trim_ascii()).map_err(|fault| address::naming(text, fault))
    }

    fn read(text: &str) -> Result<Self> {
        let (protocol, rest) = match text.split_once("://") {
            Some((scheme, rest)) => {
                // A password may contain "://", so the text before it may be secret and is not
                // shown.
                let refused = || invalid("its scheme is none of http, https, socks5 and socks5h");
                (Protocol::of(scheme).ok_or_else(refused)?, rest)
            }
            None => (Protocol::Http, text.strip_prefix("//").unwrap_or(text)),
        };
        if text.bytes().any(|b| matches!(b, b'\r' | b'\n')) {
            return Err(invalid("it has a line end in it"));
        }
        if rest.contains('\\') {
            // Some parsers read it as a slash, others as a part of the user's name (row V32).
            return Err(invalid("it has a backslash, which in user and password is %5C"));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if rest[end..].contains('@') {
            // A parser would read the intended user name as the host.
            return Err(invalid(
                "it has an @ behind its host; in user and password /, ? and # are %2F, %3F and %23",
            ));
        }
        let (userinfo, at) = match rest[..end].rsplit_once('@') {
            Some((userinfo, at)) => (Some(userinfo), at),
            None => (None, &rest[..end]),
        };
        let (host, port) = match at.rsplit_once(':') {
            Some((host, port)) if !at.ends_with(']') => (host, port),
            _ => (at, ""),
        };
        if host.is_empty() {
            return Err(invalid("it names no host"));
        }
        // `http:/p` and `http//p`. A host of that name needs a port, as in `http:80`.
        let is_cut_short = userinfo.is_none() && port.is_empty() && (end < rest.len() || at.ends_with(':'));
        if is_cut_short && rest.len() == text.len() && Protocol::of(host).is_some() {
            return Err(invalid("behind its scheme there is no ://"));
        }
        let port = match port {
            "" => protocol.port(),
            port => match address::parse_port(port) {
                Some(port) if port != 0 => port,
                _ => return Err(invalid("its port is no number from 1 to 65535")),
            },
        };
        let host = match Host::parse(host) {
            Ok(host) if !host.to_string().starts_with(['*', '.']) => host,
            // The part behind the last @ cannot contain a password.
            _ if userinfo.is_some() || end == rest.len() => {
                return Err(invalid("its host is none"));
            }
            _ => return Err(invalid("its host is none")),
        };
        let parts = Parts {
            protocol,
            host,
            port,
            credentials: None,
            waits_for_challenge: false,
            is_digest_only: false,
            headers: Headers::new(),
            tls: None,
        };
        let proxy = Self(Arc::new(parts));
        match userinfo.and_then(|userinfo| userinfo.split_once(':')) {
            Some((user, password)) if !user.is_empty() => {
                proxy.basic_auth(percent::decode(user), percent::decode(password))
            }
            _ => Ok(proxy),
        }
    }

    /// Sets user and password, in place of those in the URL: Basic for HTTP (RFC 7617), the method
    /// of RFC 1929 for SOCKS. An empty user removes them.
    ///
    /// A proxy that refuses Basic and offers Digest gets a proof of the password, with the feature
    /// `digest`. [`digest_auth`](Self::digest_auth) never sends the password itself.
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`] if SOCKS cannot carry them: each may have 255 bytes at most.
    pub fn basic_auth(mut self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Result<Self> {
        let (user, password) = (user.as_ref(), password.as_ref());
        let parts = Arc::make_mut(&mut self.0);
        if parts.protocol.is_socks() && (user.len() > 255 || password.len() > 255) {
            return Err(invalid("SOCKS has room for 255 bytes of user and of password"));
        }
        let is_some = !user.is_empty();
        parts.credentials = is_some.then(|| (Secret(user.into()), Secret(password.into())));
        parts.is_digest_only = false;
        Ok(self)
    }

    /// Sets user and password for Digest (RFC 7616), in place of those in the URL: a proof of the
    /// password is sent, never the password. An empty user removes them.
    ///
    /// The first request is challenged. The session keeps the challenge, so later requests carry
    /// their proof at once. A proxy that does not offer Digest gets no credentials.
    ///
    /// ```
    /// use sessio::Proxy;
    ///
    /// let proxy = Proxy::parse("http://proxy.test:3128")?.digest_auth("user", "pass")?;
    /// assert!(proxy.has_credentials());
    /// # Ok::<(), sessio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`] for a SOCKS proxy: it has no Digest.
    #[cfg(feature = "digest")]
    pub fn digest_auth(self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Result<Self> {
        if self.protocol().is_socks() {
            return Err(invalid("SOCKS has no Digest: it would send the password"));
        }
        let mut proxy = self.basic_auth(user, password)?;
        Arc::make_mut(&mut proxy.0).is_digest_only = true;
        Ok(proxy)
    }

    /// Sends the credentials only after the proxy has asked for them (407), rather than with every
    /// request. They are sent by the strongest scheme that the proxy offers: Digest, with the feature
    /// `digest`, before Basic. SOCKS always asks first.
    #[must_use]
    pub fn wait_for_challenge(mut self) -> Self {
        Arc::make_mut(&mut self.0).waits_for_challenge = true;
        self
    }

    /// Adds a header for the proxy to every CONNECT.
    ///
    /// A forwarded `http` request gets only headers whose name begins with `Proxy-`. Each replaces
    /// a header of the request with the same name. The proxy would forward any other header to the
    /// origin.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`], also for headers that control routing or framing of a message.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Self> {
        const OURS: [&str; 5] = ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade"];
        let name = name.as_ref();
        if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes())) {
            return Err(Fault::new(Kind::InvalidHeader)
                .with_detail(format!("{} is not for a proxy's headers", escape(name))));
        }
        let headers = &mut Arc::make_mut(&mut self.0).headers;
        headers.insert(name, value)?;
        if let Ok(name) = std::str::from_utf8(name) {
            headers.mark_sensitive(name);
        }
        Ok(self)
    }

    /// Sets the TLS settings of the connection to an `https` proxy.
    ///
    /// Default: those of the request, without the client certificate and the pinned keys, which are
    /// for origins.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        Arc::make_mut(&mut self.0).tls = Some(tls);
        self
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.0.protocol
    }

    /// The host, in lower case and A-labels.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.0.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The headers, without the one for the credentials.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Returns `true` if it has credentials.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.0.credentials.is_some()
    }

    pub(crate) fn own_tls(&self) -> Option<&Tls> {
        self.0.tls.as_ref()
    }

    /// User and password.
    pub(crate) fn credentials(&self) -> Option<(&[u8], &[u8])> {
        self.0.credentials.as_ref().map(|(user, password)| (&*user.0, &*password.0))
    }

    /// Returns `true` if credentials go out with the first request.
    pub(crate) fn is_eager(&self) -> bool {
        self.has_credentials() && !self.0.waits_for_challenge && !self.0.is_digest_only
    }

    /// Returns `true` if the password is never sent.
    pub(crate) fn is_digest_only(&self) -> bool {
        self.0.is_digest_only
    }

    /// The headers for the proxy, beside those of the request, with Basic credentials if they are
    /// sent. `answers` is set in response to a challenge.
    pub(crate) fn adds(&self, answers: bool) -> Headers {
        let mut headers = self.0.headers.clone();
        if let Some((user, password)) = self.credentials()
            && (answers || self.is_eager())
            && !self.is_digest_only()
            && !headers.contains("Proxy-Authorization")
        {
            // Base64 is valid in every header.
            let _ = headers.insert("Proxy-Authorization", basic(user, password));
            headers.mark_sensitive("Proxy-Authorization");
        }
        headers
    }

    /// Everything that identifies the proxy, secrets included.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.0.headers.encode(&mut text);
        if let Some((user, password)) = self.credentials() {
            text.extend_from_slice(&basic(user, password));
            text.push(match self.is_eager() {
                true => b'!',
                false if self.is_digest_only() => b'#',
                false => b'?',
            });
        }
        text
    }

    /// The same, with the address.
    #[cfg(feature = "digest")]
    pub(crate) fn full_identity(&self) -> Vec<u8> {
        [self.to_string().as_bytes(), b"\n", &self.identity()].concat()
    }
}

impl FromStr for Proxy {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// The URL without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { protocol, host, port, .. } = &*self.0;
        write!(f, "{}://{host}:{port}", protocol.scheme())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.has_credentials() || !self.0.headers.is_empty() { ", ***" } else { "" };
        write!(f, "Proxy({self}{secret})")
    }
}

fn invalid(why: &'static str) -> Fault {
    Fault::new(Kind::InvalidProxy).with_detail(why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d15_what_is_a_proxy() {
        for (text, shown) in [
            ("foo:3128", "http://foo:3128"),
            ("//p:1", "http://p:1"),
            ("p", "http://p:80"),
            ("http://P.Test/", "http://p.test:80"),
            ("http://p:80", "http://p:80"),
            ("HTTPS://p", "https://p:443"),
            ("socks5://p", "socks5://p:1080"),
            ("socks5://p:80", "socks5://p:80"),
            ("socks5h://[::1]:9050/x?y", "socks5h://[::1]:9050"),
            ("http://[::1]", "http://[::1]:80"),
            ("http://0x7f.1:1", "http://127.0.0.1:1"),
            ("http://b\u{fc}cher.test", "http://xn--bcher-kva.test:80"),
            ("http://u:p@p:1", "http://p:1"),
            ("http://u:p@w@p:1", "http://p:1"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown, "{text}");
        }
        // Row FB15: desktops write SOCKS proxies like this.
        assert_eq!(
            Proxy::parse("socks://u:p@127.0.0.1:1080/").unwrap().to_string(),
            "socks5h://127.0.0.1:1080"
        );
        assert_eq!(Proxy::parse("SOCKS://p").unwrap().protocol(), Protocol::Socks5h);
        assert_eq!(Proxy::parse("http://p:1\r\n").unwrap().to_string(), "http://p:1", "blanks around it");
        for text in [
            "",
            "http://",
            "http:///path",
            "socks6://p",
            "http://:1",
            "http://u:p@",
            "ftp://p",
            "socks4://p",
            "socks4a://p",
            "http://p:0",
            "http://p:65536",
            "http://p:+1",
            "http://p:x",
            "http://*.p",
            "http://.p",
            "http://a b",
            "http://[::1",
            "http://secret:sec/ret@p",
            "u:secret://x@p",
            "http://u:secret@p p",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidProxy, "{text}");
            assert!(!format!("{error} {error:?}").contains("sec"), "{error:?}");
        }
    }

    #[test]
    fn fb15_a_slip_behind_the_scheme_is_named() {
        for text in [
            "http:/p",
            "http:",
            "HTTP:/p:3128",
            "http//p:3128",
            "https:/p",
            "socks:/p",
            "socks5:/p:1",
            "http:?x",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidProxy, "{text}");
            assert!(error.to_string().contains("behind its scheme there is no ://"), "{text}: {error}");
        }
        for text in ["http://p\n:1", "http://p\r\nx", "u:p\n@p"] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.to_string().contains("line end"), "{text}: {error}");
        }
        // Hosts may have such names.
        for (text, shown) in [
            ("http", "http://http:80"),
            ("http:3128", "http://http:3128"),
            ("socks:1080/", "http://socks:1080"),
            ("http://http/", "http://http:80"),
            ("http://socks:", "http://socks:80"),
            ("p:/", "http://p:80"),
            ("//http/", "http://http:80"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    /// Clients disagree on these URLs; one of the readings sends data for one host to another.
    #[test]
    fn v32_where_the_host_is_must_not_be_doubtful() {
        for text in [
            r"http://DOMAIN\user:secret@p:3128",
            r"DOMAIN\user:secret@p",
            r"http://p\@evil",
            "http://user:123#secret@p:3128",
            "http://user:123?secret@p",
            "http://user/secret@p",
            "p#@evil",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidProxy, "{text}");
            assert!(error.to_string().contains('%') && !error.to_string().contains("secret"), "{error}");
        }
        let proxy = Proxy::parse("http://DOMAIN%5Cuser:1%232@p").unwrap();
        assert_eq!(proxy.credentials(), Some((&br"DOMAIN\user"[..], &b"1#2"[..])));
    }

    #[test]
    fn a03_credentials_need_a_colon_and_a_user() {
        for (userinfo, credentials) in [
            ("u:p@", Some((&b"u"[..], &b"p"[..]))),
            ("u:@", Some((b"u", b""))),
            ("u@", None),
            (":p@", None),
            (":@", None),
            ("@", None),
            ("u%40%C3%A9:p%3a%2F@", Some(("u@\u{e9}".as_bytes(), b"p:/"))),
        ] {
            let proxy = Proxy::parse(&format!("http://{userinfo}p")).unwrap();
            assert_eq!(proxy.credentials(), credentials, "{userinfo}");
            assert_eq!(proxy.adds(false).contains("Proxy-Authorization"), credentials.is_some());
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let proxy = Proxy::parse("http://user:hunter2@p").unwrap().header("X-Token", "hunter2").unwrap();
        assert!(!format!("{proxy} {proxy:?} {:?}", proxy.adds(true)).contains("hunter2"));
        assert!(!format!("{:?}", proxy.adds(true)).contains("dXNlcjpodW50ZXIy"));
    }

    #[test]
    fn who_waits_is_asked_first() {
        let proxy = Proxy::parse("http://u:p@p").unwrap().wait_for_challenge();
        assert!(!proxy.adds(false).contains("Proxy-Authorization"));
        assert_eq!(proxy.adds(true).get("Proxy-Authorization"), Some("Basic dTpw"));
    }

    #[test]
    #[cfg(feature = "digest")]
    fn a_password_for_digest_is_never_sent() {
        let proxy = Proxy::parse("http://u:p@p").unwrap().digest_auth("v", "q").unwrap();
        assert!(proxy.has_credentials() && !proxy.is_eager());
        for answers in [false, true] {
            assert!(!proxy.adds(answers).contains("Proxy-Authorization"));
        }
        // Later credentials for Basic replace them.
        assert!(proxy.basic_auth("u", "p").unwrap().adds(false).contains("Proxy-Authorization"));
        let error = Proxy::parse("socks5h://p").unwrap().digest_auth("u", "p").unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidProxy);
    }

    #[test]
    fn socks_has_room_for_255_bytes() {
        let long = [b'x'; 256];
        let socks = || Proxy::parse("socks5://p").unwrap();
        assert!(socks().basic_auth(&long[..255], &long[..255]).is_ok());
        assert!(socks().basic_auth(long, b"").is_err());
        assert!(socks().basic_auth(b"u", long).is_err());
        assert!(Proxy::parse("http://p").unwrap().basic_auth(long, long).is_ok());
    }

    #[test]
    fn b19_headers_that_frame_are_refused() {
        for name in ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "a b", ""] {
            let error = Proxy::parse("p").unwrap().header(name, "1").unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidHeader, "{name}");
        }
    }

    #[test]
    fn v88_the_identity_has_all_that_is_said() {
        let proxy = || Proxy::parse("http://u:p@p").unwrap();
        let all = [
            Proxy::parse("http://p").unwrap(),
            proxy(),
            proxy().basic_auth("u", "q").unwrap(),
            proxy().basic_auth("up", "").unwrap(),
            proxy().wait_for_challenge(),
            #[cfg(feature = "digest")]
            proxy().digest_auth("u", "p").unwrap(),
            proxy().header("X-A", "1").unwrap(),
            proxy().header("X-A", "2").unwrap(),
        ];
        let identities: std::collections::HashSet<_> = all.iter().map(Proxy::identity).collect();
        assert_eq!(identities.len(), all.len());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Proxy::parse(&text);
        }

        #[test]
        fn what_is_shown_is_read_again(host in "[a-z][a-z0-9]{0,9}", port in 1u16.., socks: bool) {
            let scheme = if socks { "socks5h" } else { "https" };
            let text = format!("{scheme}://{host}:{port}");
            let proxy = Proxy::parse(&text).unwrap();
            prop_assert_eq!(proxy.to_string(), text);
        }
    }
}
