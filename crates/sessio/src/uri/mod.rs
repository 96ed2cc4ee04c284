//! URLs and their origins.

pub(crate) mod address;
pub(crate) mod localhost;
pub(crate) mod origin;
pub(crate) mod pair;
#[cfg(feature = "json")]
pub(crate) mod pairs;
pub(crate) mod params;
pub(crate) mod pattern;
pub(crate) mod redacted;
pub(crate) mod url_cache;
