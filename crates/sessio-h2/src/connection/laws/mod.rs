//! Properties of a connection, with tables of cases.

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
