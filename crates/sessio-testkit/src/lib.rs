//! A loopback HTTP/1.1 server for tests and examples: it answers like httpbin, misbehaves by script, and
//! remembers every byte.
//!
//! Threads and `std::net` only, and its own reading of HTTP: what it says about a client does not pass
//! through any code that client is made of. It is strict about requests, so that a client's mistake is a 400
//! and not a pass.
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
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(answer.contains(r#""a": "1""#));
//!
//! let recording = server.wait_closed(0);
//! let request = &recording.requests()[0];
//! assert_eq!(request.request_line, b"GET /cookies HTTP/1.1");
//! assert_eq!(request.header("cookie").as_deref(), Some("a=1"));
//! assert_eq!(recording.sent, answer.as_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! - [`Server`]: one port; stops on drop, whatever its clients or scripts are doing. Start several for several
//!   origins.
//! - The routes: see [`ROUTES`]. Nothing in them is random and nothing depends on the clock.
//! - [`Script`] and [`Connection`]: what to do instead of answering, step by step: exact bytes in exact pieces,
//!   early answers, stalls, resets. [`Server::scripted`] plays them connection by connection,
//!   [`Server::script_path`] for one path.
//! - [`Coat`] and [`Wardrobe`]: what a server wears between HTTP and its sockets, such as TLS of the test's own.
//!   Within [`dressed_by`] a test's servers wear one without knowing.
//! - `Door`: a Unix socket that leads to a server, where there are Unix sockets.
//! - [`dial`] and [`Line`]: the same servers on a simulated network, in its time, without a socket.
//! - [`http2`]: a scripted HTTP/2 server as a function of bytes, which judges its client.
//! - [`State`], [`Recording`], [`Request`]: what came in and what went out, connection by connection. The
//!   `wait_*` methods of the server block until the recording says what a test waits for, so that no test needs
//!   a sleep.

#![forbid(unsafe_code)]

mod acceptor;
mod answer;
mod bad;
mod base64;
mod body;
mod coat;
#[cfg(unix)]
mod door;
mod field;
mod form;
mod guest;
pub mod http2;
mod journal;
mod json;
mod line;
mod login;
mod multipart;
mod network;
mod packet;
mod pipe;
mod play;
mod playlist;
mod proxying;
mod recording;
mod register;
mod request;
mod routes;
mod script;
mod serve;
mod server;
mod shared;
mod site;
mod socket;
mod wire;

pub use coat::{Coat, Wardrobe, dressed_by};
#[cfg(unix)]
pub use door::Door;
pub use journal::State;
pub use line::{Line, Said};
pub use login::{LOGIN_PASSWORD, LOGIN_USER};
pub use network::Network;
pub use packet::Packet;
pub use recording::{End, Recording};
pub use register::dial;
pub use request::Request;
pub use routes::{ROUTES, pattern};
pub use script::{Connection, Otherwise, Script};
pub use server::Server;
