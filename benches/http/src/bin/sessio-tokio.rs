//! sessio on tokio: a session with its jar.

use bench_http::answer::{Answer, Tally};
use bench_http::async_run::{Client, Worker};
use bench_http::plan::{Plan, Turns, Workload};
use bench_http::{Outcome, heap::Counting, session, tokio_run};
use sessio_tokio::{Error, Session, body::ReaderSource};
use tokio::io::AsyncReadExt as _;

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    tokio_run::run::<Sessio>()
}

struct Sessio(Session);

struct Handle {
    session: Session,
    urls: Turns<String>,
}

impl Client for Sessio {
    type Worker = Handle;

    async fn start(plan: &Plan) -> Outcome<Self> {
        let session = Session::with_pool(session::policy(plan));
        session.update(|settings| session::set_up(settings, plan))?;
        if plan.workload == Workload::Session {
            let login = session.get(plan.url_of("/login")).send().await?;
            login.error_for_status().map_err(Error::from)?.bytes().await?;
        }
        Ok(Self(session))
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Handle> {
        Ok(Handle { session: self.0.clone(), urls: plan.urls() })
    }
}

impl Worker for Handle {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        if let Some(length) = plan.upload() {
            let body = ReaderSource::new(tokio::io::repeat(0).take(length as u64));
            let request =
                self.session.put(self.urls.next().as_str()).source(body, Some(length as u64), false);
            let response = request.send().await?;
            return Answer::counted(response.status().as_u16(), &response.bytes().await?);
        }
        let mut response = self.session.get(self.urls.next().as_str()).send().await?;
        let status = response.status().as_u16();
        if !plan.is_bulk() {
            return Ok(Answer::plain(status, response.bytes().await?.len()));
        }
        let mut tally = Tally::new(plan);
        while response.read_with(|chunk| tally.take(chunk)).await? {}
        Ok(tally.answer(status))
    }
}
