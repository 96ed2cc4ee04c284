//! Uploads of a file with a bar: as the whole body, and as a part of a form.

use std::error::Error;
use std::io::{Write, stdout};

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::multipart::{self, Form};
use sessio_tokio::{Mount, Session, body::BodyProgress, upload};

const SIZE: usize = 3_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Mock::new().on("PUT", "/photo", stored(SIZE)).on("POST", "/form", stored(SIZE + 300));
    let session = Session::new();
    session.update(|s| s.mounts.add("https://files.example/", Mount::new().transport(server.clone())))?;
    let path = std::env::temp_dir().join(format!("sessio-upload-{}", std::process::id()));
    std::fs::write(&path, vec![b'x'; SIZE])?;

    // The file is read while it is sent. A redirect or a retry can send it again.
    let file = upload::open(&path).await?;
    let request = session.put("https://files.example/photo").header("Content-Type", "image/png").feed(file);
    request.on_upload_progress(show).send().await?.error_for_status()?;

    let part = multipart::open(&path).await?.content_type("image/png").file_name("photo.png");
    let form = Form::new().text("title", "A photo").part("photo", part);
    let request = session.post("https://files.example/form").multipart(form);
    request.on_upload_progress(show).send().await?.error_for_status()?;

    let [photo, form] = &*server.requests() else { return Err("the server received other requests".into()) };
    assert_eq!(photo.header("Content-Length"), Some("3000000"));
    assert!(form.body.len() > SIZE && form.header("Content-Length") == Some(&form.body.len().to_string()));
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Draws a bar of 40 columns, and a new line at its end.
fn show(progress: BodyProgress) {
    let total = progress.total.unwrap_or(progress.bytes).max(1);
    let columns = usize::try_from(progress.bytes * 40 / total).unwrap_or(40);
    print!("\r[{:<40}] {} of {total} bytes", "#".repeat(columns), progress.bytes);
    if progress.bytes == total {
        println!();
    }
    let _ = stdout().flush();
}

/// A route of a server without sockets: it stores bodies up to a size in bytes.
fn stored(most: usize) -> impl Fn(&Received) -> Reply + Send + Sync {
    move |request| Reply::new(if request.body.len() <= most { 201 } else { 413 })
}

#[test]
fn runs() {
    main().unwrap();
}
