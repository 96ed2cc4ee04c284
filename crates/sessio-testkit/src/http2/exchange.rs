//! Scripts of streams: the steps of the server for one request.

use std::collections::VecDeque;

/// A script of the server for one stream. The steps are played in order, from the moment the head
/// of the request has been received. A stream whose steps are used up stays as it is.
///
/// ```
/// use sessio_testkit::http2::Exchange;
///
/// // The whole request, an interim response, a body of two pieces, trailers.
/// let exchange = Exchange::new()
///     .wait_end()
///     .interim(103, &[("link", "</style.css>")])
///     .head(200, &[("content-type", "text/plain")])
///     .body("hello ")
///     .pause(3)
///     .body("world")
///     .trailers(&[("x-checksum", "1")]);
/// # let _ = exchange;
/// ```
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    pub(super) steps: VecDeque<Step>,
}

pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Debug, Clone)]
pub(super) enum Step {
    WaitBody(u64),
    WaitEnd,
    Pause(u32),
    Headers { fields: Fields, is_last: bool },
    Body { bytes: Vec<u8>, padding: Option<u8> },
    End,
    Reset(u32),
    Grant(u32),
    GrantConnection(u32),
    Ping,
    Settings(Vec<(u16, u32)>),
    GoAway { last: u32, code: u32 },
    Raw(Vec<u8>),
    Close,
}

impl Exchange {
    /// A script without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the whole request, then sends a 200 with this body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new().wait_end().head(200, &[]).body(body).end()
    }

    /// Waits until `bytes` bytes of the request body have been received, or all of it.
    #[must_use]
    pub fn wait_body(self, bytes: u64) -> Self {
        self.then(Step::WaitBody(bytes))
    }

    /// Waits until the request has ended.
    #[must_use]
    pub fn wait_end(self) -> Self {
        self.then(Step::WaitEnd)
    }

    /// Does nothing for `turns` turns of the server. Other streams continue.
    #[must_use]
    pub fn pause(self, turns: u32) -> Self {
        self.then(Step::Pause(turns))
    }

    /// Sends an interim response. The status is not checked.
    #[must_use]
    pub fn interim(self, status: u16, fields: &[(&str, &str)]) -> Self {
        self.head(status, fields)
    }

    /// Sends the head of the response.
    #[must_use]
    pub fn head(self, status: u16, fields: &[(&str, &str)]) -> Self {
        let status = status.to_string();
        self.headers(&[&[(":status", &*status)], fields].concat(), false)
    }

    /// Sends any fields as a header block, also an invalid head.
    #[must_use]
    pub fn headers(self, fields: &[(&str, &str)], is_last: bool) -> Self {
        let fields = fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        self.then(Step::Headers { fields: fields.collect(), is_last })
    }

    /// Sends bytes of the body as far as the windows of the client allow, and the rest when they
    /// allow more. An empty body is a frame too.
    #[must_use]
    pub fn body(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Body { bytes: bytes.as_ref().to_vec(), padding: None })
    }

    /// Like [`body`](Self::body), with `padding` bytes of padding in each frame.
    #[must_use]
    pub fn padded(self, bytes: impl AsRef<[u8]>, padding: u8) -> Self {
        self.then(Step::Body { bytes: bytes.as_ref().to_vec(), padding: Some(padding) })
    }

    /// Ends the response. Directly after a head or bytes of the body, the end is a flag of their
    /// last frame.
    #[must_use]
    pub fn end(self) -> Self {
        self.then(Step::End)
    }

    /// Ends the response with trailers.
    #[must_use]
    pub fn trailers(self, fields: &[(&str, &str)]) -> Self {
        self.headers(fields, true)
    }

    /// Resets the stream with an error code.
    #[must_use]
    pub fn reset(self, code: u32) -> Self {
        self.then(Step::Reset(code))
    }

    /// Gives the client credit for `bytes` bytes of the request body.
    #[must_use]
    pub fn grant(self, bytes: u32) -> Self {
        self.then(Step::Grant(bytes))
    }

    /// Gives the client credit for `bytes` bytes of all bodies together.
    #[must_use]
    pub fn grant_connection(self, bytes: u32) -> Self {
        self.then(Step::GrantConnection(bytes))
    }

    /// Sends a PING.
    #[must_use]
    pub fn ping(self) -> Self {
        self.then(Step::Ping)
    }

    /// Changes settings, given by id and value.
    #[must_use]
    pub fn settings(self, settings: &[(u16, u32)]) -> Self {
        self.then(Step::Settings(settings.to_vec()))
    }

    /// Sends GOAWAY. Streams above `last` are not processed, and their scripts end.
    #[must_use]
    pub fn goaway(self, last: u32, code: u32) -> Self {
        self.then(Step::GoAway { last, code })
    }

    /// Sends exactly these bytes. The server's own state does not include them.
    #[must_use]
    pub fn raw(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Raw(bytes.as_ref().to_vec()))
    }

    /// Closes the connection after all bytes before are sent.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }
}
