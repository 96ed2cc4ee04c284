//! Signatures of AWS Signature Version 4: compared with those of botocore for random requests, and
//! checked by the S3 of moto.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sessio::auth::SigV4;
use sessio::{Auth, Jar, Now, Request, Seed, Settings, UnixTime, merge, prepare};
use sessio_driver::Runtime;
use sessio_tests::fetch::fetch;
use sessio_tests::folder::Folder;
use sessio_tests::program::Script;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    programs:
    moto_stores_objects_with_odd_keys
}

/// Keys of objects that clients encode in different ways. Dot segments are not among them: a URL
/// has none.
const KEYS: [&str; 12] = [
    "plain",
    "a b",
    "a+b",
    "\u{e9}/\u{1f600}",
    "a//b",
    "100%41",
    "a&b=c:d",
    "(x)!'*$@,;=~",
    "folder/",
    "q?x#y",
    "<a>\"b\"",
    "[0]{1}|^`\\",
];

async fn moto_stores_objects_with_odd_keys<R: Runtime>(world: &World<R>) {
    let folder = Folder::new();
    let file = folder.file("keys");
    let site = Script::python_with("sites/buckets.py", &[&file]);
    let keys = std::fs::read_to_string(&file).unwrap();
    let (access, secret) = keys.trim().split_once('\n').unwrap();
    let session = world.session();
    session.update(|settings| settings.auth = Auth::flow(SigV4::new(access, secret, "us-east-1", "s3")));
    assert_eq!(fetch(session.put(site.url("/bucket"))).await.status, 200);
    for key in KEYS {
        let url = site.url(&format!("/bucket/{}", encoded(key, "/")));
        for body in ["first", "of a source"] {
            let request =
                session.put(&url).header("Content-Type", "text/plain").header("X-Amz-Meta-Key", "a  b");
            let stored = match body {
                "first" => fetch(request.body(body)).await,
                _ => fetch(request.source(Pieces::of(["of a ", "source"]), Some(11), true)).await,
            };
            assert_eq!(stored.status, 200, "{key} {body}");
            let response = session.get(&url).header("Range", "bytes=0-99").send().await.unwrap();
            assert_eq!(response.status(), 206, "{key} {body}");
            assert_eq!(response.text().await.unwrap(), body, "{key}");
        }
        // The list finds it by its prefix, which is in the query. moto does not read `+` as a blank.
        let list = site.url(&format!("/bucket?list-type=2&prefix={}", encoded(key, "")));
        let list = session.get(list).send().await.unwrap().text().await.unwrap();
        assert!(list.contains("<KeyCount>1</KeyCount>") && list.contains("<Size>11</Size>"), "{key}: {list}");
        assert_eq!(fetch(session.delete(&url)).await.status, 204, "{key}");
        assert_eq!(fetch(session.head(&url)).await.status, 404, "{key}");
    }
    // It checks: another secret, and a field that was signed and then changed.
    let wrong = Auth::flow(SigV4::new(access, "wrong", "us-east-1", "s3"));
    let response = session.get(site.url("/bucket")).auth(wrong).send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(response.text().await.unwrap().contains("SignatureDoesNotMatch"));
}

/// Signs each request of a list, as a line of JSON, at its time: `python3 -c SIGN file`.
const SIGN: &str = r#"
import datetime, json, sys
from unittest import mock
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

for line in open(sys.argv[1]):
    it = json.loads(line)
    now = datetime.datetime.fromtimestamp(it["time"], datetime.timezone.utc).replace(tzinfo=None)
    request = AWSRequest(it["method"], it["url"], {}, it["body"].encode())
    for name, value in it["fields"]:
        request.headers.add_header(name, value)
    credentials = Credentials("AKIAEXAMPLE", "secret/key", it["token"])
    kind = S3SigV4Auth if it["service"] == "s3" else SigV4Auth
    with mock.patch("botocore.auth.get_current_datetime", lambda: now):
        kind(credentials, it["service"], it["region"]).add_auth(request)
    print(request.headers["Authorization"])
"#;

/// A random text over letters that need every kind of encoding.
fn text(seed: &mut Seed, longest: u64) -> String {
    const LETTERS: [&str; 16] =
        ["a", "B", "7", "-", ".", "_", "~", " ", "/", "%", "$", "=", "&", "+", "\u{e9}", "\u{1f600}"];
    let length = seed.draw() % (longest + 1);
    (0..length).map(|_| LETTERS[(seed.draw() % 16) as usize]).collect()
}

/// Percent-encoding as the clients of Amazon write it.
fn encoded(text: &str, kept: &str) -> String {
    let is_kept =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
    text.bytes()
        .map(|byte| if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn signatures_are_those_of_botocore() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seed = Seed::new(1);
    let (mut cases, mut ours) = (String::new(), Vec::new());
    for number in 0..2_000_u32 {
        let service = ["s3", "sqs", "execute-api"][(seed.draw() % 3) as usize];
        let method = ["GET", "PUT", "POST", "DELETE", "HEAD"][(seed.draw() % 5) as usize];
        let path = encoded(&text(&mut seed, 12), "/");
        let pairs: Vec<_> = (0..seed.draw() % 4)
            .map(|_| format!("{}={}", encoded(&text(&mut seed, 5), ""), encoded(&text(&mut seed, 5), "")))
            .collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        let port = ["", ":8443"][(seed.draw() % 2) as usize];
        // The parser of URLs resolves dot segments before either signs.
        let url =
            sessio::Url::parse(&format!("https://host.example{port}/{path}{query}")).unwrap().to_string();
        let body = if method == "GET" || method == "HEAD" { String::new() } else { text(&mut seed, 20) };
        let mut fields = Vec::new();
        for (name, value) in [
            ("X-Amz-Meta-Note", "  two   words\tand more "),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("x-amz-acl", "private"),
            ("Range", "bytes=0-9"),
        ] {
            if seed.draw().is_multiple_of(2) {
                fields.push((name, value.trim()));
            }
        }
        let token = seed.draw().is_multiple_of(2).then_some("session/token==");
        let time = 1_000_000_000 + i64::from(number) * 777_777;
        let case = json!({
            "service": service, "region": "eu-west-1", "method": method, "url": url, "body": body,
            "fields": fields, "token": token, "time": time,
        });
        cases += &format!("{case}\n");

        let mut request = Request::new(method, &url).body(body);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(time) };
        let mut call = prepare(merge(&Settings::default(), request), &mut Jar::new(), now).unwrap();
        let credentials = SigV4::new("AKIAEXAMPLE", "secret/key", "eu-west-1", service);
        let credentials = match token {
            Some(token) => credentials.session_token(token),
            None => credentials,
        };
        credentials.sign(&mut call.request, now.wall).unwrap();
        ours.push(call.request.headers().get("Authorization").unwrap().to_owned());
    }
    let file = std::env::temp_dir().join(format!("sessio-sigv4-{}.jsonl", std::process::id()));
    std::fs::write(&file, &cases).unwrap();
    let python = Command::new(root.join(".venv/bin/python")).args(["-c", SIGN]).arg(&file).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    std::fs::remove_file(&file).unwrap();
    let theirs = String::from_utf8(python.stdout).unwrap();
    let theirs: Vec<_> = theirs.lines().collect();
    assert_eq!(theirs.len(), ours.len());
    for ((ours, theirs), case) in ours.iter().zip(theirs).zip(cases.lines()) {
        let case: Value = serde_json::from_str(case).unwrap();
        assert_eq!(ours, theirs, "{case}");
    }
}
