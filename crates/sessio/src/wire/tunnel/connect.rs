//! CONNECT (RFC 9110 section 9.3.6).

use std::fmt;

use http::{Method, StatusCode};
use url::{Position, Url};

use super::cut_short::ended;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::message::list::has_option;
use crate::route::proxy::{Proxy, ProxyAuth, ProxyRequest};
use crate::wire::h1::{BodyKind, Event, Limits, RequestContext, RequestEncoder, ResponseDecoder, Reuse};
use bytes::Bytes;

/// Bytes of a refusal's body that are kept (row Q05).
const MOST_BODY: usize = 64 * 1024;

/// The refusal of a CONNECT by a proxy: the source of
/// [`Kind::ProxyRefused`](crate::Kind::ProxyRefused) and
/// [`Kind::ProxyAuthentication`](crate::Kind::ProxyAuthentication).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Status and headers.
    pub head: Head,
    /// The body, at most its first 64 KiB.
    pub body: Bytes,
    /// Set if `body` is complete.
    pub is_whole: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_whole { "" } else { " and more" };
        write!(f, "the proxy answered {} with {} bytes{more}", self.head.status.as_u16(), self.body.len())
    }
}

impl std::error::Error for Refused {}

/// The CONNECT handshake with an HTTP proxy.
///
/// ```
/// use sessio::h1::Limits;
/// use sessio::proxy::Proxy;
/// use sessio::tunnel::Connect;
/// use sessio::Url;
///
/// let proxy = Proxy::parse("http://user:pass@proxy.test:3128")?;
/// let url = Url::parse("https://a.test/secret?path").unwrap();
/// let mut connect = Connect::new(&url, &proxy, Limits::default())?;
/// assert_eq!(
///     String::from_utf8_lossy(connect.unsent()),
///     "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
/// );
/// connect.sent(connect.unsent().len());
/// let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// connect.ends().1[..answer.len()].copy_from_slice(answer);
/// connect.received(answer.len())?;
/// assert!(connect.is_done());
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct Connect {
    authority: Box<str>,
    proxy: Proxy,
    limits: Limits,
    sender: RequestEncoder,
    receiver: ResponseDecoder,
    /// The credentials for the proxy. `None` if the caller has set them by hand.
    auth: Option<ProxyAuth>,
    /// The proxy has sent a challenge, and the credentials go out on this connection.
    is_answering: bool,
    /// The proxy has sent a challenge, and will not read credentials on this connection.
    is_asked: bool,
    state: State,
}

enum State {
    Head,
    Refusal(Box<Head>, Vec<u8>),
    Done,
    Over,
}

impl Connect {
    /// Starts a tunnel to the origin of this URL.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] for a URL without a host.
    pub fn new(url: &Url, proxy: &Proxy, limits: Limits) -> Result<Self> {
        Self::saying(url, proxy, &proxy.adds(false), Some(ProxyAuth::default()), limits)
    }

    /// Starts a tunnel, with these headers in place of the proxy's own. `auth` meets challenges.
    pub(crate) fn saying(
        url: &Url,
        proxy: &Proxy,
        says: &Headers,
        auth: Option<ProxyAuth>,
        limits: Limits,
    ) -> Result<Self> {
        let authority = authority(url).ok_or(Kind::InvalidUrl)?.into();
        // A refusal may declare a longer body than is read of it.
        let limits = Limits { body_bytes: None, ..limits };
        let mut connect = Self {
            authority,
            proxy: proxy.clone(),
            limits,
            sender: RequestEncoder::idle(Vec::new()),
            receiver: ResponseDecoder::default(),
            auth,
            is_answering: false,
            is_asked: false,
            state: State::Head,
        };
        connect.ask(says);
        Ok(connect)
    }

    fn ask(&mut self, says: &Headers) {
        let mut headers = Headers::new();
        headers.append_known("Host", self.authority.as_bytes());
        for field in says.iter() {
            headers.append_field(field);
        }
        let buffer = self.sender.take_buffer();
        self.sender = RequestEncoder::new(
            &Method::CONNECT,
            self.authority.as_bytes(),
            &headers,
            BodyKind::None,
            buffer,
        );
        let buffer = self.receiver.take_buffer();
        self.receiver = ResponseDecoder::new(RequestContext::new(&Method::CONNECT), self.limits, buffer);
        self.state = State::Head;
    }

    /// The bytes to send to the proxy now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        self.sender.unsent()
    }

    /// Reports that the transport took the first `n` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, n: usize) {
        self.sender.sent(n.min(self.sender.unsent().len()));
    }

    /// The bytes to send, and the buffer for the proxy's next bytes.
    pub fn ends(&mut self) -> (&[u8], &mut [u8]) {
        let room = match self.state {
            State::Head | State::Refusal(..) => self.receiver.room(),
            State::Done | State::Over => &mut [],
        };
        (self.sender.unsent(), room)
    }

    /// Reports `n` received bytes; 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// - [`Kind::ProxyRefused`] or [`Kind::ProxyAuthentication`] with the proxy's response
    ///   ([`Refused`]).
    /// - [`Kind::UnsolicitedData`] if more bytes than the head of a 2xx have arrived.
    /// - The error of a malformed response.
    pub fn received(&mut self, n: usize) -> Result<()> {
        if matches!(self.state, State::Done | State::Over) {
            return Err(Kind::Misuse.into());
        }
        self.receiver.received(n);
        if n > 0 && self.sender.bytes_sent() == 0 {
            self.state = State::Over;
            return Err(Kind::UnsolicitedData.into());
        }
        let done = self.advance();
        if done.is_err() {
            self.state = State::Over;
        }
        done
    }

    /// Returns `true` once the bytes of the connection belong to the origin.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The refusal so far.
    pub(super) fn cut_short(&mut self) -> Option<Fault> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Refusal(head, body) => Some(self.refuse(*head, body, false)),
            state => {
                self.state = state;
                None
            }
        }
    }

    /// Returns `true` if the response is worth no long wait: it is a challenge that another
    /// connection can meet.
    pub(super) fn is_challenged(&self) -> bool {
        matches!(&self.state, State::Refusal(head, _) if self.can_answer(head))
    }

    /// Returns `true` if it has failed for lack of credentials that the proxy has. The proxy would
    /// not read them, or closed the connection instead of reading them.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked || (self.is_answering && self.receiver.bytes_received() == 0)
    }

    /// The credentials after the challenges of this handshake.
    pub(super) fn take_auth(&mut self) -> Option<ProxyAuth> {
        self.auth.take()
    }

    /// Returns `true` for a challenge that can be met: there are credentials, and they did not go
    /// out. A CONNECT has no body.
    fn can_answer(&self, head: &Head) -> bool {
        self.auth.as_ref().is_some_and(|auth| auth.can_meet(&self.proxy, head, true))
    }

    /// Takes a challenge. Returns `true` if it can be met.
    fn challenge(&mut self, head: &Head) -> bool {
        self.auth.as_mut().is_some_and(|auth| auth.challenge(&self.proxy, head, true))
    }

    fn refuse(&mut self, head: Head, body: Vec<u8>, is_whole: bool) -> Fault {
        self.is_asked = self.challenge(&head);
        refused(head, body, is_whole)
    }

    fn advance(&mut self) -> Result<()> {
        loop {
            let (bytes, event) = match self.receiver.poll() {
                Ok(Event::Body(bytes)) => (bytes.to_vec(), None),
                Ok(Event::Head(head)) => (Vec::new(), Some(head)),
                Ok(Event::Interim(_)) => continue,
                Ok(Event::More) => return Ok(()),
                Ok(Event::End) => return self.end(),
                Err(error) => return Err(self.cut_short().unwrap_or_else(|| self.explain(error))),
            };
            if let Some(head) = event {
                if head.status.is_success() {
                    return self.established();
                }
                self.state = State::Refusal(Box::new(head), Vec::new());
                continue;
            }
            self.receiver.consume(bytes.len());
            if let State::Refusal(_, body) = &mut self.state {
                let room = MOST_BODY - body.len();
                body.extend_from_slice(&bytes[..bytes.len().min(room)]);
                if bytes.len() > room {
                    return Err(self.cut_short().unwrap_or_else(|| Kind::Misuse.into()));
                }
            }
        }
    }

    /// Section 9.3.6: fields that declare a body length have no meaning here (row Q03).
    fn established(&mut self) -> Result<()> {
        self.receiver.advance();
        if !self.sender.is_done() || !self.receiver.leftover().is_empty() {
            // No byte was sent to the origin yet (row Q13).
            let detail = "behind the head with which the proxy let us through";
            return Err(Fault::new(Kind::UnsolicitedData).with_detail(detail));
        }
        self.state = State::Done;
        Ok(())
    }

    /// The refusal is complete.
    fn end(&mut self) -> Result<()> {
        let State::Refusal(head, body) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(Kind::Misuse.into());
        };
        let goes_on = matches!(self.receiver.reuse(), Reuse::Yes { .. })
            && self.sender.is_done()
            && !closes_by_old_name(&head);
        if goes_on && self.challenge(&head) {
            self.is_answering = true;
            let request = ProxyRequest { method: "CONNECT", target: &self.authority, body: Some(b"") };
            let says = self.auth.as_ref().map(|auth| auth.headers(&self.proxy, request));
            self.ask(&says.unwrap_or_default());
            return Ok(());
        }
        Err(self.refuse(*head, body, true))
    }

    fn explain(&self, error: Fault) -> Fault {
        match error.kind() {
            Kind::ClosedBeforeResponse | Kind::IncompleteHead => ended(self.receiver.bytes_received()),
            _ => error,
        }
    }
}

fn refused(head: Head, body: Vec<u8>, is_whole: bool) -> Fault {
    let is_about_us = head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let kind = if is_about_us { Kind::ProxyAuthentication } else { Kind::ProxyRefused };
    let status = head.status.as_u16();
    let source = Refused { head, body: body.into(), is_whole };
    Fault::new(kind).with_detail(format!("status {status}")).with_source(source)
}

/// No standard has this field, and proxies that send `close` in it do close.
fn closes_by_old_name(head: &Head) -> bool {
    head.headers.get_all("Proxy-Connection").any(|line| has_option(line, b"close"))
}

/// Host and port of a URL, as the target of CONNECT. `None` without a host.
pub(crate) fn authority(url: &Url) -> Option<String> {
    let port = url.port_or_known_default().filter(|_| url.has_host())?;
    Some(format!("{}:{port}", &url[Position::BeforeHost..Position::AfterHost]))
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("authority", &self.authority).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(url: &str, proxy: &str) -> Connect {
        let proxy = Proxy::parse(proxy).unwrap();
        Connect::new(&Url::parse(url).unwrap(), &proxy, Limits::default()).unwrap()
    }

    fn say(connect: &mut Connect) -> String {
        let said = String::from_utf8(connect.unsent().to_vec()).unwrap();
        while !connect.unsent().is_empty() {
            connect.sent(1);
        }
        said
    }

    /// Receives these bytes in pieces of that size, then perhaps the end; returns the result.
    fn hear(connect: &mut Connect, answer: &[u8], cut: usize, ends: bool) -> Result<bool> {
        let mut left = answer;
        while !left.is_empty() {
            let room = connect.ends().1;
            if room.is_empty() {
                break;
            }
            let n = left.len().min(room.len()).min(cut);
            room[..n].copy_from_slice(&left[..n]);
            connect.received(n)?;
            left = &left[n..];
        }
        if ends {
            connect.received(0)?;
        }
        Ok(connect.is_done())
    }

    fn source(error: &Fault) -> &Refused {
        std::error::Error::source(error).unwrap().downcast_ref().unwrap()
    }

    #[test]
    fn the_request_names_the_host_and_nothing_of_the_request_inside() {
        for (url, authority) in [
            ("https://u:p@a.test/path?query#f", "a.test:443"),
            ("https://a.test:8443/", "a.test:8443"),
            ("http://a.test/", "a.test:80"),
            ("https://[::1]/", "[::1]:443"),
        ] {
            let said = say(&mut connect(url, "http://p"));
            assert_eq!(said, format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"));
        }
        let proxy = Proxy::parse("http://p").unwrap().header("X-Team", "a").unwrap();
        let url = Url::parse("https://a/").unwrap();
        let mut connect = Connect::new(&url, &proxy, Limits::default()).unwrap();
        assert_eq!(say(&mut connect), "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nX-Team: a\r\n\r\n");
    }

    #[test]
    fn q03_q06_a_2xx_is_a_tunnel_whatever_it_says_in_every_cut() {
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 200 Connection established\r\n\r\n",
            "HTTP/1.1 204 No\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hm\r\n\r\nHTTP/1.1 299 Fine\r\n\r\n",
        ] {
            for cut in 1..=answer.len() {
                let mut connect = connect("https://a/", "http://p");
                say(&mut connect);
                assert!(hear(&mut connect, answer.as_bytes(), cut, false).unwrap(), "{answer}");
                assert!(connect.ends().1.is_empty() && connect.unsent().is_empty());
            }
        }
    }

    #[test]
    fn q13_what_comes_before_its_time_is_an_error() {
        let ok = b"HTTP/1.1 200 OK\r\n\r\n";
        let mut early = connect("https://a/", "http://p");
        assert_eq!(hear(&mut early, ok, 99, false).unwrap_err().kind(), Kind::UnsolicitedData);
        let mut half = connect("https://a/", "http://p");
        half.sent(3);
        assert_eq!(hear(&mut half, ok, 99, false).unwrap_err().kind(), Kind::UnsolicitedData);
        let mut more = connect("https://a/", "http://p");
        say(&mut more);
        let answer = [&ok[..], b"\x16\x03"].concat();
        assert_eq!(hear(&mut more, &answer, 99, false).unwrap_err().kind(), Kind::UnsolicitedData);
    }

    #[test]
    fn q05_f20_a_refusal_is_told_whole_up_to_64_kib() {
        for (answer, ends, kind, body, is_whole) in [
            (
                "403 No\r\nContent-Length: 4\r\nX-NoReuse: rules\r\n\r\nnope",
                false,
                Kind::ProxyRefused,
                "nope",
                true,
            ),
            (
                "502 Bad\r\nX-NoReuse: rules\r\n\r\nuntil the end",
                true,
                Kind::ProxyRefused,
                "until the end",
                true,
            ),
            (
                "503 No\r\nX-NoReuse: rules\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
                false,
                Kind::ProxyRefused,
                "no",
                true,
            ),
            (
                "302 Go\r\nLocation: http://evil/\r\nX-NoReuse: rules\r\nContent-Length: 0\r\n\r\n",
                false,
                Kind::ProxyRefused,
                "",
                true,
            ),
            ("401 Who\r\nX-NoReuse: rules\r\nContent-Length: 0\r\n\r\n", false, Kind::ProxyRefused, "", true),
            (
                "407 Who\r\nX-NoReuse: rules\r\nContent-Length: 2\r\n\r\nno",
                false,
                Kind::ProxyAuthentication,
                "no",
                true,
            ),
            (
                "403 No\r\nX-NoReuse: rules\r\nContent-Length: 9\r\n\r\nshort",
                true,
                Kind::ProxyRefused,
                "short",
                false,
            ),
        ] {
            let answer = format!("HTTP/1.1 {answer}");
            for cut in [1, 2, 7, 1000] {
                let mut connect = connect("https://a/", "http://u:p@p");
                say(&mut connect);
                let error = hear(&mut connect, answer.as_bytes(), cut, ends).unwrap_err();
                assert_eq!(error.kind(), kind, "{answer}");
                let refused = source(&error);
                assert_eq!((&*refused.body, refused.is_whole), (body.as_bytes(), is_whole), "{answer}");
                assert_eq!(refused.head.headers.get("X-NoReuse"), Some("rules"));
                assert_eq!(connect.received(1).unwrap_err().kind(), Kind::Misuse);
            }
        }
        for head in ["", "Content-Length: 1000000000000\r\n", "Content-Length: 70000\r\n"] {
            let mut connect = connect("https://a/", "http://p");
            say(&mut connect);
            let answer = [format!("HTTP/1.1 403 No\r\n{head}\r\n").into_bytes(), vec![b'x'; 70_000]].concat();
            let error = hear(&mut connect, &answer, 1000, false).unwrap_err();
            assert_eq!((source(&error).body.len(), source(&error).is_whole), (MOST_BODY, false));
        }
    }

    #[test]
    fn q05_a_refusal_that_does_not_end_is_told_when_time_is_over() {
        let mut connect = connect("https://a/", "http://p");
        say(&mut connect);
        assert!(!hear(&mut connect, b"HTTP/1.1 403 No\r\n\r\nbecause", 1, false).unwrap());
        let error = connect.cut_short().unwrap();
        assert_eq!((&*source(&error).body, source(&error).is_whole), (&b"because"[..], false));
        assert!(connect.cut_short().is_none());
    }

    #[test]
    fn q06_f20_what_is_no_answer_is_an_error() {
        for (answer, ends, kind) in [
            ("SSH-2.0-x\r\n\r\n", false, Kind::NotHttp),
            ("HTTP/1.1 200 OK\r\nBad Field: x\r\n\r\n", false, Kind::BadHead),
            ("", true, Kind::ClosedBeforeResponse),
            ("HTTP/1.1 200", true, Kind::IncompleteHead),
            ("HTTP/1.1 101 Up\r\n\r\n", false, Kind::UnexpectedUpgrade),
        ] {
            let mut connect = connect("https://a/", "http://p");
            say(&mut connect);
            let error = hear(&mut connect, answer.as_bytes(), 3, ends).unwrap_err();
            assert_eq!(error.kind(), kind, "{answer}");
        }
    }

    #[test]
    fn v110_heads_are_capped() {
        let mut connect = connect("https://a/", "http://p");
        say(&mut connect);
        let answer = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
        let error = hear(&mut connect, &answer, 4096, false).unwrap_err();
        assert_eq!(error.kind(), Kind::HeadTooLarge);
    }

    #[test]
    fn a_407_is_answered_once_where_that_helps() {
        let asks = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: 2\r\n\r\nno";
        let waiting = || {
            let proxy = Proxy::parse("http://u:p@p").unwrap().wait_for_challenge();
            Connect::new(&Url::parse("https://a/").unwrap(), &proxy, Limits::default()).unwrap()
        };
        for cut in [1, 5, 999] {
            let mut connect = waiting();
            assert!(!say(&mut connect).contains("Authorization"));
            assert!(!hear(&mut connect, asks.as_bytes(), cut, false).unwrap());
            assert!(say(&mut connect).contains("\r\nProxy-Authorization: Basic dTpw\r\n"));
            let mut again = waiting();
            say(&mut again);
            assert!(hear(&mut connect, b"HTTP/1.1 200 OK\r\n\r\n", cut, false).unwrap());
            hear(&mut again, asks.as_bytes(), cut, false).unwrap();
            say(&mut again);
            let error = hear(&mut again, asks.as_bytes(), cut, false).unwrap_err();
            assert_eq!(error.kind(), Kind::ProxyAuthentication);
        }
        for other in [
            "Proxy-Authenticate: Digest realm=\"Basic\"\r\nContent-Length: 0\r\n",
            "Proxy-Authenticate: Digest realm=\"x, Basic y\"\r\nContent-Length: 0\r\n",
            "Content-Length: 0\r\n",
            "Proxy-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 0\r\n",
            "Proxy-Authenticate: Basic\r\nProxy-Connection: x, Close\r\nContent-Length: 0\r\n",
        ] {
            let mut connect = waiting();
            say(&mut connect);
            let answer = format!("HTTP/1.1 407 Who\r\n{other}\r\n");
            let error = hear(&mut connect, answer.as_bytes(), 9, false).unwrap_err();
            assert_eq!(error.kind(), Kind::ProxyAuthentication, "{other}");
            assert_eq!(connect.is_asked(), other.contains("Connection"), "{other}");
        }
    }

    #[test]
    fn a_proxy_that_hangs_up_on_credentials_that_it_asked_for_is_told_them_elsewhere() {
        let asks = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
        for (then, is_asked) in [(&b""[..], true), (b"HTTP/1.1 200", false)] {
            let proxy = Proxy::parse("http://u:p@p").unwrap().wait_for_challenge();
            let mut connect =
                Connect::new(&Url::parse("https://a/").unwrap(), &proxy, Limits::default()).unwrap();
            say(&mut connect);
            assert!(!hear(&mut connect, asks, 99, false).unwrap());
            say(&mut connect);
            hear(&mut connect, then, 99, true).unwrap_err();
            assert_eq!(connect.is_asked(), is_asked);
        }
        let mut first = connect("https://a/", "http://u:p@p");
        say(&mut first);
        assert_eq!(hear(&mut first, b"", 1, true).unwrap_err().kind(), Kind::ClosedBeforeResponse);
        assert!(!first.is_asked());
    }
}
