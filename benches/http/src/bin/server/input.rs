//! Parsing the requests of a connection.

use crate::route::Route;

/// The received bytes that are not parsed yet. Usually there are none, because a request comes in
/// one piece.
#[derive(Default)]
pub struct Input {
    kept: Vec<u8>,
    /// The upload in progress.
    upload: Option<Upload>,
}

/// The rest of an upload, and the number of bytes read.
#[derive(Clone, Copy)]
struct Upload {
    left: usize,
    count: usize,
}

/// The result of parsing received bytes.
pub enum Heard {
    /// A request for this route, and the position of the bytes after it.
    Route(Route, usize),
    /// Bytes are missing.
    More,
}

impl Input {
    /// Parses the next request in `bytes`, which follow the bytes kept before.
    pub fn hear(&mut self, bytes: &[u8]) -> Heard {
        if let Some(upload) = self.upload {
            return self.count(upload, bytes);
        }
        let before = self.kept.len();
        if before > 0 {
            self.kept.extend_from_slice(bytes);
        }
        let said = if before > 0 { &self.kept[..] } else { bytes };
        let Some(end) = said.windows(4).position(|four| four == b"\r\n\r\n") else {
            if before == 0 {
                self.kept = bytes.to_vec();
            }
            return Heard::More;
        };
        let end = end + 4;
        let route = Route::of(&said[..end]);
        self.kept = Vec::new();
        let used = end - before;
        match route {
            Route::Upload(length) => match self.count(Upload { left: length, count: 0 }, &bytes[used..]) {
                Heard::Route(route, more) => Heard::Route(route, used + more),
                Heard::More => Heard::More,
            },
            route => Heard::Route(route, used),
        }
    }

    /// Counts the bytes of an upload. At its end, returns a route with their number.
    fn count(&mut self, upload: Upload, bytes: &[u8]) -> Heard {
        let used = upload.left.min(bytes.len());
        let upload = Upload { left: upload.left - used, count: upload.count + used };
        self.upload = (upload.left > 0).then_some(upload);
        if upload.left > 0 { Heard::More } else { Heard::Route(Route::Upload(upload.count), used) }
    }
}
