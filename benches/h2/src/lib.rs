//! The code that the clients of this bench share.

use std::net::SocketAddr;

/// The result of a program of the bench.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The fields of each request, besides the pseudo-fields.
pub const FIELDS: [(&str, &str); 3] =
    [("user-agent", "bench/1.0"), ("accept", "*/*"), ("accept-encoding", "identity")];

/// The task of a client: its arguments in this order.
#[derive(Debug)]
pub struct Plan {
    /// The server, which speaks HTTP/2 by prior knowledge.
    pub server: SocketAddr,
    /// The path of each request.
    pub path: String,
    /// The number of requests.
    pub requests: usize,
    /// The number of concurrent requests.
    pub at_once: usize,
    /// The size of each body, in bytes.
    pub bytes: usize,
}

impl Plan {
    /// Reads the plan from the arguments of the program.
    ///
    /// # Errors
    ///
    /// If an argument is missing or is not a number.
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

    /// Checks a response.
    ///
    /// # Errors
    ///
    /// If the status or the number of body bytes is wrong.
    pub fn check(&self, status: u16, bytes: usize) -> Outcome {
        if (status, bytes) == (200, self.bytes) {
            return Ok(());
        }
        Err(format!("status {status} with {bytes} bytes").into())
    }
}
