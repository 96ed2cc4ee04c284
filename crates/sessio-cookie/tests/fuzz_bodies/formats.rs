//! Fuzz body for files of cookies: any file can be read, and a written file restores its cookies.

use sessio_cookie::{Cookie, Jar, Keep, Loaded, SameSite, Saved, UnixTime};

use super::script::{PAGES, jar_of};

const NOW: UnixTime = UnixTime(1_767_225_600);

type Write = fn(&Jar, Keep, UnixTime, &mut Vec<u8>) -> Saved;
type Read = fn(&mut Jar, &[u8], UnixTime) -> Loaded;
/// The fields of a cookie that a format preserves. `None` if it cannot represent the cookie.
type Keeps = fn(&Cookie) -> Option<Kept<'_>>;

const FORMATS: &[(Write, Read, Keeps)] = &[
    (Jar::write_cookies_txt, Jar::read_cookies_txt, |cookie| {
        let same = SameSite::Unset;
        (!cookie.pair().contains(&b'\t')).then(|| Kept {
            same_site: same,
            partitioned: false,
            ..Kept::new(cookie)
        })
    }),
    (Jar::write_lwp, Jar::read_lwp, |cookie| Some(Kept::new(cookie))),
    #[cfg(feature = "json")]
    (Jar::write_json, Jar::read_json, |cookie| Some(Kept { created: cookie.created(), ..Kept::new(cookie) })),
    #[cfg(feature = "json")]
    (Jar::write_storage_state, Jar::read_storage_state, |cookie| {
        let same_site =
            if cookie.same_site() == SameSite::Unset { SameSite::Lax } else { cookie.same_site() };
        let text = cookie.name_str().is_some() && cookie.value_str().is_some();
        text.then(|| Kept { same_site, partitioned: false, ..Kept::new(cookie) })
    }),
];

#[derive(Debug, PartialEq)]
struct Kept<'a> {
    name: &'a [u8],
    value: &'a [u8],
    domain: &'a str,
    host_only: bool,
    path: &'a str,
    expires: Option<UnixTime>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
    created: UnixTime,
}

impl<'a> Kept<'a> {
    fn new(cookie: &'a Cookie) -> Self {
        Self {
            name: cookie.name(),
            value: cookie.value(),
            domain: cookie.domain(),
            host_only: cookie.host_only(),
            path: cookie.path(),
            expires: cookie.expires(),
            secure: cookie.secure(),
            http_only: cookie.http_only(),
            same_site: cookie.same_site(),
            partitioned: cookie.partitioned(),
            created: UnixTime(0),
        }
    }
}

/// Reads bytes as every format. Then writes and reads the resulting cookies again.
pub(crate) fn cookies_txt(data: &[u8]) {
    for (_, read, _) in FORMATS {
        let mut jar = Jar::new();
        let loaded = read(&mut jar, data, NOW);
        assert!(jar.len() <= loaded.stored);
        for problem in &loaded.problems {
            assert!(!problem.to_string().is_empty());
        }
        there_and_back(&jar, NOW);
    }
}

/// Every format restores the jar of a script, except fields that the format lacks.
pub(crate) fn round_trip(data: &[u8]) {
    let (jar, now) = jar_of(data);
    // `cookies.txt` cannot represent an expiry time below 1.
    there_and_back(&jar, UnixTime(now.max(1)));
}

fn there_and_back(jar: &Jar, now: UnixTime) {
    for &(write, read, kept) in FORMATS {
        let mut text = Vec::new();
        let saved = write(jar, Keep::All, now, &mut text);
        let mut back = Jar::with_policy(jar.policy().clone());
        let loaded = read(&mut back, &text, now);
        let alive = || jar.iter().filter(|cookie| !cookie.is_expired(now));
        let expected: Vec<_> = alive().filter_map(kept).collect();
        let mut whole = Loaded::default();
        whole.stored = saved.written;
        assert_eq!(loaded, whole);
        for (back, expected) in back.iter().filter_map(kept).zip(&expected) {
            assert_eq!(back, *expected, "{}", text.escape_ascii());
        }
        assert_eq!(back.len(), expected.len());
        assert_eq!(alive().count(), saved.written + saved.unfit.len());
        if saved.unfit.is_empty() {
            same_headers(&mut jar.clone(), &mut back, now);
        }
    }
}

/// V70: a saved and restored cookie is sent to the same hosts.
fn same_headers(one: &mut Jar, other: &mut Jar, now: UnixTime) {
    for url in &*PAGES {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        one.header(url, now, &mut left);
        other.header(url, now, &mut right);
        assert_eq!(left, right, "{url}");
    }
}
