//! Forwarding of an HTTP proxy: requests in absolute form become requests to the origin server.

use std::io;

/// The forwarding state of one connection through a proxy. It accepts any cut of the bytes.
#[derive(Debug, Default)]
pub struct Forward {
    held: Vec<u8>,
    next: Next,
}

/// The part that comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Next {
    #[default]
    Head,
    /// The remaining bytes of a body or of a chunk.
    Body(usize),
    Chunk(usize),
    /// The line with the size of the next chunk.
    Size,
    /// The line end after a chunk.
    End,
    Trailer,
}

impl Forward {
    /// Takes bytes from the client. Appends the bytes for the origin server.
    ///
    /// # Errors
    ///
    /// If a request is not in absolute form, or its body has no framing.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        while let Some((used, next)) = self.step(out)? {
            self.held.drain(..used);
            self.next = next;
        }
        Ok(())
    }

    /// Forwards one head, one line, or the available part of a body. `None` if bytes are missing.
    fn step(&self, out: &mut Vec<u8>) -> io::Result<Option<(usize, Next)>> {
        let held = &self.held;
        if let Next::Body(left) | Next::Chunk(left) = self.next {
            let used = left.min(held.len());
            out.extend_from_slice(&held[..used]);
            let left = left - used;
            let next = match (self.next, left) {
                (Next::Chunk(_), 0) => Next::End,
                (Next::Chunk(_), _) => Next::Chunk(left),
                (_, 0) => Next::Head,
                _ => Next::Body(left),
            };
            return Ok((used > 0).then_some((used, next)));
        }
        let mark: &[u8] = if self.next == Next::Head { b"\r\n\r\n" } else { b"\r\n" };
        let Some(at) = held.windows(mark.len()).position(|window| window == mark) else { return Ok(None) };
        let used = at + mark.len();
        let line = &held[..used];
        let next = match self.next {
            Next::Head => {
                let (head, next) = passed_on(line)?;
                out.extend_from_slice(&head);
                return Ok(Some((used, next)));
            }
            Next::Size => {
                let digits = line.split(|byte| matches!(byte, b';' | b'\r')).next().unwrap_or_default();
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                match usize::from_str_radix(digits, 16).map_err(io::Error::other)? {
                    0 => Next::Trailer,
                    size => Next::Chunk(size),
                }
            }
            Next::Trailer if at == 0 => Next::Head,
            Next::Trailer => Next::Trailer,
            _ => Next::Size,
        };
        out.extend_from_slice(line);
        Ok(Some((used, next)))
    }
}

/// The head for the origin server, and the part that follows it.
fn passed_on(head: &[u8]) -> io::Result<(Vec<u8>, Next)> {
    let end = head.iter().position(|byte| *byte == b'\r').unwrap_or(head.len());
    let (line, fields) = head.split_at(end);
    let wrong = || io::Error::other(format!("a proxy is asked {}", String::from_utf8_lossy(line)));
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    let authority = target.strip_prefix(b"http://").ok_or_else(wrong)?;
    let path = authority.iter().position(|byte| matches!(byte, b'/' | b'?')).ok_or_else(wrong)?;
    let mut passed = [method, b" ", &authority[path..], b" ", version].concat();
    let mut next = Next::Head;
    // Every line of the fields begins with CRLF here, also the empty one.
    for field in fields.split(|byte| *byte == b'\r').skip(1) {
        let field = field.strip_prefix(b"\n").unwrap_or(field);
        let lower = field.to_ascii_lowercase();
        if lower.starts_with(b"proxy-authorization:") {
            continue;
        }
        if let Some(length) = lower.strip_prefix(b"content-length:") {
            let length = std::str::from_utf8(length).unwrap_or_default().trim();
            next = match length.parse().map_err(io::Error::other)? {
                0 => Next::Head,
                length => Next::Body(length),
            };
        }
        if lower.strip_prefix(b"transfer-encoding:").is_some_and(|coding| coding.ends_with(b"chunked")) {
            next = Next::Size;
        }
        passed.extend_from_slice(b"\r\n");
        passed.extend_from_slice(field);
    }
    Ok((passed, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_passed_on_the_same_however_they_are_cut() {
        let asked = b"GET http://h:8/a?b HTTP/1.1\r\nHost: h:8\r\nProxy-Authorization: x\r\n\r\n\
            POST http://h/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
            POST http://h/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\n\r\n!\r\n0\r\nX: y\r\n\r\n\
            GET http://h/ HTTP/1.1\r\n\r\n";
        let passed = b"GET /a?b HTTP/1.1\r\nHost: h:8\r\n\r\n\
            POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
            POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\n\r\n!\r\n0\r\nX: y\r\n\r\n\
            GET / HTTP/1.1\r\n\r\n";
        for size in 1..=asked.len() {
            let (mut forward, mut out) = (Forward::default(), Vec::new());
            for piece in asked.chunks(size) {
                forward.pass(piece, &mut out).unwrap();
            }
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(passed), "{size}");
        }
    }

    #[test]
    fn a_request_for_an_origin_server_is_refused() {
        Forward::default().pass(b"GET / HTTP/1.1\r\n\r\n", &mut Vec::new()).unwrap_err();
    }
}
