//! The known codings, by name.

use std::fmt;
use std::sync::Arc;

use super::decoder::Decoder;

/// Makes a decoder for one body.
type Make = Arc<dyn Fn() -> Box<dyn Decoder> + Send + Sync>;
/// A coding and its name.
type Known = (Box<str>, Make);
/// The same for a compiled-in coding.
type CompiledIn = (&'static str, fn() -> Box<dyn Decoder>);

/// The codings that a session decodes: the compiled-in ones, and those of the caller. A clone is
/// cheap.
///
/// ```
/// use sessio::coding::{Decoders, Decoder, Malformed, Moved};
///
/// /// Swaps upper and lower case.
/// struct Shout;
/// impl Decoder for Shout {
///     fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
///         let n = input.len().min(output.len());
///         for (to, from) in output.iter_mut().zip(input) {
///             *to = from ^ 0x20;
///         }
///         Ok(Moved { taken: n, made: n })
///     }
///     fn is_complete(&self) -> bool {
///         true
///     }
/// }
///
/// let mut codings = Decoders::default();
/// codings.insert("x-shout", || Box::new(Shout));
/// assert!(codings.names().any(|name| name == "x-shout"));
/// ```
#[derive(Clone, Default)]
pub struct Decoders(
    /// `None` is the compiled-in set, as in most sessions: a clone is free then.
    Option<Arc<[Known]>>,
);

/// The compiled-in codings.
static COMPILED_IN: &[CompiledIn] = &[
    #[cfg(feature = "gzip")]
    ("gzip", || Box::new(super::gzip::Gzip::default())),
    #[cfg(feature = "gzip")]
    ("deflate", || Box::new(super::deflate::Deflate::default())),
    #[cfg(feature = "brotli")]
    ("br", || Box::new(super::brotli::Brotli::default())),
    #[cfg(feature = "zstd")]
    ("zstd", || Box::new(super::zstd::Zstd::default())),
];

impl Decoders {
    /// No codings: every body is returned as it was received.
    #[must_use]
    pub fn none() -> Self {
        Self(Some(Arc::new([])))
    }

    /// Adds a coding, or replaces the decoder of a known one. Case of names does not matter.
    pub fn insert(&mut self, name: &str, make: impl Fn() -> Box<dyn Decoder> + Send + Sync + 'static) {
        let known: Vec<(Box<str>, Make)> = match &self.0 {
            Some(own) => own.to_vec(),
            None => {
                COMPILED_IN.iter().map(|(name, make)| ((*name).into(), Arc::new(*make) as Make)).collect()
            }
        };
        let others = known.into_iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0 = Some(others.chain([(name.into(), Arc::new(make) as Make)]).collect());
    }

    /// The names, as `Accept-Encoding` lists them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let compiled_in = if self.0.is_none() { COMPILED_IN } else { &[] };
        let own = self.0.as_deref().unwrap_or_default();
        compiled_in.iter().map(|(name, _)| *name).chain(own.iter().map(|(name, _)| &**name))
    }

    /// A decoder for the coding of this name; the old name of gzip is accepted (RFC 9110 section
    /// 8.4.1.3).
    pub(super) fn decoder(&self, name: &str) -> Option<Box<dyn Decoder>> {
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        match &self.0 {
            Some(own) => own.iter().find(|(known, _)| is_it(known)).map(|(_, make)| make()),
            None => COMPILED_IN.iter().find(|(known, _)| is_it(known)).map(|(_, make)| make()),
        }
    }
}

impl fmt::Debug for Decoders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
