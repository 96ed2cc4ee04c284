//! Checks that no input takes quadratic time. Instructions are counted under valgrind for inputs of
//! n, 2n and 4n. The second step must cost at most 2.2 times the first. That allows n log n and
//! nothing above.
//!
//! `cargo run --release -p bench-cookies --bin doubling`

use std::hint::black_box;
use std::process::{Command, ExitCode};

use sessio_cookie::{Jar, Keep, Limits, Policy, RequestCookies, UnixTime, Url, parse_date};

const CASES: &[(&str, fn(usize))] = &[
    ("line of semicolons", |n| extract(&format!("a=1{}", ";".repeat(n)))),
    ("line of equal signs", |n| extract(&format!("a=1{}", "=".repeat(n)))),
    ("line of blanks", |n| extract(&format!("a={}1", " ".repeat(n)))),
    ("line of attributes", |n| extract(&format!("a=1{}", "; Path=/; Domain=a.b; Max-Age=9".repeat(n / 16)))),
    ("line of dates", |n| extract(&format!("a=1{}", "; Expires=1 Jan 1970 00:00:00".repeat(n / 16)))),
    ("date of days", |n| _ = black_box(parse_date("1 ".repeat(n).as_bytes()))),
    ("date of times", |n| _ = black_box(parse_date("1:1:1 ".repeat(n / 4).as_bytes()))),
    ("date of digits", |n| _ = black_box(parse_date("9".repeat(n).as_bytes()))),
    ("lines of one response", |n| {
        let lines: Vec<String> = (0..n).map(|at| format!("c{at}=1")).collect();
        let _ = black_box(Jar::new().extract(&page(), lines.iter().map(String::as_bytes), now()));
    }),
    ("deletions of one response", |n| {
        let lines: Vec<String> = (0..n).map(|at| format!("c{at}=; Max-Age=0")).collect();
        let _ = black_box(Jar::new().extract(&page(), lines.iter().map(String::as_bytes), now()));
    }),
    ("responses of many hosts", |n| drop(black_box(filled(n)))),
    ("responses of one host", |n| {
        let mut jar = Jar::new();
        for at in 0..n {
            jar.extract(&page(), [format!("c{at}=1").as_bytes()], now());
        }
    }),
    ("headers of many hosts", |n| {
        let mut jar = filled(n);
        for at in 0..n {
            let url = Url::parse(&format!("https://h{at}.example/a/b")).expect("a URL");
            assert_eq!(jar.header(&url, now(), &mut Vec::new()), 2);
        }
    }),
    ("cookies.txt", |n| {
        let (jar, mut text) = (filled(n), Vec::new());
        jar.write_cookies_txt(Keep::All, UnixTime(1), &mut text);
        unlimited().read_cookies_txt(&text, UnixTime(1));
    }),
    ("LWP", |n| {
        let (jar, mut text) = (filled(n), Vec::new());
        jar.write_lwp(Keep::All, UnixTime(1), &mut text);
        unlimited().read_lwp(&text, UnixTime(1));
    }),
    ("own cookies", |n| {
        let header: Vec<String> = (0..n).map(|at| format!("c{at}=1")).collect();
        let mut own = RequestCookies::new();
        own.parse_header(header.join("; ")).expect("a header");
        own.write(&mut Vec::new());
    }),
    ("long host", |n| {
        let url = Url::parse(&format!("https://{}example/", "a.".repeat(n))).expect("a URL");
        let mut jar = Jar::new();
        jar.extract(&url, [&b"a=1"[..], b"b=2; Domain=example"], now());
        jar.header(&url, now(), &mut Vec::new());
    }),
    ("long path", |n| {
        let url = Url::parse(&format!("https://a.example{}", "/a".repeat(n))).expect("a URL");
        let mut jar = Jar::new();
        jar.extract(&url, [&b"a=1"[..], b"b=2; Path=/a"], now());
        jar.header(&url, now(), &mut Vec::new());
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, case, size] = &arguments[..] {
        let index: usize = case.parse().expect("the number of a case");
        CASES[index].1(size.parse().expect("a size"));
        return ExitCode::SUCCESS;
    }
    let mut good = true;
    for (index, (name, _)) in CASES.iter().enumerate() {
        let [one, two, four] = [8_000, 16_000, 32_000].map(|size| instructions(&arguments[0], index, size));
        let ratio = (four - two) / (two - one);
        println!("{name:<28} {ratio:.2}");
        good &= ratio <= 2.2;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn instructions(program: &str, case: usize, size: usize) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program])
        .args([case.to_string(), size.to_string()])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{report}");
    let count = report.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next());
    count.and_then(|count| count.parse().ok()).expect("a count of instructions")
}

fn extract(line: &str) {
    black_box(Jar::new().extract(&page(), [line.as_bytes()], now()));
}

fn page() -> Url {
    Url::parse("https://www.example.com/").expect("a URL")
}

fn now() -> UnixTime {
    UnixTime(1)
}

fn unlimited() -> Jar {
    let mut policy = Policy::default();
    policy.limits = Limits::none();
    Jar::with_policy(policy)
}

/// Two cookies for each of many hosts, one of them over http and one of them `Secure`.
fn filled(hosts: usize) -> Jar {
    let mut jar = unlimited();
    for at in 0..hosts {
        let url = |scheme| Url::parse(&format!("{scheme}://h{at}.example/a/b")).expect("a URL");
        jar.extract(&url("https"), [&b"a=1; Secure"[..]], now());
        jar.extract(&url("http"), [&b"b=2; Max-Age=9"[..]], now());
    }
    jar
}
