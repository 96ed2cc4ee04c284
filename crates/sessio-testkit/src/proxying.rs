//! What proxies say before a connection through them is the host's, as steps of a script.

use crate::script::Connection;

impl Connection {
    /// Reads a CONNECT and grants it. What follows are the steps of the host; [`routes`](Self::routes) make the
    /// server the host as well.
    #[must_use]
    pub fn connect(self) -> Self {
        self.expect_request().send("HTTP/1.1 200 Connection established\r\n\r\n")
    }

    /// Answers one request by 407: the proxy wants user and password.
    #[must_use]
    pub fn proxy_challenge(self) -> Self {
        self.expect_request().send(
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 4\r\n\r\nwho?",
        )
    }

    /// Greets a SOCKS 5 client that offers this many methods, and lets it in without a login (RFC 1928).
    #[must_use]
    pub fn socks_greeting(self, methods: usize) -> Self {
        self.read(2 + methods).send([5, 0])
    }

    /// Greets a SOCKS 5 client that offers two methods, wants user and password of it, and takes any that are so
    /// long together (RFC 1929).
    #[must_use]
    pub fn socks_login(self, length: usize) -> Self {
        self.read(4).send([5, 2]).read(3 + length).send([1, 0])
    }

    /// Reads a SOCKS 5 request for a name of this length and answers with this code; 0 grants it.
    #[must_use]
    pub fn socks_name(self, length: usize, code: u8) -> Self {
        self.read(4 + 1 + length + 2).send([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    /// The same for an IPv4 address.
    #[must_use]
    pub fn socks_address(self, code: u8) -> Self {
        self.read(4 + 4 + 2).send([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
    }
}
