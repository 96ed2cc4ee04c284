//! Values without HTTP.

pub(crate) mod byte_order_mark;
pub(crate) mod change;
pub(crate) mod decimal;
pub(crate) mod escape;
pub(crate) mod fault;
pub(crate) mod fnv;
pub(crate) mod kind;
pub(crate) mod limits;
pub(crate) mod percent;
pub(crate) mod progress;
pub(crate) mod repeat;
pub(crate) mod secret;
pub(crate) mod time;
pub(crate) mod timeouts;
