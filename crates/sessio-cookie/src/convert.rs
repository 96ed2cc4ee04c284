//! Conversions from and to the cookies of the crate `cookie`.

use cookie::{Expiration, SameSite as Theirs};

use crate::insert::NewCookie;
use crate::parse::SameSite;
use crate::reason::InvalidCookie;
use crate::record::Cookie;
use crate::unix_time::UnixTime;

/// Converts the attributes that both crates have. A `Domain` means that domain and every host below
/// it. A cookie without one is unscoped, see [`NewCookie`].
///
/// ```
/// use sessio_cookie::{Jar, NewCookie, UnixTime, Url};
///
/// let now = UnixTime(0);
/// let theirs = cookie::Cookie::build(("sid", "31d4")).domain("example.com").secure(true).build();
/// let mut jar = Jar::new();
/// jar.insert(NewCookie::try_from(&theirs)?, now)?;
/// assert_eq!(cookie::Cookie::try_from(jar.get("sid").unwrap())?.value(), "31d4");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl TryFrom<&cookie::Cookie<'_>> for NewCookie {
    type Error = InvalidCookie;

    fn try_from(theirs: &cookie::Cookie<'_>) -> Result<Self, InvalidCookie> {
        let mut ours = Self::new(theirs.name(), theirs.value())?
            .secure(theirs.secure().unwrap_or_default())
            .http_only(theirs.http_only().unwrap_or_default())
            .partitioned(theirs.partitioned().unwrap_or_default())
            .same_site(match theirs.same_site() {
                None => SameSite::Unset,
                Some(Theirs::None) => SameSite::None,
                Some(Theirs::Lax) => SameSite::Lax,
                Some(Theirs::Strict) => SameSite::Strict,
            });
        if let Some(domain) = theirs.domain().filter(|domain| !domain.is_empty()) {
            ours = ours.domain(domain);
        }
        if let Some(path) = theirs.path() {
            ours = ours.path(path);
        }
        Ok(match (theirs.max_age(), theirs.expires()) {
            (Some(span), _) => ours.max_age(span.try_into().unwrap_or_default()),
            (None, Some(Expiration::DateTime(end))) => ours.expires(UnixTime(end.unix_timestamp())),
            (None, _) => ours,
        })
    }
}

/// The crate `cookie` holds text only: a name or value that is not UTF-8 is an error. A host-only
/// cookie has no domain there, so its host is lost.
impl TryFrom<&Cookie> for cookie::Cookie<'static> {
    type Error = std::str::Utf8Error;

    fn try_from(ours: &Cookie) -> Result<Self, std::str::Utf8Error> {
        let (name, value) = (str::from_utf8(ours.name())?, str::from_utf8(ours.value())?);
        let mut theirs = Self::new(name.to_owned(), value.to_owned());
        if !ours.host_only() && !ours.domain().is_empty() {
            theirs.set_domain(ours.domain().to_owned());
        }
        theirs.set_path(ours.path().to_owned());
        theirs.set_secure(ours.secure().then_some(true));
        theirs.set_http_only(ours.http_only().then_some(true));
        theirs.set_partitioned(ours.partitioned().then_some(true));
        theirs.set_same_site(match ours.same_site() {
            SameSite::Unset => None,
            SameSite::None => Some(Theirs::None),
            SameSite::Lax => Some(Theirs::Lax),
            SameSite::Strict => Some(Theirs::Strict),
        });
        if let Some(end) =
            ours.expires().and_then(|end| cookie::time::OffsetDateTime::from_unix_timestamp(end.0).ok())
        {
            theirs.set_expires(end);
        }
        Ok(theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Jar;

    #[test]
    fn there_and_back() {
        let text = "a=1; Domain=x.example; Path=/p; Secure; HttpOnly; SameSite=None; Expires=Fri, 01 Jan 2027 00:00:00 GMT";
        let theirs = cookie::Cookie::parse(text).unwrap();
        let mut jar = Jar::new();
        jar.insert(NewCookie::try_from(&theirs).unwrap(), UnixTime(1_767_225_600)).unwrap();
        let again = cookie::Cookie::try_from(jar.get("a").unwrap()).unwrap();
        assert_eq!(
            (again.domain(), again.path(), again.expires()),
            (Some("x.example"), Some("/p"), theirs.expires())
        );
        assert_eq!(
            (again.secure(), again.http_only(), again.same_site()),
            (Some(true), Some(true), Some(Theirs::None))
        );
        assert!(NewCookie::try_from(&cookie::Cookie::new("a", "1\r\n")).is_err());
    }
}
