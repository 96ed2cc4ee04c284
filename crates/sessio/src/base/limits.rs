//! How much of a response is taken.

use std::time::Duration;

/// How large a response may be in each direction in which a peer could make it grow.
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
    /// Bytes of all heads of one response together: interim heads, the final head, trailers. 256 KiB.
    pub head_bytes: usize,
    /// Fields of one head; those of the final head and the trailers together. 256.
    pub fields: usize,
    /// Interim responses (1xx) before the final one. 100.
    pub interim: usize,
    /// Bytes of chunk extensions: of one chunk, and of all chunks of a body beyond what their data allows. Each chunk
    /// allows 16 bytes and two for each byte of its data. 16 KiB.
    pub chunk_ext_bytes: usize,
    /// Bytes of the body, both as framed and with its content codings undone. No limit.
    pub body_bytes: Option<u64>,
    /// Bytes of one line of the body, where it is read by [lines](crate::message::lines), or of one [event](crate::message::sse). 16 MiB.
    pub line_bytes: usize,
    /// How many times its size a coded body may grow to beyond 1 MiB. 1,100 times, which `gzip` alone never reaches
    /// (row V117).
    pub growth: Option<u32>,
    /// How many bytes of an unwanted body are worth reading to keep the connection. 64 KiB.
    pub drain_bytes: u64,
    /// How long an unwanted body may take to be read, and how long a peer that takes no more of the request may
    /// take to say why, before the connection is given up. 50 ms.
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
