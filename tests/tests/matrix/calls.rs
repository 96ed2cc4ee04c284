//! Random calls: settings, requests, servers, carriers, and splits of the bytes. Over every carrier
//! a call has the same events, results and side effects as over plain text.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessio::auth::Digest;
use sessio::coding::ContentCoding as Compression;
use sessio::{Auth, Now, Seed};
use sessio_driver::{RequestBuilder, Runtime as _};
use sessio_tests::carrier::Carrier;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::simulation::network::{Link, Network};
use sessio_tests::source::Pieces;
use sessio_tests::trace::{Trace, bare};
use sessio_tests::world::World;

use crate::coded::{Coding, Framing};
use crate::peer::{Answer, End, Play};

/// The number of calls. `SESSIO_CALLS` replaces it.
const CALLS: u64 = 2000;

/// Random numbers from one seed (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % below.max(1) as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.draw(of.len())]
    }

    fn is(&mut self, percent: usize) -> bool {
        self.draw(100) < percent
    }

    fn bytes(&mut self, size: usize) -> Vec<u8> {
        let words: Vec<u64> = (0..16).map(|_| self.draw(1 << 40) as u64).collect();
        (0..size).map(|at| b'a' + (words[at / 7 % 16] >> (at % 31) & 15) as u8).collect()
    }
}

/// A call, without its carrier.
#[derive(Clone, Debug)]
struct Plan {
    method: &'static str,
    path: String,
    body: Upload,
    expects: bool,
    compresses: bool,
    auth: usize,
    redirects: Option<u32>,
    body_limit: Option<u64>,
    decodes: bool,
    reading: Reading,
    answers: Vec<Answer>,
    is_rough: bool,
    seed: u64,
    /// Whether two calls over the same session follow this one.
    again: bool,
}

#[derive(Clone, Debug)]
enum Upload {
    Nothing,
    Bytes(Vec<u8>),
    Source(Vec<Vec<u8>>, bool),
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Bytes,
    Chunks,
    /// In buffers of this size.
    Rooms(usize),
    Lines,
    /// The response is dropped after so many chunks.
    Part(usize),
}

const HOSTS: [&str; 2] = ["a.test", "b.test"];

fn answer(dice: &mut Dice, is_last: bool) -> Answer {
    let status = match (is_last, dice.draw(10)) {
        (false, 0..7) => dice.one(&[301, 302, 303, 307, 308]),
        (false, _) => 401,
        (true, 0..7) => 200,
        (true, _) => dice.one(&[204, 304, 404, 500, 413, 206]),
    };
    let mut fields = String::new();
    match status {
        301..=303 | 307 | 308 => {
            // The server adds the scheme in front of an authority.
            let to = dice.draw(4);
            let target = ["/r/x?y=1", "../up", "//b.test/b", "//a.test/a#f"][to];
            fields += &format!("Location: {target}\r\n");
        }
        401 => {
            fields += "WWW-Authenticate: Basic realm=\"r\", Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
        }
        _ => {}
    }
    for number in 0..dice.draw(3) {
        let path = dice.one(&["", "; Path=/", "; Path=/a", "; Max-Age=100", "; Max-Age=0", "; HttpOnly"]);
        fields += &format!("Set-Cookie: c{number}={}{path}\r\n", dice.draw(1000));
    }
    if dice.is(10) {
        fields += &format!("X-Large: {}\r\n", "x".repeat(dice.draw(9000)));
    }
    let closes = dice.is(15);
    if closes {
        fields += "Connection: close\r\n";
    }
    let size = match dice.draw(10) {
        0 => 0,
        1 => 1,
        2..7 => dice.draw(3000),
        7..9 => dice.draw(20_000),
        _ => dice.draw(90_000),
    };
    let coding = dice.one(&Coding::ALL);
    let mut content = dice.bytes(size);
    for at in (0..content.len()).step_by(80) {
        content[at] = b'\n';
    }
    let framing = dice.one(&Framing::ALL);
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n{}{fields}", coding.field());
    let chunk = 1 + dice.draw(5000);
    let said = framing.response(&head, &coding.encode(&content), chunk);
    let head_end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let length = said.len();
    let interim = match dice.draw(12) {
        0 => format!("HTTP/1.1 103 Early\r\nLink: <{}>\r\n\r\n", "l".repeat(dice.draw(6000))).into_bytes(),
        1 => b"HTTP/1.1 102 Wait\r\n\r\n".repeat(1 + dice.draw(3)),
        _ => Vec::new(),
    };
    // Only within the body. A cut in the head is another error, which depends on the bytes
    // received.
    let truncated = (dice.is(8) && said.len() > head_end).then(|| dice.draw(said.len() - head_end));
    Answer {
        status,
        interim,
        said,
        head_end,
        truncated,
        closes: closes || framing == Framing::Close,
        piece: dice.one(&[1_000_000, 16_384, 4001, 1000, 97, 13, 1]).max(length / 300),
    }
}

fn plan(seed: u64) -> Plan {
    let dice = &mut Dice(seed);
    let hops = dice.one(&[0, 0, 0, 1, 1, 2, 3]);
    let again = dice.is(40);
    let mut answers: Vec<_> = (0..hops).map(|_| answer(dice, false)).collect();
    answers.push(answer(dice, true));
    if again {
        answers.extend([answer(dice, true), answer(dice, true)]);
    }
    let method = dice.one(&["GET", "GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE"]);
    let body = match (method, dice.draw(4)) {
        ("GET" | "HEAD" | "DELETE", _) | (_, 0) => Upload::Nothing,
        (_, 1 | 2) => {
            let size = dice.one(&[0, 1, 500, 20_000, 70_000]);
            Upload::Bytes(dice.bytes(size))
        }
        _ => {
            let sizes: Vec<_> = (0..dice.draw(5)).map(|_| 1 + dice.draw(20_000)).collect();
            Upload::Source(sizes.into_iter().map(|size| dice.bytes(size)).collect(), dice.is(70))
        }
    };
    let reading = match dice.draw(6) {
        0 | 1 => Reading::Bytes,
        2 => Reading::Chunks,
        3 => Reading::Rooms(1 + dice.draw(9000)),
        4 => Reading::Lines,
        _ => Reading::Part(1),
    };
    let is_part = matches!(reading, Reading::Part(_));
    let redirects = dice.one(&[Some(30), Some(30), Some(1), Some(0), None]);
    // Whether the limit or the drop comes first depends on the bytes received.
    let body_limit = dice.one(&[None, None, None, Some(1000), Some(100_000)]).filter(|_| !is_part);
    Plan {
        method,
        path: dice.one(&["/", "/a/b?c=d", "/a/deeper/page", "/%41?x"]).to_owned(),
        body,
        expects: dice.is(15),
        compresses: dice.is(15),
        auth: dice.draw(4),
        redirects,
        body_limit,
        decodes: dice.is(90),
        reading,
        answers,
        is_rough: dice.is(30),
        seed,
        // Whether a connection is kept after a response that was dropped, or refused for its
        // redirect, depends on the bytes received.
        again: again && !is_part && !matches!(redirects, Some(0 | 1)),
    }
}

/// The outcome of a call.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    results: Vec<String>,
    bodies: Vec<Vec<u8>>,
    events: Vec<Vec<String>>,
    jar: String,
    /// The requests that the servers received.
    asked: Vec<String>,
}

fn play(plan: &Plan, carrier: Carrier) -> Outcome {
    let play = Arc::new(Mutex::new(Play::of(plan.answers.clone())));
    let network = Network::new(plan.seed);
    let link = if plan.is_rough {
        Link {
            latency: Duration::from_millis(1),
            jitter: Duration::from_millis(1),
            packet: 700,
            ..Link::default()
        }
    } else {
        Link::default()
    };
    for (number, host) in (1..).zip(HOSTS) {
        let play = Arc::clone(&play);
        network.route(host, Some([10, 0, 0, number].into()), link, move |_, _, _| {
            Ok(Box::new(End::new(carrier, Arc::clone(&play))))
        });
    }
    let trace = Trace::default();
    let world = World::carried(network.clone(), trace.clone(), carrier);
    let session = world.session();
    session.update(|settings| {
        settings.auth = match plan.auth {
            0 => Auth::basic("user", "pass"),
            1 => Auth::flow(Digest::new("user", "pass", Seed::new(7))),
            _ => Auth::default(),
        };
    });
    let url = world.url(&format!("http://a.test{}", plan.path));
    let (mut results, mut bodies) = (Vec::new(), Vec::new());
    let calls = if plan.again { 3 } else { 1 };
    network.run(async {
        for call in 0..calls {
            let request = if call == 0 { first(&session, plan, &url) } else { session.get(&*url) };
            let (result, body) = ask(request, plan.reading).await;
            results.push(result.replace("https://", "http://"));
            bodies.push(body);
        }
    });
    let jar = HOSTS.map(|host| {
        let urls = ["/", "/a/b", "/r/x"].map(|path| world.url(&format!("http://{host}{path}")));
        urls.map(|url| header(&session, &url, network.now()))
    });
    drop(session);
    network.settle();
    let asked = play.lock().unwrap().asked();
    let events = trace.calls().iter().map(bare).collect();
    Outcome { results, bodies, events, jar: format!("{jar:?}"), asked }
}

fn first(
    session: &sessio_driver::Session<FaultyRuntime<Network>>,
    plan: &Plan,
    url: &str,
) -> RequestBuilder<FaultyRuntime<Network>> {
    let request = session.request(plan.method, url).header("Accept-Encoding", "gzip, br, zstd");
    let request = match &plan.body {
        Upload::Nothing => request,
        Upload::Bytes(bytes) => request.body(bytes.clone()),
        Upload::Source(pieces, knows_length) => {
            let length = knows_length.then(|| pieces.iter().map(|piece| piece.len() as u64).sum());
            request.source(Pieces::of(pieces), length, true)
        }
    };
    let (expects, compresses) = (plan.expects, plan.compresses);
    let (redirects, limit, decodes) = (plan.redirects, plan.body_limit, plan.decodes);
    request.map(move |request| {
        let request = if expects { request.expect_continue() } else { request };
        let request = if compresses { request.compress(Compression::Gzip) } else { request };
        request.redirects(redirects).body_limit(limit).decode(decodes)
    })
}

/// Sends a request and reads the response. Returns a description of the outcome.
async fn ask(request: RequestBuilder<FaultyRuntime<Network>>, reading: Reading) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return (format!("{}: {:?}", error.kind(), error.history()), body),
    };
    let mut told = format!("{:?} {:?} {:?}", response.status(), response.history(), response.headers());
    let read = match reading {
        Reading::Bytes => response.bytes().await.map(|bytes| body.extend_from_slice(&bytes)),
        Reading::Chunks => loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => {
                    told += &format!(" {:?}", response.trailers());
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        },
        Reading::Rooms(size) => {
            let mut room = vec![0; size];
            loop {
                match response.read(&mut room).await {
                    Ok(0) => break Ok(()),
                    Ok(n) => body.extend_from_slice(&room[..n]),
                    Err(error) => break Err(error),
                }
            }
        }
        Reading::Lines => {
            let mut lines = response.lines();
            loop {
                match lines.next().await {
                    Ok(Some(line)) => body.extend_from_slice(line.as_bytes()),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            }
        }
        // The size of a chunk depends on the network.
        Reading::Part(count) => {
            for _ in 0..count {
                if !matches!(response.chunk().await, Ok(Some(_))) {
                    break;
                }
            }
            Ok(())
        }
    };
    if let Err(error) = read {
        told += &format!(" and {}", error.kind());
    }
    (told, body)
}

fn header(session: &sessio_driver::Session<FaultyRuntime<Network>>, url: &str, now: Now) -> String {
    let mut out = Vec::new();
    session.cookies(|jar| jar.header(&url.parse().unwrap(), now.wall, &mut out));
    String::from_utf8_lossy(&out).into_owned()
}

/// The first differences, limited to a readable length.
fn difference(clear: &Outcome, other: &Outcome) -> String {
    let lines = |outcome: &Outcome| {
        let sizes: Vec<_> = outcome.bodies.iter().map(Vec::len).collect();
        let mut lines = outcome.results.clone();
        lines.push(format!("bodies of {sizes:?}"));
        lines.extend(outcome.events.iter().flatten().cloned());
        lines.push(outcome.jar.clone());
        lines.extend(outcome.asked.clone());
        lines
    };
    let (clear, other) = (lines(clear), lines(other));
    let at = clear.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let shown = |lines: &[String]| lines.get(at).map(|line| line.chars().take(1500).collect::<String>());
    format!("\n  clear: {:?}\n  other: {:?}", shown(&clear), shown(&other))
}

fn check(seed: u64, carrier: Carrier) -> Result<(), String> {
    let mut plan = plan(seed);
    let run = |plan: &Plan, carrier: Carrier| {
        std::panic::catch_unwind(|| play(plan, carrier))
            .map_err(|_| format!("call {seed} over {}: it panics or hangs", carrier.name()))
    };
    let mut clear = run(&plan, Carrier::Clear)?;
    // Only clear text shows it. The size of the pieces decides whether the response was complete
    // when its body was refused, and so whether its connection is reused.
    if plan.again && clear.results[0].ends_with("body-too-large") {
        plan.again = false;
        clear = run(&plan, Carrier::Clear)?;
    }
    let other = run(&plan, carrier)?;
    if clear == other {
        return Ok(());
    }
    let Plan { method, path, reading, redirects, body_limit, again, is_rough, .. } = &plan;
    let drawn = format!("{method} {path} {reading:?} {redirects:?} {body_limit:?} {again} {is_rough}");
    Err(format!("call {seed} over {} ({drawn}){}", carrier.name(), difference(&clear, &other)))
}

#[test]
fn whole_calls_are_the_same_over_every_carrier() {
    let calls = std::env::var("SESSIO_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(CALLS);
    let first: u64 = std::env::var("SESSIO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let carriers: Vec<_> = Carrier::ALL.into_iter().filter(|carrier| *carrier != Carrier::Clear).collect();
    let mut failures = Vec::new();
    for call in 0..calls {
        let seed = first.wrapping_mul(1_000_000_007).wrapping_add(call);
        let carrier = carriers[(call % carriers.len() as u64) as usize];
        if let Err(failure) = check(seed, carrier) {
            println!("{failure}");
            failures.push(failure);
        }
    }
    println!("{calls} calls, {} of them differ", failures.len());
    let shown: Vec<_> = failures.iter().take(10).cloned().collect();
    assert!(failures.is_empty(), "{} of {calls}: {}", failures.len(), shown.join("\n"));
}

#[test]
fn a_call_is_the_same_each_time_that_it_is_drawn() {
    for seed in 0..20 {
        for carrier in [Carrier::Clear, Carrier::FakeTls, Carrier::Socks] {
            assert_eq!(play(&plan(seed), carrier), play(&plan(seed), carrier), "{seed} {carrier:?}");
        }
    }
}
