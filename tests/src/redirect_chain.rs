//! URLs that redirect a client from server to server, or lead nowhere.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};

use sessio_testkit::{Otherwise, Script, Server};

/// The URL on the first server that leads over all others to the last, by redirects of this status.
/// The last server echoes the request.
///
/// # Panics
///
/// If there is no server.
pub fn redirect_chain(servers: &[&Server], status: u16) -> String {
    let (last, before) = servers.split_last().expect("a server at least");
    before.iter().rev().fold(last.url("/anything/end"), |url, server| redirect(server, &url, status))
}

/// The URL of a redirect to any Location.
pub fn redirect(server: &Server, location: impl AsRef<[u8]>, status: u16) -> String {
    let mut encoded = String::new();
    for byte in location.as_ref() {
        encoded.push_str(&format!("%{byte:02X}"));
    }
    server.url(&format!("/redirect-to?status_code={status}&url={encoded}"))
}

/// A server that refuses all connections. No other server listens at its address.
pub fn refusing_server() -> Server {
    Server::scripted_on(unused_address(), Script::new().otherwise(Otherwise::Refuse))
}

/// An address of this machine that no other test uses. A port that is free on a shared address may
/// belong to another server a moment later.
pub fn unused_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [.., process] = std::process::id().to_be_bytes();
    // All addresses have the same length as text, so a run can be repeated byte by byte.
    let [high, low] = [number / 100, number].map(|part| 100 + (part % 100) as u8);
    Ipv4Addr::new(127, process | 1, high, low)
}
