//! A tour of a session, exchange by exchange, on real sockets.
//!
//! `cargo run --example tour` runs the tour against its own loopback server and checks every step.
//! `scenes.rs` and `mounts.rs` contain the steps. `cargo run --example tour -- http://host/` shows one `GET` of
//! that URL.

use sessio_tokio as backend;

mod mounts;
mod print;
mod scenes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> scenes::Done {
    match std::env::args().nth(1) {
        Some(url) => scenes::fetch(url).await,
        None => {
            scenes::play().await?;
            mounts::play().await
        }
    }
}

#[tokio::test]
async fn tour() {
    scenes::play().await.unwrap();
    mounts::play().await.unwrap();
}
