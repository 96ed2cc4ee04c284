//! The crate `h2` on tokio, on one thread, with one task for each concurrent request.

use std::sync::Arc;

use bench_h2::{FIELDS, Outcome, Plan};
use bytes::Bytes;
use h2::client::SendRequest;
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let plan = Arc::new(Plan::of_program()?);
    let socket = TcpStream::connect(plan.server).await?;
    socket.set_nodelay(true)?;
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(8 << 20)
        .handshake::<_, Bytes>(socket)
        .await?;
    tokio::spawn(connection);
    let tasks: Vec<_> = (0..plan.at_once)
        .map(|_| tokio::spawn(calls(client.clone(), plan.clone(), plan.requests / plan.at_once)))
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn calls(client: SendRequest<Bytes>, plan: Arc<Plan>, calls: usize) -> Outcome {
    let uri: http::Uri = format!("http://{}{}", plan.server, plan.path).parse()?;
    let mut request = http::Request::get(uri);
    for (name, value) in FIELDS {
        request = request.header(name, value);
    }
    let request = request.body(())?;
    for _ in 0..calls {
        let mut client = client.clone().ready().await?;
        let (response, _) = client.send_request(request.clone(), true)?;
        let response = response.await?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut bytes = 0;
        while let Some(piece) = body.data().await {
            let piece = piece?;
            bytes += piece.len();
            body.flow_control().release_capacity(piece.len())?;
        }
        plan.check(status, bytes)?;
    }
    Ok(())
}
