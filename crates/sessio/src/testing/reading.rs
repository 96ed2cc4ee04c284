//! Fuzz bodies for readers of pieces: for any cut, a simple reading of the whole gives the same.

use crate::Url;
use crate::base::kind::Kind;
use crate::message::lines::Lines;
use crate::message::link::{Links, MOST};
use crate::message::sse::{Event, Events};

/// The first byte is the size of the pieces of the others.
pub(super) fn pieces(data: &[u8]) -> (&[u8], usize) {
    match data.split_first() {
        Some((size, rest)) => (rest, usize::from(*size).max(1)),
        None => (data, 1),
    }
}

/// The lines of a complete text, directly from the rule: CRLF is one end, CR and LF are ends.
#[must_use]
pub fn naive_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && bytes[at - 1] == b'\r' => {}
            b'\n' | b'\r' => lines.push(Vec::new()),
            byte => lines.last_mut().expect("there is always one").push(*byte),
        }
    }
    // An empty rest after the last line end is no line.
    lines.pop_if(|last| last.is_empty());
    lines
}

/// The lines in any cut are those of the whole. A line over the limit is refused, and none before
/// it.
pub fn lines(data: &[u8]) {
    let (bytes, size) = pieces(data);
    let naive = naive_lines(bytes);
    for most in [usize::MAX, 8] {
        let mut lines = Lines::new(most);
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let mut refused = None;
        for piece in bytes.chunks(size).map(Some).chain([None]) {
            match piece {
                Some(piece) => lines.push(piece),
                None => lines.finish(),
            }
            while refused.is_none() {
                match lines.pop() {
                    Ok(Some(line)) => seen.push(line.to_vec()),
                    Ok(None) => break,
                    Err(error) => refused = Some(error.kind()),
                }
            }
        }
        let fit = naive.iter().position(|line| line.len() > most);
        assert_eq!(seen, naive[..fit.unwrap_or(naive.len())]);
        assert_eq!(refused, fit.map(|_| Kind::LineTooLong));
    }
}

/// The events of a complete stream, directly from the text of the standard, and the last id.
fn naive_events(bytes: &[u8]) -> (Vec<Event>, String) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut id, mut last_id) = (Vec::new(), "", "");
    let mut blocks: Vec<&str> = text.split_inclusive('\n').collect();
    blocks.pop_if(|last| !last.ends_with('\n'));
    let (mut data, mut kind): (Vec<&str>, &str) = (Vec::new(), "");
    for line in blocks.into_iter().map(|line| &line[..line.len() - 1]) {
        if line.is_empty() {
            last_id = id;
            if !data.is_empty() {
                let event = if kind.is_empty() { "message" } else { kind };
                events.push(Event { event: event.into(), data: data.join("\n"), id: last_id.into() });
            }
            (data, kind) = (Vec::new(), "");
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data.push(value),
            "event" => kind = value,
            "id" if !value.contains('\0') => id = value,
            _ => {}
        }
    }
    (events, last_id.into())
}

/// The events in any cut are those of the whole.
pub fn sse(data: &[u8]) {
    let (bytes, size) = pieces(data);
    let mut events = Events::new(usize::MAX);
    let mut seen = Vec::new();
    for piece in bytes.chunks(size) {
        events.push(piece);
        while let Some(event) = events.pop().expect("nothing is too long") {
            seen.push(event);
        }
    }
    assert_eq!((seen, events.last_event_id().to_owned()), naive_events(bytes));
}

/// A valid link after any field is found. Every link that is written and parsed again is unchanged.
pub fn link(data: &[u8]) {
    let base = Url::parse("http://a.example/x/y?z").expect("a URL");
    let links = Links::parse([data, b"<good>; rel=good"], &base);
    if links.len() < MOST {
        let good = links.last().expect("the good one");
        assert!(good.is("GOOD"));
        assert_eq!(good.target().expect("a URL").as_str(), "http://a.example/x/good");
    }
    for link in links.iter() {
        let mut text = format!("<{}>", link.reference());
        for (name, value) in link.params() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // Names that are no tokens can contain delimiters. They are passed on unchanged.
            text += &format!(";{name}=\"{value}\"");
        }
        if link.params().all(|(name, _)| !name.contains(['"', '<', '>'])) {
            assert_eq!(&Links::parse([text.as_bytes()], &base)[..], &[link.clone()][..], "{text}");
        }
        let _ = link.title();
    }
}
