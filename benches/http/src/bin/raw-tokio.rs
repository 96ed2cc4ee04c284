//! A socket of tokio and nothing else.

use bench_http::answer::Answer;
use bench_http::plan::Plan;
use bench_http::tokio_run::{Client, Worker, run};
use bench_http::{Outcome, heap::Counting, raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Raw>()
}

struct Raw;

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    room: Vec<u8>,
    reader: raw::Reader,
}

impl Client for Raw {
    type Worker = Connection;

    async fn start(_: &Plan) -> Outcome<Self> {
        Ok(Self)
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Connection> {
        let stream = TcpStream::connect(&plan.authority).await?;
        stream.set_nodelay(true)?;
        let room = vec![0; if plan.is_bulk() { 64 << 10 } else { 8 << 10 }];
        Ok(Connection { stream, request: raw::request(plan), room, reader: raw::Reader::default() })
    }
}

impl Worker for Connection {
    async fn get(&mut self, _: &Plan) -> Outcome<Answer> {
        self.stream.write_all(&self.request).await?;
        loop {
            match self.stream.read(&mut self.room).await? {
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
