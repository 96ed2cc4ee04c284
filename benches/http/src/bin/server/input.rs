//! What a connection's client says.

use crate::route::Route;

/// What has come and could not be understood yet. Nearly always that is nothing: a request comes in one piece.
#[derive(Default)]
pub struct Input {
    kept: Vec<u8>,
    /// An upload that is under way.
    upload: Option<Upload>,
}

/// What is left of an upload, and how much of it was read.
#[derive(Clone, Copy)]
struct Upload {
    left: usize,
    count: usize,
}

/// Where a request goes.
pub enum Heard {
    /// There, and this is what comes behind it.
    Route(Route, usize),
    /// More has to come.
    More,
}

impl Input {
    /// Looks for the next request in `bytes`, which follow what was kept.
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

    /// Counts the bytes of an upload; at its end the route says how many there were.
    fn count(&mut self, upload: Upload, bytes: &[u8]) -> Heard {
        let used = upload.left.min(bytes.len());
        let upload = Upload { left: upload.left - used, count: upload.count + used };
        self.upload = (upload.left > 0).then_some(upload);
        if upload.left > 0 { Heard::More } else { Heard::Route(Route::Upload(upload.count), used) }
    }
}
