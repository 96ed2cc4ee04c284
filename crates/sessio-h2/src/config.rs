//! Settings of a connection: windows, limits, times.

use core::time::Duration;

/// Settings of a [`Connection`](crate::Connection). All sizes are in bytes.
///
/// ```
/// let mut config = sessio_h2::Config::default();
/// config.max_streams = 16;
/// config.limits.header_list = 16 * 1024;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Initial window of a stream: bytes of a response that may wait for the caller. Default: 1
    /// MiB; at most 2^31 - 1.
    pub stream_window: u32,
    /// Maximal window of a stream: it doubles up to this while the caller keeps up. Default: 8 MiB.
    pub max_stream_window: u32,
    /// Window of the connection: bytes in transit on all streams. Credit is returned as soon as
    /// bytes are read, so a slow reader of one stream delays no other. Default: 8 MiB; at least
    /// 65,535.
    pub connection_window: u32,
    /// Maximal dynamic table of the peer, for header fields of responses. Default: 4096.
    pub header_table: usize,
    /// Maximal dynamic table of this side, for header fields of requests, if the peer allows it.
    /// Default: 4096.
    pub own_header_table: usize,
    /// Maximal number of concurrent streams, if the peer allows it. Default: 256.
    pub max_streams: u32,
    /// Maximal number of concurrent streams before the peer has sent its limit. Default: 100.
    pub initial_max_streams: u32,
    /// Time for the peer to acknowledge SETTINGS. Default: 10 s.
    pub settings_timeout: Duration,
    /// Silence of the peer after which a PING is sent with the next request. No further request is
    /// sent then until the peer has sent something. Default: 10 s.
    pub quiet: Duration,
    /// Time for the peer to send anything after that PING; the connection is dead after it.
    /// Default: 20 s.
    pub ping_timeout: Duration,
    /// Limits on the peer.
    pub limits: Limits,
}

/// Limits on the peer. Each has an error of its own, see
/// [`ConnectionErrorKind`](crate::ConnectionErrorKind).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Maximal header list, as RFC 9113 section 6.5.2 counts it: 32 bytes for each field beside
    /// name and value. A larger list fails the stream; one of more than four times this size fails
    /// the connection. Default: 64 KiB.
    pub header_list: usize,
    /// Maximal number of CONTINUATION frames of a header block. Default: 64.
    pub continuations: u32,
    /// Maximal number of interim responses (1xx) of a stream. Default: 32.
    pub interim_heads: u32,
    /// PING frames per second. Default: 100.
    pub pings: u32,
    /// SETTINGS frames per second. Default: 20.
    pub settings: u32,
    /// Frames per second without content: empty DATA, PRIORITY, unknown types. Default: 1000.
    pub empty_frames: u32,
    /// RST_STREAM frames per second from the peer. Default: 1000.
    pub resets: u32,
    /// Streams per second that fail because the peer broke a rule on them. Default: 100.
    pub stream_errors: u32,
    /// Streams per second that the caller resets. Above the limit the connection takes no new
    /// streams until the next second, since servers close connections that reset too much. Default:
    /// 200.
    pub own_resets: u32,
    /// Replies (acknowledged PING and SETTINGS) that are queued because the peer does not read.
    /// Default: 1000.
    pub replies: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stream_window: 1 << 20,
            max_stream_window: 8 << 20,
            connection_window: 8 << 20,
            header_table: 4096,
            own_header_table: 4096,
            max_streams: 256,
            initial_max_streams: 100,
            settings_timeout: Duration::from_secs(10),
            quiet: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(20),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_list: 64 * 1024,
            continuations: 64,
            interim_heads: 32,
            pings: 100,
            settings: 20,
            empty_frames: 1000,
            resets: 1000,
            stream_errors: 100,
            own_resets: 200,
            replies: 1000,
        }
    }
}
