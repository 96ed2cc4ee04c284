//! The other end of a connection.

use std::net::Ipv4Addr;

use sessio::call::Connect;
use sessio::proxy::Protocol;

use sessio_testkit::Adapter as _;

use super::fake_tls::FakeTlsServer;
use super::{Observation, WIRE};

/// The other end of a connection: TLS, proxies and finally an origin, from the outside in.
#[derive(Debug)]
pub struct Peer {
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// The party that reads here.
    who: String,
    role: Role,
    /// Bytes received that are not complete.
    held: Vec<u8>,
}

#[derive(Debug)]
enum Role {
    /// TLS that ends here.
    FakeTls(FakeTlsServer),
    /// An HTTP proxy. If it `asks`, it responds with 407 to requests without credentials, and
    /// closes the connection for some that want a tunnel.
    Http { asks: bool, is_tunnel: bool },
    /// A SOCKS proxy, with the number of its messages and whether one of them has credentials. It
    /// cannot reach [`UNREACHABLE`].
    Socks { messages: usize, has_credentials: bool },
    /// The origin.
    Origin,
}

/// An address that every host has.
pub const UNREACHABLE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// The function of an origin from a request to its response.
pub type Answer<'a> = dyn FnMut(&str) -> Vec<u8> + 'a;

impl Peer {
    /// The other end of this connection. `asks` returns which proxies challenge for credentials.
    ///
    /// # Panics
    ///
    /// If the URL has no origin.
    #[must_use]
    pub fn of(to: &Connect<'_>, asks: impl Fn(&str) -> bool) -> Self {
        let layer = |who: &str, role| Layer { who: who.to_owned(), role, held: Vec::new() };
        let fake_tls = || Role::FakeTls(FakeTlsServer::new(16 << 10, 0));
        let mut layers = Vec::new();
        if let Some(proxy) = to.proxy() {
            let name = proxy.host().to_string();
            if proxy.protocol() == Protocol::Https {
                layers.push(layer(&name, fake_tls()));
            }
            let role = if proxy.protocol().is_socks() {
                Role::Socks { messages: 0, has_credentials: proxy.has_credentials() }
            } else {
                Role::Http { asks: asks(&name), is_tunnel: false }
            };
            layers.push(layer(&name, role));
        }
        let origin = origin_of(to.url);
        if to.url.scheme() == "https" {
            layers.push(layer(&origin, fake_tls()));
        }
        layers.push(layer(&origin, Role::Origin));
        Self { layers }
    }

    /// Takes bytes and returns the reply.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        observations: &mut Vec<Observation>,
        answer: &mut Answer<'_>,
    ) -> Vec<u8> {
        if let Role::FakeTls(_) = self.layers[0].role {
            observations.push(Observation { who: WIRE.to_owned(), on_behalf: None, bytes: bytes.to_vec() });
        }
        self.hear_at(0, bytes, observations, answer)
    }

    fn hear_at(
        &mut self,
        at: usize,
        bytes: &[u8],
        observations: &mut Vec<Observation>,
        answer: &mut Answer<'_>,
    ) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let origin = self.layers.last().map(|layer| layer.who.clone()).unwrap_or_default();
        let is_clear = origin.starts_with("http://");
        let layer = &mut self.layers[at];
        let who = layer.who.clone();
        let sight = |on_behalf: bool, bytes: &[u8]| Observation {
            who: who.clone(),
            on_behalf: on_behalf.then(|| origin.clone()),
            bytes: bytes.to_vec(),
        };
        match &mut layer.role {
            Role::FakeTls(host) => {
                let (was_up, mut plain, mut said) = (host.is_established(), Vec::new(), Vec::new());
                // Fake TLS accepts any bytes.
                let _ = host.decode(bytes, &mut plain, &mut said);
                if let (false, Some(greeting)) = (was_up, host.hello()) {
                    observations.push(sight(false, greeting));
                }
                let answer = self.hear_at(at + 1, &plain, observations, answer);
                if let Role::FakeTls(host) = &mut self.layers[at].role {
                    let _ = host.encode(&answer, &mut said);
                }
                said
            }
            Role::Http { is_tunnel: true, .. } => {
                observations.push(sight(false, bytes));
                self.hear_at(at + 1, bytes, observations, answer)
            }
            Role::Http { asks, is_tunnel } => {
                layer.held.extend_from_slice(bytes);
                let Some(request) = whole(&mut layer.held) else { return Vec::new() };
                let is_connect = request.starts_with("CONNECT ");
                // One connection to the proxy serves every host to which it forwards requests.
                let target = request.split(' ').nth(1).and_then(|target| sessio::Url::parse(target).ok());
                let origin = target.filter(|_| !is_connect).map(|url| origin_of(&url));
                observations
                    .push(Observation { on_behalf: origin.clone(), ..sight(false, request.as_bytes()) });
                if *asks && !request.contains("\r\nProxy-Authorization: ") {
                    let fate = if is_connect && request.len() % 2 == 0 { "close" } else { "keep-alive" };
                    return format!(
                        "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: {fate}\r\n\
                         Content-Length: 0\r\n\r\n"
                    )
                    .into_bytes();
                }
                if is_connect {
                    *is_tunnel = true;
                    return b"HTTP/1.1 200 Go\r\n\r\n".to_vec();
                }
                let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
                let passed: Vec<_> = head
                    .split("\r\n")
                    .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
                    .collect();
                let passed = format!("{}\r\n\r\n{body}", passed.join("\r\n"));
                if let (Some(origin), Some(last)) = (origin, self.layers.last_mut()) {
                    last.who = origin;
                }
                self.hear_at(at + 1, passed.as_bytes(), observations, answer)
            }
            Role::Socks { messages, has_credentials } => {
                let last = 1 + usize::from(*has_credentials);
                *messages += 1;
                match *messages - 1 {
                    0 => {
                        observations.push(sight(false, bytes));
                        vec![5, if *has_credentials { 2 } else { 0 }]
                    }
                    n if n < last => {
                        observations.push(sight(false, bytes));
                        vec![1, 0]
                    }
                    n if n == last => {
                        observations.push(sight(false, bytes));
                        let is_lost = bytes.get(4..8) == Some(&UNREACHABLE.octets());
                        vec![5, if is_lost { 5 } else { 0 }, 0, 1, 0, 0, 0, 0, 0, 0]
                    }
                    _ => {
                        observations.push(sight(is_clear, bytes));
                        self.hear_at(at + 1, bytes, observations, answer)
                    }
                }
            }
            Role::Origin => {
                layer.held.extend_from_slice(bytes);
                let Some(request) = whole(&mut layer.held) else { return Vec::new() };
                observations.push(sight(false, request.as_bytes()));
                answer(&request)
            }
        }
    }
}

/// The origin of a URL with its port, also a default port.
///
/// # Panics
///
/// If it has none.
#[must_use]
pub fn origin_of(url: &sessio::Url) -> String {
    let (host, port) = (url.host_str().expect("a host"), url.port_or_known_default().expect("a port"));
    format!("{}://{host}:{port}", url.scheme())
}

/// Takes a complete request from the front: its head, and the body by its length.
fn whole(held: &mut Vec<u8>) -> Option<String> {
    let end = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&held[..end]).into_owned();
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if held.len() < end + length {
        return None;
    }
    let rest = held.split_off(end + length);
    let request = std::mem::replace(held, rest);
    Some(String::from_utf8_lossy(&request).into_owned())
}
