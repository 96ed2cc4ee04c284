//! Bodies of fuzz targets and the naive readers beside them, behind the feature `testing`. Not part
//! of the API.

use crate::base::time::Instant;
use crate::{Now, UnixTime};

pub mod call;
pub mod coding;
pub mod multipart;
pub mod pem;
pub mod proxy;
pub mod reading;
pub mod response;

/// The time at the beginning of a fuzz body. Its monotonic clock starts at 0.
#[must_use]
pub fn at(wall: i64) -> Now {
    Now { mono: Instant::ZERO, wall: UnixTime(wall) }
}
