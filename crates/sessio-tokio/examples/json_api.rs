//! A JSON API: values as bodies, values from responses, and the JSON of an error.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Auth, Mount, Result, Session};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Task {
    title: String,
    done: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::new();
    session.try_update(|s| {
        s.mounts.add("https://api.example/", Mount::new().transport(api()))?;
        s.base_url = Some("https://api.example/v1/".parse().expect("a URL"));
        s.auth = Auth::bearer("t0k3n");
        Ok(())
    })?;

    let request = session.get("tasks").param("done", "false");
    let tasks: Vec<Task> = request.send().await?.error_for_status()?.json().await?;
    println!("open: {tasks:?}");
    assert_eq!(tasks, [Task { title: "write".into(), done: false }]);
    let task = Task { title: "read".into(), done: false };
    let created = session.post("tasks").json(&task).send().await?.error_for_status()?;
    assert_eq!(created.json::<Task>().await?, task);

    // The error holds the response, and its body can be read.
    let untitled = Task { title: String::new(), done: false };
    let error =
        session.post("tasks").json(&untitled).send().await?.error_for_status().expect_err("an error status");
    let (status, problem) = (error.status(), error.into_response().json::<HashMap<String, String>>().await?);
    println!("refused: {status}: {}", problem["detail"]);
    assert_eq!((status.as_u16(), &*problem["detail"]), (422, "no title"));
    Ok(())
}

/// A server without sockets, for this example.
fn api() -> Mock {
    Mock::new().on("GET", "/v1/tasks?done=false", Reply::ok(r#"[{"title": "write", "done": false}]"#)).on(
        "POST",
        "/v1/tasks",
        |request: &Received| match request.json::<Task>() {
            _ if request.header("Authorization") != Some("Bearer t0k3n") => Reply::new(401),
            Ok(task) if task.title.is_empty() => Reply::new(422).body(r#"{"detail": "no title"}"#),
            _ => Reply::new(201).body(request.body.clone()),
        },
    )
}

#[test]
fn runs() {
    main().unwrap();
}
