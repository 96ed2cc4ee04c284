//! A user and a password by the strongest scheme that each server offers.

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{AnyAuth, Auth, Mount, Result, Session};

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::new();
    let (old, new) = (server("Basic realm=old"), server(NEW));
    session.try_update(|s| {
        s.mounts.add("https://old.example/", Mount::new().transport(old.clone()))?;
        s.mounts.add("https://new.example/", Mount::new().transport(new.clone()))?;
        s.auth = Auth::flow(AnyAuth::new("ada", "secret"));
        Ok(())
    })?;
    for (url, mock, scheme) in
        [("https://old.example/", &old, "Basic "), ("https://new.example/", &new, "Digest ")]
    {
        for challenges in [1, 0] {
            // The second request carries its credentials at once.
            let response = session.get(url).send().await?;
            assert_eq!((response.status().as_u16(), response.history().len()), (200, challenges));
        }
        let sent: Vec<_> =
            mock.requests().iter().map(|it| it.header("Authorization").map(str::to_owned)).collect();
        println!("{url}: {sent:?}");
        assert_eq!(sent[0], None);
        assert!(sent[1..].iter().flatten().all(|sent| sent.starts_with(scheme)));
    }
    Ok(())
}

const NEW: &str = r#"Basic realm="new", Digest realm="new", nonce="n", qop="auth", algorithm=SHA-256"#;

/// A server without sockets, for this example. It believes every credentials.
fn server(challenge: &'static str) -> Mock {
    Mock::new().on("GET", "/", move |request: &Received| match request.header("Authorization") {
        Some(_) => Reply::ok("in"),
        None => Reply::new(401).header("WWW-Authenticate", challenge),
    })
}

#[test]
fn runs() {
    main().unwrap();
}
