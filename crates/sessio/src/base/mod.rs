//! The ground: values that know nothing of HTTP.

pub(crate) mod byte_order_mark;
pub(crate) mod fingerprint;
pub(crate) mod limits;
pub(crate) mod meters;
pub(crate) mod time;
