//! Random scripts of lines, requests and elapsed time. The jar and the model must send the same
//! headers.

use std::sync::LazyLock;

use super::model::Model;
use sessio_cookie::{Jar, Policy, PublicSuffixes, UnixTime, Url};

const SCHEMES: [&str; 3] = ["https", "http", "wss"];
const HOSTS: [&str; 12] = [
    "example.com",
    "www.example.com",
    "a.www.example.com",
    "notexample.com",
    "com",
    "shop.co.uk",
    "co.uk",
    "localhost",
    "app.localhost",
    "10.20.0.1",
    "[2001:db8::1]",
    "example.com.",
];
const PATHS: [&str; 8] = ["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "//", "/A/b"];
const NAMES: [&str; 9] = ["a", "b", "A", "", "__Host-a", "__secure-a", "__Http-a", "__Host-Http-a", "a b"];
const ATTRIBUTES: [&str; 24] = [
    "Secure",
    "HttpOnly",
    "Path=/",
    "Path=/a",
    "Path=/a/",
    "Path=/a/b",
    "Path=x",
    "Path",
    "Domain=example.com",
    "Domain=.WWW.example.com",
    "Domain=com",
    "Domain=co.uk",
    "Domain=",
    "Domain=localhost",
    "Domain=20.0.1",
    "Domain=10.20.0.1",
    "Domain=example.com.",
    "Max-Age=0",
    "Max-Age=10",
    "Max-Age=-5",
    "Expires=Thu, 01 Jan 1970 00:00:20 GMT",
    "SameSite=None",
    "SameSite=Lax",
    "Partitioned",
];

/// URLs of every host, with a short and a deep path, with and without TLS.
pub(crate) static PAGES: LazyLock<Vec<Url>> = LazyLock::new(|| {
    let pages = HOSTS.iter().flat_map(|host| ["https", "http"].map(|scheme| (scheme, host)));
    let pages =
        pages.flat_map(|(scheme, host)| ["/", "/a/b/c"].map(|path| format!("{scheme}://{host}{path}")));
    pages.filter_map(|page| Url::parse(&page).ok()).collect()
});

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(*first))
    }

    fn pick<T: Copy, const N: usize>(&mut self, of: &[T; N]) -> Option<T> {
        Some(of[self.next()? % N])
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn url(&mut self) -> Option<Url> {
        let (scheme, host, path) = (self.pick(&SCHEMES)?, self.pick(&HOSTS)?, self.pick(&PATHS)?);
        Url::parse(&format!("{scheme}://{host}{path}")).ok()
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let name = self.pick(&NAMES)?;
        let kind = self.next()?;
        let mut line = format!("{name}={}", kind % 7).into_bytes();
        for _ in 0..kind / 7 % 6 {
            line.extend_from_slice(b"; ");
            line.extend_from_slice(self.pick(&ATTRIBUTES)?.as_bytes());
        }
        Some(line)
    }
}

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.suffixes =
        PublicSuffixes::from_fn(|domain| matches!(domain, "com" | "co.uk" | "uk" | "localhost"));
    policy.limits.per_domain = 50;
    policy
}

/// The jar after a script.
pub(crate) fn jar_of(data: &[u8]) -> (Jar, i64) {
    let mut bytes = Bytes(data);
    let (mut jar, mut model, mut now) = (Jar::with_policy(policy()), Model::new(policy()), 0);
    while let Some(()) = act(&mut bytes, &mut jar, &mut model, &mut now) {}
    (jar, now)
}

/// Runs a script made of the bytes, and compares every header.
pub(crate) fn jar_script(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (mut jar, mut model) = (Jar::with_policy(policy()), Model::new(policy()));
    let mut now = 0;
    while let Some(()) = act(&mut bytes, &mut jar, &mut model, &mut now) {}
    for page in &*PAGES {
        compare(page, &mut jar, &mut model, now);
    }
    jar.remove_expired(UnixTime(now));
    assert_eq!((jar.len(), jar.iter().count()), (model.len(now), model.len(now)));
}

fn act(bytes: &mut Bytes<'_>, jar: &mut Jar, model: &mut Model, now: &mut i64) -> Option<()> {
    let kind = bytes.next()?;
    match kind % 8 {
        0..=3 => {
            let (url, line) = (bytes.url()?, bytes.line()?);
            set(&url, &line, jar, model, *now);
        }
        4 | 5 => compare(&bytes.url()?, jar, model, *now),
        6 if kind >= 128 => {
            let (url, count) = (bytes.url()?, bytes.next()? % 80);
            let secure = if count % 3 == 0 { "; Secure" } else { "" };
            for at in 0..count {
                set(&url, format!("n{at}=1{secure}").as_bytes(), jar, model, *now);
            }
        }
        6 => {
            let (url, length) = (bytes.url()?, bytes.next()? / 4);
            set(&url, bytes.take(length), jar, model, *now);
        }
        _ => *now += bytes.next()? as i64 / 16,
    }
    Some(())
}

fn set(url: &Url, line: &[u8], jar: &mut Jar, model: &mut Model, now: i64) {
    let extracted = jar.extract(url, [line], UnixTime(now));
    let accepted = model.set(url, line, now);
    assert_eq!(extracted.refused.is_empty(), accepted, "{url} {} {extracted:?}", line.escape_ascii());
}

fn compare(url: &Url, jar: &mut Jar, model: &mut Model, now: i64) {
    let expected = model.get(url, now);
    let mut header = Vec::new();
    let count = jar.header(url, UnixTime(now), &mut header);
    assert_eq!(header.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{url}");
    assert_eq!(count == 0, header.is_empty());
}
