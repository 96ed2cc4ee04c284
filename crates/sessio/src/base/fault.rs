//! Errors of one module, before their request is known.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::kind::Kind;

pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// An error without a request: its [`Kind`], its details, and its cause.
///
/// Settings, header fields, bodies, framing, tunnels and TLS return it. A call adds the URL, the
/// stage and the earlier exchanges, and makes it an [`Error`](crate::Error). `?` converts.
///
/// ```
/// use sessio::{Error, Headers, Kind};
///
/// let mut headers = Headers::new();
/// let fault = headers.insert("X Y", "1").unwrap_err();
/// assert_eq!(fault.kind(), Kind::InvalidHeader);
/// assert_eq!(Error::from(fault).kind(), Kind::InvalidHeader);
/// ```
#[derive(Clone)]
pub struct Fault(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
    /// Shared by the clones of the fault.
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Fault {
    /// A fault of this kind.
    #[cold]
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, detail: None, source: None }))
    }

    /// Adds the details of this case. Escape bytes of a peer with [`escape`](crate::escape).
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The details of this case.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The cause, for a downcast.
    pub(crate) fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }
}

impl From<Kind> for Fault {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().says())?;
        if let Some(detail) = self.detail() {
            write!(f, " ({detail})")?;
        }
        write!(f, "; {}", self.kind().advice())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Fault");
        out.field("kind", &self.kind());
        if let Some(detail) = self.detail() {
            out.field("detail", &detail);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
