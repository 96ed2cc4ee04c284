//! The laws of a connection, as properties and as tables.

mod caps;
mod conversation;
mod cuts;
mod dice;
mod ends;
mod liveness;
mod peer;
mod requests;
mod responses;
mod script;
