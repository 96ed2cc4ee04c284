//! The laws of a connection, as properties and as tables.

mod conversation;
mod dice;
mod peer;
