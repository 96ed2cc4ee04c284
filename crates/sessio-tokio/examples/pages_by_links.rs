//! All pages of a list, by the links of its responses, with retries.

use std::error::Error;
use std::time::Duration;

use sessio_tokio::mock::{Mock, Reply};
use sessio_tokio::retry::RetryPolicy;
use sessio_tokio::{Mount, Session, Url};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = api();
    let session = Session::new();
    // Four tries at most. It waits as long as the server asks, or at most 0.5, 1 and 2 s.
    session.update(|s| s.retry = RetryPolicy::web().into());
    session.update(|s| s.mounts.add("https://api.example/", Mount::new().transport(server.clone())))?;

    let (mut next, mut names) = (Some(Url::parse("https://api.example/names")?), Vec::new());
    while let Some(url) = next {
        let response = session.get(url).timeout(Duration::from_secs(30)).send().await?.error_for_status()?;
        println!("{}: {} tries", response.url(), response.attempts().len());
        next = response.links().get("next").and_then(|link| link.target());
        names.extend(response.text().await?.lines().map(str::to_owned));
    }
    println!("{names:?}");

    assert_eq!(names, ["Ada", "Grace", "Joan", "Karen"]);
    server.assert_requests(["GET /names", "GET /names?page=2", "GET /names?page=2", "GET /names?page=3"]);
    Ok(())
}

/// A server without sockets, for this example. Its second page is busy for the first request.
fn api() -> Mock {
    let page = |number: u32| format!("</names?page={number}>; rel=\"next\"");
    let second = [Reply::new(503).header("Retry-After", "0"), Reply::ok("Joan").header("Link", page(3))];
    Mock::new()
        .on("GET", "/names?page=2", Reply::sequence(second))
        .on("GET", "/names?page=3", Reply::ok("Karen"))
        .on("GET", "/names", Reply::ok("Ada\nGrace").header("Link", page(2)))
}

#[test]
fn runs() {
    main().unwrap();
}
