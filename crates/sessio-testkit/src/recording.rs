//! The recording of one connection.

use std::net::SocketAddr;

use crate::request::Request;

/// The end of a connection, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client closed its side: the server read the end of the stream.
    Client,
    /// The client reset the connection, or closed it while the server was still writing.
    ClientReset,
    /// The server closed: because of the response, by script, or by
    /// [`Server::disconnect`](crate::Server::disconnect).
    Server,
    /// The server reset the connection, by script.
    ServerReset,
    /// The whole server was stopped.
    Stopped,
}

/// A connection with every byte of it and its end.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The index of the connection in the order of acceptance. The first is 0.
    pub number: usize,
    /// The address of the client.
    pub peer: SocketAddr,
    /// Every byte received.
    pub received: Vec<u8>,
    /// Every byte sent. A byte is recorded before it is sent, so bytes that a client has read are
    /// never missing.
    pub sent: Vec<u8>,
    /// The end of the connection. `None` while it is open.
    pub ended: Option<End>,
    /// The reason why the server rejected the client's bytes as a request, if it did.
    pub fault: Option<String>,
    /// Whether the connection came after the script was used up.
    pub unexpected: bool,
    /// The number of steps of its script that have been played completely.
    pub steps: usize,
    /// Whether the script waits to be released or for a gate.
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

    /// The complete requests, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.split().0
    }

    /// The bytes received after the last complete request: the start of another request, the bytes
    /// of a tunnel, or no HTTP at all.
    pub fn remainder(&self) -> &[u8] {
        self.split().1
    }

    /// The bytes sent, as text. Invalid UTF-8 is replaced.
    pub fn sent_text(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// The bytes received, as text. Invalid UTF-8 is replaced.
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
