//! sessio on plain sockets: a session with its jar.

use std::io::Read as _;

use bench_http::answer::Answer;
use bench_http::plan::{Plan, Workload};
use bench_http::{Outcome, blocking_run, heap::Counting, session};
use sessio_blocking::{Error, Session};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    let plan = Plan::of_program()?;
    let session = Session::with_pool(session::policy(&plan));
    session.update(|settings| session::set_headers(settings, &plan))?;
    if plan.workload == Workload::Session {
        let login = session.get(plan.url_of("/login")).send()?;
        login.error_for_status().map_err(Error::from)?.bytes()?;
    }
    let mut urls = plan.urls();
    let mut room = vec![0; if plan.is_bulk() { 64 << 10 } else { 0 }];
    blocking_run::run(&plan, || {
        let mut response = session.get(urls.next().as_str()).send()?;
        let status = response.status().as_u16();
        if !plan.is_bulk() {
            return Ok(Answer { status, length: response.bytes()?.len() });
        }
        let mut length = 0;
        loop {
            match response.read(&mut room)? {
                0 => return Ok(Answer { status, length }),
                n => length += n,
            }
        }
    })
}
