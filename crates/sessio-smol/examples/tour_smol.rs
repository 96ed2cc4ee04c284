//! A tour of a session on smol, exchange by exchange, on real sockets.
//!
//! `cargo run -p sessio-smol --example tour_smol` runs the tour against its own loopback server and
//! checks every step. With a URL after `--` it shows one `GET` of that URL. The scenes are the same
//! source file as in `sessio-tokio`'s tour: all asynchronous backends have one API.

use sessio_smol as backend;

#[path = "../../sessio-tokio/examples/tour/mounts.rs"]
mod mounts;
#[path = "../../sessio-tokio/examples/tour/print.rs"]
mod print;
#[path = "../../sessio-tokio/examples/tour/scenes.rs"]
mod scenes;

fn main() -> scenes::Done {
    smol::block_on(async {
        match std::env::args().nth(1) {
            Some(url) => scenes::fetch(url).await,
            None => {
                scenes::play().await?;
                mounts::play().await
            }
        }
    })
}

#[test]
fn tour() {
    smol::block_on(scenes::play()).unwrap();
    smol::block_on(mounts::play()).unwrap();
}
