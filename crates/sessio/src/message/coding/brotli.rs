//! `br` (RFC 7932), with windows of at most 16 MiB: large windows are not part of the coding (row
//! Q35).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::decoder::{Decoder, Malformed, Moved};

const BROKEN: &str = "a brotli stream that is none";

/// The coding `br`.
pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_over: bool,
    is_broken: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            is_over: false,
            is_broken: false,
        }
    }
}

impl Decoder for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        if self.is_over {
            // Bytes behind the end do not belong to the body.
            return Ok(Moved { taken: input.len(), made: 0 });
        }
        if self.is_broken {
            return Err(Malformed::from(BROKEN));
        }
        let (mut left, mut taken) = (input.len(), 0);
        let (mut room, mut made, mut total) = (output.len(), 0, 0);
        let state = &mut *self.state;
        match BrotliDecompressStream(
            &mut left, &mut taken, input, &mut room, &mut made, output, &mut total, state,
        ) {
            BrotliResult::ResultFailure if made == 0 => Err(BROKEN.into()),
            // Data before the error is returned first.
            BrotliResult::ResultFailure => {
                self.is_broken = true;
                Ok(Moved { taken, made })
            }
            BrotliResult::ResultSuccess => {
                self.is_over = true;
                Ok(Moved { taken, made })
            }
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok(Moved { taken, made }),
        }
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }
}
