//! Answers that are read to their end.

use sessio_driver::{RequestBuilder, Runtime};

/// What is left of an answer that was read: its connection is free, on whatever network it came.
#[derive(Debug)]
pub struct Whole {
    /// Its status.
    pub status: u16,
    /// The number of its connection, and whether that was used before.
    pub connection: (u64, bool),
}

/// Sends a request that succeeds, and reads the answer.
///
/// # Panics
/// If it does not.
pub async fn whole<R: Runtime>(request: RequestBuilder<R>) -> Whole {
    let response = request.send().await.expect("an answer");
    let (status, connection) = (response.status().as_u16(), response.connection());
    response.bytes().await.expect("its body");
    Whole { status, connection }
}
