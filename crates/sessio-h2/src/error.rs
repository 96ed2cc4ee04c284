//! Errors of streams and connections.

use std::fmt;

use crate::ErrorCode;
use crate::frame::{FrameError, Kind};
use crate::hpack::DecodeError;

/// The reason why a connection failed. All its streams fail with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionError {
    kind: ConnectionErrorKind,
}

/// The violated rule, or the exceeded limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionErrorKind {
    /// The transport ended.
    Closed,
    /// The first bytes of the peer are not HTTP/2.
    NotHttp2,
    /// A frame is larger than the allowed 16,384 bytes.
    FrameTooLarge(u32),
    /// A frame is invalid by itself.
    Frame(FrameError),
    /// A frame other than CONTINUATION came within a header block, or CONTINUATION came without
    /// one.
    BrokenHeaderBlock(Kind),
    /// A frame came for a stream that was never opened.
    IdleStream(Kind),
    /// The peer pushes, though the SETTINGS of this side forbid it.
    PushPromise,
    /// A header block cannot be decoded.
    HeaderBlock(DecodeError),
    /// A header list is larger than four times its limit ([`Limits::header_list`](crate::Limits)).
    HeaderListTooLarge,
    /// A header block has too many frames ([`Limits::continuations`](crate::Limits)).
    TooManyContinuations,
    /// The peer sent more DATA than the window of the connection allowed.
    WindowExceeded,
    /// The peer made a window larger than 2^31 - 1.
    WindowOverflow,
    /// The peer sent a WINDOW_UPDATE of 0 bytes.
    ZeroIncrement,
    /// A setting has a value that is not allowed.
    InvalidSetting {
        /// The setting.
        id: u16,
        /// Its value.
        value: u32,
    },
    /// A GOAWAY allows more streams than the one before.
    GoAwayIncreased,
    /// Too many PING frames in a second ([`Limits::pings`](crate::Limits)).
    TooManyPings,
    /// Too many SETTINGS frames in a second ([`Limits::settings`](crate::Limits)).
    TooManySettings,
    /// Too many frames without content in a second ([`Limits::empty_frames`](crate::Limits)).
    TooManyEmptyFrames,
    /// Too many RST_STREAM frames in a second ([`Limits::resets`](crate::Limits)).
    TooManyResets,
    /// Too many streams in a second on which the peer broke a rule
    /// ([`Limits::stream_errors`](crate::Limits)).
    TooManyStreamErrors,
    /// Too many replies are queued, since the peer does not read
    /// ([`Limits::replies`](crate::Limits)).
    TooManyReplies,
    /// The peer did not acknowledge SETTINGS in time ([`Config::settings_timeout`](crate::Config)).
    SettingsTimeout,
    /// The peer sent nothing after a PING ([`Config::ping_timeout`](crate::Config)).
    PingTimeout,
}

impl ConnectionError {
    pub(crate) fn new(kind: ConnectionErrorKind) -> Self {
        Self { kind }
    }

    /// The kind of the error.
    pub fn kind(&self) -> ConnectionErrorKind {
        self.kind
    }

    /// The code of the GOAWAY for the peer. [`ErrorCode::NO_ERROR`] if the transport ended.
    pub fn code(&self) -> ErrorCode {
        use ConnectionErrorKind as Kind;
        match self.kind {
            Kind::Closed => ErrorCode::NO_ERROR,
            Kind::FrameTooLarge(_) => ErrorCode::FRAME_SIZE_ERROR,
            Kind::Frame(error) => error.code(),
            Kind::HeaderBlock(_) => ErrorCode::COMPRESSION_ERROR,
            Kind::WindowExceeded | Kind::WindowOverflow => ErrorCode::FLOW_CONTROL_ERROR,
            // SETTINGS_INITIAL_WINDOW_SIZE has a code of its own (RFC 9113 section 6.5.2).
            Kind::InvalidSetting { id: 4, .. } => ErrorCode::FLOW_CONTROL_ERROR,
            Kind::SettingsTimeout => ErrorCode::SETTINGS_TIMEOUT,
            Kind::NotHttp2
            | Kind::BrokenHeaderBlock(_)
            | Kind::IdleStream(_)
            | Kind::PushPromise
            | Kind::ZeroIncrement
            | Kind::InvalidSetting { .. }
            | Kind::GoAwayIncreased => ErrorCode::PROTOCOL_ERROR,
            Kind::HeaderListTooLarge
            | Kind::TooManyContinuations
            | Kind::TooManyPings
            | Kind::TooManySettings
            | Kind::TooManyEmptyFrames
            | Kind::TooManyResets
            | Kind::TooManyStreamErrors
            | Kind::TooManyReplies => ErrorCode::ENHANCE_YOUR_CALM,
            Kind::PingTimeout => ErrorCode::NO_ERROR,
        }
    }
}

impl From<ConnectionErrorKind> for ConnectionError {
    fn from(kind: ConnectionErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<FrameError> for ConnectionError {
    fn from(error: FrameError) -> Self {
        Self::new(ConnectionErrorKind::Frame(error))
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the HTTP/2 connection failed: ")?;
        self.kind.fmt(f)
    }
}

impl std::error::Error for ConnectionError {}

impl fmt::Display for ConnectionErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the peer closed it",
            Self::NotHttp2 => "the first bytes of the peer are not HTTP/2",
            Self::FrameTooLarge(length) => {
                return write!(f, "a frame of {length} bytes is larger than 16,384 bytes");
            }
            Self::Frame(error) => return error.fmt(f),
            Self::BrokenHeaderBlock(kind) => return write!(f, "{kind} came where no header block allows it"),
            Self::IdleStream(kind) => return write!(f, "{kind} came for a stream that was never opened"),
            Self::PushPromise => "the server pushes, though push is disabled",
            Self::HeaderBlock(error) => return error.fmt(f),
            Self::HeaderListTooLarge => "a header list is larger than four times its limit",
            Self::TooManyContinuations => "a header block has too many CONTINUATION frames",
            Self::WindowExceeded => "more DATA came than the window of the connection allowed",
            Self::WindowOverflow => "the peer made a window larger than 2^31 - 1",
            Self::ZeroIncrement => "WINDOW_UPDATE gives a credit of 0 bytes",
            Self::InvalidSetting { id, value } => return write!(f, "setting {id:#x} has the value {value}"),
            Self::GoAwayIncreased => "GOAWAY allows more streams than the one before",
            Self::TooManyPings => "too many PING frames came in a second",
            Self::TooManySettings => "too many SETTINGS frames came in a second",
            Self::TooManyEmptyFrames => "too many frames that carry nothing came in a second",
            Self::TooManyResets => "too many RST_STREAM frames came in a second",
            Self::TooManyStreamErrors => "the peer broke rules on too many streams in a second",
            Self::TooManyReplies => "the peer asks for replies and does not read them",
            Self::SettingsTimeout => "the peer did not acknowledge SETTINGS in time",
            Self::PingTimeout => "the peer sent nothing after a PING",
        })
    }
}

/// The reason why a stream failed before its response was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamError {
    kind: StreamErrorKind,
    is_retry_safe: bool,
}

/// The event that ended a stream before its response was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamErrorKind {
    /// The peer reset the stream.
    Reset(ErrorCode),
    /// The peer is shutting down and did not process the request; this is the code of its GOAWAY.
    GoAway(ErrorCode),
    /// The connection failed.
    Connection(ConnectionErrorKind),
    /// The response is malformed.
    Malformed(Malformed),
    /// The header list is larger than its limit ([`Limits::header_list`](crate::Limits)).
    HeaderListTooLarge,
    /// Too many interim responses came ([`Limits::interim_heads`](crate::Limits)).
    TooManyInterimHeads,
    /// The peer sent more DATA than the window of the stream allowed.
    WindowExceeded,
    /// The peer made the stream's window larger than 2^31 - 1.
    WindowOverflow,
    /// The peer sent the stream a WINDOW_UPDATE of 0 bytes.
    ZeroIncrement,
}

/// The rule of RFC 9113 section 8 that a response breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A field name has a letter in upper case.
    UpperCaseName,
    /// A field name is empty, or has a byte that is not allowed.
    InvalidName,
    /// A field value has NUL, CR or LF, or begins or ends with a blank.
    InvalidValue,
    /// A field belongs to connections of HTTP/1: `Connection`, `Keep-Alive`, `Proxy-Connection`,
    /// `Transfer-Encoding` or `Upgrade`.
    ConnectionField,
    /// There is no `:status`.
    MissingStatus,
    /// There is more than one `:status`.
    RepeatedStatus,
    /// `:status` is not a number from 100 to 999.
    InvalidStatus,
    /// A pseudo-field other than `:status`.
    UnknownPseudoField,
    /// A pseudo-field after a regular field.
    LatePseudoField,
    /// A pseudo-field in trailers.
    PseudoFieldInTrailers,
    /// 101, which HTTP/2 does not have.
    SwitchingProtocols,
    /// An interim response ends the stream.
    InterimEndsStream,
    /// DATA before the head.
    BodyBeforeHead,
    /// DATA in a response without a body: to HEAD, or with status 204 or 304.
    UnexpectedBody,
    /// Trailers that do not end the stream.
    TrailersWithoutEnd,
    /// `Content-Length` is not a number, or there are two that differ.
    InvalidContentLength,
    /// The body is longer or shorter than `Content-Length`.
    WrongLength,
}

impl StreamError {
    pub(crate) fn new(kind: StreamErrorKind, is_retry_safe: bool) -> Self {
        Self { kind, is_retry_safe }
    }

    /// The kind of the error.
    pub fn kind(&self) -> StreamErrorKind {
        self.kind
    }

    /// The code that was received from the peer, or sent to it.
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            StreamErrorKind::Reset(code) | StreamErrorKind::GoAway(code) => code,
            StreamErrorKind::Connection(kind) => ConnectionError::new(kind).code(),
            StreamErrorKind::Malformed(_) | StreamErrorKind::ZeroIncrement => ErrorCode::PROTOCOL_ERROR,
            StreamErrorKind::HeaderListTooLarge | StreamErrorKind::TooManyInterimHeads => {
                ErrorCode::ENHANCE_YOUR_CALM
            }
            StreamErrorKind::WindowExceeded | StreamErrorKind::WindowOverflow => {
                ErrorCode::FLOW_CONTROL_ERROR
            }
        }
    }

    /// Returns `true` if the peer certainly did not process the request, so that any method may be
    /// sent again. The request was never written, it was refused, or its stream is above the last
    /// one of GOAWAY.
    pub fn is_retry_safe(&self) -> bool {
        self.is_retry_safe
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StreamErrorKind::Reset(code) => return write!(f, "the server reset the stream: {code}"),
            StreamErrorKind::GoAway(code) => {
                return write!(f, "the server shuts down and did not process the request: {code}");
            }
            StreamErrorKind::Connection(kind) => return ConnectionError::new(kind).fmt(f),
            StreamErrorKind::Malformed(rule) => return write!(f, "the response is malformed: {rule}"),
            StreamErrorKind::HeaderListTooLarge => "the header list of the response is larger than its limit",
            StreamErrorKind::TooManyInterimHeads => "too many interim responses came",
            StreamErrorKind::WindowExceeded => "more DATA came than the window of the stream allowed",
            StreamErrorKind::WindowOverflow => "the server made a window larger than 2^31 - 1",
            StreamErrorKind::ZeroIncrement => "WINDOW_UPDATE gives a credit of 0 bytes",
        })
    }
}

impl std::error::Error for StreamError {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpperCaseName => "a field name is in upper case",
            Self::InvalidName => "a field name has a byte that is not allowed",
            Self::InvalidValue => "a field value has a byte that is not allowed",
            Self::ConnectionField => "a field belongs to connections of HTTP/1",
            Self::MissingStatus => "there is no :status",
            Self::RepeatedStatus => "there is more than one :status",
            Self::InvalidStatus => ":status is not a number from 100 to 999",
            Self::UnknownPseudoField => "there is a pseudo-field other than :status",
            Self::LatePseudoField => "a pseudo-field stands behind a field",
            Self::PseudoFieldInTrailers => "a pseudo-field is in the trailers",
            Self::SwitchingProtocols => "HTTP/2 has no status 101",
            Self::InterimEndsStream => "an interim response ends the stream",
            Self::BodyBeforeHead => "the body comes before the head",
            Self::UnexpectedBody => "there is a body where none is allowed",
            Self::TrailersWithoutEnd => "the trailers do not end the stream",
            Self::InvalidContentLength => "Content-Length is not valid",
            Self::WrongLength => "the body has another length than Content-Length says",
        })
    }
}
