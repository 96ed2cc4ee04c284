//! The relation between the initiator and the target of a request, for `SameSite`.

use url::Url;

use crate::parse::SameSite;
use crate::policy::Policy;
use crate::record::Cookie;
use crate::unix_time::UnixTime;

/// The relation of the page that starts a request to the request's target. RFC 6265bis 5.2 and
/// 5.8.3; rules 30 and 37.
///
/// A client has no page that starts its requests. By default each request counts as typed by the
/// user, which is [`Same`](Self::Same), and `SameSite` has no effect. An emulated browser can pass
/// more:
///
/// ```
/// use sessio_cookie::{Jar, Policy, Site, UnixTime, Url};
///
/// let now = UnixTime(1_767_225_600);
/// let shop = Url::parse("https://shop.example/")?;
/// let mut jar = Jar::new();
/// jar.extract(&shop, [&b"s=1; SameSite=Strict"[..], b"l=1; SameSite=Lax"], now);
///
/// let other = Url::parse("https://news.example/")?;
/// let from_link = Site::between(&Policy::default(), &other, &shop, Some(true));
/// let mut out = Vec::new();
/// jar.header_from(&shop, from_link, now, &mut out);
/// assert_eq!(out, b"l=1");
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Site {
    /// From the same site, or from the user.
    #[default]
    Same,
    /// A top-level navigation from another site.
    CrossNavigation {
        /// Whether the method is safe, such as GET.
        safe: bool,
    },
    /// A subresource of a page of another site: image, script, `fetch`.
    CrossSubresource,
}

/// For so many seconds after its creation, a cookie without `SameSite` is also sent with an unsafe
/// cross-site navigation.
const LAX_UNSAFE_AGE: i64 = 120;

impl Site {
    /// The relation for a request from a page at `from` to `to`. `navigation` is `None` for a
    /// subresource. Otherwise it says whether the method is safe. Two URLs are of the same site if
    /// scheme and registrable domain are equal.
    #[must_use]
    pub fn between(policy: &Policy, from: &Url, to: &Url, navigation: Option<bool>) -> Self {
        let site = |url: &Url| url.host_str().map(|host| policy.suffixes.registrable(host).to_owned());
        if from.scheme() == to.scheme() && site(from).is_some_and(|one| site(to) == Some(one)) {
            return Self::Same;
        }
        navigation.map_or(Self::CrossSubresource, |safe| Self::CrossNavigation { safe })
    }

    pub(crate) fn sends(self, cookie: &Cookie, now: UnixTime) -> bool {
        match (self, cookie.same_site) {
            (Self::Same, _) | (_, SameSite::None) => true,
            (_, SameSite::Strict) | (Self::CrossSubresource, _) => false,
            (Self::CrossNavigation { safe }, SameSite::Lax) => safe,
            (Self::CrossNavigation { safe }, SameSite::Unset) => {
                safe || now.0.saturating_sub(cookie.created.0) <= LAX_UNSAFE_AGE
            }
        }
    }

    pub(crate) fn takes(self, cookie: &Cookie) -> bool {
        self != Self::CrossSubresource || cookie.same_site == SameSite::None
    }
}
