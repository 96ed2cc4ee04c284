//! Laws of the jar, over random input.

use proptest::prelude::*;
use sessio::testing::cookie::{cookie_date, cookies_txt, jar_script, round_trip, set_cookie};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

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
