//! Tests of the whole workspace, and the code that they share.
#![forbid(unsafe_code)]

pub mod authority;
pub mod backend;
pub mod buffering_tls;
pub mod carrier;
pub mod clear;
pub mod coded;
pub mod eval;
pub mod faulty_runtime;
pub mod fetch;
pub mod folder;
pub mod forward;
pub mod h2_client;
pub mod matrix;
pub mod messages;
pub mod movable;
pub mod oracle;
pub mod polls;
#[cfg(unix)]
pub mod program;
mod readers;
pub mod redirect_chain;
pub mod renewal;
pub mod replay;
pub mod server_tls;
pub mod simulation;
pub mod source;
pub mod trace;
pub mod trace_equality;
pub mod way;
pub mod world;

/// The programs of the README and of the chapters for users of a backend compile.
#[cfg(doctest)]
mod programs {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../crates/sessio/docs/connections.md")]
    struct Connections;
    #[doc = include_str!("../../crates/sessio/docs/errors.md")]
    struct Errors;
    #[doc = include_str!("../../crates/sessio/docs/first-steps.md")]
    struct FirstSteps;
    #[doc = include_str!("../../crates/sessio/docs/from-requests.md")]
    struct FromRequests;
    #[doc = include_str!("../../crates/sessio/docs/logs.md")]
    struct Logs;
    #[doc = include_str!("../../crates/sessio/docs/pool.md")]
    struct Pool;
    #[doc = include_str!("../../crates/sessio/docs/retries.md")]
    struct Retries;
    #[doc = include_str!("../../crates/sessio/docs/settings.md")]
    struct Settings;
}
