//! Content coding of a request's body during transmission.

use std::fmt;

use bytes::Bytes;

use super::decoder::Moved;
use super::encoder::Encoder;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// A content coding for the body of a request: see [`Request::compress`](crate::Request::compress).
///
/// Responses can have more codings: encoders of `br` and `zstd` would be far larger than the rest
/// of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentCoding {
    /// `gzip` (RFC 1952), the coding that nearly all servers with support for coded bodies accept.
    #[cfg(feature = "gzip")]
    Gzip,
    /// `deflate`: in the zlib format (RFC 1950), as RFC 9110 section 8.4.1.2 requires.
    #[cfg(feature = "gzip")]
    Deflate,
}

impl ContentCoding {
    /// The name in `Content-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "gzip")]
            Self::Deflate => "deflate",
        }
    }

    fn encoder(self) -> Box<dyn Encoder> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => Box::new(super::gzip::Zip::default()),
            #[cfg(feature = "gzip")]
            Self::Deflate => Box::new(super::deflate::Deflating::new(true)),
        }
    }

    /// Encodes a whole body at once.
    pub(crate) fn applied(self, body: &[u8]) -> Bytes {
        let mut encoder = self.encoder();
        let mut coded = vec![0; body.len() / 2 + 64];
        let (mut taken, mut made) = (0, 0);
        while !encoder.is_over() {
            if made == coded.len() {
                coded.resize(made * 2, 0);
            }
            let moved = encoder.encode(&body[taken..], true, &mut coded[made..]);
            taken += moved.taken;
            made += moved.made;
        }
        coded.truncate(made);
        coded.into()
    }
}

/// The encoder of one request's body, for a driver that [supplies](crate::Call::supply) it:
/// [`Body::encoding`](crate::Body::encoding) returns it if one is needed. Data that it holds back
/// is written with more input, or at the end.
///
/// ```
/// # #[cfg(feature = "gzip")] {
/// use sessio::coding::{ContentCoding, Decoders, BodyDecoder, BodyEncoder};
///
/// let (mut encoding, mut room, mut coded) = (BodyEncoder::new(ContentCoding::Gzip, Some(10)), [0; 7], Vec::new());
/// for (piece, is_last) in [(&b"hello"[..], false), (b"world", false), (b"", true)] {
///     let mut rest = piece;
///     loop {
///         let moved = encoding.encode(rest, is_last, &mut room)?;
///         rest = &rest[moved.taken..];
///         coded.extend_from_slice(&room[..moved.made]);
///         if rest.is_empty() && moved.made == 0 {
///             break;
///         }
///     }
/// }
/// assert!(encoding.is_over());
/// let mut decoding = BodyDecoder::of(&Decoders::default(), [&b"gzip"[..]])?.expect("it is compiled in");
/// decoding.push(&coded)?;
/// assert_eq!(decoding.ready(), b"helloworld");
/// # }
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct BodyEncoder {
    encoder: Box<dyn Encoder>,
    coding: ContentCoding,
    /// The declared length of the body in bytes.
    length: Option<u64>,
    taken: u64,
}

impl BodyEncoder {
    /// An encoder of `length` bytes, or of an unknown number.
    #[must_use]
    pub fn new(coding: ContentCoding, length: Option<u64>) -> Self {
        Self { encoder: coding.encoder(), coding, length, taken: 0 }
    }

    /// Takes bytes from the start of `input` and writes to the start of `output`, which is not
    /// empty, until one of them is used up. With `is_last`, this input is the last one. Call it
    /// then until [`is_over`](Self::is_over).
    ///
    /// # Errors
    /// [`Kind::BodyLength`] for more or fewer bytes than declared. The output has no valid end
    /// then.
    pub fn encode(&mut self, input: &[u8], is_last: bool, output: &mut [u8]) -> Result<Moved> {
        let seen = self.taken + input.len() as u64;
        match self.length {
            Some(length) if seen > length => return Err(wrong("longer than declared")),
            Some(length) if is_last && seen < length => return Err(wrong("shorter than declared")),
            _ => {}
        }
        let moved = self.encoder.encode(input, is_last, output);
        self.taken += moved.taken as u64;
        Ok(moved)
    }

    /// Returns `true` if the coded body was written to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.encoder.is_over()
    }

    /// Starts over, for a body that is sent again.
    pub fn rewind(&mut self) {
        self.encoder.rewind();
        self.taken = 0;
    }
}

#[cold]
fn wrong(what: &'static str) -> Fault {
    Fault::new(Kind::BodyLength).with_detail(what)
}

impl fmt::Debug for BodyEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding")
            .field("coding", &self.coding)
            .field("length", &self.length)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
