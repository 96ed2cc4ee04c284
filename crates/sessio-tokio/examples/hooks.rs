//! Hooks: a header for each hop, a repeated request, and an error for a response with a warning.

use sessio_tokio::hook::{self, Reaction};
use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Error, Kind, Mount, Result, Session};

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::new();
    session.try_update(|s| {
        s.mounts.add("https://api.example/", Mount::new().transport(api()))?;
        // For every request of the session, on each hop and attempt.
        s.hooks.add(hook::before(|request| Ok(request.headers_mut().insert("X-Client", "1")?)));
        s.hooks.add(hook::response(|response| match response.head.headers.get("Warning") {
            Some(warning) => Err(Error::new(Kind::Status).with_detail(warning.to_owned())),
            None => Ok(()),
        }));
        Ok(())
    })?;

    // For one request: it is sent again with the version that the server names.
    let request =
        session.put("https://api.example/page").body("text").hook(hook::after(|head, request| {
            match (head.status.as_u16(), head.headers.get("ETag")) {
                (428, Some(version)) => match request.headers_mut().insert("If-Match", version) {
                    Ok(()) => Reaction::Again,
                    Err(fault) => Reaction::Fail(fault.into()),
                },
                _ => Reaction::Continue,
            }
        }));
    let response = request.send().await?;
    println!("{} after {:?}", response.status(), response.history());
    assert_eq!((response.status().as_u16(), response.history().len()), (204, 1));

    let error = session.get("https://api.example/old").send().await.expect_err("a warning");
    println!("{error}");
    assert!(error.to_string().contains("use /new"));
    Ok(())
}

/// A server without sockets, for this example.
fn api() -> Mock {
    Mock::new().on("GET", "/old", Reply::ok("").header("Warning", "299 - use /new")).on(
        "PUT",
        "/page",
        |request: &Received| match (request.header("X-Client"), request.header("If-Match")) {
            (Some("1"), Some("\"v1\"")) => Reply::new(204),
            _ => Reply::new(428).header("ETag", "\"v1\""),
        },
    )
}

#[test]
fn runs() {
    main().unwrap();
}
