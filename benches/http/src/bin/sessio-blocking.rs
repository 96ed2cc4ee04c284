//! sessio on plain sockets: a session with its jar.

use std::io::{self, BufRead as _, Read as _};

use bench_http::answer::{Answer, Tally};
use bench_http::plan::{Plan, Workload};
use bench_http::{Outcome, blocking_run, heap::Counting, session};
use sessio_blocking::{Error, Session};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    let plan = Plan::of_program()?;
    let session = Session::with_pool(session::policy(&plan));
    session.update(|settings| session::set_up(settings, &plan))?;
    if plan.workload == Workload::Session {
        let login = session.get(plan.url_of("/login")).send()?;
        login.error_for_status().map_err(Error::from)?.bytes()?;
    }
    let mut urls = plan.urls();
    blocking_run::run(&plan, || {
        if let Some(length) = plan.upload() {
            let length = length as u64;
            let request = session.put(urls.next().as_str()).reader(io::repeat(0).take(length), Some(length));
            let response = request.send()?;
            return Answer::counted(response.status().as_u16(), &response.bytes()?);
        }
        let mut response = session.get(urls.next().as_str()).send()?;
        let status = response.status().as_u16();
        if !plan.is_bulk() {
            return Ok(Answer::plain(status, response.bytes()?.len()));
        }
        let mut tally = Tally::new(&plan);
        loop {
            let bytes = response.fill_buf()?;
            if bytes.is_empty() {
                return Ok(tally.answer(status));
            }
            tally.take(bytes);
            let n = bytes.len();
            response.consume(n);
        }
    })
}
