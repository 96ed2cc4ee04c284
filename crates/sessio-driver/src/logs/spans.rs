//! A span for each attempt, with the names of OpenTelemetry.

use sessio::call::Event;
use sessio::{Call, Head, Prepared, RedactedUrl};
use tracing::Span;
use tracing::field::{Empty, display};

use super::level::{Level, TARGET};
use super::line::Line;

/// The methods that OpenTelemetry knows. Others are `_OTHER`, so that a peer cannot make new values.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The spans of one call.
pub(super) struct Spans {
    /// The span in which the call began.
    parent: Span,
    /// The span of the current attempt.
    attempt: Span,
    /// The number of attempts so far.
    attempts: u64,
}

impl Spans {
    pub(super) fn new() -> Self {
        Self { parent: Span::current(), attempt: Span::none(), attempts: 0 }
    }

    /// Begins and fills spans, before the line of the event.
    pub(super) fn before(&mut self, call: &Call, event: &Event<'_>) {
        match event {
            Event::Connecting { request, .. } => self.begin(request),
            Event::Connected { .. } => {
                if let Some(peer) = call.remote_address() {
                    self.attempt.record("network.peer.address", display(peer.ip()));
                    self.attempt.record("network.peer.port", u64::from(peer.port()));
                }
            }
            Event::Head(head) => self.respond(head),
            Event::Retry { kind, .. } => self.fail(&display(kind)),
            Event::Failed(error) => self.fail(&display(error.kind())),
            Event::Done { body, .. } => {
                self.attempt.record("http.response.body.size", *body);
            }
            _ => {}
        }
    }

    /// Ends the span of an attempt, after the line of the event.
    pub(super) fn after(&mut self, event: &Event<'_>) {
        if matches!(
            event,
            Event::Skipped { .. }
                | Event::Retry { .. }
                | Event::Waiting { .. }
                | Event::Done { .. }
                | Event::Failed(_)
        ) {
            self.attempt = Span::none();
        }
    }

    fn begin(&mut self, request: &Prepared) {
        let (url, method) = (request.url(), request.method().as_str());
        let is_known = METHODS.contains(&method);
        let shown = if is_known { method } else { "_OTHER" };
        self.attempt = tracing::info_span!(
            target: TARGET,
            parent: &self.parent,
            "http.request",
            otel.name = if is_known { method } else { "HTTP" },
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = shown,
            http.request.method_original = Empty,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            server.address = url.host_str().unwrap_or_default().trim_matches(['[', ']']),
            server.port = url.port_or_known_default().map(u64::from),
            url.full = %RedactedUrl::new(url),
            network.protocol.version = Empty,
            network.peer.address = Empty,
            network.peer.port = Empty,
            error.type = Empty,
        );
        if !is_known {
            self.attempt.record("http.request.method_original", method);
        }
        if self.attempts > 0 {
            self.attempt.record("http.request.resend_count", self.attempts);
        }
        self.attempts += 1;
    }

    fn respond(&self, head: &Head) {
        let (status, version) = (head.status.as_u16(), format!("{:?}", head.version));
        self.attempt.record("http.response.status_code", u64::from(status));
        self.attempt.record("network.protocol.version", version.trim_start_matches("HTTP/"));
        if status >= 400 {
            self.fail(&display(status));
        }
    }

    fn fail(&self, why: &dyn tracing::Value) {
        self.attempt.record("error.type", why);
        self.attempt.record("otel.status_code", "ERROR");
    }

    /// Emits a line within the span of the attempt.
    pub(super) fn emit(&self, level: Level, line: &Line<'_>) {
        let span = if self.attempt.is_disabled() { &self.parent } else { &self.attempt };
        match level {
            Level::Warn => tracing::warn!(target: TARGET, parent: span, "{line}"),
            Level::Debug => tracing::debug!(target: TARGET, parent: span, "{line}"),
            Level::Trace => tracing::trace!(target: TARGET, parent: span, "{line}"),
        }
    }
}
