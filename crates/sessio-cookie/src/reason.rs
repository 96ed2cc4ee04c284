//! Reasons to refuse a cookie.

use std::fmt;

const BIS_5_4: &str = "RFC 6265bis 5.4";
const BIS_5_6: &str = "RFC 6265bis 5.6";
const BIS_5_7: &str = "RFC 6265bis 5.7";
const BIS_6_1: &str = "RFC 6265bis 6.1";
const LAYERED: &str = "draft-ietf-httpbis-layered-cookies";

/// The reason why a cookie was refused. It prints as a short kebab-case name; [`rule`](Self::rule)
/// and [`explanation`](Self::explanation) say more.
///
/// ```
/// use sessio_cookie::Reason;
///
/// let reason = Reason::SecureFromInsecure;
/// assert_eq!(reason.to_string(), "secure-from-insecure");
/// assert_eq!(reason.rule(), "24");
/// assert_eq!(reason.section(), "RFC 6265bis 5.7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A control character other than HTAB, anywhere in the line.
    ControlCharacter,
    /// Neither a name nor a value.
    Empty,
    /// Name and value together exceed 4096 octets.
    TooLong,
    /// The URL has no host that can have cookies, or its scheme is not of HTTP or WebSocket.
    NoHost,
    /// `Domain` has a byte outside ASCII, or is a lone dot.
    InvalidDomain,
    /// `Domain` is a public suffix such as `co.uk`, a single label, or a parent of the host's
    /// public suffix.
    PublicSuffix,
    /// `Domain` is neither the host nor one of its parents.
    DomainMismatch,
    /// `Path` has a byte outside ASCII, which no URL can match.
    InvalidPath,
    /// `Secure` from a host reached without TLS.
    SecureFromInsecure,
    /// A cookie from an insecure host would shadow or replace a `Secure` cookie.
    ShadowsSecure,
    /// `SameSite=None` without `Secure`.
    SameSiteNoneInsecure,
    /// `__Secure-` without `Secure`.
    SecurePrefix,
    /// `__Host-` without `Secure` or without `Path=/`, or with a domain.
    HostPrefix,
    /// `__Http-` without `Secure` and `HttpOnly`.
    HttpPrefix,
    /// `__Host-Http-` without all that `__Host-` and `__Http-` demand.
    HostHttpPrefix,
    /// A cookie without a name whose value begins like a name with a prefix.
    NamelessPrefix,
    /// A cookie from a cross-site subresource without `SameSite=None`.
    CrossSite,
    /// More cookies in one response than the policy allows.
    TooMany,
    /// The caller gave a name with `=` or `;`, or a value with `;`. A server would misread it.
    Separator,
}

impl Reason {
    /// The name in kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The number of the rule in the table of the chapter "Cookies".
    #[must_use]
    pub const fn rule(self) -> &'static str {
        self.row().1
    }

    /// The document that demands it, and the section in it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        self.row().2
    }

    /// One sentence for a human reader.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.row().3
    }

    const fn row(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::ControlCharacter => ("control-character", "3", BIS_5_6, "the line has a control character"),
            Self::Empty => ("empty", "7", BIS_5_6, "there is neither a name nor a value"),
            Self::TooLong => ("too-long", "7", BIS_5_6, "name and value together exceed 4096 octets"),
            Self::NoHost => {
                ("no-host", "19", BIS_5_7, "cookies belong to hosts of http, https, ws and wss URLs")
            }
            Self::InvalidDomain => ("invalid-domain", "19", BIS_5_7, "Domain is not a host name"),
            Self::PublicSuffix => ("public-suffix", "20", BIS_5_7, "Domain is a public suffix"),
            Self::DomainMismatch => {
                ("domain-mismatch", "21", BIS_5_7, "Domain is neither the host nor a parent of it")
            }
            Self::InvalidPath => ("invalid-path", "33", LAYERED, "Path has bytes that no URL can match"),
            Self::SecureFromInsecure => (
                "secure-from-insecure",
                "24",
                BIS_5_7,
                "Secure cookies are only taken over a secure connection",
            ),
            Self::ShadowsSecure => {
                ("shadows-secure", "25", BIS_5_7, "an insecure host may not shadow a Secure cookie")
            }
            Self::SameSiteNoneInsecure => {
                ("same-site-none-insecure", "27", BIS_5_7, "SameSite=None demands Secure")
            }
            Self::SecurePrefix => ("secure-prefix", "28", BIS_5_4, "__Secure- demands Secure"),
            Self::HostPrefix => {
                ("host-prefix", "28", BIS_5_4, "__Host- demands Secure, Path=/ and no domain")
            }
            Self::HttpPrefix => ("http-prefix", "28", LAYERED, "__Http- demands Secure and HttpOnly"),
            Self::HostHttpPrefix => (
                "host-http-prefix",
                "28",
                LAYERED,
                "__Host-Http- demands Secure, HttpOnly, Path=/ and no domain",
            ),
            Self::NamelessPrefix => (
                "nameless-prefix",
                "29",
                BIS_5_4,
                "a cookie without a name may not look like one with a prefix",
            ),
            Self::CrossSite => ("cross-site", "30", BIS_5_7, "SameSite cookies are not taken across sites"),
            Self::TooMany => {
                ("too-many", "34", BIS_6_1, "the response sets more cookies than the policy keeps")
            }
            Self::Separator => {
                ("separator", "4", BIS_5_6, "the name or the value has a separator of the header")
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a cookie of the caller that would break the header, or that the policy refuses.
///
/// ```
/// use sessio_cookie::{NewCookie, Reason};
///
/// let error = NewCookie::new("a", "1\r\nX-Evil: 1").unwrap_err();
/// assert_eq!(error.reason(), Reason::ControlCharacter);
/// assert_eq!(error.to_string(), "invalid cookie: the line has a control character");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCookie(Reason);

impl InvalidCookie {
    /// The reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.0
    }
}

impl From<Reason> for InvalidCookie {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

impl fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid cookie: {}", self.0.explanation())
    }
}

impl std::error::Error for InvalidCookie {}
