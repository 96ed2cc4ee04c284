//! What tells one pooled connection from another.

use std::borrow::{Borrow, Cow};
use std::fmt;

use url::{Position, Url};

/// What a connection can be used for: requests with the same key may share it.
///
/// ```
/// use sessio::{Url, pool::Key};
///
/// let key = Key::of(&Url::parse("http://user:pass@Example.org:80/path")?);
/// assert_eq!(key.as_str(), "http://example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Box<str>);

impl Key {
    /// The key of a URL: its origin.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(Self::text_of(url).into())
    }

    /// As text: scheme, host and, where it is not the scheme's own, port.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of a URL's key, borrowed from it where it has no userinfo.
    pub(crate) fn text_of(url: &Url) -> Cow<'_, str> {
        let origin = &url[..Position::BeforePath];
        if origin.contains('@') {
            let from_host = &url[Position::BeforeHost..Position::BeforePath];
            Cow::Owned(format!("{}://{from_host}", url.scheme()))
        } else {
            Cow::Borrowed(origin)
        }
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
