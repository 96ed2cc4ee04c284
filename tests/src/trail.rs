//! URLs that send a client from server to server.

use sessio_testkit::Server;

/// The URL on the first server that leads over all others to the last, by redirects of this status. The
/// last answers with what it was asked.
///
/// # Panics
/// If there is no server.
pub fn trail(servers: &[&Server], status: u16) -> String {
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
