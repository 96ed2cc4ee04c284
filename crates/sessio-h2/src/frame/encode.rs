//! Encoding of frames: each function appends one.

use super::{Header, Kind};
use crate::ErrorCode;

/// Appends a header and its payload. The length is the payload's.
pub fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&Header { length: payload.len() as u32, kind, flags, stream }.encode());
    out.extend_from_slice(payload);
}

/// DATA.
pub fn data(stream: u32, bytes: &[u8], is_last: bool, out: &mut Vec<u8>) {
    frame(Kind::DATA, if is_last { Header::END_STREAM } else { 0 }, stream, bytes, out);
}

/// HEADERS with a whole header block, and CONTINUATION frames for a block longer than
/// `max_frame_size`.
pub fn headers(stream: u32, block: &[u8], is_last: bool, max_frame_size: usize, out: &mut Vec<u8>) {
    let (first, mut rest) = block.split_at(block.len().min(max_frame_size));
    let end = |rest: &[u8]| if rest.is_empty() { Header::END_HEADERS } else { 0 };
    let flags = end(rest) | if is_last { Header::END_STREAM } else { 0 };
    frame(Kind::HEADERS, flags, stream, first, out);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(max_frame_size));
        rest = behind;
        frame(Kind::CONTINUATION, end(rest), stream, piece, out);
    }
}

/// RST_STREAM.
pub fn reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    frame(Kind::RST_STREAM, 0, stream, &code.0.to_be_bytes(), out);
}

/// SETTINGS: pairs of id and value.
pub fn settings(settings: &[(u16, u32)], out: &mut Vec<u8>) {
    let header = Header { length: settings.len() as u32 * 6, kind: Kind::SETTINGS, flags: 0, stream: 0 };
    out.extend_from_slice(&header.encode());
    for (id, value) in settings {
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// SETTINGS that acknowledge the peer's.
pub fn settings_ack(out: &mut Vec<u8>) {
    frame(Kind::SETTINGS, Header::ACK, 0, &[], out);
}

/// PING, or the acknowledgement of one.
pub fn ping(opaque: [u8; 8], is_ack: bool, out: &mut Vec<u8>) {
    frame(Kind::PING, if is_ack { Header::ACK } else { 0 }, 0, &opaque, out);
}

/// GOAWAY.
pub fn goaway(last: u32, code: ErrorCode, debug: &[u8], out: &mut Vec<u8>) {
    let header = Header { length: debug.len() as u32 + 8, kind: Kind::GOAWAY, flags: 0, stream: 0 };
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
    out.extend_from_slice(debug);
}

/// WINDOW_UPDATE; stream 0 is the connection.
pub fn window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    frame(Kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes(), out);
}
