//! `sessio-h2` driven by hand over a blocking socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use bench_h2::{FIELDS, Outcome, Plan};
use sessio_h2::{Config, Connection, ErrorCode, Event, Field, RequestHead, StreamId};

fn main() -> Outcome {
    let plan = Plan::of_program()?;
    let mut socket = TcpStream::connect(plan.server)?;
    socket.set_nodelay(true)?;
    let authority = plan.server.to_string();
    let head = RequestHead { method: "GET", scheme: "http", authority: Some(&authority), path: &plan.path };
    let fields = FIELDS.map(|(name, value)| Field::new(name, value));
    let begin = Instant::now();
    let mut connection = Connection::new(&Config::default(), begin.elapsed());
    // Status and bytes of each open stream.
    let mut open: Vec<(StreamId, u16, usize)> = Vec::new();
    let (mut asked, mut done) = (0, 0);
    while done < plan.requests {
        let now = begin.elapsed();
        while asked < plan.requests && open.len() < plan.at_once && connection.state(now).is_available() {
            open.push((connection.open(&head, fields, true, now)?, 0, 0));
            asked += 1;
        }
        loop {
            let send = connection.io(now).send;
            if send.is_empty() {
                break;
            }
            let n = socket.write(send)?;
            connection.sent(n);
        }
        let n = socket.read(connection.io(now).recv)?;
        connection.received(n, begin.elapsed());
        while let Some((id, event)) = connection.poll_event() {
            let Some(at) = open.iter().position(|call| call.0 == id) else { continue };
            match event {
                Event::Head(head) => open[at].1 = head.status,
                Event::Body => {
                    let n = connection.body(id).len();
                    open[at].2 += n;
                    connection.consume(id, n);
                }
                Event::Ended(outcome) => {
                    outcome?;
                    let (_, status, bytes) = open.swap_remove(at);
                    plan.check(status, bytes)?;
                    done += 1;
                }
                Event::Interim(_) | Event::Trailers(_) | Event::Writable => {}
                _ => connection.reset(id, ErrorCode::CANCEL),
            }
        }
        if let Some(error) = connection.error() {
            return Err(error.into());
        }
    }
    Ok(())
}
