//! A socket of tokio and nothing else.

use bench_http::answer::Answer;
use bench_http::async_run::{Client, Worker};
use bench_http::plan::{Plan, Turns};
use bench_http::{Outcome, heap::Counting, raw, tokio_run::run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Raw>()
}

struct Raw;

struct Connections {
    turns: Turns<(TcpStream, Vec<u8>)>,
    room: Vec<u8>,
    reader: raw::Reader,
}

impl Client for Raw {
    type Worker = Connections;

    async fn start(_: &Plan) -> Outcome<Self> {
        Ok(Self)
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Connections> {
        let mut connections = Vec::with_capacity(plan.hosts);
        for authority in plan.authorities() {
            let stream = TcpStream::connect(&authority).await?;
            stream.set_nodelay(true)?;
            connections.push((stream, raw::request(plan, &authority)));
        }
        let room = vec![0; if plan.is_bulk() { 64 << 10 } else { 8 << 10 }];
        Ok(Connections { turns: connections.into_iter().collect(), room, reader: raw::Reader::new(plan) })
    }
}

impl Worker for Connections {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        let (stream, request) = self.turns.next();
        stream.write_all(request).await?;
        for block in raw::body(plan) {
            stream.write_all(block).await?;
        }
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
