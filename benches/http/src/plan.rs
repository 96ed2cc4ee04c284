//! The task of a client.

use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::options::Options;
use crate::text::{Text, sum};
use crate::{Outcome, heap};

/// The headers of every request in every workload: those of a new session of sessio.
pub const HEADERS: [(&str, &str); 4] = [
    ("user-agent", "bench/1.0"),
    ("accept-encoding", "identity"),
    ("accept", "*/*"),
    ("connection", "keep-alive"),
];
/// The index of Accept-Encoding among them.
const ACCEPT_ENCODING: usize = 1;
/// The length of a text that is coded as one unit. A longer body has several: for gzip, members.
const TEXT: usize = 64 << 20;
/// The number of further headers of the session workload: `x-default-0: value-0` and so on.
pub const DEFAULTS: usize = 10;
/// The number of cookies of the session workload: `cookie-0=value-0` and so on.
pub const COOKIES: usize = 20;

/// The number of redirects before each response of the workload of redirects.
pub const REDIRECTS: usize = 10;

/// The kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A body of 13 bytes.
    Small,
    /// Like `Small`, with ten default headers and twenty cookies that the server requires.
    Session,
    /// Like `Small`, in a session with 100 mounts, none of which applies. For sessio's own clients.
    Mounts,
    /// Like `Small`, after [`REDIRECTS`] redirects. For sessio's own clients.
    Redirects,
    /// A body of [`Plan::bytes`] by length.
    Length,
    /// A body of [`Plan::bytes`] in chunks of [`Plan::chunk`].
    Chunked,
    /// An upload of [`Plan::bytes`], by length.
    Upload,
    /// A text of [`Plan::bytes`], coded as gzip.
    Gzip,
    /// A text of [`Plan::bytes`], coded as br.
    Br,
    /// [`Small`](Self::Small) over TLS.
    Tls,
    /// [`Length`](Self::Length) over TLS.
    TlsLength,
    /// [`Tls`](Self::Tls), each over a new connection without resumption.
    Handshakes,
    /// [`Tls`](Self::Tls), each over a new connection that resumes the session of an earlier one.
    Resumptions,
    /// Idle connections: as many as there are requests.
    Idle,
}

impl Workload {
    /// Whether it uses TLS.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsLength | Self::Handshakes | Self::Resumptions)
    }

    /// Whether each request has a new connection.
    pub fn is_fresh(self) -> bool {
        matches!(self, Self::Handshakes | Self::Resumptions)
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "small" => Self::Small,
            "session" => Self::Session,
            "mounts" => Self::Mounts,
            "redirects" => Self::Redirects,
            "length" => Self::Length,
            "chunked" => Self::Chunked,
            "upload" => Self::Upload,
            "gzip" => Self::Gzip,
            "br" => Self::Br,
            "tls" => Self::Tls,
            "tls-length" => Self::TlsLength,
            "handshakes" => Self::Handshakes,
            "resumptions" => Self::Resumptions,
            "idle" => Self::Idle,
            _ => return Err(format!("no workload is called {text}")),
        })
    }
}

/// One run of one client.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The authority of the server, `127.0.0.1:port`. For workloads over TLS that of its other
    /// port.
    pub authority: String,
    /// The root of the server's certificate, as DER. Empty without TLS.
    pub root: Vec<u8>,
    /// The kind of request.
    pub workload: Workload,
    /// The number of measured requests, over all tasks.
    pub requests: usize,
    /// The number of requests of each task before the measurement. Each host gets one.
    pub warm: usize,
    /// The number of tasks, all on one thread.
    pub tasks: usize,
    /// The number of hosts, used in turn: 127.0.0.1 and those that follow it.
    pub hosts: usize,
    /// The length of a body in the bulk workloads, in bytes.
    pub bytes: usize,
    /// The sum of its bytes, if it is a text.
    pub sum: u64,
    /// The length of its chunks, in bytes.
    pub chunk: usize,
    /// Whether calls of the allocator are counted.
    pub heap: bool,
}

impl Plan {
    /// The plan in a command line.
    ///
    /// # Errors
    ///
    /// If an option is invalid.
    pub fn of_program() -> Outcome<Self> {
        let options = Options::of_program()?;
        let hosts = options.get("hosts", 1)?.max(1);
        let workload: Workload = options.text("workload").unwrap_or("small").parse()?;
        let server = if workload.is_tls() { "tls-server" } else { "server" };
        let authority = options.text(server).ok_or_else(|| format!("--{server} host:port is missing"))?;
        let root = options.text("root").filter(|_| workload.is_tls());
        let mut plan = Self {
            authority: authority.to_owned(),
            root: root.map(std::fs::read).transpose()?.unwrap_or_default(),
            workload,
            requests: options.get("requests", 1000)?,
            warm: options.get("warm", 100)?.max(if hosts > 1 { hosts } else { 0 }),
            tasks: options.get("tasks", 1)?.max(1),
            hosts,
            bytes: options.get("bytes", TEXT)?,
            sum: 0,
            chunk: options.get("chunk", 1024)?,
            heap: options.get("heap", false)?,
        };
        if plan.heap {
            heap::count();
        }
        if plan.is_coded() {
            let sum_of = |bytes: usize| Text::blocks(bytes).map(|block| sum(&block)).sum::<u64>();
            let whole = if plan.bytes < TEXT { 0 } else { sum_of(TEXT) * (plan.bytes / TEXT) as u64 };
            plan.sum = whole + sum_of(plan.bytes % TEXT);
        }
        Ok(plan)
    }

    /// The lengths of the texts in a coded body of so many bytes.
    pub fn texts(bytes: usize) -> impl Iterator<Item = usize> {
        let rest = bytes % TEXT;
        std::iter::repeat_n(TEXT, bytes / TEXT).chain((rest > 0).then_some(rest))
    }

    /// The path of the workload's requests.
    pub fn path(&self) -> String {
        match self.workload {
            Workload::Small
            | Workload::Mounts
            | Workload::Tls
            | Workload::Handshakes
            | Workload::Resumptions => "/small".to_owned(),
            Workload::Session => "/session".to_owned(),
            Workload::Redirects => format!("/redirects/{REDIRECTS}"),
            Workload::Length | Workload::TlsLength => format!("/length/{}", self.bytes),
            Workload::Chunked => format!("/chunked/{}/{}", self.bytes, self.chunk),
            Workload::Upload => "/upload".to_owned(),
            Workload::Gzip => format!("/gzip/{}", self.bytes),
            Workload::Br => format!("/br/{}", self.bytes),
            Workload::Idle => format!("/gate/{}", self.requests),
        }
    }

    /// The hosts, each with the port.
    pub fn authorities(&self) -> Vec<String> {
        let port = self.authority.rsplit(':').next().unwrap_or_default();
        let first = Ipv4Addr::LOCALHOST.to_bits();
        (first..).take(self.hosts).map(|host| format!("{}:{port}", Ipv4Addr::from_bits(host))).collect()
    }

    /// The URLs of the workload's requests, one for each host.
    pub fn urls(&self) -> Turns<String> {
        let (scheme, path) = (if self.workload.is_tls() { "https" } else { "http" }, self.path());
        self.authorities().iter().map(|authority| format!("{scheme}://{authority}{path}")).collect()
    }

    /// The URL of a path.
    pub fn url_of(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }

    /// The length of each response body.
    pub fn length(&self) -> usize {
        match self.workload {
            Workload::Length
            | Workload::TlsLength
            | Workload::Chunked
            | Workload::Upload
            | Workload::Gzip
            | Workload::Br => self.bytes,
            _ => crate::answer::SMALL.len(),
        }
    }

    /// Whether bodies are read piece by piece.
    pub fn is_bulk(&self) -> bool {
        matches!(self.workload, Workload::Length | Workload::TlsLength | Workload::Chunked) || self.is_coded()
    }

    /// Whether bodies are coded, and summed.
    pub fn is_coded(&self) -> bool {
        matches!(self.workload, Workload::Gzip | Workload::Br)
    }

    /// The length of the request body, if there is one.
    pub fn upload(&self) -> Option<usize> {
        (self.workload == Workload::Upload).then_some(self.bytes)
    }

    /// The headers of the workload's requests, without `Host` and `Cookie`.
    pub fn headers(&self) -> Vec<(String, String)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut headers: Vec<_> = HEADERS.into_iter().map(own).collect();
        match self.workload {
            Workload::Gzip => headers[ACCEPT_ENCODING].1 = "gzip".to_owned(),
            Workload::Br => headers[ACCEPT_ENCODING].1 = "br".to_owned(),
            _ => {}
        }
        if self.workload == Workload::Session {
            headers.extend((0..DEFAULTS).map(|n| (format!("x-default-{n}"), format!("value-{n}"))));
        }
        headers
    }

    /// The `Cookie` line, for clients without a jar. Clients with one get their cookies from
    /// `/login`.
    pub fn cookies(&self) -> Option<String> {
        let pairs = (0..COOKIES).map(|n| format!("cookie-{n}=value-{n}"));
        (self.workload == Workload::Session).then(|| pairs.collect::<Vec<_>>().join("; "))
    }

    /// The number of requests of the task with this number.
    pub fn share(&self, task: usize) -> usize {
        self.requests / self.tasks + usize::from(task < self.requests % self.tasks)
    }
}

/// Values used in turn: one for each host.
pub struct Turns<T> {
    all: Vec<T>,
    at: usize,
}

impl<T> Turns<T> {
    /// The next value.
    pub fn next(&mut self) -> &mut T {
        self.at = if self.at + 1 < self.all.len() { self.at + 1 } else { 0 };
        &mut self.all[self.at]
    }
}

impl<T> FromIterator<T> for Turns<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        Self { all: all.into_iter().collect(), at: 0 }
    }
}
