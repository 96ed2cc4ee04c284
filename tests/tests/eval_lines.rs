//! Each command of `sessio_tests::eval`, with valid and with malformed lines of JSON.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use sessio_tests::eval::What;

const WHATS: [&str; 8] = ["jar", "date", "prepare", "redirect", "response", "exchange", "mount", "retry"];

fn what(name: &str) -> What {
    What::from_arguments(&[name.to_owned()]).unwrap()
}

fn answer(name: &str, case: &Value) -> Value {
    serde_json::from_str(&what(name).answer(case.to_string().as_bytes())).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn text(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn mount_chooses_the_longest_pattern() {
    let patterns =
        ["https://", "https://api.test/v2/", "https://API.test/", "https://api.test/v2", "mock://"];
    for (url, expected) in [
        ("https://api.test/v2/x", json!(1)),
        ("https://api.test/v2", json!(3)),
        ("https://api.test/v20", json!(2)),
        ("https://api.test.evil.test/", json!(0)),
        ("mock://any/x", json!(4)),
        ("http://api.test/", json!(null)),
    ] {
        let case = json!({"id": 1, "patterns": patterns, "url": url});
        assert_eq!(answer("mount", &case), json!({"id": 1, "match": expected}), "{url}");
    }
    let twice = json!({"id": 2, "patterns": ["http://a.test", "http://A.test:80/"], "url": "http://a.test/"});
    assert_eq!(answer("mount", &twice)["match"], json!(1));
    let wrong = json!({"id": 3, "patterns": ["a.test"], "url": "http://a.test/"});
    assert_eq!(answer("mount", &wrong)["error"], json!("missing-scheme"));
}

#[test]
fn retry_gives_each_decision_up_to_the_first_stop() {
    let verdicts = |case: Value| answer("retry", &case)["verdicts"].clone();
    let plain = json!({"jitter": "none"});
    let busy = |at: f64, after: &str| json!({"at": at, "status": 503, "headers": [["Retry-After", after]]});
    let many: Vec<_> = (0..9).map(|at| json!({"at": at, "failure": "connect"})).collect();
    assert_eq!(
        verdicts(json!({"method": "POST", "policy": plain, "attempts": many})),
        json!([{"again_after": 0.5}, {"again_after": 1}, {"again_after": 2}, {"stop": "attempts-spent"}])
    );
    let odd = ["0", "7", "1.5", "9999999999", "soon"].map(|after| busy(0.0, after));
    for (attempt, expected) in odd.iter().zip([
        json!({"again_after": 0}),
        json!({"again_after": 7}),
        json!({"again_after": 1.5}),
        json!({"stop": "retry-after-too-long"}),
        json!({"again_after": 0.5}),
    ]) {
        assert_eq!(verdicts(json!({"policy": plain, "attempts": [attempt]})), json!([expected]), "{attempt}");
    }
    let cap = json!({"beyond": "cap", "retry_after_max": 9.5});
    assert_eq!(verdicts(json!({"policy": cap, "attempts": [odd[3]]})), json!([{"again_after": 9.5}]));
    // A date without a `Date` counts from `now` and `at`.
    let date = busy(20.0, "Thu, 01 Jan 2026 00:00:30 GMT");
    let case = json!({"now": "2026-01-01T00:00:00Z", "total": 30, "attempts": [date]});
    assert_eq!(verdicts(case), json!([{"stop": "deadline-too-near"}]));
    let case = json!({"now": "2026-01-01T00:00:00Z", "total": 30.5, "attempts": [date]});
    assert_eq!(verdicts(case), json!([{"again_after": 10}]));
    let sent = |method: &str, key: bool, methods: &str| {
        let lost = json!({"at": 1, "failure": "reset", "sent": 90, "received": 0});
        verdicts(json!({
            "method": method, "idempotency_key": key, "attempts": [lost],
            "policy": {"methods": methods, "jitter": "none"},
        }))
    };
    let (again, stop) = (json!([{"again_after": 0.5}]), json!([{"stop": "not-idempotent"}]));
    assert_eq!(sent("POST", false, "with-key"), stop);
    assert_eq!(sent("POST", true, "with-key"), again);
    assert_eq!(sent("POST", true, "idempotent"), stop);
    assert_eq!(sent("POST", false, "any"), again);
    assert_eq!(sent("DELETE", false, "idempotent"), again);
    let case = json!({"method": "PUT", "replayable": false, "attempts": [{"at": 0, "status": 429}]});
    assert_eq!(verdicts(case), json!([{"stop": "body-not-replayable"}]));
    let drawn = |seed: u64| verdicts(json!({"seed": seed, "attempts": many}));
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    assert_eq!(answer("retry", &json!({"id": 4, "attempts": [{"at": 0}]}))["id"], json!(4));
}

#[test]
fn jar_reports_what_it_refuses() {
    let case = json!({
        "name": "mixed", "now": "2026-01-01T00:00:00Z",
        "steps": [
            {"url": "http://a.example.com/", "set_cookie": ["a=1; Domain=example.com", "b=2; Secure"]},
            {"url": "http://a.example.com/", "set_cookie_hex": ["633d33", "ff3d01"]},
        ],
        "sent_to_url": "http://b.example.com/",
    });
    assert_eq!(
        answer("jar", &case),
        json!({
            "name": "mixed", "cookie_header": "a=1", "cookie_header_hex": "613d31",
            "rejected": [
                {"set_cookie": "b=2; Secure", "reason": "secure-from-insecure"},
                {"set_cookie": "\u{fffd}=\u{1}", "reason": "control-character", "set_cookie_hex": "ff3d01"},
            ],
        })
    );
    let suffix = |psl: Value| {
        let case = json!({"name": "psl", "psl": psl, "request_url": "http://a.co.uk/",
            "set_cookie": ["a=1; Domain=co.uk"], "sent_to_url": "http://b.co.uk/"});
        answer("jar", &case)["cookie_header"].clone()
    };
    assert_eq!((suffix(Value::Null), suffix(json!(false))), (json!(""), json!("a=1")));
}

#[test]
fn jar_enforces_the_prefixes_that_it_is_told_to() {
    let case = json!({"name": "prefix", "request_url": "https://a.com/", "set_cookie": ["__Http-a=1; Secure"],
        "sent_to_url": "https://a.com/"});
    for (options, header) in [(&["bis"][..], "__Http-a=1"), (&["layered"], ""), (&[], "")] {
        let options: Vec<String> = ["jar"]
            .into_iter()
            .chain(options.iter().flat_map(|option| ["--prefixes", option]))
            .map(str::to_owned)
            .collect();
        let answer = What::from_arguments(&options).unwrap().answer(case.to_string().as_bytes());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["cookie_header"], header, "{options:?}");
    }
    assert!(What::from_arguments(&["jar".to_owned(), "--prefixes".to_owned(), "none".to_owned()]).is_err());
    assert!(What::from_arguments(&[]).is_err());
}

#[test]
fn prepare_merges_in_wire_order() {
    let case = json!({
        "id": 1,
        "session": {
            "headers": [["X-A", "1"], ["Accept", null]], "params": [["a", "1"], ["b", "2"]],
            "cookies": {"s": "1"}, "auth": ["u", "p"],
        },
        "request": {
            "method": "post", "url": "http://EXAMPLE.org/p?x=1#f", "headers": [["x-a", "2"]],
            "params": [["a", null], ["c", "d e"]], "cookies": {"s": "2", "t": "3"},
            "json": {"a": [1, 2.5, "\u{e9}"]},
        },
    });
    let answer = answer("prepare", &case);
    assert_eq!(answer["method"], "POST");
    assert_eq!(answer["url"], "http://example.org/p?x=1&b=2&c=d+e#f");
    assert_eq!(answer["target"], "/p?x=1&b=2&c=d+e");
    assert_eq!(text(&answer["body_b64"]), r#"{"a": [1, 2.5, "\u00e9"]}"#);
    let mut headers = answer["headers"].as_array().unwrap().clone();
    headers.retain(|field| field[0] != "User-Agent" && field[0] != "Accept-Encoding");
    assert_eq!(
        headers,
        [
            json!(["Host", "example.org"]),
            json!(["Connection", "keep-alive"]),
            json!(["x-a", "2"]),
            json!(["Cookie", "s=2; t=3"]),
            json!(["Content-Length", "25"]),
            json!(["Content-Type", "application/json"]),
            json!(["Authorization", "Basic dTpw"]),
        ]
    );
}

/// Found by a comparison with requests.
#[test]
fn m07_a_cookie_header_keeps_its_spelling() {
    let case = json!({
        "session": {"headers": [["cookie", "a=1;b"]], "cookies": {"s": "1"}},
        "request": {"url": "http://h/", "cookies": {"a": "2"}},
    });
    let headers = answer("prepare", &case)["headers"].clone();
    assert!(headers.as_array().unwrap().contains(&json!(["cookie", "s=1; a=2; b"])), "{headers}");
}

#[test]
fn prepare_does_without_every_part() {
    for (case, key, value) in [
        (json!({"id": 1}), "error", json!("missing-scheme")),
        (json!({"id": 1, "session": null, "request": {"url": "http://h"}}), "method", json!("GET")),
        (json!({"session": {"base_url": "http://h/a/"}, "request": {"url": "b"}}), "target", json!("/a/b")),
        (json!({"session": {"base_url": "no url"}}), "error", json!("invalid-url")),
        (json!({"request": {"url": "ftp://h"}}), "error", json!("unsupported-scheme")),
        (
            json!({"request": {"url": "http://h", "headers": [["a b", "1"]]}}),
            "error",
            json!("invalid-header"),
        ),
        (json!({"request": {"url": "http://h", "cookies": {"a": "\n"}}}), "error", json!("invalid-cookie")),
        (json!({"request": {"url": "http://h", "method": "a b"}}), "error", json!("invalid-method")),
        (
            json!({"request": {"url": "http://h", "form": [["a", ["b", 1, true]]]}}),
            "body_b64",
            json!(b64("a=b&a=1&a=True")),
        ),
        (
            json!({"request": {"url": "http://h", "body_b64": b64([255, 0])}}),
            "body_b64",
            json!(b64([255, 0])),
        ),
        (
            json!({"request": {"url": "http://h", "form": [], "json": 1}}),
            "error",
            json!("eval-input: more than one of form, json and body_b64"),
        ),
    ] {
        assert_eq!(answer("prepare", &case)[key], value, "{case}");
    }
    let auth = |request: Value| {
        let case = json!({"session": {"auth": ["u", "p"]}, "request": request});
        answer("prepare", &case).to_string().contains("Authorization")
    };
    assert!(auth(json!({"url": "http://h"})) && auth(json!({"url": "http://h", "auth": null})));
}

#[test]
fn redirect_decides_with_reasons() {
    let case = json!({
        "id": 1, "method": "POST", "url": "http://a/x#f", "body": "replayable", "status": 302,
        "headers": [["Authorization", "x"], ["Content-Type", "y"], ["X-Key", "k"], ["X", "1"]],
        "location_b64": b64("  //b/y\t"), "hops": 2, "rules": {"sensitive": ["x-key"]},
    });
    assert_eq!(
        answer("redirect", &case),
        json!({
            "id": 1, "decision": "follow", "reason": null, "method": "GET", "url": "http://b/y#f",
            "headers": [["X", "1"]], "body": "drop", "dropped": ["Authorization", "Content-Type", "X-Key"],
        })
    );
    for (case, decision, reason) in [
        (json!({"url": "http://a", "status": 200}), "stop", "not-redirect"),
        (json!({"url": "http://a", "status": 301}), "stop", "no-location"),
        (json!({"url": "http://a", "status": 301, "location_b64": ""}), "stop", "empty-location"),
        (json!({"url": "http://a", "location_b64": b64("ftp://b")}), "fail", "unsupported-redirect-scheme"),
        (json!({"url": "http://a", "location_b64": b64("///b")}), "fail", "bad-location"),
        (json!({"url": "http://a", "location_b64": b64("/"), "hops": 30}), "fail", "too-many-redirects"),
        (
            json!({"url": "http://a", "location_b64": b64("/"), "hops": 1, "rules": {"max": 1}}),
            "fail",
            "too-many-redirects",
        ),
        (
            json!({"url": "http://a", "method": "put", "status": 307, "body": "consumed", "location_b64": b64("/")}),
            "fail",
            "not-replayable",
        ),
    ] {
        let answer = answer("redirect", &case);
        assert_eq!((&answer["decision"], &answer["reason"]), (&json!(decision), &json!(reason)), "{case}");
    }
}

const CHUNKED: &str = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n\
    HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nT: 1\r\n\r\n";

#[test]
fn response_is_the_same_however_it_is_cut() {
    let whole = json!({
        "id": 1, "outcome": "ok", "error": null, "interim": [103], "status": 200, "version": "HTTP/1.1",
        "reason": "OK", "headers": [["Transfer-Encoding", b64("chunked")]], "body_b64": b64("abcd"),
        "trailers": [["T", b64("1")]], "reusable": true, "consumed": CHUNKED.len(),
    });
    let all: Vec<usize> = (0..=CHUNKED.len() + 3).collect();
    for splits in [json!(null), json!([50, 3, 50, 9999]), json!(all)] {
        let case = json!({"id": 1, "method": "GET", "response_b64": b64(CHUNKED), "splits": splits});
        assert_eq!(answer("response", &case), whole, "{splits}");
    }
}

#[test]
fn response_tells_what_came_before_an_error() {
    let reading = |bytes: &str, eof: bool| {
        let case = json!({"id": 1, "response_b64": b64(bytes), "eof": eof});
        let answer = answer("response", &case);
        let word = |key: &str| answer[key].as_str().unwrap_or("-").to_owned();
        (word("outcome"), word("error"), text(&answer["body_b64"]), answer["reusable"].as_bool().unwrap())
    };
    let told = |outcome: &str, error: &str, body: &str, reusable| {
        (outcome.to_owned(), error.to_owned(), body.to_owned(), reusable)
    };
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc";
    assert_eq!(reading(cut, true), told("error", "incomplete-body", "abc", false));
    assert_eq!(reading(cut, false), told("error", "read-timeout", "abc", false));
    assert_eq!(reading("HTTP/1.1 2", false), told("error", "head-timeout", "", false));
    assert_eq!(reading("HTTP/1.1 2", true), told("error", "incomplete-head", "", false));
    assert_eq!(reading("", true), told("error", "closed-before-response", "", false));
    assert_eq!(reading("SSH-2.0-x\r\n\r\n", true), told("error", "not-http", "", false));
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(reading(whole, false), told("ok", "-", "abc", true));
    assert_eq!(reading(whole, true), told("ok", "-", "abc", false));
    // Bytes after the end are never the next response, whether in one piece with it or not.
    let excess = format!("{whole}HTTP/1.1 200 OK\r\n\r\n");
    for splits in [json!([]), json!([whole.len()])] {
        let case = json!({"response_b64": b64(&excess), "splits": splits});
        let answer = answer("response", &case);
        assert_eq!((&answer["reusable"], &answer["consumed"]), (&json!(false), &json!(whole.len())));
    }
}

fn moved(to: &str) -> Value {
    json!({"response_b64": b64(format!("HTTP/1.1 302 F\r\nLocation: {to}\r\nSet-Cookie: c=1\r\nContent-Length: 0\r\n\r\n"))})
}

fn ok(body: &str) -> Value {
    json!({"response_b64": b64(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))})
}

#[test]
fn exchange_follows_redirects_over_connections() {
    let case = json!({
        "id": 1, "now": 1_767_225_600,
        "session": {"auth": ["u", "p"], "cookies": {"s": "1"}},
        "request": {"url": "http://a:8001/x"},
        "world": {"http://a:8001": [moved("/y"), moved("http://b:8002/z")], "http://b:8002": [ok("hi")]},
    });
    let answer = answer("exchange", &case);
    assert_eq!((&answer["outcome"], &answer["status"]), (&json!("ok"), &json!(200)));
    assert_eq!((text(&answer["body_b64"]), &answer["url"]), ("hi".to_owned(), &json!("http://b:8002/z")));
    assert_eq!(
        answer["history"],
        json!([{"status": 302, "url": "http://a:8001/x"}, {"status": 302, "url": "http://a:8001/y"}])
    );
    let sent = answer["sent"].as_array().unwrap();
    let way: Vec<_> = sent
        .iter()
        .map(|sent| (sent["to"].as_str().unwrap(), sent["connection"].as_u64().unwrap()))
        .collect();
    assert_eq!(way, [("http://a:8001", 1), ("http://a:8001", 1), ("http://b:8002", 2)]);
    let requests: Vec<String> = sent.iter().map(|sent| text(&sent["request_b64"])).collect();
    assert!(requests[1].contains("Cookie: s=1; c=1\r\n") && requests[1].contains("Authorization"));
    assert!(!requests[2].contains("Cookie") && !requests[2].contains("Authorization"));
    assert_eq!(
        answer["jar"][0],
        json!({"name": "s", "value": "1", "domain": "a", "path": "/", "host_only": true, "secure": false})
    );
}

#[test]
fn exchange_meets_every_fault() {
    let fault = |request: Value, script: Value| {
        let case = json!({"request": request, "world": {"http://a:80": script}});
        let answer = answer("exchange", &case);
        let sent = answer["sent"].as_array().unwrap().len();
        (answer["error"].as_str().unwrap_or("-").to_owned(), text(&answer["body_b64"]), sent)
    };
    let told = |error: &str, body: &str, sent| (error.to_owned(), body.to_owned(), sent);
    let get = json!({"url": "http://a/"});
    let post = json!({"url": "http://a/", "method": "POST", "body_b64": b64("x")});
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc";
    let after =
        |fault: &str, after: usize| json!({"response_b64": b64(part), "fault": fault, "after": after});
    for (request, script, outcome) in [
        (&get, json!([{"fault": "refused"}]), told("connect", "", 0)),
        (&get, json!([]), told("connect", "", 0)),
        (&get, json!([{"fault": "reset"}]), told("closed-before-response", "", 1)),
        (&get, json!([{"fault": "reset", "after": 3}]), told("io", "", 1)),
        (&get, json!([{"fault": "eof"}]), told("closed-before-response", "", 1)),
        (&get, json!([{"fault": "stall"}]), told("head-timeout", "", 1)),
        (&get, json!([{"fault": "stall", "after": 3}]), told("send-timeout", "", 1)),
        (&get, json!([after("stall", part.len() - 1)]), told("read-timeout", "ab", 1)),
        (&get, json!([after("eof", part.len())]), told("incomplete-body", "abc", 1)),
        (&get, json!([after("reset", 20)]), told("incomplete-head", "", 1)),
        (&get, json!([{"response_b64": b64(part)}]), told("incomplete-body", "abc", 1)),
        (&get, json!([{"response_b64": b64("HTTP/1.0 200 OK\r\n\r\nall")}]), told("-", "all", 1)),
        // A stale connection from the pool: the request is retried on a new one where that is safe.
        (&get, json!([moved("/y"), {"fault": "eof"}, ok("hi")]), told("-", "hi", 3)),
        (&get, json!([moved("/y"), {"fault": "eof"}, {"fault": "refused"}]), told("connect", "", 2)),
        (
            &post,
            json!([
                {"response_b64": b64("HTTP/1.1 307 T\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")},
                {"fault": "eof"},
                ok("hi"),
            ]),
            told("closed-before-response", "", 2),
        ),
    ] {
        assert_eq!(fault(request.clone(), script.clone()), outcome, "{script}");
    }
    // The session's own limit is the one that passes.
    let case = json!({"session": {"timeouts": {"total": 0.5}}, "request": get,
        "world": {"http://a": [{"fault": "stall"}]}});
    assert_eq!(answer("exchange", &case)["error"], "total-timeout");
}

#[test]
fn every_line_has_its_answer() {
    let lines = [
        "",
        "nonsense",
        "[1]",
        "{\"id\": 1",
        "{\"id\": [\"any\", {\"id\": null}], \"text\": 5, \"url\": 5, \"session\": 5, \"request\": [], \"response_b64\": \"?\"}",
        "\u{feff}{}",
    ];
    for name in WHATS {
        for line in lines.iter().map(|line| line.as_bytes()).chain([&b"{\"id\": \"\xff\"}"[..]]) {
            let answer: Value = serde_json::from_str(&what(name).answer(line)).unwrap();
            assert!(answer.as_object().unwrap().contains_key("id"), "{answer}");
            assert!(answer["error"].as_str().unwrap().starts_with("eval-input: "), "{name}: {answer}");
        }
        let deep = format!("{{\"id\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        assert!(what(name).answer(deep.as_bytes()).contains("eval-input"));
    }
}

#[test]
fn the_program_answers_one_line_with_one_line() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sessio-eval"))
        .arg("date")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "{\"id\":1,\"text\":\"Thu, 01 Jan 1970 00:00:09 GMT\"}\nnope\n\n{\"id\":2,\"text\":\"?\"}";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[3]), (4, r#"{"id":1,"unix":9}"#, r#"{"id":2,"unix":null}"#));
    assert!(lines[1].starts_with(r#"{"id":null,"error":"eval-input: "#), "{}", lines[1]);
    let status =
        Command::new(env!("CARGO_BIN_EXE_sessio-eval")).arg("no").stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

const KEYS: &[&str] = &[
    "id",
    "name",
    "now",
    "psl",
    "steps",
    "url",
    "request_url",
    "set_cookie",
    "set_cookie_hex",
    "sent_to_url",
    "text",
    "session",
    "request",
    "headers",
    "params",
    "cookies",
    "auth",
    "base_url",
    "method",
    "form",
    "json",
    "body_b64",
    "status",
    "location_b64",
    "hops",
    "rules",
    "max",
    "sensitive",
    "body",
    "response_b64",
    "splits",
    "eof",
    "world",
    "http://a",
    "fault",
    "after",
    "timeouts",
    "head",
    "total",
];

/// Any JSON, with the known names among the keys.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,8}",
        Just("http://a/".to_owned()),
        Just("http://[::1]:99/x?y#z".to_owned()),
        Just("stall".to_owned()),
        Just("reset".to_owned()),
        Just("SFRUUC8xLjEgMzAyIE9LDQpMb2NhdGlvbjogL3gNCg0K".to_owned()),
        Just("2026-01-01T00:00:00Z".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![4 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => "\\PC{0,4}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_it_panic(case in any_json()) {
        for name in WHATS {
            let line = what(name).answer(case.to_string().as_bytes());
            prop_assert!(!line.contains('\n'));
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok());
        }
    }

    #[test]
    fn no_response_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        splits in proptest::collection::vec(0_usize..200, 0..20),
        eof: bool,
    ) {
        let bytes = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat();
        let case = json!({"response_b64": b64(bytes), "splits": splits, "eof": eof});
        prop_assert!(answer("response", &case)["outcome"].is_string());
    }
}
