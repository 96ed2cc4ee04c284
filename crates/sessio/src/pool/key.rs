//! What tells one pooled connection from another.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::Hasher;

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

/// Hashes the short texts of keys (FNV-1a, eight bytes a step). Keys come from URLs that the caller or a
/// redirect named; flooding one bucket would cost whoever floods it a connection each.
#[derive(Debug)]
pub(crate) struct Mix(u64);

impl Default for Mix {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = (self.0 ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME).rotate_left(23);
        }
        for byte in rest {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the low bits and its tag from the high ones.
        self.0 ^ (self.0 >> 32)
    }
}
