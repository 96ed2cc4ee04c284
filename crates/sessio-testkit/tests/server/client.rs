//! A minimal client: it writes the exact bytes of the test, and returns the exact bytes received.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use sessio_testkit::Server;

pub(crate) struct Client {
    stream: TcpStream,
    pending: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.addr()).expect("a server that listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, pending: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("a connection that takes bytes");
    }

    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    /// The bytes of one read.
    pub(crate) fn read_some(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 64 << 10];
        let count = self.stream.read(&mut buffer)?;
        buffer.truncate(count);
        Ok(buffer)
    }

    /// All bytes up to the end of the stream.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.pending);
        self.stream.read_to_end(&mut all).expect("a stream that ends well");
        all
    }

    pub(crate) fn finish_writing(&self) {
        self.stream.shutdown(Shutdown::Write).expect("an open stream");
    }

    /// Sends a request without a body and reads its response.
    pub(crate) fn ask(&mut self, method: &str, target: &str, fields: &str) -> Response {
        self.write(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"));
        self.response(method == "HEAD")
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.ask("GET", target, "")
    }

    pub(crate) fn send(&mut self, method: &str, target: &str, kind: &str, body: &str) -> Response {
        let length = body.len();
        let fields = format!("Content-Type: {kind}\r\nContent-Length: {length}");
        self.write(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n{body}"));
        self.response(false)
    }

    /// The next response. A body that ends with the stream is left to `read_to_end`.
    pub(crate) fn response(&mut self, bodiless: bool) -> Response {
        let end = loop {
            match self.pending.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.fill(),
            }
        };
        let head: String = self.pending.drain(..end).map(char::from).collect();
        let status = head[9..12].parse().expect("a status");
        let mut response = Response { status, head, body: Vec::new() };
        if bodiless || matches!(status, 100..200 | 204 | 304) {
            return response;
        }
        if let Some(length) = response.header("content-length") {
            response.body = self.take(length.parse().expect("a length"));
        } else if response.header("transfer-encoding") == Some("chunked") {
            response.body = self.chunks();
        }
        response
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line(), 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            body.extend(self.take(size));
            assert_eq!(self.line(), "");
        }
        while !self.line().is_empty() {}
        body
    }

    fn line(&mut self) -> String {
        loop {
            match self.pending.windows(2).position(|window| window == b"\r\n") {
                Some(end) => {
                    let line = self.take(end + 2);
                    return String::from_utf8_lossy(&line[..end]).into_owned();
                }
                None => self.fill(),
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        while self.pending.len() < count {
            self.fill();
        }
        self.pending.drain(..count).collect()
    }

    fn fill(&mut self) {
        let bytes = self.read_some().expect("more bytes");
        assert!(!bytes.is_empty(), "the stream ended early");
        self.pending.extend(bytes);
    }
}
