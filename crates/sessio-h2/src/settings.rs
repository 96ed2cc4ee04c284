//! SETTINGS (RFC 9113 section 6.5.2).

use crate::ConnectionErrorKind;
use crate::frame::MAX_WINDOW;
use crate::hpack::Encoder;

pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
pub(crate) const ENABLE_PUSH: u16 = 2;
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(crate) const MAX_FRAME_SIZE: u16 = 5;
pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The default frame size of a peer, and always that of this side.
pub(crate) const DEFAULT_FRAME_SIZE: u32 = 16_384;

/// The settings of the peer. They begin with the defaults of RFC 9113.
#[derive(Debug, Clone)]
pub(crate) struct PeerSettings {
    pub(crate) max_streams: Option<u32>,
    pub(crate) initial_window: u32,
    pub(crate) max_frame: u32,
    pub(crate) header_list: Option<u32>,
}

impl PeerSettings {
    pub(crate) fn new() -> Self {
        Self { max_streams: None, initial_window: 65_535, max_frame: DEFAULT_FRAME_SIZE, header_list: None }
    }

    /// Applies a payload of SETTINGS, in order. The encoder receives each size of the header table,
    /// since the smallest one counts as well (RFC 7541 section 4.2).
    pub(crate) fn apply(&mut self, payload: &[u8], encoder: &mut Encoder) -> Result<(), ConnectionErrorKind> {
        for pair in payload.chunks_exact(6) {
            let id = u16::from_be_bytes([pair[0], pair[1]]);
            let value = u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]);
            let is_valid = match id {
                // A server receives no pushes, hence it cannot enable them.
                ENABLE_PUSH => value == 0,
                INITIAL_WINDOW_SIZE => value <= MAX_WINDOW,
                MAX_FRAME_SIZE => (DEFAULT_FRAME_SIZE..1 << 24).contains(&value),
                _ => true,
            };
            if !is_valid {
                return Err(ConnectionErrorKind::InvalidSetting { id, value });
            }
            match id {
                HEADER_TABLE_SIZE => encoder.set_max_table_size(value as usize),
                MAX_CONCURRENT_STREAMS => self.max_streams = Some(value),
                INITIAL_WINDOW_SIZE => self.initial_window = value,
                MAX_FRAME_SIZE => self.max_frame = value,
                MAX_HEADER_LIST_SIZE => self.header_list = Some(value),
                _ => {}
            }
        }
        Ok(())
    }
}
