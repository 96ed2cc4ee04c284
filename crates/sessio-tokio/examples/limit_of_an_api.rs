//! An API with a limit: requests wait, so that none exceeds it.

use std::error::Error;
use std::time::{Duration, Instant};

use sessio_tokio::pace::Pace;
use sessio_tokio::{Kind, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/items", listener.local_addr()?);
    tokio::spawn(serve(listener));

    // 100 requests a second, and 4 at a time. All clones of the session share it.
    let session = Session::new();
    let pace = Pace::rate(100, Duration::from_secs(1)).concurrency(4);
    session.update(|settings| settings.pace = pace.into());
    let (begin, mut downloads) = (Instant::now(), tokio::task::JoinSet::new());
    for _ in 0..30 {
        let (session, url) = (session.clone(), url.clone());
        downloads.spawn(async move { session.get(url).send().await?.error_for_status()?.text().await });
    }
    while let Some(done) = downloads.join_next().await {
        assert_eq!(done??, "item");
    }
    println!("30 responses in {:?}", begin.elapsed());
    assert!(begin.elapsed() >= Duration::from_millis(290));

    // One request an hour. A wait that cannot end in time fails at once.
    session.update(|settings| settings.pace = Pace::rate(1, Duration::from_secs(3600)).into());
    session.get(&url).send().await?.text().await?;
    let error = session.get(&url).timeout(Duration::from_secs(5)).send().await.err().ok_or("it was sent")?;
    assert_eq!(error.kind(), Kind::Paced);
    println!("{error}");
    Ok(())
}

async fn serve(listener: TcpListener) {
    while let Ok((mut socket, _)) = listener.accept().await {
        tokio::spawn(async move { while let Ok(()) = respond(&mut socket).await {} });
    }
}

async fn respond(socket: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nitem").await
}

#[test]
fn runs() {
    main().unwrap();
}
