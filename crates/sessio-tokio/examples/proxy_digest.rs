//! A proxy that wants Digest: it gets a proof of the password, and never the password.

use std::error::Error;

use sessio_tokio::Session;
use sessio_tokio::proxy::{Proxies, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener));

    let session = Session::new();
    let proxy = Proxy::parse(&format!("http://{address}"))?.digest_auth("ada", "secret")?;
    session.update(|settings| settings.proxies = Proxies::from(proxy));
    for challenges in [1, 0] {
        // The session keeps the challenge: the second request carries its proof at once.
        let response = session.get("http://server.example/").send().await?;
        assert_eq!((response.status().as_u16(), response.history().len()), (200, challenges));
        println!("{}, after {challenges} challenges", response.text().await?);
    }
    Ok(())
}

/// A proxy for this example, on one connection. It responds in place of the server.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let (mut head, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        head.push_str(&String::from_utf8_lossy(&buffer[..n]));
        if !head.ends_with("\r\n\r\n") {
            continue;
        }
        let response = match head.to_ascii_lowercase().contains("\r\nproxy-authorization: digest ") {
            true => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
            false => {
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\
                 Proxy-Authenticate: Digest realm=\"lan\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n\r\n"
            }
        };
        stream.write_all(response.as_bytes()).await?;
        head.clear();
    }
}

#[test]
fn runs() {
    main().unwrap();
}
