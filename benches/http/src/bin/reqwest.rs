//! reqwest with a cookie store and default headers.

use bench_http::answer::{Answer, Tally};
use bench_http::async_run::{Client, Worker};
use bench_http::plan::{Plan, Turns, Workload};
use bench_http::zeros::Zeros;
use bench_http::{Outcome, heap::Counting, tls, tokio_run::run};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Reqwest>()
}

struct Reqwest(reqwest::Client);

struct Handle {
    client: reqwest::Client,
    urls: Turns<String>,
}

impl Client for Reqwest {
    type Worker = Handle;

    async fn start(plan: &Plan) -> Outcome<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in plan.headers() {
            headers.insert(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
        }
        let client = reqwest::Client::builder().default_headers(headers).cookie_store(true).no_proxy();
        let mut client = client.gzip(plan.is_coded()).brotli(plan.is_coded());
        // Set without TLS too: the client looks for a crypto provider as soon as it is made.
        client = client.tls_backend_preconfigured(tls::config(plan)?);
        if plan.workload.is_fresh() {
            client = client.pool_max_idle_per_host(0);
        }
        let client = client.build()?;
        if plan.workload == Workload::Session {
            client.get(plan.url_of("/login")).send().await?.error_for_status()?.bytes().await?;
        }
        Ok(Self(client))
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Handle> {
        Ok(Handle { client: self.0.clone(), urls: plan.urls() })
    }
}

impl Worker for Handle {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        if let Some(length) = plan.upload() {
            let body = reqwest::Body::wrap(Zeros::new(length));
            let response = self.client.put(self.urls.next().as_str()).body(body).send().await?;
            return Answer::counted(response.status().as_u16(), &response.bytes().await?);
        }
        let mut response = self.client.get(self.urls.next().as_str()).send().await?;
        let status = response.status().as_u16();
        if !plan.is_bulk() {
            return Ok(Answer::plain(status, response.bytes().await?.len()));
        }
        let mut tally = Tally::new(plan);
        while let Some(chunk) = response.chunk().await? {
            tally.take(&chunk);
        }
        Ok(tally.answer(status))
    }
}
