//! An axum application that uses a session in its handlers, and a test of it without sockets.

use std::error::Error;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use sessio_tokio::mock::{Mock, Reply};
use sessio_tokio::{InProcess, Mount, Session};

/// The application. Its session is shared by all handlers: one pool of connections, one jar.
fn application(session: Session) -> Router {
    Router::new().route("/weather/{city}", get(weather)).with_state(session)
}

/// Responds with the text of another server, or with 502 and the error.
async fn weather(
    State(session): State<Session>,
    Path(city): Path<String>,
) -> Result<String, (StatusCode, String)> {
    let load = async {
        let request = session.get("https://weather.example/now").param("city", city).without_jar();
        request.send().await?.error_for_status()?.text().await
    };
    load.await.map_err(|error: sessio_tokio::Error| (StatusCode::BAD_GATEWAY, error.to_string()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The other server is a mock, and the application runs in this process.
    let server = Mock::new().on("GET", "/now?city=Oslo", Reply::ok("rain")).on(
        "GET",
        "/now?city=Atlantis",
        Reply::new(404),
    );
    let inner = Session::new();
    inner.update(|s| s.mounts.add("https://weather.example/", Mount::new().transport(server)))?;
    let session = Session::new();
    let transport = InProcess::new(application(inner));
    session.update(|s| s.mounts.add("http://app.example/", Mount::new().transport(transport)))?;

    let response = session.get("http://app.example/weather/Oslo").send().await?;
    assert_eq!((response.status().as_u16(), &*response.text().await?), (200, "rain"));
    let response = session.get("http://app.example/weather/Atlantis").send().await?;
    assert_eq!(response.status(), 502);
    println!("{}", response.text().await?);
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
