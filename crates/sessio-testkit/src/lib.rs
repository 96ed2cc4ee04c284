//! A loopback HTTP/1.1 server for tests and examples. It responds like httpbin, breaks the protocol
//! if a script says so, and records every byte.
//!
//! It uses only threads and `std::net`. It parses HTTP by itself, so that a client is not tested
//! with its own parser. It is strict: a wrong request is refused with 400.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use sessio_testkit::Server;
//!
//! # fn main() -> std::io::Result<()> {
//! let server = Server::start();
//!
//! let mut client = TcpStream::connect(server.addr())?;
//! client.write_all(b"GET /cookies HTTP/1.1\r\nHost: test\r\nCookie: a=1\r\nConnection: close\r\n\r\n")?;
//! let mut response = String::new();
//! client.read_to_string(&mut response)?;
//! assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(response.contains(r#""a": "1""#));
//!
//! let recording = server.wait_closed(0);
//! let request = &recording.requests()[0];
//! assert_eq!(request.request_line, b"GET /cookies HTTP/1.1");
//! assert_eq!(request.header("cookie").as_deref(), Some("a=1"));
//! assert_eq!(recording.sent, response.as_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! - [`Server`]: one port. It stops on drop, even if clients or scripts are busy. Start several
//!   servers for several origins.
//! - The routes: see [`ROUTES`]. No route is random, and none depends on the time of day.
//! - [`Script`] and [`Connection`]: steps to play instead of a normal response: exact bytes in
//!   exact pieces, early responses, stalls, resets. [`Server::scripted`] plays them connection by
//!   connection, [`Server::script_path`] for one path.
//! - [`Adapter`] and [`AdapterFactory`]: adapters between HTTP and the sockets of a server, such as
//!   the TLS of a test. Within [`with_adapters`] the servers of a test get one without a change to
//!   the test.
//! - `UnixProxy`: a Unix socket that leads to a server, on systems with Unix sockets.
//! - [`dial`] and [`MemoryConnection`]: the same servers on a simulated network, in its time, without
//!   a socket.
//! - [`http2`]: a scripted HTTP/2 server as a function of bytes, which checks its client.
//! - [`State`], [`Recording`], [`Request`]: received and sent bytes, connection by connection. The
//!   `wait_*` methods of the server block until the recording satisfies a condition, so no test
//!   needs a sleep.

#![forbid(unsafe_code)]

mod acceptor;
mod adapter;
mod bad_request;
mod base64;
mod body;
mod field;
mod form;
pub mod http2;
mod json;
mod login;
mod memory_client;
mod memory_connection;
mod multipart;
mod network;
mod packet;
mod pipe;
mod play;
mod proxying;
mod recorder;
mod recording;
mod register;
mod request;
mod response;
mod route_state;
mod routes;
mod script;
mod script_queue;
mod serve;
mod server;
mod shared;
mod socket;
mod tokens;
#[cfg(unix)]
mod unix_proxy;
mod wire;

pub use adapter::{Adapter, AdapterFactory, with_adapters};
pub use login::{LOGIN_PASSWORD, LOGIN_USER};
pub use memory_connection::{MemoryConnection, Output};
pub use network::Network;
pub use packet::Packet;
pub use recorder::State;
pub use recording::{End, Recording};
pub use register::dial;
pub use request::Request;
pub use routes::{ROUTES, pattern};
pub use script::{Connection, Otherwise, Script};
pub use server::Server;
pub use tokens::{TOKEN_CLIENT, TOKEN_SECRET};
#[cfg(unix)]
pub use unix_proxy::UnixProxy;
