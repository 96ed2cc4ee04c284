//! What the clients of this bench share.

use std::net::SocketAddr;

/// How a program of the bench ends.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The fields of each request, beside the pseudo-fields.
pub const FIELDS: [(&str, &str); 3] =
    [("user-agent", "bench/1.0"), ("accept", "*/*"), ("accept-encoding", "identity")];

/// What a client is asked to do: its arguments in this order.
#[derive(Debug)]
pub struct Plan {
    /// The server, which speaks HTTP/2 by prior knowledge.
    pub server: SocketAddr,
    /// What is asked for.
    pub path: String,
    /// How many requests.
    pub requests: usize,
    /// How many of them at once.
    pub at_once: usize,
    /// How long each body is.
    pub bytes: usize,
}

impl Plan {
    /// # Errors
    /// If an argument is missing or is no number.
    pub fn of_program() -> Outcome<Self> {
        let mut arguments = std::env::args().skip(1);
        let mut next = || arguments.next().ok_or("server path requests at-once bytes");
        Ok(Self {
            server: next()?.parse()?,
            path: next()?,
            requests: next()?.parse()?,
            at_once: next()?.parse()?,
            bytes: next()?.parse()?,
        })
    }

    /// # Errors
    /// If a response is not as it should be.
    pub fn check(&self, status: u16, bytes: usize) -> Outcome {
        if (status, bytes) == (200, self.bytes) {
            return Ok(());
        }
        Err(format!("status {status} with {bytes} bytes").into())
    }
}
