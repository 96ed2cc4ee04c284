//! Bodies of fuzz targets and the naive readers beside them, behind the feature `testing`. Not part of the API.

use crate::base::time::Instant;

use crate::{Now, UnixTime};

pub mod coding;
pub mod multipart;
pub mod proxy;
pub mod reading;

/// The clock of a fuzz body, which looks at no monotonic time.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "there is no other way to make an Instant")]
pub fn at(wall: i64) -> Now {
    Now { mono: Instant::ZERO, wall: UnixTime(wall) }
}
