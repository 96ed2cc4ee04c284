//! The routes of the server.

use bench_http::plan::{COOKIES, DEFAULTS};

/// The route of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/small`, and `/session` with all required headers and cookies.
    Small,
    /// `/session` without them.
    Bad,
    /// `/login`
    Login,
    /// `/length/bytes`
    Length(usize),
    /// `/chunked/bytes/chunk`
    Chunked(usize, usize),
    /// `/gate/connections`
    Gate(usize),
    /// `/upload`, and the length of the body.
    Upload(usize),
    /// `/gzip/bytes`
    Gzip(usize),
    /// `/br/bytes`
    Br(usize),
    /// `/redirects/count`
    Redirects(usize),
    /// Any other path.
    Unknown,
}

impl Route {
    /// The route of this head.
    pub fn of(head: &[u8]) -> Self {
        let path = head.split(|&b| b == b' ').nth(1).unwrap_or_default();
        match path {
            b"/small" => return Self::Small,
            b"/session" => return if has_session(head) { Self::Small } else { Self::Bad },
            b"/login" => return Self::Login,
            b"/upload" => {
                return value_of(head, "content-length").and_then(number).map_or(Self::Unknown, Self::Upload);
            }
            _ => {}
        }
        let mut words = path.split(|&b| b == b'/').skip(1);
        let (name, first, second) = (words.next(), words.next(), words.next());
        match (name, first.and_then(number), second.and_then(number)) {
            (Some(b"length"), Some(bytes), None) => Self::Length(bytes),
            (Some(b"chunked"), Some(bytes), Some(chunk)) => Self::Chunked(bytes, chunk),
            (Some(b"gzip"), Some(bytes), None) => Self::Gzip(bytes),
            (Some(b"br"), Some(bytes), None) => Self::Br(bytes),
            (Some(b"gate"), Some(many), None) => Self::Gate(many),
            (Some(b"redirects"), Some(0), None) => Self::Small,
            (Some(b"redirects"), Some(count), None) => Self::Redirects(count),
            _ => Self::Unknown,
        }
    }
}

/// Whether the request has all default headers and all cookies.
fn has_session(head: &[u8]) -> bool {
    let defaults = head
        .split(|&b| b == b'\n')
        .filter(|line| line.get(..10).is_some_and(|name| name.eq_ignore_ascii_case(b"x-default-")))
        .count();
    let cookies = value_of(head, "cookie").map_or(0, |line| line.split(|&b| b == b';').count());
    defaults == DEFAULTS && cookies == COOKIES
}

fn value_of<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|&b| b == b'\n').find_map(|line| {
        let (before, after) = line.split_at_checked(name.len())?;
        let value = after.strip_prefix(b":")?;
        before.eq_ignore_ascii_case(name.as_bytes()).then_some(value.trim_ascii())
    })
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
