//! What a connection is like: windows, limits, times.

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
    /// How many bytes of a response may wait for the caller at first. Default: 1 MiB; 2^31 - 1 at most.
    pub stream_window: u32,
    /// The window of a stream doubles up to this while the caller keeps up. Default: 8 MiB.
    pub max_stream_window: u32,
    /// How many bytes may be under way on the connection. The credit is given back as soon as bytes are
    /// read, so that a slow reader of one stream holds up no other. Default: 8 MiB; 65,535 at least.
    pub connection_window: u32,
    /// The largest dynamic table in which the peer may keep header fields. Default: 4096.
    pub header_table: usize,
    /// The largest dynamic table in which we keep header fields, if the peer allows it. Default: 4096.
    pub own_header_table: usize,
    /// How many streams are open at once, if the peer allows it. Default: 256.
    pub max_streams: u32,
    /// How many streams are open at once before the peer has said how many it allows. Default: 100.
    pub initial_max_streams: u32,
    /// How long the peer has to acknowledge our SETTINGS. Default: 10 s.
    pub settings_timeout: Duration,
    /// After this time without a byte of the peer a PING goes with the next request, and no other request
    /// is sent before something has come. Default: 10 s.
    pub quiet: Duration,
    /// How long the peer has to send anything after that PING; then the connection is dead. Default: 20 s.
    pub ping_timeout: Duration,
    /// Caps on what the peer may do.
    pub limits: Limits,
}

/// Caps on what the peer may do. Each has an error of its own, see
/// [`ConnectionErrorKind`](crate::ConnectionErrorKind).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The largest header list, as RFC 9113 section 6.5.2 counts it: 32 bytes for each field beside name and
    /// value. Beyond it the stream fails; beyond four times as much the connection fails. Default: 64 KiB.
    pub header_list: usize,
    /// How many CONTINUATION frames a header block may have. Default: 64.
    pub continuations: u32,
    /// How many interim responses (1xx) a stream may have. Default: 32.
    pub interim_heads: u32,
    /// PING frames a second. Default: 100.
    pub pings: u32,
    /// SETTINGS frames a second. Default: 20.
    pub settings: u32,
    /// Frames a second that carry nothing: empty DATA, PRIORITY, unknown types. Default: 1000.
    pub empty_frames: u32,
    /// RST_STREAM frames a second from the peer. Default: 1000.
    pub resets: u32,
    /// Streams a second that we reset since the peer broke a rule on them. Default: 100.
    pub stream_errors: u32,
    /// Streams a second that the caller resets. Beyond it the connection takes no new streams until the next
    /// second, since servers close connections that reset too much. Default: 200.
    pub own_resets: u32,
    /// Replies (acknowledged PING and SETTINGS) that wait because the peer does not read. Default: 1000.
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
