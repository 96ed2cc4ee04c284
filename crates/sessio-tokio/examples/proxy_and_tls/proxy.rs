//! An HTTP proxy for one example. After a CONNECT it is also the server that speaks TLS.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Starts a thread that accepts connections, one after the other.
pub(crate) fn start(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<SocketAddr, Box<dyn Error>> {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let _ = serve(socket, Arc::clone(&config));
        }
    });
    Ok(address)
}

fn serve(mut socket: TcpStream, config: Arc<ServerConfig>) -> Result<(), Box<dyn Error>> {
    let connect = read_head(&mut socket)?;
    assert!(
        connect.starts_with("CONNECT api.example:443 ") && connect.contains("Proxy-Authorization: Basic ")
    );
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, socket);
    read_head(&mut stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nhello over TLS")?;
    Ok(stream.flush()?)
}

fn read_head(from: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
