//! A blocking socket without an HTTP library.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bench_http::plan::{Plan, Turns};
use bench_http::{Outcome, blocking_run, heap::Counting, raw};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    let plan = Plan::of_program()?;
    let connect = |authority: String| -> Outcome<_> {
        let stream = TcpStream::connect(&authority)?;
        stream.set_nodelay(true)?;
        Ok((stream, raw::request(&plan, &authority)))
    };
    let mut connections: Turns<_> =
        plan.authorities().into_iter().map(connect).collect::<Outcome<Vec<_>>>()?.into_iter().collect();
    let mut room = vec![0; if plan.is_bulk() { 64 << 10 } else { 8 << 10 }];
    let mut reader = raw::Reader::new(&plan);
    blocking_run::run(&plan, || {
        let (stream, request) = connections.next();
        stream.write_all(request)?;
        for block in raw::body(&plan) {
            stream.write_all(block)?;
        }
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
