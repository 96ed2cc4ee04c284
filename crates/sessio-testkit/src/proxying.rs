//! Steps of a script that play a proxy until the connection belongs to the origin.

use crate::script::Connection;

impl Connection {
    /// Reads a CONNECT and accepts it. The steps that follow are those of the origin.
    /// [`routes`](Self::routes) makes this server the origin too.
    #[must_use]
    pub fn connect(self) -> Self {
        self.expect_request().send("HTTP/1.1 200 Connection established\r\n\r\n")
    }

    /// Responds to one request with 407 and a Basic challenge of the proxy.
    #[must_use]
    pub fn proxy_challenge(self) -> Self {
        self.expect_request().send(
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 4\r\n\r\nwho?",
        )
    }

    /// Greets a SOCKS 5 client that offers `methods` methods, and accepts it without a login (RFC
    /// 1928).
    #[must_use]
    pub fn socks_greeting(self, methods: usize) -> Self {
        self.read(2 + methods).send([5, 0])
    }

    /// Greets a SOCKS 5 client that offers two methods, and requires user and password. It accepts
    /// any whose lengths sum to `length` (RFC 1929).
    #[must_use]
    pub fn socks_login(self, length: usize) -> Self {
        self.read(4).send([5, 2]).read(3 + length).send([1, 0])
    }

    /// Reads a SOCKS 5 request for a name of `length` bytes and replies with `code`. 0 accepts it.
    #[must_use]
    pub fn socks_name(self, length: usize, code: u8) -> Self {
        self.read(4 + 1 + length + 2).send([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    /// Reads a SOCKS 5 request for an IPv4 address and replies with `code`. 0 accepts it.
    #[must_use]
    pub fn socks_address(self, code: u8) -> Self {
        self.read(4 + 4 + 2).send([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
    }
}
