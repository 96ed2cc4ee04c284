//! What happened on one connection.

use std::net::SocketAddr;

use crate::request::Request;

/// How a connection ended, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client closed its side: the server read the end of the stream.
    Client,
    /// The client reset the connection, or closed it while the server was still writing.
    ClientReset,
    /// The server closed: because the answer said so, by script, or by
    /// [`Server::disconnect`](crate::Server::disconnect).
    Server,
    /// The server reset the connection, by script.
    ServerReset,
    /// The whole server was stopped.
    Stopped,
}

/// One connection: every byte of it, and how it ended.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Which of the server's connections this is; the first accepted one is 0.
    pub number: usize,
    /// The client's end.
    pub peer: SocketAddr,
    /// Every byte received.
    pub received: Vec<u8>,
    /// Every byte sent. A byte stands here before it is on the wire, so what a client has read is never
    /// missing.
    pub sent: Vec<u8>,
    /// How the connection ended; nothing while it is open.
    pub ended: Option<End>,
    /// Why the server found the client's bytes not to be a request, if it did.
    pub fault: Option<String>,
    /// The connection came when the script had none left.
    pub unexpected: bool,
    /// How many steps of its script have been played to their end.
    pub steps: usize,
    /// The script waits to be released or for a gate.
    pub stalled: bool,
}

impl Recording {
    pub(crate) fn new(number: usize, peer: SocketAddr) -> Self {
        Self {
            number,
            peer,
            received: Vec::new(),
            sent: Vec::new(),
            ended: None,
            fault: None,
            unexpected: false,
            steps: 0,
            stalled: false,
        }
    }

    /// Whether neither side has closed the connection.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The requests that arrived whole, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.split().0
    }

    /// What was received after the last whole request: the beginning of another, a tunnel's bytes, or no HTTP
    /// at all.
    pub fn remainder(&self) -> &[u8] {
        self.split().1
    }

    /// What was sent, as text; what is not UTF-8 is replaced.
    pub fn sent_text(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// What was received, as text; what is not UTF-8 is replaced.
    pub fn received_text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }

    fn split(&self) -> (Vec<Request>, &[u8]) {
        let mut requests = Vec::new();
        let mut rest = self.received.as_slice();
        // After CONNECT comes what the tunnel carries, not a request to this server.
        while requests.last().is_none_or(|last: &Request| last.method() != "CONNECT") {
            let Some((request, used)) = Request::take(rest) else { break };
            requests.push(request);
            rest = &rest[used..];
        }
        (requests, rest)
    }
}
