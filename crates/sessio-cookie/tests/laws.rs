//! Properties of the jar over random input.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod fuzz_bodies;

use fuzz_bodies::{cookie_date, cookies_txt, jar_script, round_trip, set_cookie};
use proptest::prelude::*;
use sessio_cookie::{Jar, RequestCookies, parse_date};
use sessio_cookie::{UnixTime, Url};

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_jar_tells_the_story_of_the_naive_model(data in prop::collection::vec(any::<u8>(), 0..600)) {
        jar_script(&data);
    }

    #[test]
    fn dates_are_read_by_the_grammar(text in r"([a-zA-Z]{0,9}[ ,:-]{0,2}[0-9]{0,5}[:/ -]{0,2}){0,9}") {
        cookie_date(text.as_bytes());
    }

    #[test]
    fn dates_of_tokens(tokens in prop::collection::vec(
        prop::sample::select(vec![
            "1", "31", "29", "02", "012", "1999", "2024", "99", "70", "69", "12345", "12:34:56", "1:2:3", "24:00:00",
            "1:2", "1:2:3:4", "Feb", "jANuary", "GMT", "Mon", "+0100", "0", "1600", "1601", "30x", "7th", "1a:2:3",
        ]), 0..8), glue in prop::sample::select(vec![" ", "-", ",", "/", "; ", "\t", "\u{1}"])) {
        cookie_date(tokens.join(glue).as_bytes());
    }

    #[test]
    fn any_bytes_are_a_line(data in prop::collection::vec(any::<u8>(), 0..300)) {
        set_cookie(&data);
        cookie_date(&data);
    }

    #[test]
    fn lines_of_parts(parts in prop::collection::vec(
        prop::sample::select(vec![
            "a=1", "=", "", " ", "a", "b=2=3", "Path=/x", "Path=/\u{e9}", "Domain=b.example", "Domain=a.b.example",
            "Domain=.", "Max-Age=5", "Max-Age=-1", "Expires=1 Jan 1970 00:00:00", "Secure", "secure=", "HttpOnly",
            "SameSite=None", "__Host-x=1", "__Http-y=2", "\t", "\u{1}",
        ]), 0..7)) {
        set_cookie(parts.join(";").as_bytes());
    }

    #[test]
    fn v70_every_format_gives_back_what_it_took(data in prop::collection::vec(any::<u8>(), 0..300)) {
        round_trip(&data);
    }

    #[test]
    fn files_of_any_lines(lines in prop::collection::vec(
        (prop::sample::select(vec![
            "a.example", ".a.example", "co.uk", "127.0.0.1", "localhost", "", "#HttpOnly_b.example", "# x", "Set-Cookie3: a",
            "Set-Cookie3: n=1; domain=a.example; path=\"/\"", "[", "{\"cookies\":[{\"name\":\"a\"}]}",
        ]), prop::collection::vec(prop::sample::select(vec![
            "TRUE", "FALSE", "/", "/x", "0", "1798761600", "-1", "a", "b c", "=", "\u{e9}", "",
            "; expires=\"2027-01-01 00:00:00Z\"", "; secure", "; x=\"\\\"\"",
        ]), 0..8)), 0..6)) {
        let text: Vec<String> = lines.into_iter().map(|(first, rest)| format!("{first}\t{}", rest.join("\t"))).collect();
        cookies_txt(text.join("\n").as_bytes());
    }
}

/// Runs an operation on an input of a size that would take hours if the time were quadratic. The
/// `doubling` bench counts instructions for inputs of doubled size.
fn ends(work: impl FnOnce(usize)) {
    work(200_000);
}

#[test]
fn v76_no_input_takes_quadratic_time() {
    let page = Url::parse("https://www.example.com/").unwrap();
    let extract = |line: String| {
        Jar::new().extract(&page, [line.as_bytes()], UnixTime(0));
    };
    for part in [";", "=", " ", "; a", "; Path=/", "; Expires=1", "; Domain=a.", "; Max-Age=9", "a", "\u{e9}"]
    {
        ends(|count| extract(format!("a=1{}", part.repeat(count))));
        ends(|count| {
            let mut own = RequestCookies::new();
            let _ = own.parse_header(part.repeat(count));
        });
    }
    for token in ["1 ", "12:", "Feb ", "99999", ";", "1:1:1 "] {
        ends(|count| {
            let _ = parse_date(token.repeat(count).as_bytes());
        });
    }
    ends(|count| {
        let lines: Vec<String> = (0..count).map(|n| format!("c{n}=1")).collect();
        Jar::new().extract(&page, lines.iter().map(String::as_bytes), UnixTime(0));
    });
    ends(|count| {
        let header: Vec<String> = (0..count).map(|n| format!("c{n}=1")).collect();
        let mut own = RequestCookies::new();
        own.parse_header(header.join("; ")).unwrap();
        own.write(&mut Vec::new());
    });
    for part in ["a.", "a", "1."] {
        ends(|count| {
            let Ok(url) = Url::parse(&format!("https://{}example/", part.repeat(count))) else { return };
            let mut jar = Jar::new();
            jar.extract(&url, [&b"a=1"[..], b"b=2; Domain=example"], UnixTime(0));
            jar.header(&url, UnixTime(0), &mut Vec::new());
        });
    }
    ends(|count| {
        let url = Url::parse(&format!("https://example.com{}", "/a".repeat(count))).unwrap();
        let mut jar = Jar::new();
        jar.extract(&url, [&b"a=1"[..], b"b=2; Path=/a"], UnixTime(0));
        jar.header(&url, UnixTime(0), &mut Vec::new());
    });
    for line in
        ["\t", "\n", "a\tTRUE\t/\tTRUE\t0\ta\tb\n", "Set-Cookie3: a=\"\\\\\"; x\n", "Set-Cookie3: a=\""]
    {
        ends(|count| {
            Jar::new().read_cookies_txt(line.repeat(count).as_bytes(), UnixTime(0));
            Jar::new().read_lwp(line.repeat(count).as_bytes(), UnixTime(0));
        });
    }
}

/// Runs the fuzz bodies over the seeds of their targets.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads files")]
fn corpora() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    type Target = fn(&[u8]);
    let targets: [(&str, Target); 4] = [
        ("set_cookie", set_cookie),
        ("cookie_date", cookie_date),
        ("jar_script", jar_script),
        ("cookies_txt", cookies_txt),
    ];
    for (name, target) in targets {
        let mut count = 0;
        for file in std::fs::read_dir(folder.join(name)).unwrap() {
            target(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!((1..=30).contains(&count), "{name} has {count} seeds");
    }
}
