//! Environment variables that configure sessions.
//!
//! This module reads no variable: an [`Environment`] is made of names and values, and of a parsed
//! [`Netrc`]. The runtime of a session reads both if the session's `trust_env` is set (rule E-01).
//!
//! The environment has the lowest priority: the request goes first, then the session. The table is
//! in the chapter on [proxies and the environment](crate::proxies).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::route::netrc::Netrc;
use crate::route::proxy::Proxies;
use crate::route::tls::{Certificates, Roots, Tls};

/// The environment variables that sessions use. A clone allocates nothing.
///
/// | variable | meaning |
/// |---|---|
/// | `http_proxy`, `https_proxy`, `all_proxy` | the proxies of those schemes, and of all others |
/// | `no_proxy` | the hosts that are reached without a proxy: [`NoProxy`](crate::route::proxy::NoProxy) |
/// | `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE` | a file or a folder of certificates to trust |
/// | else `SSL_CERT_FILE`, `SSL_CERT_DIR` | a file and folders of certificates to trust |
/// | `NETRC` | path of the netrc file, in place of `.netrc` and `_netrc` in the home folder |
///
/// The first four names are read in lower and upper case. Lower case has priority, and an empty
/// lower-case variable disables the upper-case one (rule E-02). `HTTP_PROXY` is ignored if
/// `REQUEST_METHOD` is set: a client of that CGI program may have supplied it (row V60).
///
/// ```
/// use sessio::Environment;
///
/// let environment = Environment::new([
///     ("HTTP_PROXY", "http://upper.test:3128"),
///     ("http_proxy", "http://lower.test:3128"),
///     ("NO_PROXY", "localhost"),
///     ("CURL_CA_BUNDLE", "/etc/ca.pem"),
///     ("HOME", "/home/me"),
/// ]);
/// assert_eq!(format!("{:?}", environment.proxies()), r#"{http: Proxy(Proxy(http://lower.test:3128)), "except": localhost}"#);
/// assert_eq!(environment.authorities().unwrap().variable, "CURL_CA_BUNDLE");
/// assert_eq!(environment.netrc_paths()[0].to_str(), Some("/home/me/.netrc"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Option<Arc<Said>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    proxies: Proxies,
    authorities: Option<CaBundle>,
    netrc_paths: Vec<PathBuf>,
    netrc: Option<Netrc>,
    certificates: Option<Result<Certificates, Box<str>>>,
    passed_over: Vec<Box<str>>,
    /// Default TLS settings with these certificates, built once for all requests.
    tls: Tls,
}

/// The parts of the environment that sessions use: finer than `trust_env`, and effective only while
/// that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvSources {
    /// Proxies, and the hosts that are reached without one.
    pub proxies: bool,
    /// Certificates to trust.
    pub authorities: bool,
    /// The netrc file.
    pub netrc: bool,
}

impl Default for EnvSources {
    fn default() -> Self {
        Self { proxies: true, authorities: true, netrc: true }
    }
}

/// Paths of the CA certificates that replace the default ones.
///
/// A path that is missing is an error; the default certificates are not used then. The files are
/// read when TLS is first needed: see [`Connect::unread`](crate::call::Connect::unread).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CaBundle {
    /// The environment variable that names the paths.
    pub variable: &'static str,
    /// Files, or folders of files.
    pub paths: Vec<PathBuf>,
}

impl Environment {
    /// An environment without any settings.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Builds an environment from variables. If a name occurs twice, the last value is used.
    pub fn new<N: AsRef<OsStr>, V: AsRef<OsStr>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: Vec<_> = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.as_ref().to_str()?.to_owned(), value.as_ref().to_owned())))
            .collect();
        let get = |wanted: &str| {
            variables.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_os_str())
        };
        let said = Said {
            proxies: proxies(&variables, get),
            authorities: authorities(get),
            netrc_paths: netrc_paths(get),
            netrc: None,
            certificates: None,
            passed_over: Vec::new(),
            tls: Tls::default(),
        };
        if said == Said::default() { Self(None) } else { Self(Some(Arc::new(said))) }
    }

    /// Adds the netrc file that was found.
    #[must_use]
    pub fn with_netrc(mut self, netrc: Netrc) -> Self {
        Arc::make_mut(self.0.get_or_insert_default()).netrc = Some(netrc);
        self
    }

    /// Adds the certificates read from [`authorities`](Self::authorities), or the reason why they
    /// cannot be used.
    ///
    /// With an error, requests for `https` URLs fail, unless the session or the request sets its
    /// own roots.
    #[must_use]
    pub fn with_certificates(mut self, read: Result<Certificates, impl Into<Box<str>>>) -> Self {
        let said = Arc::make_mut(self.0.get_or_insert_default());
        said.tls = match &read {
            Ok(certificates) => Tls::default().roots(certificates.clone()),
            Err(_) => Tls::default(),
        };
        said.certificates = Some(read.map_err(Into::into));
        self
    }

    /// Adds a list of files that were skipped while certificates were read. These are files of a
    /// folder that hold no certificate or cannot be read, each with the reason.
    #[must_use]
    pub fn with_passed_over(mut self, problems: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Arc::make_mut(self.0.get_or_insert_default()).passed_over =
            problems.into_iter().map(Into::into).collect();
        self
    }

    /// Copies the certificates that were read for another environment, which may lack parts of this
    /// one.
    #[must_use]
    pub fn with_certificates_of(self, read: &Self) -> Self {
        match read.0.as_deref() {
            Some(Said { certificates: Some(certificates), passed_over, .. }) => {
                self.with_certificates(certificates.clone()).with_passed_over(passed_over.clone())
            }
            _ => self,
        }
    }

    /// The files that were skipped while certificates were read.
    #[must_use]
    pub fn passed_over(&self) -> &[Box<str>] {
        self.0.as_ref().map_or(&[], |said| &said.passed_over)
    }

    /// The CA bundle that is named and has not been read yet.
    #[must_use]
    pub fn unread(&self) -> Option<&CaBundle> {
        self.0.as_ref().filter(|said| said.certificates.is_none())?.authorities.as_ref()
    }

    /// Keeps the parts that `trust` enables.
    pub(crate) fn trusted(&self, trust: EnvSources) -> Self {
        if trust == EnvSources::default() || self.is_empty() {
            return self.clone();
        }
        let mut trusted = self.clone();
        let said = Arc::make_mut(trusted.0.get_or_insert_default());
        if !trust.proxies {
            said.proxies = Proxies::new();
        }
        if !trust.netrc {
            (said.netrc, said.netrc_paths) = (None, Vec::new());
        }
        if !trust.authorities {
            (said.authorities, said.certificates, said.tls) = (None, None, Tls::default());
            said.passed_over = Vec::new();
        }
        trusted
    }

    /// The certificates that were read.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.0.as_ref()?.certificates.as_ref()?.as_ref().ok()
    }

    /// Applies the certificates to a session's TLS settings: they replace those of the platform.
    pub(crate) fn secures(&self, tls: Tls) -> Tls {
        match self.0.as_deref() {
            Some(Said { tls: own, certificates: Some(Ok(_)), .. }) if tls.is_default() => own.clone(),
            Some(Said { certificates: Some(Ok(certificates)), .. })
                if tls.options().roots == Roots::Platform =>
            {
                tls.roots(certificates.clone())
            }
            _ => tls,
        }
    }

    /// The reason why the named certificates cannot be used.
    #[must_use]
    pub fn certificates_problem(&self) -> Option<&str> {
        self.0.as_ref()?.certificates.as_ref()?.as_ref().err().map(|problem| &**problem)
    }

    /// Returns `true` if the environment sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns `true` if any part changes a request. Candidate paths of a netrc file do not count:
    /// they have been looked up by then.
    pub(crate) fn has_effect(&self) -> bool {
        self.0.as_ref().is_some_and(|said| {
            !said.proxies.is_empty()
                || said.netrc.is_some()
                || said.certificates.is_some()
                || said.authorities.is_some()
        })
    }

    /// The proxies.
    #[must_use]
    pub fn proxies(&self) -> &Proxies {
        static NONE: Proxies = Proxies::new();
        self.0.as_ref().map_or(&NONE, |said| &said.proxies)
    }

    /// The CA certificates that replace the default ones.
    #[must_use]
    pub fn authorities(&self) -> Option<&CaBundle> {
        self.0.as_ref()?.authorities.as_ref()
    }

    /// The candidate paths of the netrc file. The first one that exists is used (rule A-17).
    #[must_use]
    pub fn netrc_paths(&self) -> &[PathBuf] {
        self.0.as_ref().map_or(&[], |said| &said.netrc_paths)
    }

    /// The netrc file, if one was found.
    #[must_use]
    pub fn netrc(&self) -> Option<&Netrc> {
        self.0.as_ref()?.netrc.as_ref()
    }
}

type Variable = (String, std::ffi::OsString);

/// Rules E-02 and E-04.
fn proxies<'a>(variables: &[Variable], get: impl Fn(&str) -> Option<&'a OsStr>) -> Proxies {
    let is_cgi = get("REQUEST_METHOD").is_some();
    let mut proxies = Proxies::new();
    for scheme in ["http", "https", "all"] {
        let wanted = format!("{scheme}_proxy");
        // Any case first, then lower case alone: it has priority, also if it is empty.
        let is_any = |name: &str| name.eq_ignore_ascii_case(&wanted) && !(is_cgi && scheme == "http");
        let mut holds: Option<(&str, &str)> = None;
        for (name, value) in variables.iter().filter(|(name, _)| is_any(name)) {
            // A value that is no text is no URL; it is reported as an invalid proxy.
            let value = value.to_str().unwrap_or("?");
            holds = Some((name.as_str(), value)).filter(|_| !value.is_empty()).or(holds);
        }
        if let Some(value) = get(&wanted) {
            let value = value.to_str().unwrap_or("?");
            holds = Some((&*wanted, value)).filter(|_| !value.is_empty());
        }
        if let Some((name, value)) = holds {
            proxies.set_from(scheme, name, value);
        }
    }
    let text = |name: &str| get(name).and_then(OsStr::to_str).filter(|text| !text.is_empty());
    if let Some(list) = text("no_proxy").or_else(|| text("NO_PROXY")) {
        proxies.except(list);
    }
    proxies
}

/// Rule E-11, then the two variables of OpenSSL.
fn authorities<'a>(get: impl Fn(&str) -> Option<&'a OsStr>) -> Option<CaBundle> {
    let path = |name: &str| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        if let Some(path) = path(variable) {
            return Some(CaBundle { variable, paths: vec![path] });
        }
    }
    let file = path("SSL_CERT_FILE");
    let folders = get("SSL_CERT_DIR").unwrap_or_default().to_str().unwrap_or_default();
    let separator = if cfg!(windows) { ';' } else { ':' };
    let folders = folders.split(separator).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let variable = if file.is_some() { "SSL_CERT_FILE" } else { "SSL_CERT_DIR" };
    let paths: Vec<_> = file.into_iter().chain(folders).collect();
    (!paths.is_empty()).then_some(CaBundle { variable, paths })
}

/// Rule A-17. An empty `NETRC` means no file at all.
fn netrc_paths<'a>(get: impl Fn(&str) -> Option<&'a OsStr>) -> Vec<PathBuf> {
    let home = get("HOME").or_else(|| get("USERPROFILE")).filter(|home| !home.is_empty()).map(Path::new);
    match (get("NETRC"), home) {
        (Some(path), _) if path.is_empty() => Vec::new(),
        (Some(path), home) => match (Path::new(path).strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => vec![home.join(rest)],
            _ => vec![path.into()],
        },
        (None, Some(home)) => vec![home.join(".netrc"), home.join("_netrc")],
        (None, None) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Url;
    use crate::route::proxy::ProxySelector;

    fn goes(variables: &[(&str, &str)], url: &str) -> String {
        let environment = Environment::new(variables.iter().copied());
        let plan = ProxySelector::new(Proxies::new(), Proxies::new(), environment.proxies().clone());
        match plan.of(&Url::parse(url).unwrap()) {
            Ok(choice) => choice.proxy.map_or_else(|| "direct".to_owned(), |proxy| proxy.host().to_string()),
            Err(error) => error.kind().to_string(),
        }
    }

    #[test]
    fn e02_lower_case_goes_before_also_when_empty() {
        let (upper, lower) = (("HTTP_PROXY", "upper"), ("http_proxy", "lower"));
        for (variables, expected) in [
            (vec![], "direct"),
            (vec![upper], "upper"),
            (vec![lower], "lower"),
            (vec![upper, lower], "lower"),
            (vec![lower, upper], "lower"),
            (vec![upper, ("http_proxy", "")], "direct"),
            (vec![("Http_Proxy", "mixed")], "mixed"),
            (vec![("HTTP_PROXY", ""), ("Http_Proxy", "mixed")], "mixed"),
            (vec![("HTTP_PROXY", "")], "direct"),
            (vec![("all_proxy", "all")], "all"),
            (vec![("ALL_PROXY", "all"), lower], "lower"),
            (vec![("https_proxy", "other")], "direct"),
            (vec![("ftp_proxy", "ftp://nonsense"), ("xhttp_proxy", "x")], "direct"),
            (vec![("http_proxy", "ftp://nonsense")], "invalid-proxy"),
        ] {
            assert_eq!(goes(&variables, "http://a/"), expected, "{variables:?}");
        }
    }

    #[test]
    fn v60_of_a_cgi_programs_client_nothing_is_taken() {
        let cgi = ("REQUEST_METHOD", "GET");
        assert_eq!(goes(&[cgi, ("HTTP_PROXY", "evil")], "http://a/"), "direct");
        assert_eq!(goes(&[("REQUEST_METHOD", ""), ("Http_Proxy", "evil")], "http://a/"), "direct");
        assert_eq!(goes(&[cgi, ("HTTP_PROXY", "evil"), ("http_proxy", "ours")], "http://a/"), "ours");
        assert_eq!(goes(&[cgi, ("HTTPS_PROXY", "ours")], "https://a/"), "ours");
    }

    #[test]
    fn e04_no_proxy_in_both_cases() {
        let proxy = ("all_proxy", "p");
        for (variables, expected) in [
            (vec![proxy, ("no_proxy", "a")], "direct"),
            (vec![proxy, ("NO_PROXY", "a")], "direct"),
            (vec![proxy, ("no_proxy", "b"), ("NO_PROXY", "a")], "p"),
            (vec![proxy, ("no_proxy", ""), ("NO_PROXY", "a")], "direct"),
            (vec![proxy, ("No_Proxy", "a")], "p"),
        ] {
            assert_eq!(goes(&variables, "http://a/"), expected, "{variables:?}");
        }
    }

    #[test]
    fn e11_the_first_bundle_that_is_not_empty() {
        let names = |variables: &[(&str, &str)]| {
            let environment = Environment::new(variables.iter().copied());
            environment.authorities().map(|found| {
                let paths: Vec<_> =
                    found.paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
                format!("{} {}", found.variable, paths.join(" "))
            })
        };
        let all = [
            ("REQUESTS_CA_BUNDLE", "/r"),
            ("CURL_CA_BUNDLE", "/c"),
            ("SSL_CERT_FILE", "/f"),
            ("SSL_CERT_DIR", "/d:/e"),
        ];
        assert_eq!(names(&all).unwrap(), "REQUESTS_CA_BUNDLE /r");
        assert_eq!(names(&all[1..]).unwrap(), "CURL_CA_BUNDLE /c");
        assert_eq!(names(&[("REQUESTS_CA_BUNDLE", ""), all[1]]).unwrap(), "CURL_CA_BUNDLE /c");
        if cfg!(unix) {
            assert_eq!(names(&all[2..]).unwrap(), "SSL_CERT_FILE /f /d /e");
            assert_eq!(names(&all[3..]).unwrap(), "SSL_CERT_DIR /d /e");
        }
        assert_eq!(names(&[("SSL_CERT_DIR", "")]), None);
    }

    #[test]
    fn a17_netrc_or_the_two_of_the_home_folder() {
        let paths =
            |variables: &[(&str, &str)]| Environment::new(variables.iter().copied()).netrc_paths().to_vec();
        let home = ("HOME", "/h");
        assert_eq!(paths(&[home]), [PathBuf::from("/h/.netrc"), PathBuf::from("/h/_netrc")]);
        assert_eq!(paths(&[home, ("NETRC", "/n")]), [PathBuf::from("/n")]);
        assert_eq!(paths(&[home, ("NETRC", "~/n")]), [PathBuf::from("/h/n")]);
        assert!(paths(&[home, ("NETRC", "")]).is_empty());
        assert!(paths(&[]).is_empty());
    }

    #[test]
    fn nothing_says_nothing_and_secrets_are_not_shown() {
        assert!(Environment::new([("PATH", "/bin")]).is_empty());
        let environment = Environment::new([("http_proxy", "http://user:hunter2@p")])
            .with_netrc(Netrc::parse(b"machine h login hunter2 password hunter2"));
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
