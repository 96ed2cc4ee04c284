//! Requests to an object store, signed by AWS Signature Version 4.

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Auth, Mount, Result, Session, SigV4};

const STORE: &str = "https://bucket.s3.eu-west-1.amazonaws.com/";

#[tokio::main]
async fn main() -> Result<()> {
    let store = store();
    let session = Session::new();
    // The signature belongs to this store. Other servers get none.
    let signer = SigV4::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "eu-west-1", "s3");
    let mount = Mount::new().auth(Auth::flow(signer)).transport(store.clone());
    session.try_update(|settings| settings.mounts.add(STORE, mount))?;

    let url = format!("{STORE}notes/a%20b.txt");
    session.put(&url).body("hello").send().await?.error_for_status()?;
    let text = session.get(&url).send().await?.error_for_status()?.text().await?;
    assert_eq!(text, "stored");
    for request in store.requests() {
        println!("{} {}", request.method, request.header("X-Amz-Content-Sha256").unwrap_or_default());
    }
    Ok(())
}

/// A store without sockets, for this example. It checks that each request is signed for it.
fn store() -> Mock {
    let is_signed = |request: &Received| {
        let signature = request.header("Authorization").unwrap_or_default();
        signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/")
            && signature.contains("/eu-west-1/s3/aws4_request")
            && request.header("X-Amz-Date").is_some()
    };
    let reply = move |request: &Received| match is_signed(request) {
        true => Reply::ok("stored"),
        false => Reply::new(403),
    };
    Mock::new().on("PUT", "/notes/a%20b.txt", reply).on("GET", "/notes/a%20b.txt", reply)
}

#[test]
fn runs() {
    main().unwrap();
}
