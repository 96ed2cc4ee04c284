//! Chains of redirects, and the parties that read the secrets on them.

use std::sync::{Arc, Mutex};

use sessio::auth::{Need, Received, SubRequest};
use sessio::call::Event;
use sessio::cookie::NewCookie;
use sessio::netrc::Netrc;
use sessio::proxy::{Proxies, Proxy};
use sessio::tls::{Identity, KeyFormat};
use sessio::{
    Auth, Call, Environment, Flow, Head, Mount, Now, Observer, Prepared, Request, Result, Scheme, Secrets,
    Seed, SessionState, Settings, Url, merge, prepare,
};
use sessio_tests::oracle::fake_tls::connector;
use sessio_tests::oracle::peer::origin_of;
use sessio_tests::oracle::walk::{Idle, walk};
use sessio_tests::oracle::{Observation, WIRE};
use sessio_tests::replay::now;

use crate::secrets::{Owner, SECRETS};

/// Three hosts, two schemes, two ports.
pub(crate) const ORIGINS: [&str; 12] = [
    "http://a.test",
    "http://a.test:8080",
    "https://a.test",
    "https://a.test:8080",
    "http://b.test",
    "http://b.test:8080",
    "https://b.test",
    "https://b.test:8080",
    "http://sub.a.test",
    "http://sub.a.test:8080",
    "https://sub.a.test",
    "https://sub.a.test:8080",
];

/// The number of ways to choose the proxies.
pub(crate) const CHOICES: u64 = 9;

/// Gets a token from an origin of its own before the first request.
#[derive(Clone, Debug)]
struct TokenScheme;

#[derive(Clone, Debug)]
struct TokenFlow(Option<String>);

impl Scheme for TokenScheme {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(TokenFlow(None))
    }
}

impl Flow for TokenFlow {
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, _: Now) -> Result<Need> {
        let request = || {
            let request = SubRequest::post("https://auth.test/token").form([("grant", "token")]);
            request.basic_auth("MARK-client", "MARK-client-password")
        };
        Ok(if self.0.is_some() { Need::Nothing } else { Need::Response(Box::new(request())) })
    }

    fn received(&mut self, response: &Received<'_>, _: Now) -> Result<()> {
        self.0 = Some(response.text().into_owned());
        Ok(())
    }

    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        let token = self.0.as_deref().unwrap_or_default();
        Ok(request.headers_mut().insert("Authorization", format!("Bearer {token}"))?)
    }

    fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<sessio::FlowDecision> {
        Ok(sessio::FlowDecision::Accept)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

/// The response to a request of the flow: a redirect to another port, and then the token.
fn answer_to_flow(request: &str) -> Option<Vec<u8>> {
    let host = request.lines().find_map(|line| line.strip_prefix("Host: "))?;
    let text = match host {
        "auth.test" => {
            "HTTP/1.1 303 X\r\nLocation: https://auth.test:8443/token\r\nSet-Cookie: jar=MARK-jar-auth.test.\r\n\
             Content-Length: 0\r\n\r\n"
        }
        "auth.test:8443" => "HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nMARK-token",
        _ => return None,
    };
    Some(text.into())
}

/// The state of the chains so far.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) runs: u64,
    requests: u64,
    /// The number of bytes of logs, dumps and command lines.
    shown: u64,
    /// How often each secret reached an owner.
    arrived: Vec<u64>,
}

fn one() -> Proxy {
    Proxy::parse("http://MARK-one:MARK-one-password@one.proxy:3128").unwrap()
}

fn two() -> Proxy {
    let two = Proxy::parse("https://two.proxy").unwrap().basic_auth("MARK-two", "MARK-two-password").unwrap();
    two.header("X-Key", "MARK-two-header").unwrap()
}

/// One of so many chains is shown in logs, because that takes longer than the chain.
const SHOWN_EVERY: u64 = 17;

/// Adds mounts with secrets of their own: for an origin, and for the first path of another.
fn mount(settings: &mut Settings) {
    let whole = Mount::new()
        .header("X-Mount-Token", "MARK-mount-token")
        .header("X-Session-Key", "MARK-mount-key")
        .auth(Auth::bearer("MARK-mount-bearer"));
    settings.mounts.add("https://b.test", whole).unwrap();
    let path = Mount::new().basic_auth("MARK-path", "MARK-path-password");
    settings.mounts.add("http://a.test:8080/0", path).unwrap();
}

/// Writes all that a log can contain: events, a dump, and command lines with masked secrets.
fn show(shown: &Arc<Mutex<String>>) -> Observer {
    let (events, dump) = (Arc::clone(shown), Arc::clone(shown));
    let events = Observer::new(move |call: &Call, event: &Event<'_>| {
        let mut shown = events.lock().unwrap();
        *shown += &format!("{event}\n{event:?}\n{call:?}\n");
        if let Event::Connecting { request, .. } = event {
            *shown += &format!("{}\n{}\n", request.to_curl(Secrets::Masked), request.redacted_target());
        }
    });
    events.and(Observer::dump(move |lines| *dump.lock().unwrap() += lines))
}

fn identity(mark: &str) -> Identity {
    Identity::from_der([mark], KeyFormat::Pkcs8, "MARK-private-key").unwrap()
}

fn three(scheme: &str) -> Proxy {
    Proxy::parse(&format!("{scheme}://MARK-three:MARK-three-password@three.proxy")).unwrap()
}

/// Sets the proxies. Returns the variables of the environment for them.
fn choose(choice: u64, settings: &mut Settings, request: &mut Request) -> Vec<(&'static str, &'static str)> {
    let proxies = &mut settings.proxies;
    match choice {
        0 => {}
        1 => *proxies = one().into(),
        2 => *proxies = two().into(),
        3 => *proxies = three("socks5h").into(),
        4 => {
            proxies.set("http", one()).unwrap();
            proxies.set("https", two()).unwrap();
        }
        5 => {
            *proxies = one().wait_for_challenge().into();
            proxies.set("https://a.test", three("socks5")).unwrap();
            proxies.set("http://b.test", two().wait_for_challenge()).unwrap();
        }
        6 => {
            return vec![
                ("http_proxy", "http://MARK-one:MARK-one-password@one.proxy:3128"),
                ("https_proxy", "socks5://MARK-three:MARK-three-password@three.proxy"),
                ("no_proxy", "b.test"),
            ];
        }
        7 => {
            *proxies = three("socks5").into();
            *request = std::mem::replace(request, Request::get("")).proxy(two());
        }
        _ => {
            *proxies = Proxies::from_fn(|url| match url.host_str()? {
                "a.test" => Some(one().into()),
                "b.test" => Some(two().into()),
                _ => None,
            });
        }
    }
    Vec::new()
}

impl World {
    /// Runs a call along these origins with all secrets, and checks which parties
    /// have read them.
    pub(crate) fn walk(&mut self, chain: &[usize], choice: u64, seed: &mut Seed) {
        let mut draw = |below: u64| seed.draw() % below;
        let url = |at: usize| format!("{}/{at}", ORIGINS[chain[at]]);
        let base = match draw(3) {
            0 => None,
            1 => Some(ORIGINS[chain[0]]),
            _ => Some(ORIGINS[draw(ORIGINS.len() as u64) as usize]),
        };
        let is_free = draw(8) == 0;
        let is_sessions = is_free || base.is_none_or(|base| base == ORIGINS[chain[0]]);
        let method = ["GET", "POST", "PUT", "HEAD"][draw(4) as usize];
        let first = match draw(4) {
            0 => url(0).replacen("://", "://MARK-url:MARK-url-password@", 1),
            // Without its scheme if the base URL has the same one, and relative if it has the same
            // origin.
            1 if base.is_some_and(|base| base.split(':').next() == url(0).split(':').next()) => {
                url(0).split_once(':').unwrap().1.to_owned()
            }
            2 if base == Some(ORIGINS[chain[0]]) => "/0".to_owned(),
            _ => url(0),
        };
        let mut request = Request::new(method, &*first)
            .redirects(10)
            .cookie("own", "MARK-cookie")
            .header("X-Api-Key", "MARK-key")
            .header("X-Listed", "MARK-listed");
        request.headers.mark_sensitive("x-api-key");
        if draw(2) == 0 {
            request = request.header("Cookie", "by-hand=MARK-line");
        }
        if draw(4) == 0 {
            request = request.identity(identity("MARK-own-certificate"));
        }
        request = match draw(6) {
            3 => request.auth(Auth::flow(TokenScheme)),
            0 => request.header("aUTHorization", "MARK-by-hand"),
            1 => request.auth(Auth::bearer("MARK-bearer")),
            2 => request.basic_auth("MARK-request", "MARK-request-password"),
            _ => request,
        };
        let mut settings = Settings::default();
        settings.sensitive_headers = ["x-listed".into(), "x-session-key".into()].into();
        settings.headers.insert("X-Session-Key", "MARK-session-key").unwrap();
        settings.headers.insert("Cookie", "by-hand=MARK-session-line").unwrap();
        settings.base_url = base.map(|base| base.parse().unwrap());
        settings.credentials_beyond_base_url = is_free;
        settings.keep_on_upgrade = draw(4) > 0;
        let keeps_on_upgrade = settings.keep_on_upgrade;
        settings.tls_connector = connector();
        settings.tls = settings.tls.identity(identity("MARK-certificate"));
        if draw(2) == 0 {
            settings.auth = Auth::basic("MARK-session", "MARK-session-password");
        }
        if draw(2) == 0 {
            mount(&mut settings);
        }
        let environment = Environment::new(choose(choice, &mut settings, &mut request));
        let environment = environment.with_netrc(Netrc::parse(
            b"machine a.test login MARK-netrc-a password MARK-netrc-a-password\n\
              machine b.test login MARK-netrc-b password MARK-netrc-b-password\n",
        ));
        let mut state = SessionState::new(Seed::new(1));
        let domain = NewCookie::new("domain", "MARK-domain").unwrap().domain("a.test");
        state.jar.insert(domain, now().wall).unwrap();
        let mut merged = merge(&settings, request);
        merged.apply_environment(&environment);
        let mut prepared = prepare(merged, &mut state.jar, now()).unwrap();
        let shown = Arc::<Mutex<String>>::default();
        if self.runs.is_multiple_of(SHOWN_EVERY) {
            prepared.observe(show(&shown));
        }

        let status = [301, 302, 303, 307, 308][draw(5) as usize];
        let (is_relative, is_closed) = (draw(2) == 0, draw(4) == 0);
        let mut at = 0;
        // The bytes read before the response to each request.
        let mut reached = Vec::new();
        let mut answer = |request: &str| {
            // The request of the flow is none of the chain.
            if let Some(response) = answer_to_flow(request) {
                return response;
            }
            reached.push(request.lines().next().unwrap_or_default().to_owned());
            let host = ORIGINS[chain[at]].split("://").nth(1).unwrap().split(':').next().unwrap();
            at += 1;
            let head = match chain.get(at) {
                Some(next) if is_relative && *next == chain[at - 1] => {
                    format!("HTTP/1.1 {status} X\r\nLocation: /{at}\r\n")
                }
                Some(_) => format!("HTTP/1.1 {status} X\r\nLocation: {}\r\n", url(at)),
                None => "HTTP/1.1 200 OK\r\n".to_owned(),
            };
            let secure = format!("Set-Cookie: secure{at}=MARK-secure-{host}.; Secure\r\n");
            let close = if is_closed { "Connection: close\r\n" } else { "" };
            format!("{head}Set-Cookie: jar{at}=MARK-jar-{host}.\r\n{secure}{close}Content-Length: 0\r\n\r\n")
                .into_bytes()
        };
        let asks = |_: &str| choice == 5;
        let mut observations = Vec::new();
        let why = || format!("{chain:?}, proxies {choice}, base {base:?}, {first}");
        let told = walk(prepared, &mut state, &mut Idle::default(), &mut observations, asks, &mut answer);
        assert_eq!(told, Ok(()), "{}", why());
        assert_eq!(reached.len(), chain.len(), "{}: {reached:?}", why());
        let shown = shown.lock().unwrap();
        assert!(!shown.contains("MARK"), "{}\n{shown}", why());
        self.shown += shown.len() as u64;
        self.runs += 1;
        self.requests += reached.len() as u64;
        let first = origin_of(&Url::parse(ORIGINS[chain[0]]).unwrap());
        self.judge(&observations, &first, is_sessions, keeps_on_upgrade, why);
    }

    fn judge(
        &mut self,
        observations: &[Observation],
        first: &str,
        is_sessions: bool,
        keeps_on_upgrade: bool,
        why: impl Fn() -> String,
    ) {
        let (mut first, mut is_home) = (first.to_owned(), true);
        self.arrived.resize(SECRETS.len(), 0);
        for sight in observations {
            let text = String::from_utf8_lossy(&sight.bytes);
            let readers = [Some(&sight.who), sight.on_behalf.as_ref()];
            // A request to another origin ends the ownership of the first origin.
            let origin = readers.into_iter().flatten().find(|who| who.contains("://"));
            let is_of_flow = |origin: &str| origin.starts_with("https://auth.test:");
            if let Some(origin) = origin.filter(|origin| **origin != first && !is_of_flow(origin)) {
                // An exception is the same host by https, both on their default ports: ownership
                // moves along.
                let host = first.strip_prefix("http://").and_then(|rest| rest.strip_suffix(":80"));
                let is_upgrade = host.is_some_and(|host| *origin == format!("https://{host}:443"));
                is_home &= keeps_on_upgrade && is_upgrade;
                if is_home {
                    first.clone_from(origin);
                }
            }
            for (secret, arrived) in SECRETS.iter().zip(&mut self.arrived) {
                if !secret.is_in(&text) {
                    continue;
                }
                let is_owner = |who: &String| secret.owner.is(who, &first, is_home, is_sessions);
                assert!(secret.owner.is_path_of(&text), "{}: {} for\n{text}", why(), secret.mark);
                assert!(
                    readers.into_iter().flatten().any(is_owner),
                    "{}: {} was seen by {}\n{text}",
                    why(),
                    secret.mark,
                    sight.who
                );
                *arrived += 1;
            }
            assert!(sight.who != WIRE || !text.contains("MARK"), "{}", why());
        }
    }

    /// Prints the totals. A secret that is never sent would prove nothing.
    pub(crate) fn report(&self) {
        println!("{} chains, {} requests, {} bytes of logs", self.runs, self.requests, self.shown);
        assert!(self.shown > self.runs);
        for (secret, arrived) in SECRETS.iter().zip(&self.arrived) {
            println!("{arrived:>10} {}", secret.mark);
            assert!((*arrived > 0) == (secret.owner != Owner::Nobody), "{}", secret.mark);
        }
    }
}
