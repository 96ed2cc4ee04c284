//! Requests and responses as data: fields, heads, bodies.

pub(crate) mod body;
pub(crate) mod challenge;
pub mod coding;
pub(crate) mod connection_info;
#[cfg(feature = "digest")]
pub(crate) mod digest;
pub(crate) mod exchange;
pub(crate) mod head;
pub(crate) mod headers;
#[cfg(feature = "json")]
pub(crate) mod json;
pub mod lines;
pub mod link;
pub(crate) mod list;
pub mod multipart;
pub mod sse;
pub mod text;
pub(crate) mod timings;
