//! What a session does on smol, exchange by exchange, on real sockets.
//!
//! `cargo run -p sessio-smol --example tour_smol` walks through a session against a loopback server of its own
//! and checks every step; with a URL behind `--` it shows one `GET` of that. The scenes are those of
//! `sessio-tokio`'s tour, to the letter: a session has one face on every asynchronous backend.

use sessio_smol as backend;

#[path = "../../sessio-tokio/examples/tour/print.rs"]
mod print;
#[path = "../../sessio-tokio/examples/tour/scenes.rs"]
mod scenes;

fn main() -> scenes::Done {
    smol::block_on(async {
        match std::env::args().nth(1) {
            Some(url) => scenes::fetch(url).await,
            None => scenes::play().await,
        }
    })
}

#[test]
fn tour() {
    smol::block_on(scenes::play()).unwrap();
}
