//! Cookie files of curl, read by the jar, and files of the jar, read by curl. Command lines of
//! requests, run by a shell and curl. It needs the `curl` of the path.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use sessio::cookie::Keep;
use sessio::{Jar, Request, Secrets, UnixTime, Url};
use sessio_blocking::Session;
use sessio_testkit::Server as TestServer;

const PAGES: [&str; 7] = [
    "http://www.example.com/",
    "http://example.com/",
    "http://a.www.example.com/",
    "http://www.example.com/dir/page",
    "http://localhost/",
    "http://127.0.0.1/dir/",
    "http://[::1]/dir/",
];

const LINES: [&str; 12] = [
    "plain=1",
    "wide=2; Domain=example.com; Path=/",
    "deep=3; Path=/dir",
    "quoted=\"a b\"; Path=/",
    "empty=; Path=/",
    "hidden=4; HttpOnly; Path=/",
    "lasting=5; Max-Age=3600; Path=/",
    "gone=6; Max-Age=0; Path=/",
    "equals=a=b==; Path=/",
    "utf8=caf\u{e9}; Path=/",
    "safe=7; Secure; Path=/",
    "suffix=8; Domain=com",
];

/// A server that sends the lines with each response, and returns the `Cookie` header of the request.
struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// Fetches a page with curl. Returns the cookies that curl sent, in alphabetical order.
    fn fetch(&self, page: &str, lines: &[&str], options: &[&str]) -> Vec<String> {
        let mut url = Url::parse(page).unwrap();
        let _ = url.set_port(Some(self.port));
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--globoff", "--noproxy", "*", "--connect-to"])
            .arg(format!("::127.0.0.1:{}", self.port))
            .args(options)
            .arg(url.as_str())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let (mut stream, _) = self.listener.accept().unwrap();
        let mut cookies = Vec::new();
        for line in BufReader::new(&stream).lines().map(Result::unwrap) {
            if let Some(header) = line.strip_prefix("Cookie: ") {
                cookies = sorted(header);
            }
            if line.is_empty() {
                break;
            }
        }
        let lines: String = lines.iter().map(|line| format!("Set-Cookie: {line}\r\n")).collect();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{lines}\r\n").unwrap();
        assert!(curl.wait().unwrap().success());
        cookies
    }
}

fn sorted(header: &str) -> Vec<String> {
    let mut cookies: Vec<String> =
        header.split("; ").filter(|cookie| !cookie.is_empty()).map(str::to_owned).collect();
    cookies.sort();
    cookies
}

fn sent(jar: &mut Jar, page: &str, now: UnixTime) -> Vec<String> {
    let mut out = Vec::new();
    jar.header(&Url::parse(page).unwrap(), now, &mut out);
    sorted(&String::from_utf8(out).unwrap())
}

fn now() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64)
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn cookies_txt_with_curl() {
    let (server, now) = (Server::new(), now());
    let folder = std::env::temp_dir().join(format!("sessio-cookies-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (theirs, ours) = (folder.join("curl.txt"), folder.join("sessio.txt"));
    let (their_path, our_path) = (theirs.to_str().unwrap(), ours.to_str().unwrap());

    // Both read the same responses.
    let mut jar = Jar::new();
    for page in PAGES {
        server.fetch(page, &LINES, &["--cookie", their_path, "--cookie-jar", their_path]);
        jar.extract(&Url::parse(page).unwrap(), LINES.iter().map(|line| line.as_bytes()), now);
    }

    // The jar and curl send the same cookies from a file of curl.
    let mut read = Jar::new();
    let loaded = read.read_cookies_txt(&std::fs::read(&theirs).unwrap(), now);
    assert_eq!(loaded.problems, []);
    assert!(loaded.stored > 40, "{loaded:?}");
    for page in PAGES {
        let by_curl = server.fetch(page, &[], &["--cookie", their_path]);
        assert_eq!(sent(&mut read, page, now), by_curl, "{page}");
        assert_eq!(sent(&mut jar, page, now), by_curl, "{page}");
    }

    // They also send the same cookies from a file of the jar.
    let mut text = Vec::new();
    let saved = jar.write_cookies_txt(Keep::All, now, &mut text);
    assert_eq!(saved.written, jar.len());
    std::fs::write(&ours, text).unwrap();
    for page in PAGES {
        assert_eq!(server.fetch(page, &[], &["--cookie", our_path]), sent(&mut jar, page, now), "{page}");
    }
    let hidden = jar.iter().filter(|cookie| cookie.http_only()).count();
    assert_eq!(read.iter().filter(|cookie| cookie.http_only()).count(), hidden);
    assert_eq!(read.iter().filter(|cookie| cookie.expires().is_none_or(|end| end == UnixTime(0))).count(), {
        jar.iter().filter(|cookie| cookie.expires().is_none()).count()
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Method, target, fields in alphabetical order, and body of a received request.
type Received = (String, String, Vec<(Vec<u8>, Vec<u8>)>, Vec<u8>);

fn received(server: &TestServer) -> Vec<Received> {
    let one = |request: sessio_testkit::Request| {
        let mut fields = request.headers.clone();
        fields.sort();
        (request.method().to_owned(), request.target().to_owned(), fields, request.body)
    };
    server.requests().into_iter().map(one).collect()
}

fn requests(url: &str) -> Vec<Request> {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    vec![
        Request::get(url),
        Request::get(url)
            .remove_header("User-Agent")
            .remove_header("Accept")
            .remove_header("Accept-Encoding"),
        Request::head(url).header("X-Quoted", r#"it's "$HOME" `id` \ !x"#),
        Request::post(url).form([("a", "1 2"), ("b", "\u{e9}&=")]),
        Request::post(url),
        Request::put(url).body("plain"),
        Request::put(url).body("@/etc/hostname"),
        Request::post(url).body(bytes),
        Request::post(url).body(vec![b'%'; 100_000]).header("Content-Type", "text/x"),
        Request::post(url).body("y".repeat(2 * 1024 * 1024)),
        Request::post(url).body("in one chunk").header("Transfer-Encoding", "chunked"),
        Request::delete(url)
            .body("gone")
            .header("X-Empty", "")
            .append_header("X-Two", "1")
            .append_header("X-Two", "2"),
        Request::get(url).header("Host", "other.test").cookie("a", "b").basic_auth("me", "secret"),
        Request::get(url).header("X-Raw", b"caf\xe9\ttab".as_slice()),
        Request::new("PURGE", url),
    ]
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn command_lines_send_the_same_requests() {
    for number in 0..requests("http://h/").len() {
        let (server, session) = (TestServer::start(), Session::new());
        let url = server.url("/anything/a'b?x=%20$HOME&y=[]{}!");
        let mut call = session.prepare(requests(&url).swap_remove(number)).unwrap();
        if call.request.method() == "PURGE" {
            call.request.set_target("/../x/./%2e%2e/?[a]").unwrap();
        }
        let line = call.request.to_curl(Secrets::Shown);
        session.execute(call).unwrap().bytes().unwrap();
        let line = format!("{line} --silent --output /dev/null --noproxy '*'");
        // A line can be longer than an argument of a program.
        let mut shell = Command::new("sh").stdin(std::process::Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "{line}");
        let all = received(&server);
        let [ours, curls] = &all[..] else { panic!("{line}: {} requests", all.len()) };
        assert_eq!(ours, curls, "{line}");
    }
}
