//! Conversions from and to the errors of other crates, so that `?` works in both directions.

use crate::base::kind::{Blame, Kind};
use crate::error::Error;

/// An error of a file or stream of the caller: [`Kind::File`], with its text. An `Error` within it is
/// taken out, so that a way through [`std::io::Error`] and back loses nothing.
///
/// ```
/// use sessio::{Error, Kind, Timeout};
///
/// fn certificate() -> Result<Vec<u8>, Error> {
///     Ok(std::fs::read("/no/such/file.pem")?)
/// }
///
/// assert_eq!(certificate().unwrap_err().kind(), Kind::File);
///
/// let there = std::io::Error::from(Error::new(Kind::Timeout(Timeout::Head)));
/// assert_eq!(Error::from(there).kind(), Kind::Timeout(Timeout::Head));
/// ```
impl From<std::io::Error> for Error {
    #[cold]
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::new(Kind::File).with_detail(error.to_string()).with_source(error),
        }
    }
}

impl From<Error> for std::io::Error {
    #[cold]
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            Kind::Timeout(_) => ErrorKind::TimedOut,
            Kind::IncompleteBody | Kind::IncompleteHead | Kind::ClosedBeforeResponse => {
                ErrorKind::UnexpectedEof
            }
            Kind::File => error.io_kind().unwrap_or(ErrorKind::Other),
            kind if kind.blame() == Blame::Caller => ErrorKind::InvalidInput,
            kind if kind.blame() == Blame::Peer => ErrorKind::InvalidData,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Defines the conversion of an error that has a text and one kind.
macro_rules! converted {
    ($($error:ty => $kind:ident;)*) => {
        $(
            #[doc = concat!("[`Kind::", stringify!($kind), "`], with the reason.")]
            impl From<$error> for Error {
                #[cold]
                fn from(error: $error) -> Self {
                    Self::new(Kind::$kind).with_detail(error.to_string()).with_source(error)
                }
            }
        )*
    };
}

converted! {
    url::ParseError => InvalidUrl;
    http::uri::InvalidUri => InvalidUrl;
    http::method::InvalidMethod => InvalidMethod;
    http::header::InvalidHeaderName => InvalidHeader;
    http::header::InvalidHeaderValue => InvalidHeader;
    http::header::ToStrError => InvalidHeader;
}

/// [`Kind::InvalidUrl`], [`Kind::InvalidMethod`] or [`Kind::InvalidHeader`], with the reason. A status
/// code outside of 100 to 999 is [`Kind::Misuse`].
///
/// ```
/// use sessio::{Error, Kind, http};
///
/// fn request() -> Result<http::Request<()>, Error> {
///     Ok(http::Request::get("http://example.org/").header("no token", "1").body(())?)
/// }
///
/// assert_eq!(request().unwrap_err().kind(), Kind::InvalidHeader);
/// ```
impl From<http::Error> for Error {
    #[cold]
    fn from(error: http::Error) -> Self {
        let kind = if error.is::<http::uri::InvalidUri>() || error.is::<http::uri::InvalidUriParts>() {
            Kind::InvalidUrl
        } else if error.is::<http::method::InvalidMethod>() {
            Kind::InvalidMethod
        } else if error.is::<http::status::InvalidStatusCode>() {
            Kind::Misuse
        } else {
            Kind::InvalidHeader
        };
        Self::new(kind).with_detail(error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_files_keep_their_kind_in_both_directions() {
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "/no/such/file");
        let error = Error::from(missing());
        assert!(error.to_string().contains("/no/such/file"), "{error}");
        assert!(!error.is_builder());
        assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
        let back = std::io::Error::from(error);
        assert_eq!(back.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(Error::from(back).kind(), Kind::File);
    }

    #[test]
    fn errors_of_http_are_told_apart() {
        let kind = |builder: http::request::Builder| Error::from(builder.body(()).unwrap_err()).kind();
        assert_eq!(kind(http::Request::get("http://a b/")), Kind::InvalidUrl);
        assert_eq!(kind(http::Request::builder().method("a b")), Kind::InvalidMethod);
        assert_eq!(kind(http::Request::builder().header("a b", "")), Kind::InvalidHeader);
        assert_eq!(kind(http::Request::builder().header("a", "\n")), Kind::InvalidHeader);
        let status = http::Response::builder().status(7).body(()).unwrap_err();
        assert_eq!(Error::from(status).kind(), Kind::Misuse);
    }

    #[test]
    fn urls_name_their_reason() {
        let error = Error::from(url::Url::parse("http://h:99999/").unwrap_err());
        assert_eq!(error.kind(), Kind::InvalidUrl);
        assert!(error.to_string().contains("invalid port number"), "{error}");
    }
}
