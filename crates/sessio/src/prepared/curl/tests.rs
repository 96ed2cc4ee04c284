use proptest::prelude::*;

use super::*;
use crate::base::time::{Instant, Now, UnixTime};
use crate::session::merge::merge;
use crate::session::prepare::prepare;
use crate::session::request::Request;
use crate::session::settings::Settings;
use sessio_cookie::Jar;

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(0) };

/// A command line as a shell reads it: the words, and the output of the command before a pipe.
#[derive(Debug, Default)]
struct Line {
    words: Vec<Vec<u8>>,
    input: Option<Vec<u8>>,
}

/// Reads the part of a shell's language that command lines use.
fn parse(text: &str) -> Line {
    let mut line = Line::default();
    let mut rest = text.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] | [b'#', ..] => return line,
            [b'|', tail @ ..] => {
                let words = std::mem::take(&mut line.words);
                assert_eq!((words.len(), &*words[0]), (2, &b"printf"[..]), "{text}");
                line.input = Some(printed(&words[1]));
                rest = tail;
            }
            _ => line.words.push(word(&mut rest)),
        }
    }
}

fn word(rest: &mut &[u8]) -> Vec<u8> {
    let mut word = Vec::new();
    while let Some((&byte, tail)) = rest.split_first() {
        *rest = tail;
        match byte {
            b' ' => break,
            b'\'' => {
                let end = rest.iter().position(|b| *b == b'\'').unwrap();
                word.extend_from_slice(&rest[..end]);
                *rest = &rest[end + 1..];
            }
            b'\\' => {
                word.push(rest[0]);
                *rest = &rest[1..];
            }
            b'"' => {
                *rest = rest.strip_prefix(b"$(printf '").unwrap();
                let end = rest.iter().position(|b| *b == b'\'').unwrap();
                word.extend_from_slice(&printed(&rest[..end]));
                *rest = rest[end..].strip_prefix(b"')\"").unwrap();
            }
            _ => {
                assert!(byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte), "{byte}");
                word.push(byte);
            }
        }
    }
    word
}

/// The output of `printf` for this format.
fn printed(format: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), format);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        out.push(match byte {
            b'%' => {
                rest = rest.strip_prefix(b"%").unwrap();
                b'%'
            }
            b'\\' => {
                let (digits, tail) = rest.split_at(3);
                rest = tail;
                u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 8).unwrap()
            }
            byte => byte,
        });
    }
    out
}

/// The request that curl sends: the first line, the fields in alphabetical order, the body.
fn sent_by_curl(line: &Line) -> (String, Vec<Vec<u8>>, Vec<u8>) {
    let mut words = line.words.iter();
    assert_eq!(words.next().unwrap(), b"curl");
    let (mut url, mut method, mut target, mut data) = (None, None, None, None);
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        let mut text = || String::from_utf8(words.next().unwrap().clone()).unwrap();
        match &**word {
            b"--http1.1" => {}
            b"--head" => method = Some("HEAD".to_owned()),
            b"-X" => method = Some(text()),
            b"--request-target" => target = Some(text()),
            b"-H" => {
                let field = words.next().unwrap();
                match field.iter().position(|b| b":;".contains(b)).unwrap() {
                    at if at + 1 < field.len() => set.push(field.clone()),
                    at if field[at] == b';' => set.push([&field[..at], b": "].concat()),
                    at => removed.push(field[..at].to_ascii_lowercase()),
                }
            }
            b"--data-binary" => {
                data = Some(match &**words.next().unwrap() {
                    b"@-" => line.input.clone().unwrap(),
                    word => {
                        assert_ne!(word.first(), Some(&b'@'));
                        word.to_vec()
                    }
                });
            }
            word => {
                assert!(url.is_none(), "{line:?}");
                url = Some(url::Url::parse(std::str::from_utf8(word).unwrap()).unwrap());
            }
        }
    }
    let url = url.unwrap();
    let method = method.unwrap_or_else(|| if data.is_some() { "POST" } else { "GET" }.to_owned());
    let target = target.unwrap_or_else(|| url[Position::BeforePath..Position::AfterQuery].to_owned());
    let names: Vec<_> = set
        .iter()
        .map(|field: &Vec<u8>| field[..].split(|b| *b == b':').next().unwrap().to_ascii_lowercase())
        .collect();
    let is_missing = |name: &str| {
        let name = name.to_ascii_lowercase().into_bytes();
        !names.contains(&name) && !removed.contains(&name)
    };
    let mut add = |name: &str, value: &str| {
        if is_missing(name) {
            set.push(format!("{name}: {value}").into_bytes());
        }
    };
    add("Host", &url[Position::BeforeHost..Position::AfterPort]);
    add("User-Agent", "curl/8");
    add("Accept", "*/*");
    if let Some(data) = &data {
        add("Content-Type", "application/x-www-form-urlencoded");
        if is_missing("Transfer-Encoding") {
            add("Content-Length", &data.len().to_string());
        }
        if data.len() > 1023 {
            add("Expect", "100-continue");
        }
    }
    set.sort();
    (format!("{method} {target} HTTP/1.1"), set, data.unwrap_or_default())
}

/// The request as it is sent, in the same form.
fn sent(request: &Prepared) -> (String, Vec<Vec<u8>>, Vec<u8>) {
    let mut fields: Vec<_> =
        request.headers.iter().map(|field| [field.name.as_bytes(), b": ", field.value].concat()).collect();
    fields.sort();
    let line = format!("{} {} HTTP/1.1", request.method, request.target());
    (line, fields, request.body.as_bytes().unwrap().to_vec())
}

fn prepared(request: Request) -> Prepared {
    prepare(merge(&Settings::default(), request), &mut Jar::new(), NOW).unwrap().request
}

#[test]
fn a_source_is_named_and_read_from_standard_input() {
    for (length, ending) in [
        (Some(12), " --data-binary @- # body: a source of 12 bytes, from standard input"),
        (None, " --data-binary @- # body: a source of unknown length, from standard input"),
    ] {
        let line = prepared(Request::put("http://h/").body(crate::Body::source(length, false)))
            .to_curl(Secrets::Shown);
        assert!(line.ends_with(ending), "{line}");
        assert!(line.contains(" -X PUT ") && line.contains(" -H 'Expect:' "), "{line}");
    }
}

#[test]
fn the_edges_of_a_command_line() {
    for (request, part) in [
        (Request::head("http://h/"), "curl http://h/ --head "),
        (Request::get("https://h/"), "curl --http1.1 https://h/ -H "),
        (Request::get("http://h/?a[]={b}"), "curl 'http://h/?a%5B%5D=%7Bb%7D' "),
        (Request::get("http://[::1]:81/"), "curl 'http://[::1]:81/' "),
        (Request::post("http://h/").body("@file"), "printf '@file' | curl "),
        (Request::post("http://h/").body("50%\0!"), "printf '50%%\\000\\041' | curl "),
        (Request::post("http://h/").body("it's"), r"--data-binary 'it'\''s'"),
        (Request::post("http://h/"), "--data-binary ''"),
        (Request::get("http://h/").header("X-Empty", ""), "-H 'X-Empty;'"),
        (Request::get("http://h/").header("X-Raw", b"\xe9!"), r#"-H "$(printf 'X-Raw: \351\041')""#),
        (Request::get("http://h/").header("Host", "other"), "-H 'Host: other'"),
    ] {
        let request = prepared(request);
        let line = request.to_curl(Secrets::Shown);
        assert!(line.contains(part), "{line}");
        assert_eq!(sent_by_curl(&parse(&line)), sent(&request), "{line}");
    }
    let mut star = prepared(Request::new("OPTIONS", "http://h/"));
    star.set_target("*").unwrap();
    let line = star.to_curl(Secrets::Shown);
    assert!(line.contains(" --request-target '*' -X OPTIONS"), "{line}");
}

#[test]
fn s21_secrets_are_masked() {
    let request = prepared(
        Request::post("https://me:SECRET@h/?token=SECRET&page=2#SECRET")
            .header("Authorization", "Bearer SECRET")
            .header("X-Api-Key", "SECRET")
            .header("Referer", "http://h/?sid=SECRET")
            .cookie("id", "SECRET")
            .form([("password", "SECRET"), ("name", "Ada")]),
    );
    let masked = request.to_curl(Secrets::Masked);
    assert!(!masked.contains("SECRET"), "{masked}");
    for shown in ["page=2", "name=Ada", "Cookie: ***"] {
        assert!(masked.contains(shown), "{masked}");
    }
    let shown = request.to_curl(Secrets::Shown);
    // The URL has neither userinfo nor a fragment.
    assert_eq!(shown.matches("SECRET").count(), 6, "{shown}");
}

#[test]
fn s21_forms_are_masked_however_they_are_written() {
    let form = "application/x-www-form-urlencoded";
    let ask = |kind: &str, body: &[u8]| {
        prepared(Request::post("https://h/").header("Content-Type", kind).body(body.to_vec()))
    };
    for (kind, body, shown) in [
        (form, &b"page=2&pass%77ord=SECRET;client_secret=SECRET"[..], "page=2"),
        ("Application/X-WWW-Form-URLEncoded; charset=utf-8", b"code=SECRET&a=1", "a=1"),
        // It cannot be masked, so it is not shown.
        (form, b"password=SECRET&name=\xff", "# body: a source of 22 bytes"),
    ] {
        let masked = ask(kind, body).to_curl(Secrets::Masked);
        assert!(!masked.contains("SECRET") && masked.contains(shown), "{masked}");
    }
    let mut coded = ask(form, b"password=SECRET");
    coded.headers_mut().insert("Content-Encoding", "identity").unwrap();
    assert!(!coded.to_curl(Secrets::Masked).contains("SECRET"));
    // Another body is shown, as the documentation says.
    assert!(ask("text/plain", b"password=SECRET").to_curl(Secrets::Masked).contains("SECRET"));
}

proptest! {
    #[test]
    fn a_command_line_sends_the_same_request(
        method in prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("DELETE"), Just("X!$'`")],
        path in "(/[ -~]{0,12}){1,2}",
        query in proptest::option::of("[ -~]{0,20}"),
        fields in proptest::collection::vec(("X-[a-zA-Z0-9!'|~]{1,8}", proptest::collection::vec(0x20_u8.., 0..12)), 0..4),
        body in proptest::option::of(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "\\PC{0,40}".prop_map(String::into_bytes),
            Just(vec![b'a'; 1024]),
            Just(vec![b'%'; 70_000]),
        ]),
    ) {
        let query = query.map_or(String::new(), |query| format!("?{query}"));
        let mut request = Request::new(method, format!("http://h.test{path}{query}"));
        for (name, value) in fields {
            let value: Vec<u8> = value.into_iter().filter(|byte| *byte != 0x7f).collect();
            request = request.header(name, value.trim_ascii());
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let request = prepared(request);
        let line = request.to_curl(Secrets::Shown);
        prop_assert_eq!(sent_by_curl(&parse(&line)), sent(&request), "{}", line);
    }
}

#[test]
fn a_format_never_begins_an_option() {
    assert_eq!(super::shell::Format(b"--b-\r\n").to_string(), r"\055-b-\015\012");
}
