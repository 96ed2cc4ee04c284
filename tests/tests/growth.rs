//! Memory and work grow in proportion to the bytes that a peer has sent, and never with the product
//! of two lengths that it chooses. Each test lets two such lengths grow together, and counts heap
//! allocations: their total, as a measure of copying, and their peak.
//!
//! The figures are heap bytes for each byte that the peer has sent. With a product they would be
//! thousands at the sizes used here. The counts are per thread, so tests do not disturb each other.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

use std::fmt::Write as _;

use allocation_counter::measure;
use sessio::auth::Digest;
use sessio::h1::{Event, Limits, RequestContext, ResponseDecoder};
use sessio::http::{Method, StatusCode};
use sessio::lines::Lines;
use sessio::link::Links;
use sessio::redirect::{Decision, Hop, MOST_URL, RedirectRules, Replay, decide};
use sessio::sse::Events;
use sessio::{Head, Headers, Jar, Kind, Prepared, Request, Seed, Settings, Url, merge, prepare};
use sessio_tests::replay::now;

/// Two sizes. The second is four times as large in both lengths.
const SIZES: [usize; 2] = [1 << 14, 1 << 16];

/// The fixed part, for any input. Most of it is the cookies that are kept of one response, with
/// their paths.
const ONCE: u64 = 640 << 10;

/// The largest total and peak of allocations for each byte that was sent.
#[derive(Clone, Copy)]
struct Cap {
    total: u64,
    peak: u64,
}

/// Runs `act` at both sizes. It receives the size and the value of `arrange`, which is not counted.
/// It returns the number of bytes that the peer has sent.
fn hold<T>(name: &str, cap: Cap, arrange: impl Fn(usize) -> T, act: impl Fn(&T) -> usize) {
    for size in SIZES {
        let arranged = arrange(size);
        let mut sent = 0;
        let heap = measure(|| sent = act(&arranged) as u64);
        println!(
            "{name}, {sent} bytes: {} of the heap, at most {} at once",
            heap.bytes_total, heap.bytes_max
        );
        assert!(sent >= size as u64, "{name}: {sent} bytes are no measure of {size}");
        assert!(heap.bytes_total <= cap.total * sent + ONCE, "{name}: {} for {sent}", heap.bytes_total);
        assert!(heap.bytes_max <= cap.peak * sent + ONCE, "{name}: {} at once for {sent}", heap.bytes_max);
    }
}

fn long_url(path: usize) -> Url {
    Url::parse(&format!("http://example.org/{}/", "a/".repeat(path / 2))).unwrap()
}

fn prepared(url: &Url) -> Prepared {
    prepare(merge(&Settings::default(), Request::get(url)), &mut Jar::new(), now()).unwrap().request
}

fn answer(status: u16, name: &str, values: &[String]) -> Head {
    let mut headers = Headers::new();
    for value in values {
        headers.append(name, value).unwrap();
    }
    Head::new(StatusCode::from_u16(status).unwrap(), headers)
}

#[test]
fn fa2_links_and_the_url_of_the_response() {
    for (name, link) in [
        ("links", "<a>,"),
        ("links with an anchor", "<a>;anchor=\"b\","),
        ("links of one relation", "<a>;rel=next;anchor=b,"),
        ("parameters of a link", "<a>;b;c;d;e;f;g;h;i;j"),
    ] {
        hold(
            name,
            Cap { total: 40, peak: 25 },
            |size| (long_url(size), link.repeat(size / link.len())),
            |(url, value)| {
                let links = Links::parse([value], url);
                assert!(!links.is_empty());
                url.as_str().len() + value.len()
            },
        );
    }
}

/// The caller asks for one link at a time, so each request for one has its own cost.
#[test]
fn fa2_each_target_that_is_asked_for_is_one_url() {
    let url = long_url(MOST_URL / 2);
    let links = Links::parse(["<b>; rel=next,".repeat(100)], &url);
    let heap = measure(|| assert!(links.get("next").unwrap().target().is_some()));
    assert!(heap.bytes_total <= 4 * MOST_URL as u64, "{}", heap.bytes_total);
}

#[test]
fn fa5_cookies_and_the_url_of_the_response() {
    let lines = |size: usize| -> Vec<String> { (0..size / 30).map(|at| format!("a{at}=1")).collect() };
    // 50 cookies are kept, each with a path of at most 1,024 bytes: about 600 KB with the copies
    // made. As many copies of the URL of 64 KB would be 3 MB.
    let cap = Cap { total: 10, peak: 2 };
    hold(
        "cookies of a deep directory",
        cap,
        |size| (long_url(size), lines(size)),
        |(url, lines)| {
            let mut jar = Jar::new();
            let extracted = jar.extract(url, lines.iter().map(String::as_bytes), now().wall);
            assert_eq!(extracted.stored, lines.len().min(50));
            // A complete line counts, as it was sent.
            lines.iter().map(|line| line.len() + 14).sum::<usize>() + url.as_str().len()
        },
    );
    hold(
        "cookies of a host with many labels",
        cap,
        |size| (Url::parse(&format!("http://{}/", "a.".repeat(size / 2))).unwrap(), lines(size)),
        |(url, lines)| {
            let mut jar = Jar::new();
            jar.extract(url, lines.iter().map(String::as_bytes), now().wall);
            jar.header(url, now().wall, &mut Vec::new());
            lines.iter().map(|line| line.len() + 14).sum::<usize>() + url.as_str().len()
        },
    );
}

#[test]
fn fa5_responses_and_their_url_end_at_the_limits_of_the_jar() {
    let url = long_url(60_000);
    let mut jar = Jar::new();
    let mut sent = 0;
    let mut fill = |jar: &mut Jar, from: usize, to: usize| {
        for at in from..to {
            let lines: Vec<String> = (0..50).map(|number| format!("a{at}.{number}=1")).collect();
            sent += lines.iter().map(String::len).sum::<usize>();
            jar.extract(&url, lines.iter().map(String::as_bytes), now().wall);
        }
    };
    let some = measure(|| fill(&mut jar, 0, 20));
    let more = measure(|| fill(&mut jar, 20, 400));
    // The jar is full, so it does not grow any more.
    assert_eq!(jar.len(), 180);
    assert!(more.bytes_current <= 0 || more.bytes_current < some.bytes_current / 4, "{}", more.bytes_current);
    assert!(some.bytes_current < 180 * 2 * 1200 + ONCE as i64, "{}", some.bytes_current);
}

#[test]
fn fa1_event_ids_and_events() {
    for (name, event) in
        [("blank lines", "\n"), ("events", "data\n\n"), ("named events", "event:a\ndata:b\n\n")]
    {
        hold(
            name,
            Cap { total: 6, peak: 3 },
            |size| format!("id: {}\n{}", "i".repeat(size), event.repeat(size / event.len())),
            |stream| {
                let mut events = Events::new(1 << 20);
                for piece in stream.as_bytes().chunks(1000) {
                    events.push(piece);
                    while events.pop().unwrap().is_some() {}
                }
                stream.len()
            },
        );
    }
}

#[test]
fn fa1_a_long_line_and_the_pieces_that_it_comes_in() {
    hold(
        "a line byte by byte",
        Cap { total: 4, peak: 4 },
        |size| "x".repeat(size),
        |line| {
            let mut lines = Lines::new(1 << 20);
            for byte in line.as_bytes() {
                lines.push(std::slice::from_ref(byte));
                assert!(lines.pop().unwrap().is_none());
            }
            line.len()
        },
    );
}

#[test]
fn point_6_challenges_and_their_parameters() {
    let long = |size: usize| format!("Digest realm=\"r\", nonce=\"{}\", qop=auth", "n".repeat(size));
    let url = Url::parse("http://example.org/").unwrap();
    let answer_to = |values: &[String]| {
        let mut request = prepared(&url);
        let mut digest = Digest::new("user", "pass", Seed::new(7));
        digest.challenged(&answer(401, "WWW-Authenticate", values), &mut request, false).unwrap();
        values.iter().map(String::len).sum()
    };
    let cap = Cap { total: 30, peak: 15 };
    for (name, other) in [
        ("challenges that nobody knows", "Basic,"),
        ("challenges without a nonce", "Digest realm=a,"),
        ("parameters", "a=b,"),
        ("challenges of Digest", "Digest realm=a,nonce=b,qop=auth,"),
    ] {
        let arrange = |size: usize| vec![other.repeat(size / other.len()), long(size)];
        hold(name, cap, arrange, |values| answer_to(values));
    }
}

#[test]
fn fa2_a_long_url_and_redirects_relative_to_it() {
    let (headers, rules) = (Headers::new(), RedirectRules::default());
    let follow = |url: &Url, location: &str, taken: u32| {
        let hop = Hop { method: &Method::GET, url, headers: &headers, body: Replay::None, taken };
        decide(&hop, &answer(302, "Location", &[location.to_owned()]), &rules)
    };
    // Each hop may copy a URL, which is never longer than the longest allowed one.
    let mut url = long_url(MOST_URL - 200);
    for taken in 0..rules.max {
        let mut next = None;
        let heap = measure(|| next = Some(follow(&url, "b/", taken)));
        assert!(heap.bytes_total <= 8 * MOST_URL as u64, "{}", heap.bytes_total);
        match next.unwrap() {
            Decision::Follow(next) => url = next.url,
            other => panic!("{other:?}"),
        }
    }
    let long = "c".repeat(200 << 10);
    let Decision::Fail(fail) = follow(&url, &long, 0) else { panic!("it is too long") };
    assert_eq!(fail.kind, Kind::BadLocation);
}

/// A response with so many fields in its head or trailers, received in pieces.
fn receive(wire: &str, piece: usize) {
    let mut receiver = ResponseDecoder::new(RequestContext::new(&Method::GET), Limits::default(), Vec::new());
    let mut rest = wire.as_bytes();
    loop {
        let read = match receiver.poll().unwrap() {
            Event::More => {
                let room = receiver.room();
                let n = room.len().min(piece).min(rest.len());
                room[..n].copy_from_slice(&rest[..n]);
                rest = &rest[n..];
                receiver.received(n);
                continue;
            }
            Event::Body(bytes) => bytes.len(),
            Event::End => return,
            _ => continue,
        };
        receiver.consume(read);
    }
}

#[test]
fn point_6_fields_of_a_head_and_of_trailers_and_the_pieces_that_they_come_in() {
    let fields = |size: usize| {
        let mut fields = String::new();
        for at in 0..100 {
            let _ = write!(fields, "X-{at}: {}\r\n", "v".repeat(size / 100));
        }
        fields
    };
    let cap = Cap { total: 8, peak: 5 };
    let head = |size| format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n", fields(size));
    let trailers =
        |size| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}\r\n", fields(size));
    let interim = |size| {
        let early = format!("HTTP/1.1 103 X\r\nLink: {}\r\n\r\n", "v".repeat(size / 100));
        early.repeat(100) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    };
    for piece in [usize::MAX, 100, 7] {
        let act = |wire: &String| {
            receive(wire, piece);
            wire.len()
        };
        hold("a head", cap, head, act);
        hold("trailers", cap, trailers, act);
        hold("interim heads", cap, interim, act);
    }
}

#[test]
fn fa6_a_header_that_is_set_again_and_again() {
    hold(
        "tokens",
        Cap { total: 20, peak: 4 },
        |size| (0..size / 64).map(|at| format!("Bearer {at:064}")).collect::<Vec<_>>(),
        |tokens| {
            let mut headers = Headers::new();
            for token in tokens {
                headers.insert("Authorization", token).unwrap();
            }
            // A copy of the headers allocates only their current contents.
            let heap = measure(|| drop(headers.clone()));
            assert!(heap.bytes_total < 2048, "{}", heap.bytes_total);
            tokens.iter().map(String::len).sum()
        },
    );
}
