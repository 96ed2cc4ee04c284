//! Responses that are read to their end.

use sessio_driver::{RequestBuilder, Response, Runtime};

/// A summary of a response that was read. Its connection is free again, on every network.
#[derive(Debug)]
pub struct Fetched {
    /// Its status.
    pub status: u16,
    /// The number of its connection, and whether the connection was reused.
    pub connection: (u64, bool),
    /// Its body.
    pub body: Vec<u8>,
}

/// Sends a request and reads the response.
///
/// # Panics
///
/// If the request fails.
pub async fn fetch<R: Runtime>(request: RequestBuilder<R>) -> Fetched {
    let response = request.send().await.expect("an answer");
    let (status, connection) = (response.status().as_u16(), connection(&response));
    let body = response.bytes().await.expect("its body").into();
    Fetched { status, connection, body }
}

/// The number of a response's connection, and whether the connection was reused.
pub fn connection<R: Runtime, M>(response: &Response<R, M>) -> (u64, bool) {
    let connection = response.connection();
    (connection.number(), connection.is_reused())
}
