//! Dumps of the heads of requests and responses, with secrets masked.

use std::fmt::Write as _;

use super::event::Event;
use super::machine::Call;
use super::observer::Observer;
use crate::base::escape::escape;
use crate::message::head::Head;
use crate::message::headers::{Field, Headers};
use crate::uri::redacted::RedactedReference;

impl Observer {
    /// Passes a dump of each call to `write`: the heads as they are sent and received, and the
    /// lengths of the bodies. It works over connections and over transports.
    ///
    /// `write` runs once for each event, with one or more lines and no line break at the end. Each
    /// line begins with the number of the connection, and with `>` for the request, `<` for the
    /// response or `*` for a fact. A request is written once it is sent, or as far as it was when
    /// the response came.
    ///
    /// Secrets are `***`: the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie,
    /// of fields that are [marked](crate::Headers::mark_sensitive), and of fields whose names
    /// [`RedactedUrl`](crate::RedactedUrl) lists. A request that a proxy forwards has no value of a
    /// field for the proxy. Queries are redacted as in `RedactedUrl`. Bodies are not shown.
    ///
    /// ```
    /// use sessio::{Observer, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.observer = Observer::dump(|lines| eprintln!("{lines}"));
    /// ```
    ///
    /// ```text
    /// 1 * connected by new connection 1
    /// 1 > GET /users?page=2 HTTP/1.1
    /// 1 > Host: example.org
    /// 1 > Authorization: ***
    /// 1 >
    /// 1 < HTTP/1.1 200 OK
    /// 1 < Content-Length: 1234
    /// 1 <
    /// 1 < [1234 bytes of body]
    /// ```
    #[must_use]
    pub fn dump(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let write = std::sync::Arc::new(write);
        Self::per_call(move |_| {
            let write = std::sync::Arc::clone(&write);
            let mut dump = Dump::default();
            move |call: &Call, event: &Event<'_>| {
                dump.event(call, event);
                if !dump.text.is_empty() {
                    write(dump.text.trim_end_matches('\n'));
                    dump.text.clear();
                }
            }
        })
    }
}

/// The dump of one call.
#[derive(Default)]
struct Dump {
    /// The lines of the current event.
    text: String,
    /// Whether the head of the current request is written.
    has_request: bool,
}

impl Dump {
    fn event(&mut self, call: &Call, event: &Event<'_>) {
        match event {
            Event::Connecting { .. } => self.has_request = false,
            Event::Connected { .. } | Event::Secured { .. } | Event::Tunnelled { .. } => {
                self.fact(call, event)
            }
            Event::Sent { body } => {
                self.request(call);
                self.body(call, '>', *body);
            }
            Event::Interim(head) | Event::Head(head) => {
                self.request(call);
                self.response(call, head);
            }
            Event::Skipped { .. } | Event::Retry { .. } | Event::Waiting { .. } => {
                self.has_request = false;
                self.fact(call, event);
            }
            Event::Done { body, .. } => {
                self.body(call, '<', *body);
                self.fields(call, '<', call.trailers().iter());
            }
            Event::Failed(error) => {
                // The head of a request may be out although its body is not.
                if error.progress().is_some_and(|progress| progress.bytes_sent > 0) {
                    self.request(call);
                }
                self.fact(call, event);
            }
            // The next request shows these decisions.
            _ => {}
        }
    }

    fn fact(&mut self, call: &Call, event: &Event<'_>) {
        let _ = writeln!(self.text, "{} * {event}", call.connection().number());
    }

    fn body(&mut self, call: &Call, direction: char, length: u64) {
        if length > 0 {
            let _ =
                writeln!(self.text, "{} {direction} [{length} bytes of body]", call.connection().number());
        }
    }

    fn request(&mut self, call: &Call) {
        if std::mem::replace(&mut self.has_request, true) {
            return;
        }
        let request = call.request();
        match call.prepared.forwarded_by().filter(|_| !call.is_carried()) {
            Some(_) => {
                let (target, headers) = call.prepared.for_proxy();
                self.request_line(call, &target);
                self.request_fields(call, &headers, true);
            }
            None => {
                self.request_line(call, request.target());
                self.request_fields(call, request.headers(), false);
            }
        }
    }

    fn request_line(&mut self, call: &Call, target: &str) {
        let (connection, method) = (call.connection().number(), call.request().method());
        let _ = writeln!(self.text, "{connection} > {method} {} HTTP/1.1", RedactedReference(target));
    }

    fn request_fields(&mut self, call: &Call, headers: &Headers, is_forwarded: bool) {
        let is_for_proxy = |field: &Field<'_>| {
            is_forwarded && field.name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("proxy-"))
        };
        for field in headers.iter() {
            let connection = call.connection().number();
            let _ = match is_for_proxy(&field) {
                true => writeln!(self.text, "{connection} > {}: ***", field.name),
                false => writeln!(self.text, "{connection} > {}", field),
            };
        }
        let _ = writeln!(self.text, "{} >", call.connection().number());
    }

    fn response(&mut self, call: &Call, head: &Head) {
        let connection = call.connection().number();
        let _ = write!(self.text, "{connection} < {:?} {}", head.version, head.status.as_u16());
        if !head.reason.is_empty() {
            let _ = write!(self.text, " {}", escape(&head.reason));
        }
        self.text.push('\n');
        self.fields(call, '<', head.headers.iter());
        let _ = writeln!(self.text, "{connection} <");
    }

    fn fields<'a>(&mut self, call: &Call, direction: char, fields: impl Iterator<Item = Field<'a>>) {
        for field in fields {
            let _ = writeln!(self.text, "{} {direction} {}", call.connection().number(), field);
        }
    }
}
