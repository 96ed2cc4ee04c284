//! Limits on a response.

use std::time::Duration;

/// Limits on everything that a peer could make grow in a response.
///
/// ```
/// use sessio::h1::Limits;
///
/// let mut limits = Limits::default();
/// limits.body_bytes = Some(1 << 20);
/// assert_eq!(limits.fields, 256);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all heads of one response together: interim heads, the final head, and trailers.
    /// Default: 256 KiB.
    pub head_bytes: usize,
    /// Number of fields in one head. The final head and the trailers count together. Default: 256.
    pub fields: usize,
    /// Number of interim responses (1xx) before the final one. Default: 100.
    pub interim: usize,
    /// Bytes of chunk extensions: of one chunk, and of all chunks of a body beyond the allowance of
    /// their data. Each chunk allows 16 bytes, and two for each byte of its data. Default: 16 KiB.
    pub chunk_ext_bytes: usize,
    /// Bytes of the body, both as framed and after decoding. Default: `None`, no limit.
    pub body_bytes: Option<u64>,
    /// Bytes of one line of the body, if it is read by [lines](crate::message::lines), or of one
    /// [event](crate::message::sse). Default: 16 MiB.
    pub line_bytes: usize,
    /// Factor by which a coded body may grow beyond 1 MiB when it is decoded. Default: 1,100, which
    /// `gzip` alone never reaches (row V117).
    pub growth: Option<u32>,
    /// Bytes of an unwanted body that are read to keep the connection. Default: 64 KiB.
    pub drain_bytes: u64,
    /// Time for reading an unwanted body, and for the response of a peer that takes no more of the
    /// request. Then the connection is given up. Default: 50 ms.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 256 * 1024,
            fields: 256,
            interim: 100,
            chunk_ext_bytes: 16 * 1024,
            body_bytes: None,
            line_bytes: 16 * 1024 * 1024,
            growth: Some(1100),
            drain_bytes: 64 * 1024,
            drain_time: Duration::from_millis(50),
        }
    }
}
