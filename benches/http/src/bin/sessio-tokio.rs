//! sessio on tokio: a session with its jar.

use bench_http::answer::Answer;
use bench_http::plan::{Plan, Workload};
use bench_http::tokio_run::{Client, Worker, run};
use bench_http::{Outcome, heap::Counting};
use sessio_tokio::pool::Policy;
use sessio_tokio::{Error, Session};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Sessio>()
}

struct Sessio(Session);

struct Handle {
    session: Session,
    url: String,
}

impl Client for Sessio {
    type Worker = Handle;

    async fn start(plan: &Plan) -> Outcome<Self> {
        let mut policy = Policy::default();
        policy.max_idle_per_host = policy.max_idle;
        let session = Session::with_pool(Default::default(), policy);
        session.update(|settings| {
            for (name, value) in plan.headers() {
                settings.headers.insert(name, value)?;
            }
            Ok::<_, Error>(())
        })?;
        if plan.workload == Workload::Session {
            let login = session.get(plan.url_of("/login")).send().await?;
            login.error_for_status().map_err(Error::from)?.bytes().await?;
        }
        Ok(Self(session))
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Handle> {
        Ok(Handle { session: self.0.clone(), url: plan.url() })
    }
}

impl Worker for Handle {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        let mut response = self.session.get(self.url.as_str()).send().await?;
        let status = response.status().as_u16();
        if !plan.is_bulk() {
            return Ok(Answer { status, length: response.bytes().await?.len() });
        }
        let mut length = 0;
        while response.read_with(|chunk| length += chunk.len()).await? {}
        Ok(Answer { status, length })
    }
}
