//! Cookie files of Python's jars, read by the jar, and files of the jar, read by them. It needs the
//! `python3` of the path.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use sessio::cookie::{Cookie, Format, Keep};
use sessio::{Jar, UnixTime, Url};

/// Writes fifty cookies in both formats of Python, half of them for the session only:
/// `python3 -c WRITE folder end`.
const WRITE: &str = r##"
import sys
from http.cookiejar import Cookie, LWPCookieJar, MozillaCookieJar
folder, end = sys.argv[1], int(sys.argv[2])
odd = [("plain", "1"), ("quoted", '"a b"'), ("back", 'a\\"b\\'), ("empty", ""), ("comma", "a,b"), ("equals", "a=b=="),
       ("utf8", "caf\u00e9"), ("brackets", "[<{(x)}>]"), ("hash#", "#1"), ("nameless", None)]
hosts = [("www.example.com", "/"), (".example.com", "/"), ("127.0.0.1", "/a b"), ("[::1]", "/"), ("localhost", '/"q"')]
for jar in LWPCookieJar(folder + "/python.lwp"), MozillaCookieJar(folder + "/python.txt"):
    for host, path in hosts:
        wide = host.startswith(".")
        for at, (name, value) in enumerate(odd):
            last = None if at % 2 == 0 else end
            jar.set_cookie(Cookie(0, name, value, None, False, host, wide, wide, path, True, at % 3 == 0, last,
                                  last is None, None, None, {}))
    jar.save(ignore_discard=True)
"##;

/// Prints one line for each cookie of a file: `python3 -c READ folder`.
const READ: &str = r#"
import sys
from http.cookiejar import LWPCookieJar, MozillaCookieJar
for jar in LWPCookieJar(sys.argv[1] + "/sessio.lwp"), MozillaCookieJar(sys.argv[1] + "/sessio.txt"):
    jar.load(ignore_discard=True)
    for it in jar:
        print(type(jar).__name__, it.domain, it.path, it.name, it.value, it.secure, it.expires, sep="\t")
"#;

const LINES: [&str; 8] = [
    "plain=1; Path=/; Max-Age=3600",
    "quoted=\"a b\"; Path=/; Max-Age=3600",
    "back=a\\\"b\\; Path=/x; Max-Age=3600; Secure",
    "comma=a,b; Path=/a b; Max-Age=3600",
    "equals=a=b==; Path=/; Max-Age=3600",
    "utf8=caf\u{e9}; Path=/; Max-Age=3600",
    "wide=1; Domain=example.com; Path=/; Max-Age=3600",
    "session=1; Path=/",
];

fn python(script: &str, arguments: &[&str]) -> String {
    let done = Command::new("python3").env("PYTHONUTF8", "1").args(["-c", script]).args(arguments).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn now() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64)
}

fn read(folder: &Path, name: &str, now: UnixTime) -> Jar {
    let mut jar = Jar::new();
    let loaded = jar.read(&std::fs::read(folder.join(name)).unwrap(), now);
    assert_eq!((loaded.stored, loaded.problems.as_slice()), (50, &[][..]), "{name}");
    jar
}

/// A cookie as `READ` prints it.
fn printed(kind: &str, cookie: &Cookie) -> String {
    let word = |on: bool| if on { "True" } else { "False" };
    let (dot, domain) = (if cookie.host_only() { "" } else { "." }, cookie.domain());
    let (name, value) = (cookie.name_str().unwrap(), cookie.value_str().unwrap());
    let end = cookie.expires().map_or_else(|| "None".to_owned(), |end| end.0.to_string());
    format!("{kind}\t{dot}{domain}\t{}\t{name}\t{value}\t{}\t{end}", cookie.path(), word(cookie.secure()))
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn files_of_cookies_with_python() {
    let now = now();
    let folder = std::env::temp_dir().join(format!("sessio-python-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.to_str().unwrap();

    // Files in both formats of Python have the same cookies.
    python(WRITE, &[path, &(now.0 + 3600).to_string()]);
    let (lwp, txt) = (read(&folder, "python.lwp", now), read(&folder, "python.txt", now));
    let sorted = |jar: &Jar| {
        let mut all: Vec<String> = jar.iter().map(|cookie| printed("", cookie)).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&lwp), sorted(&txt));
    let back = lwp.get("back").unwrap();
    assert_eq!((back.value_str(), back.expires()), (Some("a\\\"b\\"), None));
    assert!(lwp.iter().any(|cookie| cookie.pair() == b"nameless" && cookie.domain() == "[::1]"));
    assert_eq!(lwp.iter().filter(|cookie| !cookie.host_only()).count(), 10);

    // Python and the jar read the same from files of the jar. `MozillaCookieJar` reads an end of 0
    // as 1970.
    let mut jar = Jar::new();
    let url = Url::parse("https://www.example.com/").unwrap();
    let extracted = jar.extract(&url, LINES.iter().map(|line| line.as_bytes()), now);
    assert_eq!(extracted.stored, LINES.len());
    let formats =
        [("sessio.lwp", Format::Lwp, Keep::All), ("sessio.txt", Format::CookiesTxt, Keep::Persistent)];
    for (name, format, keep) in formats {
        let mut text = Vec::new();
        assert_eq!(jar.write(format, keep, now, &mut text).unfit, [""; 0]);
        std::fs::write(folder.join(name), text).unwrap();
    }
    let mut theirs: Vec<String> = python(READ, &[path]).lines().map(str::to_owned).collect();
    let lasting = jar.iter().filter(|cookie| cookie.expires().is_some());
    let mut ours: Vec<String> = jar.iter().map(|cookie| printed("LWPCookieJar", cookie)).collect();
    ours.extend(lasting.map(|cookie| printed("MozillaCookieJar", cookie)));
    theirs.sort();
    ours.sort();
    assert_eq!(theirs, ours);
    std::fs::remove_dir_all(&folder).unwrap();
}
