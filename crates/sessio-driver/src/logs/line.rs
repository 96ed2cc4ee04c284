//! Events of a call as lines of a log.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use sessio::call::Event;
use sessio::{Call, Head, RedactedUrl, Url};

use super::level::Level;

/// An event as one line, without line breaks and without secrets.
pub(super) struct Line<'a> {
    pub(super) call: &'a Call,
    pub(super) event: &'a Event<'a>,
    /// The time since the attempt began.
    pub(super) time: Option<Duration>,
}

impl Line<'_> {
    /// The level of the line of an event. `None` for events without one.
    pub(super) fn level(event: &Event<'_>) -> Option<Level> {
        match event {
            Event::Waiting { .. } => Some(Level::Warn),
            // The line of the head says the same.
            Event::FinalResponse(_) => None,
            Event::Connecting { .. }
            | Event::Sent { .. }
            | Event::Interim(_)
            | Event::Rewound
            | Event::Skipped { .. } => Some(Level::Trace),
            _ => Some(Level::Debug),
        }
    }

    /// `, 12.3 ms`, if the time is known.
    fn time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            Some(time) => write!(f, ", {:.1} ms", time.as_secs_f64() * 1e3),
            None => Ok(()),
        }
    }

    fn connected(&self, f: &mut fmt::Formatter<'_>, connection: u64, reused: bool) -> fmt::Result {
        let (call, url) = (self.call, self.call.request().url());
        if call.options().transport.is_some() {
            return write!(f, "transport for {}, as connection {connection}", Authority(url));
        }
        let kind = if reused { "reused" } else { "new" };
        write!(f, "{kind} connection {connection} to {}", Authority(url))?;
        if let Some(address) = call.remote_address() {
            write!(f, " at {address}")?;
        }
        match call.options().routing.plan.proxy() {
            Some(proxy) => write!(f, " through {proxy}"),
            None => Ok(()),
        }
    }

    /// `http://example.org:80 "GET /path HTTP/1.1" 200 1234`, as urllib3 writes it.
    fn response(&self, f: &mut fmt::Formatter<'_>, head: &Head) -> fmt::Result {
        let request = self.call.request();
        let url = request.url();
        write!(f, "{}://{} \"{} ", url.scheme(), Authority(url), request.method())?;
        f.write_str(&request.redacted_target())?;
        let length = head.headers.get("Content-Length").and_then(|length| length.parse::<u64>().ok());
        write!(f, " {:?}\" {} ", head.version, head.status.as_u16())?;
        match length {
            Some(length) => write!(f, "{length}")?,
            None => f.write_str("-")?,
        }
        self.time(f)?;
        write!(f, ", connection {}", self.call.connection().number())
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.call.request();
        match *self.event {
            Event::Connected { connection, reused, .. } => self.connected(f, connection, reused),
            Event::Head(head) => self.response(f, head),
            Event::Waiting { .. } | Event::Retry { .. } => {
                write!(f, "{} {}: {}", request.method(), RedactedUrl::new(request.url()), self.event)
            }
            Event::Done { body, reusable, .. } => {
                let fate = if reusable { "kept" } else { "closed" };
                write!(f, "body of {body} bytes")?;
                self.time(f)?;
                write!(f, ", connection {} {fate}", self.call.connection().number())
            }
            Event::Failed(error) => {
                write!(f, "{} failed: {error}", request.method())?;
                let mut cause = error.source();
                while let Some(error) = cause {
                    write!(f, ": {error}")?;
                    cause = error.source();
                }
                self.time(f)
            }
            event => write!(f, "{event}"),
        }
    }
}

/// Host and port of a URL, also a port that is the default.
struct Authority<'a>(&'a Url);

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())?;
        match self.0.port_or_known_default() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}
