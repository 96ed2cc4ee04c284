//! A complete HTTP/2 client: one socket, 100 concurrent requests, no async and no extra thread.
//!
//! ```sh
//! cargo run -p sessio-h2 --example by_hand_h2                          # against a peer in this process
//! cargo run -p sessio-h2 --example by_hand_h2 -- 127.0.0.1:8080 /path  # against a server, prior knowledge
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "an example does IO")]

mod peer;

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use sessio_h2::{Config, Connection, ErrorCode, Event, Field, RequestHead, State, StreamId};

const CALLS: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = match arguments.next() {
        Some(address) => address.parse()?,
        None => peer::start()?,
    };
    let path = arguments.next().unwrap_or_else(|| "/".to_owned());
    let bodies = run(address, &path)?;
    println!("{} responses, {} bytes", bodies.len(), bodies.iter().map(Vec::len).sum::<usize>());
    Ok(())
}

/// Sends 100 requests for the path over one connection. Returns the bodies of the responses.
fn run(address: SocketAddr, path: &str) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    let authority = address.to_string();
    let head = RequestHead { method: "GET", scheme: "http", authority: Some(&authority), path };
    let fields = [Field::new("User-Agent", "by-hand"), Field::new("Accept", "*/*")];

    // The connection reads no clock. It receives the time since `begin`.
    let begin = Instant::now();
    let mut connection = Connection::new(&Config::default(), begin.elapsed());
    let mut open: HashMap<StreamId, Vec<u8>> = HashMap::new();
    let (mut asked, mut bodies) = (0, Vec::new());
    while bodies.len() < CALLS {
        while asked < CALLS && connection.state(begin.elapsed()).is_available() {
            open.insert(connection.open(&head, fields, true, begin.elapsed())?, Vec::new());
            asked += 1;
        }
        move_bytes(&mut connection, &mut socket, begin)?;
        while let Some((id, event)) = connection.poll_event() {
            match event {
                Event::Interim(_) | Event::Trailers(_) | Event::Writable => {}
                Event::Head(head) if head.status == 200 => {}
                Event::Head(head) => return Err(format!("status {}", head.status).into()),
                Event::Body => {
                    let bytes = connection.body(id);
                    let n = bytes.len();
                    open.entry(id).or_default().extend_from_slice(bytes);
                    connection.consume(id, n);
                }
                Event::Ended(outcome) => {
                    outcome?;
                    bodies.extend(open.remove(&id));
                }
                _ => connection.reset(id, ErrorCode::CANCEL),
            }
        }
        if connection.state(begin.elapsed()) == State::Dead {
            return Err(connection.error().map_or_else(|| "the server shut down".into(), Into::into));
        }
    }
    // Queues GOAWAY. The program sends it once and waits for no response.
    connection.close();
    let _ = socket.write_all(connection.io(begin.elapsed()).send);
    Ok(bodies)
}

/// Writes all queued bytes, then waits for bytes of the peer or for the connection's deadline.
fn move_bytes(connection: &mut Connection, socket: &mut TcpStream, begin: Instant) -> io::Result<()> {
    loop {
        let io = connection.io(begin.elapsed());
        if io.send.is_empty() {
            break;
        }
        let n = socket.write(io.send)?;
        connection.sent(n);
    }
    let now = begin.elapsed();
    let io = connection.io(now);
    if io.recv.is_empty() {
        return Ok(());
    }
    let wait = io.deadline.map(|end| end.saturating_sub(now).max(Duration::from_millis(1)));
    socket.set_read_timeout(wait)?;
    match socket.read(io.recv) {
        Ok(n) => connection.received(n, begin.elapsed()),
        // The deadline has passed. The next call to the connection passes the time and handles it.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[test]
fn a_hundred_calls_over_one_socket() -> Result<(), Box<dyn std::error::Error>> {
    let bodies = run(peer::start()?, "/hello")?;
    assert_eq!(bodies, vec![b"hello by hand".to_vec(); CALLS]);
    Ok(())
}
