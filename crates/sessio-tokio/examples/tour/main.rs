//! What a session does, exchange by exchange, on real sockets.
//!
//! `cargo run --example tour` walks through a session against a loopback server of its own and checks every
//! step: `scenes.rs` has them. `cargo run --example tour -- http://host/` shows one `GET` of that URL.

use sessio_tokio as backend;

mod print;
mod scenes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> scenes::Done {
    match std::env::args().nth(1) {
        Some(url) => scenes::fetch(url).await,
        None => scenes::play().await,
    }
}

#[tokio::test]
async fn tour() {
    scenes::play().await.unwrap();
}
