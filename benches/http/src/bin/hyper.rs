//! hyper, with one connection for each task: no pool, no jar. Headers and cookies are made in
//! advance and cloned.

use bench_http::answer::{Answer, Tally};
use bench_http::async_run::{Client, Worker};
use bench_http::plan::Plan;
use bench_http::stream::Connector;
use bench_http::zeros::Zeros;
use bench_http::{Outcome, heap::Counting, tokio_run::run};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::rt::TokioIo;

#[global_allocator]
static HEAP: Counting = Counting;

fn main() -> Outcome {
    run::<Hyper>()
}

struct Hyper {
    connector: Connector,
    headers: HeaderMap,
}

struct Connection {
    /// Makes a new connection for each request, if the plan says so.
    connector: Option<Connector>,
    sender: SendRequest<Zeros>,
    uri: Uri,
    headers: HeaderMap,
}

impl Client for Hyper {
    type Worker = Connection;

    async fn start(plan: &Plan) -> Outcome<Self> {
        let mut headers = HeaderMap::new();
        headers.insert("host", plan.authority.parse()?);
        for (name, value) in plan.headers() {
            headers.insert(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
        }
        if let Some(cookies) = plan.cookies() {
            headers.insert("cookie", cookies.parse()?);
        }
        Ok(Self { connector: Connector::of(plan)?, headers })
    }

    async fn worker(&self, plan: &Plan) -> Outcome<Connection> {
        let sender = open(&self.connector, plan).await?;
        let connector = plan.workload.is_fresh().then(|| self.connector.clone());
        Ok(Connection { connector, sender, uri: plan.path().parse()?, headers: self.headers.clone() })
    }
}

async fn open(connector: &Connector, plan: &Plan) -> Outcome<SendRequest<Zeros>> {
    let stream = connector.connect(&plan.authority).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("{error}");
        }
    });
    Ok(sender)
}

impl Worker for Connection {
    async fn get(&mut self, plan: &Plan) -> Outcome<Answer> {
        let upload = plan.upload();
        let mut request = Request::new(Zeros::new(upload.unwrap_or(0)));
        if upload.is_some() {
            *request.method_mut() = Method::PUT;
        }
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(connector) = &self.connector {
            self.sender = open(connector, plan).await?;
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        if !plan.is_bulk() {
            let body = body.collect().await?.to_bytes();
            return if upload.is_some() {
                Answer::counted(status, &body)
            } else {
                Ok(Answer::plain(status, body.len()))
            };
        }
        let mut tally = Tally::new(plan);
        while let Some(frame) = body.frame().await {
            if let Some(bytes) = frame?.data_ref() {
                tally.take(bytes);
            }
        }
        Ok(tally.answer(status))
    }
}
