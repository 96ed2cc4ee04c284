//! 200 URLs of one server, ten at a time: the pool limits the connections, and reuses them.

use std::error::Error;
use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering::Relaxed};

use sessio_tokio::pool::Policy;
use sessio_tokio::{Result, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (base, accepted) = (format!("http://{}", listener.local_addr()?), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(serve(listener, Arc::clone(&accepted)));

    // A request over the limit queues. All clones of a session share one pool.
    let mut policy = Policy::default();
    policy.max_per_host = Some(10);
    let session = Session::with_pool(policy);
    let mut downloads: tokio::task::JoinSet<Result<_>> = Default::default();
    for number in 0..200 {
        let (session, url) = (session.clone(), format!("{base}/{number}"));
        downloads.spawn(async move {
            let response = session.get(url).send().await?.error_for_status()?;
            Ok((number, response.text().await?))
        });
    }
    while let Some(done) = downloads.join_next().await {
        let (number, text) = done??;
        assert_eq!(text, format!("/{number}"));
    }
    println!("200 responses over {} connections", accepted.load(Relaxed));
    assert!(accepted.load(Relaxed) <= 10);
    Ok(())
}

/// A server that counts its connections, for this example.
async fn serve(listener: TcpListener, accepted: Arc<AtomicUsize>) {
    while let Ok((mut socket, _)) = listener.accept().await {
        accepted.fetch_add(1, Relaxed);
        tokio::spawn(async move { while let Ok(()) = respond(&mut socket).await {} });
    }
}

async fn respond(socket: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
    socket.write_all(response.as_bytes()).await
}

#[test]
fn runs() {
    main().unwrap();
}
