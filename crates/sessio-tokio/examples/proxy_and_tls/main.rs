//! A request over TLS through an HTTP proxy, with a certificate authority of one's own.
//!
//! `cargo run -p sessio-tokio --example proxy_and_tls`

mod proxy;

use std::error::Error;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use sessio_tokio::Session;
use sessio_tokio::tls::{Certificates, Version};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["api.example".to_owned()])?;
    let proxy = proxy::start(cert.der().clone(), signing_key.into())?;

    let session = Session::new();
    session.try_update(|s| {
        s.proxies.set("https", &*format!("http://user:secret@{proxy}"))?;
        s.tls = s.tls.clone().add_roots(Certificates::from_der([cert.der()])?).min_version(Version::Tls13);
        s.tls = s.tls.clone().https_only(true);
        Ok(())
    })?;
    let response = session.get("https://api.example/").send().await?.error_for_status()?;
    assert_eq!(response.text().await?, "hello over TLS");
    println!("a response of https://api.example/ through the proxy {proxy}");

    // Without that authority the certificate is refused. The error names the server.
    session.update(|s| s.tls = Default::default());
    let error = session.get("https://api.example/").send().await.expect_err("an error");
    println!("{error}");
    assert!(error.is_certificate());
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
