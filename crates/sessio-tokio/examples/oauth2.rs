//! Tokens of OAuth 2.0: one for many calls, and one renewal when it has expired.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Auth, Mount, OAuth2, Result, Session};

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::new();
    let mock = servers();
    let tokens = OAuth2::client_credentials("https://auth.example/token", "client", "secret").scope("read");
    session.try_update(|s| {
        s.mounts.add("https://auth.example/", Mount::new().transport(mock.clone()))?;
        s.mounts.add("https://api.example/", Mount::new().transport(mock.clone()))?;
        // No other host receives the token.
        s.auth = Auth::flow(tokens.clone()).only("https://api.example");
        Ok(())
    })?;

    // Ten calls need a token at the same time. One of them asks for it.
    let calls: Vec<_> =
        (0..10).map(|_| tokio::spawn(session.get("https://api.example/list").send())).collect();
    for call in calls {
        assert_eq!(call.await.expect("a task")?.status(), 200);
    }
    println!("{:?}", tokens.token());
    let asked = |mock: &Mock| mock.requests().iter().filter(|it| it.url.path() == "/token").count();
    assert_eq!(asked(&mock), 1);

    // The server ends the token: the call renews it, and sends its request again.
    session.post("https://api.example/revoke").send().await?;
    let response = session.get("https://api.example/list").send().await?;
    assert_eq!((response.status().as_u16(), response.history().len(), asked(&mock)), (200, 1, 2));
    Ok(())
}

/// Servers without sockets, for this example.
fn servers() -> Mock {
    let number = Arc::new(AtomicU32::new(1));
    Mock::new().on("*", "*", move |request: &Received| match request.url.path() {
        "/token" => {
            let token = format!("t{}", number.load(Ordering::Relaxed));
            Reply::ok(format!(r#"{{"access_token": "{token}", "token_type": "Bearer"}}"#))
        }
        "/revoke" => Reply::new(if number.fetch_add(1, Ordering::Relaxed) > 0 { 204 } else { 500 }),
        _ => {
            let good = format!("Bearer t{}", number.load(Ordering::Relaxed));
            Reply::new(if request.header("Authorization") == Some(&good) { 200 } else { 401 })
        }
    })
}

#[test]
fn runs() {
    main().unwrap();
}
