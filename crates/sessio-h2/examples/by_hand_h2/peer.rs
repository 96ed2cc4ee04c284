//! A minimal server for the example. It sends the same response to every request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use sessio_h2::frame::{self, Header, Kind};
use sessio_h2::hpack::{Decoder, Encoder, FieldBlock, Indexing, ListLimits};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves one connection on its own thread.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        if let Err(error) = listener.accept().and_then(|(socket, _)| serve(socket)) {
            eprintln!("the peer: {error}");
        }
    });
    Ok(address)
}

fn serve(mut socket: TcpStream) -> io::Result<()> {
    let mut preface = [0; PREFACE.len()];
    socket.read_exact(&mut preface)?;
    if preface != PREFACE {
        return Err(io::Error::other("this is no HTTP/2"));
    }
    let (mut decoder, mut encoder) = (Decoder::new(4096), Encoder::new(4096));
    let mut out = Vec::new();
    frame::encode::settings(&[(3, 32)], &mut out);
    loop {
        socket.write_all(&out)?;
        out.clear();
        let mut head = [0; Header::LEN];
        socket.read_exact(&mut head)?;
        let header = Header::parse(&head);
        let mut payload = vec![0; header.length as usize];
        socket.read_exact(&mut payload)?;
        match header.kind {
            Kind::SETTINGS if !header.is_ack() => frame::encode::settings_ack(&mut out),
            Kind::HEADERS => {
                // Every block must be decoded, so that the header tables of both sides stay in
                // sync.
                let mut fields = FieldBlock::new();
                decoder.decode(&payload, ListLimits::new(65_536), &mut fields).map_err(io::Error::other)?;
                let status: &[u8] = if fields.fields().get(b":path").is_some() { b"200" } else { b"400" };
                let mut block = Vec::new();
                encoder.begin(&mut block);
                encoder.encode(b":status", status, Indexing::Incremental, &mut block);
                encoder.encode(b"content-type", b"text/plain", Indexing::Incremental, &mut block);
                frame::encode::headers(header.stream, &block, false, 16_384, &mut out);
                frame::encode::data(header.stream, b"hello by hand", true, &mut out);
            }
            Kind::GOAWAY => return Ok(()),
            _ => {}
        }
    }
}
