//! Server-sent events, parsed as in the HTML standard (section 9.2.6, "Interpreting an event
//! stream").
//!
//! Bytes in, events out; the events do not depend on how the bytes are cut. An event that is
//! truncated by the end of the stream is dropped.
//!
//! ```
//! use sessio::sse::Events;
//!
//! let mut events = Events::new(1024);
//! events.push(b": hello\nid: 7\nevent: price\ndata: 1\ndata: 2\n\ndata: lost");
//! let event = events.pop()?.expect("one that has ended");
//! assert_eq!((&*event.event, &*event.data, &*event.id), ("price", "1\n2", "7"));
//! assert_eq!(events.pop()?, None);
//! # Ok::<(), sessio::Error>(())
//! ```
//!
//! # Reconnecting
//!
//! A client requests a stream of events again when it ends: after [`retry`](Events::retry), or a
//! pause of the program's own. The request has [`last_event_id`](Events::last_event_id) in the
//! header `Last-Event-ID` unless it is empty. Status 204 asks the client to stop. The program
//! decides whether and how long to go on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::decimal;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::lines::Lines;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The event type: `message` if the server sends none.
    pub event: String,
    /// The data, its lines joined by LF.
    pub data: String,
    /// The last id that the server sent, in this event or before; empty if none. Events with the
    /// same id share it.
    pub id: Arc<str>,
}

/// Bytes in, events out: see the [module](self).
pub struct Events {
    lines: Lines,
    is_begun: bool,
    data: String,
    event: String,
    /// The id as far as it was read; it takes effect at the end of its event.
    id: Arc<str>,
    last_id: Arc<str>,
    retry: Option<Duration>,
    most: usize,
}

impl Events {
    /// Parses events of at most this many bytes each, their id included; no line is longer either.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            lines: Lines::new(most),
            is_begun: false,
            data: String::new(),
            event: String::new(),
            id: Arc::default(),
            last_id: Arc::default(),
            retry: None,
            most,
        }
    }

    /// Continues an earlier stream from the last id that its server sent.
    #[must_use]
    pub fn after(mut self, last_event_id: impl Into<Arc<str>>) -> Self {
        self.id = last_event_id.into();
        self.last_id = Arc::clone(&self.id);
        self
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// The next event; `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`Kind::LineTooLong`]. The error is permanent.
    pub fn pop(&mut self) -> Result<Option<Event>> {
        loop {
            if self.data.len() + self.event.len() + self.id.len() > self.most {
                let detail = format!("more than {} bytes", self.most);
                return Err(Fault::new(Kind::LineTooLong).with_detail(detail));
            }
            let Some(mut line) = self.lines.pop()? else { return Ok(None) };
            if !std::mem::replace(&mut self.is_begun, true) {
                line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            }
            if line.is_empty() {
                if let Some(event) = self.dispatch() {
                    return Ok(Some(event));
                }
                continue;
            }
            // No UTF-8 line ends within a character: replacement line by line equals replacement in
            // the whole.
            let line = String::from_utf8_lossy(line);
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    self.data.push_str(value);
                    self.data.push('\n');
                }
                "event" => value.clone_into(&mut self.event),
                "id" if !value.contains('\0') => self.id = value.into(),
                "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    // A number of 2^64 or more is a wait without end.
                    let millis = decimal::parse(value.as_bytes()).unwrap_or(u64::MAX);
                    self.retry = Some(Duration::from_millis(millis));
                }
                _ => {}
            }
        }
    }

    /// Handles a blank line: the gathered fields are an event, unless it has no data. Events share
    /// the id. Otherwise a server could have a long id copied for each line end that it sends (row
    /// FA1).
    fn dispatch(&mut self) -> Option<Event> {
        self.last_id = Arc::clone(&self.id);
        let (mut data, event) = (std::mem::take(&mut self.data), std::mem::take(&mut self.event));
        data.pop()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(Event { event, data, id: Arc::clone(&self.last_id) })
    }

    /// The id for `Last-Event-ID` in the next request for the stream; empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// The pause that the server asks for before the next request for the stream, if any.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }
}

/// `Debug` does not show the contents of a body.
impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("lines", &self.lines).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> (Vec<[String; 3]>, String, Option<u64>) {
        let mut events = Events::new(1000);
        let mut seen = Vec::new();
        for piece in pieces {
            events.push(piece);
            while let Some(event) = events.pop().unwrap() {
                seen.push([event.event, event.data, event.id.to_string()]);
            }
        }
        let retry = events.retry().map(|retry| u64::try_from(retry.as_millis()).unwrap());
        (seen, events.last_event_id().to_owned(), retry)
    }

    #[test]
    fn the_examples_of_the_standard_and_its_corners_in_every_cut() {
        let m = "message";
        for (text, expected, id, retry) in [
            ("", &[][..], "", None),
            ("data: YHOO\ndata: +2\ndata: 10\n\n", &[[m, "YHOO\n+2\n10", ""]], "", None),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
                &[[m, "first event", "1"], [m, "second event", ""], [m, " third event", ""]],
                "",
                None,
            ),
            ("data\n\ndata\ndata\n\ndata:", &[[m, "", ""], [m, "\n", ""]], "", None),
            ("data:test\n\ndata: test\n\n", &[[m, "test", ""], [m, "test", ""]], "", None),
            (
                "event: add\rdata: 1\r\revent: add\r\ndata: 2\r\n\r\n",
                &[["add", "1", ""], ["add", "2", ""]],
                "",
                None,
            ),
            ("\u{feff}data: bom\n\n\u{feff}data: field\n\n", &[[m, "bom", ""]], "", None),
            ("event: lost\n\ndata: kept\n\n", &[[m, "kept", ""]], "", None),
            ("id: 1\n\nid: 2\ndata: cut", &[], "1", None),
            ("id: a\0b\ndata: x\n\n", &[[m, "x", ""]], "", None),
            ("id: 1\nid: 2\0\ndata: x\n\n", &[[m, "x", "1"]], "1", None),
            ("retry: 10\nretry: 1x\nretry:\nretry: -1\n", &[], "", Some(10)),
            ("retry: 99999999999999999999\n", &[], "", Some(u64::MAX)),
            ("retry: 10", &[], "", None),
            ("Data: x\n data: x\nother: x\n:data: x\n\n", &[], "", None),
            ("data:a:b\ndata: \u{e9}\n\n", &[[m, "a:b\n\u{e9}", ""]], "", None),
            ("event: a\nevent:\ndata: x\n\n", &[[m, "x", ""]], "", None),
            ("\n\n\ndata: x\n\n\n\n", &[[m, "x", ""]], "", None),
            // Further cases from the tests of the web platform.
            ("\u{feff}\u{feff}data:1\n\ndata:2\n\ndata:3\n\n", &[[m, "2", ""], [m, "3", ""]], "", None),
            ("\u{feff}", &[], "", None),
            ("\u{feff}\n\u{feff}data:1\n\n", &[], "", None),
            (
                "data:1\r:\0\n:\r\ndata:2\n:xxxxxxxx\rdata:3\n:data:fail\r:xxxxxxxx\ndata:4\n\n",
                &[[m, "1\n2\n3\n4", ""]],
                "",
                None,
            ),
            (
                "data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\n\
                 data:4\n\n",
                &[[m, "\0\n 2\n1\n3\n\n4", ""]],
                "",
                None,
            ),
            ("data:\ttest\rdata: \ndata:test\n\n", &[[m, "\ttest\n\ntest", ""]], "", None),
            ("data:test\r\ndata\ndata:test\r\n\r", &[[m, "test\n\ntest", ""]], "", None),
            (
                "data:test\n data\ndata\nfoobar:xxx\njust\n:note\ndata:test\n\n",
                &[[m, "test\n\ntest", ""]],
                "",
                None,
            ),
            ("data:\0\n\n", &[[m, "\0", ""]], "", None),
            ("event: \ndata:data\n\n", &[[m, "data", ""]], "", None),
            ("event:a:b c\ndata\n\n", &[["a:b c", "", ""]], "", None),
            ("event:one\nevent:two\ndata:1\n\ndata:2\n\n", &[["two", "1", ""], [m, "2", ""]], "", None),
            ("id\ndata:1\n\n", &[[m, "1", ""]], "", None),
            ("id:1\ndata:1\n\ndata:2\n\n", &[[m, "1", "1"], [m, "2", "1"]], "1", None),
            (
                "id:1\ndata:1\n\nid\ndata:2\n\ndata:3\n\n",
                &[[m, "1", "1"], [m, "2", ""], [m, "3", ""]],
                "",
                None,
            ),
            ("id:1\ndata:1\n\nid: \ndata:2\n\n", &[[m, "1", "1"], [m, "2", ""]], "", None),
            ("id: \u{2026}\ndata:\u{2026}\n\n", &[[m, "\u{2026}", "\u{2026}"]], "\u{2026}", None),
            ("id:\0\0\ndata:x\n\n", &[[m, "x", ""]], "", None),
            ("id: 2\n\ndata:x", &[], "2", None),
            ("retry:1000\ndata:test1\n\nid:test\ndata:test2", &[[m, "test1", ""]], "", Some(1000)),
            ("retry:02000\ndata:x\n\n", &[[m, "x", ""]], "", Some(2000)),
            ("retry:2000\nretry:1000x\ndata:x\n\n", &[[m, "x", ""]], "", Some(2000)),
            ("retry:0\nretry:+1\nretry: 1 \nretry:1.5\nretry:\u{661}\n", &[], "", Some(0)),
            ("retry:3000\nretry\ndata:x\n\n", &[[m, "x", ""]], "", Some(3000)),
        ] {
            let expected: Vec<[String; 3]> = expected.iter().map(|event| event.map(str::to_owned)).collect();
            let expected = (expected, id.to_owned(), retry);
            for at in 0..=text.len() {
                let (one, other) = text.as_bytes().split_at(at);
                assert_eq!(events(&[one, other]), expected, "{text:?} cut at {at}");
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(events(&bytes), expected, "{text:?} byte by byte");
        }
        assert_eq!(events(&[b"data: \xff\xc3\n\n"]).0[0][1], "\u{fffd}\u{fffd}");
    }

    #[test]
    fn an_event_that_is_too_long_is_an_error_and_stays_one() {
        for text in [
            "data: 123456\n\n",
            "data: 123\ndata: 123\ndata: 123\n\n",
            "event: 1234567\n\n",
            ": 9 bytes, and no end",
        ] {
            let mut events = Events::new(11);
            events.push(text.repeat(2).as_bytes());
            for _ in 0..3 {
                assert_eq!(events.pop().unwrap_err().kind(), Kind::LineTooLong, "{text:?}");
                events.push(b"\n\n");
            }
        }
    }

    #[test]
    fn fa1_events_share_their_id_and_it_counts_in_their_length() {
        let id = "i".repeat(90);
        let mut events = Events::new(100);
        events.push(format!("id: {id}\ndata: 1\n\ndata: 2\n\n\n\n").as_bytes());
        let [one, two] = [(); 2].map(|()| events.pop().unwrap().unwrap());
        assert!(*one.id == id && Arc::ptr_eq(&one.id, &two.id));
        assert_eq!(events.pop().unwrap(), None);
        assert!(Arc::ptr_eq(&events.last_id, &one.id));
        // 90 of the id, 10 of the data with its line end, and one more.
        events.push(b"data: 123456789\n\ndata: 1234567890\n\n");
        assert_eq!(events.pop().unwrap().unwrap().data, "123456789");
        assert_eq!(events.pop().unwrap_err().kind(), Kind::LineTooLong);
        let mut events = Events::new(100).after(id + "0123456789a");
        assert_eq!(events.pop().unwrap_err().kind(), Kind::LineTooLong);
    }

    #[test]
    fn a_stream_goes_on_with_the_id_of_the_last_one() {
        let mut events = Events::new(100).after("7");
        assert_eq!(events.last_event_id(), "7");
        events.push(b"data: x\n\n");
        assert_eq!(&*events.pop().unwrap().unwrap().id, "7");
    }
}
