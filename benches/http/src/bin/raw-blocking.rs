//! A blocking socket and nothing else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bench_http::plan::Plan;
use bench_http::{Outcome, blocking_run, heap::Counting, raw};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    let plan = Plan::of_program()?;
    let mut stream = TcpStream::connect(&plan.authority)?;
    stream.set_nodelay(true)?;
    let request = raw::request(&plan);
    let mut room = vec![0; if plan.is_bulk() { 64 << 10 } else { 8 << 10 }];
    let mut reader = raw::Reader::default();
    blocking_run::run(&plan, || {
        stream.write_all(&request)?;
        loop {
            match stream.read(&mut room)? {
                0 => return Err("the server has closed".into()),
                n => {
                    if let Some(answer) = reader.take(&room[..n])? {
                        return Ok(answer);
                    }
                }
            }
        }
    })
}
