//! SOCKS 5 (RFC 1928), with user and password (RFC 1929).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::cut_short::ended;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::secret::Secret;
use crate::route::proxy::Proxy;

/// The destination of a SOCKS tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// This address.
    Address(SocketAddr),
    /// This name, which the proxy resolves: at most 255 bytes (row V92).
    Name(Box<str>, u16),
}

impl Target {
    /// The host of a URL: its name, or its literal address.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if the name is too long for SOCKS: the client does not resolve it
    /// instead (row V92).
    pub fn of(url: &Url) -> Result<Self> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Kind::InvalidUrl.into());
        };
        Ok(match host {
            Host::Domain(name) if name.len() > 255 => return Err(too_long(name)),
            Host::Domain(name) => Self::Name(name.into(), port),
            Host::Ipv4(ip) => Self::Address((ip, port).into()),
            Host::Ipv6(ip) => Self::Address((ip, port).into()),
        })
    }

    /// Sections 4 and 5 of RFC 1928.
    fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        let port = match self {
            Self::Address(address) => {
                match address.ip() {
                    IpAddr::V4(ip) => {
                        out.push(1);
                        out.extend_from_slice(&ip.octets());
                    }
                    IpAddr::V6(ip) => {
                        out.push(4);
                        out.extend_from_slice(&ip.octets());
                    }
                }
                address.port()
            }
            Self::Name(name, port) => {
                out.push(3);
                out.push(u8::try_from(name.len()).map_err(|_| too_long(name))?);
                out.extend_from_slice(name.as_bytes());
                *port
            }
        };
        out.extend_from_slice(&port.to_be_bytes());
        Ok(())
    }
}

#[cold]
fn too_long(name: &str) -> Fault {
    let (name, length) = (escape(name.as_bytes()), name.len());
    let detail = format!("SOCKS has room for 255 bytes of a host's name, and {name} has {length}");
    Fault::new(Kind::InvalidUrl).with_detail(detail)
}

/// The reason why a SOCKS proxy did not connect (RFC 1928 section 6). It is the source of
/// [`Kind::ProxyRefused`](crate::Kind::ProxyRefused).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// 1: general failure of the proxy.
    GeneralFailure,
    /// 2: not allowed by the rules of the proxy.
    NotAllowed,
    /// 3: network unreachable.
    NetworkUnreachable,
    /// 4: host unreachable.
    HostUnreachable,
    /// 5: connection refused by the host.
    ConnectionRefused,
    /// 6: TTL expired.
    TtlExpired,
    /// 7: the proxy does not support CONNECT.
    CommandNotSupported,
    /// 8: the proxy does not support this address type.
    AddressTypeNotSupported,
    /// An unassigned code.
    Unassigned(u8),
}

impl Reply {
    const fn of(code: u8) -> Self {
        match code {
            1 => Self::GeneralFailure,
            2 => Self::NotAllowed,
            3 => Self::NetworkUnreachable,
            4 => Self::HostUnreachable,
            5 => Self::ConnectionRefused,
            6 => Self::TtlExpired,
            7 => Self::CommandNotSupported,
            8 => Self::AddressTypeNotSupported,
            code => Self::Unassigned(code),
        }
    }

    /// Returns `true` if another address of the host may succeed.
    const fn is_about_address(self) -> bool {
        use Reply::{
            AddressTypeNotSupported, ConnectionRefused, HostUnreachable, NetworkUnreachable, TtlExpired,
        };
        matches!(
            self,
            NetworkUnreachable | HostUnreachable | ConnectionRefused | TtlExpired | AddressTypeNotSupported
        )
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralFailure => "SOCKS reply 1: general failure of the proxy",
            Self::NotAllowed => "SOCKS reply 2: not allowed by the proxy's rules",
            Self::NetworkUnreachable => "SOCKS reply 3: the network cannot be reached from the proxy",
            Self::HostUnreachable => "SOCKS reply 4: the host cannot be reached from the proxy",
            Self::ConnectionRefused => "SOCKS reply 5: the host refused the proxy's connection",
            Self::TtlExpired => "SOCKS reply 6: too many steps from the proxy to the host",
            Self::CommandNotSupported => "SOCKS reply 7: the proxy does not know CONNECT",
            Self::AddressTypeNotSupported => "SOCKS reply 8: the proxy does not know this form of address",
            Self::Unassigned(code) => return write!(f, "SOCKS reply {code}, which means nothing"),
        })
    }
}

impl std::error::Error for Reply {}

/// The handshake with a SOCKS proxy.
///
/// ```
/// use sessio::proxy::Proxy;
/// use sessio::tunnel::{Socks5, Target};
///
/// let proxy = Proxy::parse("socks5h://127.0.0.1:9050")?;
/// let mut socks = Socks5::new(Target::Name("a.test".into(), 443), &proxy)?;
/// for (says, answer) in [
///     (&b"\x05\x01\x00"[..], &b"\x05\x00"[..]),
///     (b"\x05\x01\x00\x03\x06a.test\x01\xbb", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
/// ] {
///     assert_eq!(socks.unsent(), says);
///     socks.sent(says.len());
///     for byte in answer {
///         socks.ends().1[0] = *byte;
///         socks.received(1)?;
///     }
/// }
/// assert!(socks.is_done());
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct Socks5 {
    state: State,
    credentials: Option<(Secret, Secret)>,
    /// The remaining addresses of the target.
    others: Vec<SocketAddr>,
    /// The proxy cannot reach the target at the address that was sent.
    is_lost: bool,
    request: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
    /// The message that is being read, and the number of its received bytes.
    word: [u8; LONGEST],
    come: usize,
    received: u64,
}

/// Length in bytes of the proxy's longest message: a reply with a name.
const LONGEST: usize = 4 + 1 + 255 + 2;

/// The message that is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The proxy's choice of a method.
    Method,
    /// Its response to user and password.
    Login,
    /// Its reply to the request.
    Reply,
    Done,
    /// The handshake failed.
    Over,
}

impl Socks5 {
    /// Starts the handshake for this target.
    ///
    /// # Errors
    ///
    /// - [`Kind::InvalidUrl`] if the name of the target is longer than 255 bytes.
    /// - [`Kind::InvalidProxy`] if user or password are.
    pub fn new(target: Target, proxy: &Proxy) -> Result<Self> {
        let mut request = vec![5, 1, 0];
        target.write(&mut request)?;
        let credentials =
            proxy.credentials().map(|(user, password)| (Secret(user.into()), Secret(password.into())));
        // Without credentials, the method with a login is not offered.
        let out = if credentials.is_some() { vec![5, 2, 0, 2] } else { vec![5, 1, 0] };
        Ok(Self {
            state: State::Method,
            credentials,
            others: Vec::new(),
            is_lost: false,
            request,
            out,
            sent: 0,
            word: [0; LONGEST],
            come: 0,
            received: 0,
        })
    }

    /// Sets the remaining addresses of the target: one connection to the proxy can try one address
    /// only.
    pub(super) fn or(mut self, others: &[SocketAddr]) -> Self {
        self.others = others.to_vec();
        self
    }

    /// The remaining addresses of the target, if there are any and the proxy did not reach the
    /// first one.
    pub(super) fn others(&mut self) -> Option<Vec<SocketAddr>> {
        (self.is_lost && !self.others.is_empty()).then(|| std::mem::take(&mut self.others))
    }

    /// The bytes to send to the proxy now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        &self.out[self.sent..]
    }

    /// Reports that the transport took the first `n` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, n: usize) {
        self.sent = (self.sent + n).min(self.out.len());
    }

    /// The bytes to send, and the buffer for the rest of the proxy's next message, and no more.
    pub fn ends(&mut self) -> (&[u8], &mut [u8]) {
        let end = self.wanted();
        (&self.out[self.sent..], &mut self.word[self.come..end])
    }

    /// Reports `n` received bytes; 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// - [`Kind::ProxyRefused`] with a [`Reply`].
    /// - [`Kind::ProxyAuthentication`].
    /// - [`Kind::NotSocks`].
    /// - The end of the connection.
    pub fn received(&mut self, n: usize) -> Result<()> {
        let done = self.take(n);
        if done.is_err() {
            self.state = State::Over;
        }
        done
    }

    /// Returns `true` once the bytes of the connection belong to the target.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The end of the message that is being read, as far as it is known.
    fn wanted(&self) -> usize {
        match self.state {
            State::Method | State::Login => 2,
            State::Reply if self.come < 5 => 5,
            State::Reply => self.reply_len().unwrap_or(5),
            State::Done | State::Over => self.come,
        }
    }

    /// The length of a reply, by its address type.
    fn reply_len(&self) -> Option<usize> {
        match self.word[3] {
            1 => Some(4 + 4 + 2),
            3 => Some(4 + 1 + usize::from(self.word[4]) + 2),
            4 => Some(4 + 16 + 2),
            _ => None,
        }
    }

    fn take(&mut self, n: usize) -> Result<()> {
        if matches!(self.state, State::Done | State::Over) || n > self.wanted() - self.come {
            return Err(Fault::new(Kind::Misuse).with_detail("more bytes than there was room for"));
        }
        if n == 0 {
            return Err(ended(self.received));
        }
        if !self.unsent().is_empty() {
            // The proxy only responds: before a request it has nothing to send (row Q13).
            return Err(Kind::UnsolicitedData.into());
        }
        self.received += n as u64;
        self.come += n;
        match self.state {
            State::Method if self.come == 2 => self.method(),
            State::Login if self.come == 2 => self.login(),
            State::Reply if self.come >= 4 => self.reply(),
            _ => Ok(()),
        }
    }

    fn method(&mut self) -> Result<()> {
        match (self.word[0], self.word[1], self.credentials.take()) {
            (5, 0, _) => self.request(),
            (5, 2, Some((Secret(user), Secret(password)))) => {
                // Both have 255 bytes at most: `Proxy` refuses longer ones.
                let length =
                    |text: &[u8]| u8::try_from(text.len()).map_err(|_| Fault::new(Kind::InvalidProxy));
                let mut login = vec![1, length(&user)?];
                login.extend_from_slice(&user);
                login.push(length(&password)?);
                login.extend_from_slice(&password);
                self.say(login, State::Login);
            }
            (5, 0xff, credentials) => {
                let detail = if credentials.is_some() {
                    "it takes no user and password"
                } else {
                    "it lets nobody in without"
                };
                return Err(Fault::new(Kind::ProxyAuthentication).with_detail(detail));
            }
            (5, method, _) => return Err(not_socks(format!("method {method}, which was not offered"))),
            (version, ..) => return Err(not_socks(format!("version {version}"))),
        }
        Ok(())
    }

    fn login(&mut self) -> Result<()> {
        match (self.word[0], self.word[1]) {
            (1, 0) => self.request(),
            (1, _) => {
                return Err(
                    Fault::new(Kind::ProxyAuthentication).with_detail("user and password are refused")
                );
            }
            (version, _) => return Err(not_socks(format!("version {version} of the login"))),
        }
        Ok(())
    }

    fn reply(&mut self) -> Result<()> {
        if self.word[0] != 5 {
            return Err(not_socks(format!("version {}", self.word[0])));
        }
        // Some proxies send nothing after the code of a refusal.
        if self.word[1] != 0 {
            let reply = Reply::of(self.word[1]);
            self.is_lost = reply.is_about_address();
            return Err(Fault::new(Kind::ProxyRefused).with_detail(reply.to_string()).with_source(reply));
        }
        if self.reply_len().is_none() {
            return Err(not_socks(format!("address of form {}", self.word[3])));
        }
        if self.come >= 5 && self.come == self.wanted() {
            self.state = State::Done;
        }
        Ok(())
    }

    fn request(&mut self) {
        let request = std::mem::take(&mut self.request);
        self.say(request, State::Reply);
    }

    fn say(&mut self, words: Vec<u8>, next: State) {
        (self.out, self.sent, self.come, self.state) = (words, 0, 0, next);
    }
}

fn not_socks(what: String) -> Fault {
    Fault::new(Kind::NotSocks).with_detail(what)
}

impl fmt::Debug for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socks5").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bytes sent until the end, and the result, with the proxy's messages cut at this size.
    fn talk(url: &str, proxy: &str, words: &[&[u8]], cut: usize) -> (Vec<u8>, Result<bool>) {
        let proxy = Proxy::parse(proxy).unwrap();
        let mut socks = Socks5::new(Target::of(&Url::parse(url).unwrap()).unwrap(), &proxy).unwrap();
        let mut said = Vec::new();
        for word in words {
            while !socks.unsent().is_empty() {
                let n = socks.unsent().len().min(cut);
                said.extend_from_slice(&socks.unsent()[..n]);
                socks.sent(n);
            }
            let mut left = *word;
            while !left.is_empty() {
                let room = socks.ends().1;
                assert!(!room.is_empty(), "{left:?} is not wanted");
                let n = left.len().min(room.len()).min(cut);
                room[..n].copy_from_slice(&left[..n]);
                if let Err(error) = socks.received(n) {
                    assert!(!socks.is_done() && socks.ends().1.is_empty());
                    return (said, Err(error));
                }
                left = &left[n..];
            }
        }
        let is_done = socks.is_done();
        assert!(!is_done || socks.ends().1.is_empty(), "nothing of the host's is read");
        (said, Ok(is_done))
    }

    const OK: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

    #[test]
    fn names_and_addresses_are_told_as_rfc_1928_has_it_in_every_cut() {
        for (url, target) in [
            ("http://a.test/", &b"\x03\x06a.test\x00\x50"[..]),
            ("https://192.0.2.1/", b"\x01\xc0\x00\x02\x01\x01\xbb"),
            ("http://[::1]:8080/", b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1f\x90"),
        ] {
            for cut in 1..=12 {
                let (said, done) = talk(url, "socks5h://p", &[b"\x05\x00", OK], cut);
                assert!(done.unwrap());
                assert_eq!(said, [b"\x05\x01\x00\x05\x01\x00", target].concat(), "{url}");
            }
        }
    }

    #[test]
    fn every_form_of_address_in_a_reply_is_read_to_its_end_and_not_beyond() {
        let name = [b"\x05\0\0\x03\xff".as_slice(), &[b'x'; 255], b"\0\0"].concat();
        for reply in
            [OK, &b"\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"\x05\0\0\x03\x00\0\0", &name]
        {
            for cut in [1, 2, 3, 5, 300] {
                assert!(talk("http://a/", "socks5h://p", &[b"\x05\0", reply], cut).1.unwrap());
                let (_, short) =
                    talk("http://a/", "socks5h://p", &[b"\x05\0", &reply[..reply.len() - 1]], cut);
                assert!(!short.unwrap());
            }
        }
    }

    #[test]
    fn rfc_1929_user_and_password_only_if_asked_for() {
        let proxy = "socks5h://us%3aer:p%40ss@p";
        let (said, done) = talk("http://a/", proxy, &[b"\x05\x02", b"\x01\x00", OK], 1);
        assert!(done.unwrap());
        assert_eq!(said, b"\x05\x02\x00\x02\x01\x05us:er\x04p@ss\x05\x01\x00\x03\x01a\x00\x50");
        let (said, done) = talk("http://a/", proxy, &[b"\x05\x00", OK], 1);
        assert!(done.unwrap() && !String::from_utf8_lossy(&said).contains("p@ss"));
        for (proxy, words) in [
            (proxy, &[&b"\x05\xff"[..]][..]),
            ("socks5h://p", &[b"\x05\xff"]),
            (proxy, &[b"\x05\x02", b"\x01\x01"]),
        ] {
            let error = talk("http://a/", proxy, words, 1).1.unwrap_err();
            assert_eq!(error.kind(), Kind::ProxyAuthentication);
            assert!(!error.to_string().contains("p@ss"));
        }
    }

    #[test]
    fn f21_each_refusal_has_its_own_words() {
        let mut seen = std::collections::HashSet::new();
        for code in 1..=255 {
            let error = talk("http://a/", "socks5h://p", &[b"\x05\0", &[5, code, 0, 1]], 1).1.unwrap_err();
            assert_eq!(error.kind(), Kind::ProxyRefused);
            let reply = std::error::Error::source(&error).unwrap().downcast_ref::<Reply>().unwrap();
            assert_eq!(*reply, Reply::of(code));
            assert!(error.to_string().contains(&reply.to_string()) && seen.insert(reply.to_string()));
        }
    }

    #[test]
    fn f07_what_is_no_socks_is_said() {
        for words in [
            &[&b"HT"[..]][..],
            &[b"\x04\x00"],
            &[b"\x05\x01"],
            &[b"\x05\x02"],
            &[b"\x05\x00", b"\x04\0\0\x01"],
            &[b"\x05\x00", b"\x05\0\0\x02"],
        ] {
            let error = talk("http://a/", "socks5h://p", words, 1).1.unwrap_err();
            assert_eq!(error.kind(), Kind::NotSocks, "{words:?}");
        }
        let error = talk("http://a/", "socks5h://u:p@p", &[b"\x05\x02", b"\x05\0"], 1).1.unwrap_err();
        assert_eq!(error.kind(), Kind::NotSocks);
    }

    #[test]
    fn v92_a_name_beyond_255_bytes_is_refused_before_a_word() {
        let label = "a".repeat(60);
        let name = [&*label; 5].join(".");
        if let Ok(url) = Url::parse(&format!("http://{name}/")) {
            assert_eq!(Target::of(&url).unwrap_err().kind(), Kind::InvalidUrl);
        }
        let proxy = Proxy::parse("socks5h://p").unwrap();
        let error = Socks5::new(Target::Name(name.into(), 80), &proxy).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidUrl);
    }

    #[test]
    fn q13_out_of_turn_and_after_the_end_nothing_is_taken() {
        let proxy = Proxy::parse("socks5h://p").unwrap();
        let url = Url::parse("http://a/").unwrap();
        let mut socks = Socks5::new(Target::of(&url).unwrap(), &proxy).unwrap();
        assert_eq!(socks.received(1).unwrap_err().kind(), Kind::UnsolicitedData);
        let mut socks = Socks5::new(Target::of(&url).unwrap(), &proxy).unwrap();
        socks.sent(3);
        assert_eq!(socks.received(3).unwrap_err().kind(), Kind::Misuse);
        let mut socks = Socks5::new(Target::of(&url).unwrap(), &proxy).unwrap();
        socks.sent(3);
        assert_eq!(socks.received(0).unwrap_err().kind(), Kind::ClosedBeforeResponse);
    }
}
