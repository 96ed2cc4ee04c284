//! Bytes: HTTP/1.1 framing, tunnels, and the stages of a connection.

pub mod conn;
pub mod h1;
pub(crate) mod stack;
pub mod tunnel;
