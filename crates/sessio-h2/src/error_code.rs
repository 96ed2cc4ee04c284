//! Error codes (RFC 9113 section 7).

use std::fmt;

/// The reason why a stream or a connection ended, as RST_STREAM and GOAWAY carry it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The name in RFC 9113; none for a code that is not defined there.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// No error: a shutdown, or the rest is not needed.
    NO_ERROR = 0x0;
    /// The peer broke the protocol.
    PROTOCOL_ERROR = 0x1;
    /// An internal error of the sender.
    INTERNAL_ERROR = 0x2;
    /// More bytes came than the window allowed.
    FLOW_CONTROL_ERROR = 0x3;
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT = 0x4;
    /// A frame came for a stream that is closed.
    STREAM_CLOSED = 0x5;
    /// A frame has a wrong size.
    FRAME_SIZE_ERROR = 0x6;
    /// The request was not processed at all.
    REFUSED_STREAM = 0x7;
    /// The stream is not needed any more.
    CANCEL = 0x8;
    /// The state of header compression cannot be kept.
    COMPRESSION_ERROR = 0x9;
    /// The connection for a CONNECT was reset.
    CONNECT_ERROR = 0xa;
    /// The peer causes too much load.
    ENHANCE_YOUR_CALM = 0xb;
    /// The transport is not secure enough.
    INADEQUATE_SECURITY = 0xc;
    /// HTTP/1.1 is needed for this request.
    HTTP_1_1_REQUIRED = 0xd;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
