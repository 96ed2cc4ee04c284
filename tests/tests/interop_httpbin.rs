//! The scenarios of the tour against Python's httpbin behind a WSGI server, on real sockets.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::time::Duration;

use serde_json::{Value, json};
use sessio_driver::Runtime as _;
use sessio_tests::program::Script;
use sessio_tokio::cookie::NewCookie;
use sessio_tokio::multipart::{Form, Part};
use sessio_tokio::{Auth, Digest, Kind, Response, Result, Session, Settings, Timeout, body::ReaderSource};

async fn read(response: Result<Response>) -> Value {
    let response = response.unwrap();
    assert_eq!(response.status(), 200, "{response:?}");
    response.json().await.unwrap()
}

fn change(session: &Session, change: impl FnOnce(&mut Settings)) {
    session.update(|settings| change(settings));
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn a_session_talks_to_httpbin() {
    let server = &Script::python("serve.py");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        cookies(server).await;
        defaults(server).await;
        credentials(server).await;
        redirects(server).await;
        forms(server).await;
        parts(server).await;
        bodies(server).await;
        codings(server).await;
        statuses(server).await;
        time(server).await;
        connections(server).await;
    });
}

/// S1, S8, S10: cookies of a response are sent again. Those of a request are sent once, and those
/// of the jar are sent.
async fn cookies(server: &Script) {
    let session = Session::new();
    let sent = read(session.get(server.url("/cookies/set/sessioncookie/123456789")).send().await).await;
    assert_eq!(sent, json!({"cookies": {"sessioncookie": "123456789"}}));
    let now = session.runtime().now();
    session.cookies(|jar| jar.insert(NewCookie::new("cookie", "1234").unwrap(), now.wall)).unwrap();
    let request = session.get(server.url("/cookies")).cookie("from-my", "browser");
    let all = json!({"cookies": {"sessioncookie": "123456789", "cookie": "1234", "from-my": "browser"}});
    assert_eq!(read(request.send().await).await, all);
    let sent = read(session.get(server.url("/cookies/set?other=a%20b&cookie=5678")).send().await).await;
    let all = json!({"cookies": {"sessioncookie": "123456789", "cookie": "5678", "other": "\"a b\""}});
    assert_eq!(sent["cookies"]["sessioncookie"], all["cookies"]["sessioncookie"]);
    assert_eq!(sent["cookies"]["cookie"], all["cookies"]["cookie"]);
    assert_eq!(sent["cookies"].as_object().unwrap().len(), 3, "{sent}");
    let sent = read(session.get(server.url("/cookies/delete?sessioncookie&other")).send().await).await;
    assert_eq!(sent, json!({"cookies": {"cookie": "5678"}}));
}

/// S5, S6, S9: headers and parameters of the session and of the request, with one of each removed.
async fn defaults(server: &Script) {
    let session = Session::new();
    session
        .update(|s| {
            s.params.append("lang", "en");
            s.headers.insert("x-test", "true")
        })
        .unwrap();
    let request = session.get(server.url("/headers")).header("x-test2", "true");
    let headers = read(request.send().await).await["headers"].clone();
    assert_eq!((&headers["X-Test"], &headers["X-Test2"]), (&json!("true"), &json!("true")));
    assert!(headers["User-Agent"].as_str().unwrap().starts_with("sessio/"), "{headers}");
    let headers = read(session.get(server.url("/headers")).remove_header("X-TEST").send().await).await;
    assert!(headers["headers"].get("X-Test").is_none(), "{headers}");

    let request = session.get(server.url("/get?own=1")).query([("tag", "a b"), ("tag", "\u{2603}&")]);
    let seen = read(request.send().await).await;
    assert_eq!(seen["args"], json!({"own": "1", "lang": "en", "tag": ["a b", "\u{2603}&"]}));
    let seen = read(session.get(server.url("/get")).remove_param("lang").send().await).await;
    assert_eq!(seen["args"], json!({}));
}

/// S4: credentials of the session, of the request and of the URL.
async fn credentials(server: &Script) {
    let session = Session::new();
    let path = "/basic-auth/user/pass";
    assert_eq!(session.get(server.url(path)).send().await.unwrap().status(), 401);
    change(&session, |s| s.auth = Auth::basic("user", "pass"));
    let seen = read(session.get(server.url(path)).send().await).await;
    assert_eq!(seen, json!({"authenticated": true, "user": "user"}));
    assert_eq!(session.get(server.url(path)).without_auth().send().await.unwrap().status(), 401);
    let seen = read(session.get(server.url("/bearer")).bearer_auth("abc").send().await).await;
    assert_eq!(seen, json!({"authenticated": true, "token": "abc"}));
    let url = server.url(path).replace("http://", "http://user:pass@");
    assert_eq!(read(sessio_tokio::get(url).await).await["authenticated"], true);
    digest(server).await;
}

/// A-10, A-11: Digest, challenged once for each algorithm and protection. httpbin recognises a
/// challenged client by a cookie, and sends a new nonce after every proof.
async fn digest(server: &Script) {
    for protection in ["auth", "auth-int"] {
        for algorithm in ["MD5", "SHA-256", "SHA-512"] {
            let session = Session::new();
            change(&session, |s| s.auth = Auth::flow(Digest::new("user", "passage")));
            let path = format!("/digest-auth/{protection}/user/passage/{algorithm}");
            let response = session.get(server.url(&path)).send().await.unwrap();
            assert_eq!((response.status().as_u16(), response.history().len()), (200, 1), "{path}");
            let wrong = Auth::flow(Digest::new("user", "wrong"));
            let response = session.get(server.url(&path)).auth(wrong).send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
        }
    }
}

/// S17: redirects of each kind, with their history.
async fn redirects(server: &Script) {
    let session = Session::new();
    for path in ["/redirect/3", "/relative-redirect/3", "/absolute-redirect/3"] {
        let response = session.get(server.url(path)).send().await.unwrap();
        let history: Vec<u16> = response.history().iter().map(|hop| hop.head.status.as_u16()).collect();
        assert_eq!((history, response.url().path()), (vec![302, 302, 302], "/get"), "{path}");
        read(Ok(response)).await;
    }
    let mut response = session.get(server.url("/redirect/1")).redirects(None).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.next().unwrap().unwrap().request.url().path()),
        (302, "/get")
    );
    let error = session.get(server.url("/redirect/3")).redirects(2).send().await.unwrap_err();
    assert_eq!((error.kind(), error.history().len()), (Kind::TooManyRedirects, 2));
    for (status, method, body) in
        [(302, "GET", ""), (303, "GET", ""), (307, "POST", "a=1"), (308, "POST", "a=1")]
    {
        let path = format!("/redirect-to?url=%2Fanything&status_code={status}");
        let seen = read(session.post(server.url(&path)).body("a=1").send().await).await;
        assert_eq!((&seen["method"], &seen["data"]), (&json!(method), &json!(body)), "{status}");
    }
}

/// S3: every verb, a form and JSON.
async fn forms(server: &Script) {
    let session = Session::new();
    let form = [("user", "a b"), ("tag", "1"), ("tag", "\u{e9}&=")];
    let seen = read(session.post(server.url("/post")).form(form).send().await).await;
    assert_eq!(seen["form"], json!({"user": "a b", "tag": ["1", "\u{e9}&="]}));
    let value = json!({"list": [1, 2.5, null, true], "text": "\u{2603}"});
    let seen = read(session.put(server.url("/put")).json(&value).send().await).await;
    assert_eq!((&seen["json"], &seen["headers"]["Content-Type"]), (&value, &json!("application/json")));
    for (verb, path) in
        [("GET", "/get"), ("POST", "/post"), ("PUT", "/put"), ("PATCH", "/patch"), ("DELETE", "/delete")]
    {
        let seen = read(session.request(verb, server.url(path)).send().await).await;
        assert_eq!(seen["url"], server.url(path), "{verb}");
    }
    let response = session.head(server.url("/get")).send().await.unwrap();
    assert!(response.headers().contains("Content-Length"));
    assert_eq!(response.bytes().await.unwrap().len(), 0);
    let response = session.options(server.url("/get")).send().await.unwrap();
    assert!(response.headers().get("Allow").unwrap().contains("GET"));
}

/// Forms of several parts, as Python reads them: in memory, and streamed with and without a length.
async fn parts(server: &Script) {
    let session = Session::new();
    let streamed = |length| Part::source(ReaderSource::new(&b"from a reader"[..]), length, false);
    for length in [Some(13), None] {
        let form = Form::new()
            .fields([("tag", "1"), ("tag", "2")])
            .text("gr\u{fc}\u{df}e", "\u{2603}\r\n--")
            .part("file", Part::text("a,b").file_name("t\u{e9}.csv").content_type("text/csv"))
            .part("reader", streamed(length).file_name("r.txt"))
            .part("bytes", Part::bytes(vec![0, 255]).file_name("b").content_type("application/x-b"));
        let seen = read(session.post(server.url("/post")).multipart(form).send().await).await;
        assert_eq!(seen["form"], json!({"tag": ["1", "2"], "gr\u{fc}\u{df}e": "\u{2603}\r\n--"}));
        assert!(seen["files"]["bytes"].as_str().unwrap().ends_with(";base64,AP8="), "{seen}");
        assert_eq!(seen["files"]["file"], "a,b");
        assert_eq!(seen["files"]["reader"], "from a reader");
    }
}

/// Bodies in both directions: with a length and in chunks.
async fn bodies(server: &Script) {
    let session = Session::new();
    let sent: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let seen = read(session.post(server.url("/anything")).body(sent.clone()).send().await).await;
    assert_eq!(seen["headers"]["Content-Length"], "100000");
    let request =
        session.post(server.url("/anything")).header("Transfer-Encoding", "chunked").body("in one chunk");
    assert_eq!(read(request.send().await).await["data"], "in one chunk");

    let bytes = session.get(server.url("/bytes/100000?seed=1")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len(), 100_000);
    let path = "/stream-bytes/100000?seed=1&chunk_size=999";
    let response = session.get(server.url(path)).send().await.unwrap();
    assert_eq!(response.headers().get("Transfer-Encoding"), Some("chunked"));
    assert_eq!(response.bytes().await.unwrap().len(), 100_000);
    let lines = session.get(server.url("/stream/10")).send().await.unwrap().text().await.unwrap();
    let ids: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
    let text = session.get(server.url("/encoding/utf8")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("STARGΛ̊TE"), "{text}");
}

/// Codings applied by Python are decoded, and the header that names them stays.
async fn codings(server: &Script) {
    let session = Session::new();
    for (path, coding, sign) in [("/gzip", "gzip", "gzipped"), ("/deflate", "deflate", "deflated")] {
        let response = session.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.headers().get("Content-Encoding"), Some(coding));
        assert_eq!(read(Ok(response)).await[sign], true, "{coding}");
        let coded = session.get(server.url(path)).map(|request| request.decode(false)).send().await.unwrap();
        let length = coded.content_length();
        assert_eq!(length, Some(coded.bytes().await.unwrap().len() as u64), "{coding}");
    }
    // The caller's header selects the coding. The body is still decoded, unless the caller disables
    // that.
    let brotli = || session.get(server.url("/brotli")).header("Accept-Encoding", "br");
    assert_eq!(read(brotli().send().await).await["brotli"], true);
    let coded = brotli().map(|request| request.decode(false)).send().await.unwrap();
    assert_eq!(coded.headers().get("Content-Encoding"), Some("br"));
    assert!(serde_json::from_slice::<Value>(&coded.bytes().await.unwrap()).is_err());
}

/// A status is a normal response, and an error only on request.
async fn statuses(server: &Script) {
    let session = Session::new();
    for status in [200, 201, 204, 304, 400, 404, 418, 500, 503] {
        let response = session.get(server.url(&format!("/status/{status}"))).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.error_for_status().is_err(), status >= 400, "{status}");
    }
}

/// The error names the limit that has passed, and the session stays usable.
async fn time(server: &Script) {
    let session = Session::new();
    let limit = Duration::from_millis(100);
    let error = session.get(server.url("/delay/1")).timeout(limit).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
    change(&session, |s| s.timeouts.head = Some(limit));
    let error = session.get(server.url("/delay/1")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Head));
    change(&session, |s| s.timeouts.head = None);
    read(session.get(server.url("/get")).send().await).await;
}

/// S2: many requests over one connection.
async fn connections(server: &Script) {
    let session = Session::new();
    for _ in 0..10 {
        read(session.get(server.url("/get")).send().await).await;
    }
    let stats = session.stats();
    assert_eq!((stats.dialled, stats.reused, stats.idle), (1, 9, 1));
    session.close();
    assert_eq!(session.stats().idle, 0);
}
