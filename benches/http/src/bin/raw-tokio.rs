//! A tokio socket without an HTTP library.

use bench_http::answer::Answer;
use bench_http::async_run::{Client, Worker};
use bench_http::plan::{Plan, Turns};
use bench_http::stream::{Connector, Stream};
use bench_http::{Outcome, heap::Counting, raw, tokio_run::run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Raw>()
}

struct Raw;

/// A connection, its address, and the bytes of its request.
struct Connection {
    stream: Stream,
    authority: String,
    request: Vec<u8>,
}

struct Connections {
    /// Makes a new connection for each request, if the plan says so.
    connector: Option<Connector>,
    turns: Turns<Connection>,
    room: Vec<u8>,
    reader: raw::Reader,
}

impl Client for Raw {
    type Worker = Connections;

    async fn start(_: &Plan) -> Outcome<Self> {
        Ok(Self)
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Connections> {
        let connector = Connector::of(plan)?;
        let mut connections = Vec::with_capacity(plan.hosts);
        for authority in plan.authorities() {
            let stream = connector.connect(&authority).await?;
            let request = raw::request(plan, &authority);
            connections.push(Connection { stream, authority, request });
        }
        let room = vec![0; if plan.is_bulk() { 64 << 10 } else { 8 << 10 }];
        Ok(Connections {
            connector: plan.workload.is_fresh().then_some(connector),
            turns: connections.into_iter().collect(),
            room,
            reader: raw::Reader::new(plan),
        })
    }
}

impl Worker for Connections {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        let Connection { stream, authority, request } = self.turns.next();
        if let Some(connector) = &self.connector {
            *stream = connector.connect(authority).await?;
        }
        stream.write_all(request).await?;
        for block in raw::body(plan) {
            stream.write_all(block).await?;
        }
        stream.flush().await?;
        loop {
            match stream.read(&mut self.room).await? {
                0 => return Err("the server has closed".into()),
                n => {
                    if let Some(answer) = self.reader.take(&self.room[..n])? {
                        return Ok(answer);
                    }
                }
            }
        }
    }
}
