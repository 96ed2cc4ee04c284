//! sessio's jar compared with the crates `cookie` and `cookie_store`.
//!
//! `cargo run --release -p bench-cookies -- [graph.svg]`

mod allocations;
mod graph;
mod rounds;

use std::hint::black_box;

use sessio_cookie::{Jar, Limits, Policy, SetCookie, UnixTime, Url, parse_date};

use graph::Line;
use rounds::medians;

#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;

/// 159 octets, 7 attributes.
const LONG: &str = "session=5f2b9c07e1a84d36b0c4f7a29e81d60c2a; Domain=example.com; Path=/; \
    Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax";
const SHORT: &str = "a=b; Path=/";
const PER_DOMAIN: usize = 10;

fn main() {
    let now = UnixTime(1_767_225_600);
    assert_eq!(LONG.len(), 159);
    println!("medians of interleaved rounds, nanoseconds; ratio = cookie_store or cookie / sessio\n");
    parse();
    one_host(now);
    let mut lines = [
        Line { label: "cookie_store, header", colour: "#d95f02", points: Vec::new() },
        Line { label: "cookie_store, miss", colour: "#e6ab02", points: Vec::new() },
        Line { label: "sessio, any host", colour: "#7570b3", points: Vec::new() },
        Line { label: "sessio, header", colour: "#1b9e77", points: Vec::new() },
        Line { label: "sessio, miss", colour: "#66a61e", points: Vec::new() },
    ];
    println!("\n{:>8} {:>34} {:>34} {:>10}", "cookies", "header of 10 (ratio)", "miss (ratio)", "any host");
    for size in [10, 100, 1000, 10_000, 100_000] {
        let times = by_size(size, now);
        for (line, time) in lines.iter_mut().zip([times[1], times[3], times[4], times[0], times[2]]) {
            line.points.push((size as f64, time));
        }
        let [header, their_header, miss, their_miss, any] = times;
        println!(
            "{size:>8} {header:>8.1} {their_header:>12.1} {:>10.1}x {miss:>10.1} {their_miss:>12.1} {:>8.1}x {any:>10.1}",
            their_header / header,
            their_miss / miss
        );
    }
    println!("\n{:>8} {:>34} {:>34}", "cookies", "insert (ratio)", "bytes a cookie (ratio)");
    for size in [10, 100, 1000, 10_000, 100_000] {
        insert(size, now);
    }
    allocations(now);
    if let Some(path) = std::env::args().nth(1) {
        let svg = graph::draw(
            "Cost of a Cookie header of 10 cookies, of a miss, and of a header for any host in turn",
            &lines,
        );
        std::fs::write(&path, svg).expect("the graph can be written");
        println!("\n{path}");
    }
}

fn parse() {
    println!("{:>14} {:>10} {:>10} {:>8}", "parse", "sessio", "cookie", "ratio");
    for (name, text) in [("long, 159 B", LONG), ("short, 11 B", SHORT)] {
        let [ours, theirs] = medians([
            Box::new(|| {
                black_box(SetCookie::parse(black_box(text.as_bytes())).is_ok());
            }),
            Box::new(|| {
                black_box(cookie::Cookie::parse(black_box(text)).is_ok());
            }),
        ]);
        println!("{name:>14} {ours:>10.1} {theirs:>10.1} {:>7.2}x", theirs / ours);
    }
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    let [ours] = medians([Box::new(|| {
        black_box(parse_date(black_box(date.as_bytes())));
    })]);
    println!("{:>14} {ours:>10.1}", "date alone");
}

/// 50 cookies on 3 paths, all of which match.
fn one_host(now: UnixTime) {
    let url = Url::parse("https://www.example.com/a/b/c").expect("a URL");
    let (mut ours, mut theirs) = (jar(), cookie_store::CookieStore::default());
    for n in 0..50 {
        let line = format!("name{n}=value{n}; Path={}", ["/", "/a", "/a/b"][n % 3]);
        ours.extract(&url, [line.as_bytes()], now);
        theirs.parse(&line, &url).expect("a cookie");
    }
    let mut out = Vec::with_capacity(4096);
    let [our_time, their_time] = medians([
        Box::new(|| {
            out.clear();
            assert_eq!(black_box(ours.header(&url, now, &mut out)), 50);
        }),
        Box::new(|| assert!(!black_box(their_header(&theirs, &url)).is_empty())),
    ]);
    println!(
        "\none host, 50 cookies on 3 paths: {our_time:.0} and {their_time:.0}, {:.1}x",
        their_time / our_time
    );
}

/// The nanoseconds of five calls: the `Cookie` header of ten cookies in both jars, a header without
/// cookies in both, and a header for another host each time.
fn by_size(size: usize, now: UnixTime) -> [f64; 5] {
    let (mut ours, mut theirs) = (jar(), cookie_store::CookieStore::default());
    let urls = fill(size, |url, line| {
        ours.extract(url, [line.as_bytes()], now);
        theirs.parse(line, url).expect("a cookie");
    });
    let (url, miss) = (&urls[urls.len() / 2], Url::parse("https://www.nowhere.example/path").expect("a URL"));
    let (mut out, mut other) = (Vec::with_capacity(4096), ours.clone());
    let (mut unmatched, mut turn) = (ours.clone(), 0);
    let [header, their_header, miss, their_miss] = medians([
        Box::new(|| {
            out.clear();
            assert_eq!(black_box(ours.header(black_box(url), now, &mut out)), PER_DOMAIN);
        }),
        Box::new(|| assert!(!black_box(crate::their_header(&theirs, black_box(url))).is_empty())),
        Box::new(|| assert_eq!(black_box(unmatched.header(black_box(&miss), now, &mut Vec::new())), 0)),
        Box::new(|| assert!(black_box(crate::their_header(&theirs, black_box(&miss))).is_empty())),
    ]);
    let mut out = Vec::with_capacity(4096);
    let [any] = medians([Box::new(|| {
        out.clear();
        turn = (turn + 7919) % urls.len();
        assert_eq!(black_box(other.header(&urls[turn], now, &mut out)), PER_DOMAIN);
    })]);
    [header, their_header, miss, their_miss, any]
}

/// Fills two jars. Measures the time and the live bytes of one cookie in each.
fn insert(size: usize, now: UnixTime) {
    let mut lines = Vec::new();
    fill(size, |url, line| lines.push((url.clone(), line.to_owned())));
    let ours = || {
        let mut jar = jar();
        for (url, line) in &lines {
            jar.extract(url, [line.as_bytes()], now);
        }
        jar
    };
    let theirs = || {
        let mut store = cookie_store::CookieStore::default();
        for (url, line) in &lines {
            store.parse(line, url).expect("a cookie");
        }
        store
    };
    let start = allocations::live();
    let jar = ours();
    let our_bytes = (allocations::live() - start) / size;
    drop(jar);
    let start = allocations::live();
    let store = theirs();
    let their_bytes = (allocations::live() - start) / size;
    drop(store);
    let [our_time, their_time] = medians([
        Box::new(|| {
            black_box(ours());
        }),
        Box::new(|| {
            black_box(theirs());
        }),
    ])
    .map(|time| time / size as f64);
    println!(
        "{size:>8} {our_time:>8.1} {their_time:>12.1} {:>10.1}x {our_bytes:>10} {their_bytes:>12} {:>8.1}x",
        their_time / our_time,
        their_bytes as f64 / our_bytes as f64
    );
}

fn allocations(now: UnixTime) {
    let (mut ours, mut theirs) = (jar(), cookie_store::CookieStore::default());
    let urls = fill(1000, |url, line| {
        ours.extract(url, [line.as_bytes()], now);
        theirs.parse(line, url).expect("a cookie");
    });
    let miss = Url::parse("https://www.nowhere.example/path").expect("a URL");
    let mut out = Vec::with_capacity(4096);
    ours.header(&urls[0], now, &mut out);
    let count = |run: &mut dyn FnMut()| {
        let before = allocations::calls();
        run();
        allocations::calls() - before
    };
    println!("\nallocations: sessio, theirs");
    let line = LONG.as_bytes();
    let ours_parse = count(&mut || assert!(SetCookie::parse(line).is_ok()));
    let theirs_parse = count(&mut || assert!(cookie::Cookie::parse(LONG).is_ok()));
    println!("  parse   {ours_parse}, {theirs_parse}");
    let ours_header = count(&mut || assert_eq!(ours.header(&urls[1], now, &mut out), PER_DOMAIN));
    let theirs_header = count(&mut || assert!(!their_header(&theirs, &urls[1]).is_empty()));
    println!("  header  {ours_header}, {theirs_header}");
    let ours_miss = count(&mut || assert_eq!(ours.header(&miss, now, &mut Vec::new()), 0));
    let theirs_miss = count(&mut || assert!(their_header(&theirs, &miss).is_empty()));
    println!("  miss    {ours_miss}, {theirs_miss}");
}

/// A jar without limits, and without public suffixes, which `cookie_store` does not have here
/// either.
fn jar() -> Jar {
    let mut policy = Policy::default();
    policy.limits = Limits::none();
    Jar::with_policy(policy)
}

/// Sets `size` cookies, ten for each domain. Returns the URLs, each of which gets ten.
fn fill(size: usize, mut set: impl FnMut(&Url, &str)) -> Vec<Url> {
    let urls = (0..size / PER_DOMAIN).map(|n| format!("https://www.site{n}.example/path"));
    let urls: Vec<Url> = urls.map(|url| Url::parse(&url).expect("a URL")).collect();
    for url in &urls {
        for n in 0..PER_DOMAIN {
            set(url, &format!("name{n}=value{n}; Path=/; Max-Age=86400"));
        }
    }
    urls
}

/// The `Cookie` header as reqwest makes it.
fn their_header(store: &cookie_store::CookieStore, url: &Url) -> String {
    let pairs: Vec<String> =
        store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}
