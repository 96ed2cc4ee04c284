//! A download with a bar. The connection breaks, and the next try requests the rest only.

use std::error::Error;

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Bytes, Kind, Mount, Session, body::BodyProgress};

const SIZE: usize = 1_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Mock::new().on("GET", "/archive", file(vec![b'x'; SIZE].into()));
    let session = Session::new();
    session.update(|s| s.mounts.add("https://files.example/", Mount::new().transport(server.clone())))?;
    let path = std::env::temp_dir().join(format!("sessio-archive-{}", std::process::id()));

    // The bytes of a failed try stay in a file beside the path, also after the end of the process.
    let mut tries = 1;
    loop {
        let request = session.get("https://files.example/archive").on_download_progress(show);
        let Err(error) = request.resume(&path).await else { break };
        if tries == 5 || error.kind() != Kind::IncompleteBody {
            return Err(error.into());
        }
        println!("\ntry {tries}: {error}");
        tries += 1;
    }
    println!("\ncomplete after {tries} tries");

    assert_eq!(std::fs::metadata(&path)?.len(), SIZE as u64);
    let requests = server.requests();
    let ranges: Vec<_> = requests.iter().map(|request| request.header("Range")).collect();
    assert_eq!(ranges, [None, Some("bytes=400000-"), Some("bytes=800000-")]);
    std::fs::remove_file(&path)?;
    Ok(())
}

fn show(progress: BodyProgress) {
    let columns = progress.total.map_or(0, |total| progress.bytes * 40 / total.max(1));
    print!("\r[{:<40}] {} bytes", "#".repeat(usize::try_from(columns).unwrap_or(40)), progress.bytes);
}

/// A route of a server without sockets: it serves ranges, and breaks after each 400,000 bytes.
fn file(content: Bytes) -> impl Fn(&Received) -> Reply + Send + Sync {
    move |request| {
        let range = request.header("Range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let start: usize = range.and_then(|start| start.parse().ok()).unwrap_or(0);
        let reply = Reply::new(if range.is_some() { 206 } else { 200 }).body(content.slice(start..));
        let bytes = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
        let reply = if range.is_some() { reply.header("Content-Range", bytes) } else { reply };
        reply.header("ETag", "\"v1\"").cut_after(400_000)
    }
}

#[test]
fn runs() {
    main().unwrap();
}
