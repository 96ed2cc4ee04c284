//! Server-sent events. The stream ends, and the next request continues after the last event.

use std::error::Error;
use std::time::Duration;

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Mount, Session};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let session = Session::new();
    session.update(|s| s.mounts.add("https://news.example/", Mount::new().transport(news())))?;

    let (mut last_id, mut pause, mut received) = (String::new(), Duration::from_secs(3), Vec::new());
    while received.len() < 4 {
        let mut request = session.get("https://news.example/events").header("Accept", "text/event-stream");
        if !last_id.is_empty() {
            request = request.header("Last-Event-ID", &last_id);
        }
        let mut events = request.send().await?.error_for_status()?.events_after(&*last_id);
        while let Some(event) = events.next().await? {
            println!("{} {}: {}", event.id, event.event, event.data);
            received.push(event.data);
        }
        // The server can set the pause before the next request.
        pause = events.retry().unwrap_or(pause);
        last_id = events.last_event_id().to_owned();
        println!("the stream ended after {last_id}, again in {pause:?}");
        tokio::time::sleep(pause).await;
    }
    assert_eq!(received, ["one", "two\nlines", "three", "four"]);
    Ok(())
}

/// A server without sockets, for this example. It sends two events per response.
fn news() -> Mock {
    Mock::new().on("GET", "/events", |request: &Received| {
        let text = match request.header("Last-Event-ID") {
            None => "retry: 1\n\nid: 1\ndata: one\n\nid: 2\nevent: note\ndata: two\ndata: lines\n\n",
            Some("2") => "id: 3\ndata: three\n\n: a comment\n\nid: 4\ndata: four\n\n",
            Some(_) => return Reply::new(400),
        };
        // The pieces of the network do not matter.
        Reply::new(200).header("Content-Type", "text/event-stream").pieces(text.as_bytes().chunks(7))
    })
}

#[test]
fn runs() {
    main().unwrap();
}
