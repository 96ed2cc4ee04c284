//! Netscape's `cookies.txt`, which curl, wget, yt-dlp and browser extensions read and write.

use std::net::Ipv6Addr;

use crate::format::restore::{Entry, Fault, Keep, Loaded, Saved, lines, without_local};
use crate::jar::Jar;
use crate::parse::{SameSite, seconds};
use crate::record::Cookie;
use crate::scan::trim;
use crate::unix_time::UnixTime;

/// The first line. Some readers refuse a file without it.
const MAGIC: &[u8] = b"# Netscape HTTP Cookie File\n";
/// The prefix that curl puts before the domain of an `HttpOnly` cookie.
const HTTP_ONLY: &[u8] = b"#HttpOnly_";

/// Seven fields, separated by tabs: domain, whether hosts below it receive the cookie, path,
/// secure, expiry time, name, value.
impl Jar {
    /// Reads `cookies.txt`, as written by curl, wget, browser extensions and
    /// [`write_cookies_txt`](Self::write_cookies_txt).
    ///
    /// Lines that begin with `#` are comments, except those with `#HttpOnly_`. A cookie with an
    /// expiry time of 0, or without one, is a session cookie. A port behind the domain, as wget
    /// writes it, is ignored: cookies are not separated by port. An unusable line is reported with
    /// its number, and all others are read.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime};
    ///
    /// let text = b"# Netscape HTTP Cookie File\n\
    ///     #HttpOnly_.example.com\tTRUE\t/\tTRUE\t1798761600\tsid\t31d4\n\
    ///     oops\n";
    /// let mut jar = Jar::new();
    /// let loaded = jar.read_cookies_txt(text, UnixTime(1_767_225_600));
    /// assert_eq!(loaded.stored, 1);
    /// assert_eq!(loaded.problems[0].to_string(), "line 3: expected seven fields between tabs");
    /// assert!(jar.get("sid").is_some_and(|cookie| cookie.http_only() && !cookie.host_only()));
    /// ```
    pub fn read_cookies_txt(&mut self, text: &[u8], now: UnixTime) -> Loaded {
        let mut loaded = Loaded::default();
        for (number, line) in lines(text) {
            let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
                Some(line) => (line, true),
                None if line.starts_with(b"#") => continue,
                None => (line, false),
            };
            match entry(line, http_only) {
                Ok(entry) => self.restore(&entry, Some(now), number, &mut loaded),
                Err(expected) => loaded.fail(number, Fault::Malformed(expected)),
            }
        }
        loaded
    }

    /// Appends the jar as `cookies.txt` to `out`, oldest cookie first.
    ///
    /// The format has no place for `SameSite`, `Partitioned` and the time of creation. Cookies with
    /// a tab in name, value or path, and cookies without a domain, are left out and reported. A
    /// reader of the file can use the sessions in it, so give access to its owner alone.
    pub fn write_cookies_txt(&self, keep: Keep, now: UnixTime, out: &mut Vec<u8>) -> Saved {
        let mut saved = Saved::default();
        out.extend_from_slice(MAGIC);
        for cookie in self.iter().filter(|cookie| keep.keeps(cookie, now)) {
            if cookie.domain().is_empty() || cookie.pair().contains(&b'\t') || cookie.path().contains('\t') {
                saved.unfit(cookie);
                continue;
            }
            write(cookie, out);
            saved.written += 1;
        }
        saved
    }
}

fn entry(line: &[u8], http_only: bool) -> Result<Entry<'_>, &'static str> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let mut next = || fields.next().ok_or("seven fields between tabs");
    let (domain, below, path, secure, end, name) = (next()?, next()?, next()?, next()?, next()?, next()?);
    // Some writers leave out an empty value together with its tab.
    let value = next().unwrap_or_default();
    if fields.next().is_some() {
        return Err("seven fields between tabs");
    }
    Ok(Entry {
        name,
        value,
        domain: str::from_utf8(trim(domain))
            .ok()
            .map(without_port)
            .map(without_local)
            .filter(|domain| !domain.is_empty())
            .ok_or("a domain")?,
        host_only: !flag(below)?,
        path: if path.is_empty() { b"/" } else { path },
        expires: end_of(trim(end))?,
        secure: flag(secure)?,
        http_only,
        same_site: SameSite::Unset,
        partitioned: false,
        created: None,
        used: 0,
    })
}

/// The domain without the port that wget writes behind it. An IPv6 address has colons, too, with or
/// without brackets: a text that parses as an address has no port.
fn without_port(domain: &str) -> &str {
    let Some((host, port)) = domain.rsplit_once(':') else { return domain };
    let address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && !address(domain);
    let is_host = !host.contains(':') || host.ends_with(']') || address(host);
    if is_port && is_host { host } else { domain }
}

fn flag(field: &[u8]) -> Result<bool, &'static str> {
    if field.eq_ignore_ascii_case(b"TRUE") {
        Ok(true)
    } else if field.eq_ignore_ascii_case(b"FALSE") {
        Ok(false)
    } else {
        Err("TRUE or FALSE")
    }
}

/// Unix seconds, saturated. A fraction is dropped. 0 and an empty field mean a session cookie.
fn end_of(field: &[u8]) -> Result<Option<i64>, &'static str> {
    if field.is_empty() {
        return Ok(None);
    }
    let whole = field.split(|&byte| byte == b'.').next().unwrap_or_default();
    let (sign, digits) = match whole {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let size = seconds(digits).ok_or("an end in unix seconds")?;
    Ok((size != 0).then_some(sign * size))
}

fn write(cookie: &Cookie, out: &mut Vec<u8>) {
    let word = |on: bool| if on { "TRUE" } else { "FALSE" };
    if cookie.http_only() {
        out.extend_from_slice(HTTP_ONLY);
    }
    // The dot and the second field say the same. Some readers stop at a line where they differ.
    let dot = if cookie.host_only() { "" } else { "." };
    // curl and wget recognise an IPv6 address without brackets only.
    let domain = cookie.domain().trim_start_matches('[').trim_end_matches(']');
    // An expiry time of 0 would be read as a session cookie. 1 is as long past as any time below
    // it.
    let end = cookie.expires().map_or(0, |end| end.0.max(1));
    let path = cookie.path();
    let (below, secure) = (word(!cookie.host_only()), word(cookie.secure()));
    out.extend_from_slice(format!("{dot}{domain}\t{below}\t{path}\t{secure}\t{end}\t").as_bytes());
    out.extend_from_slice(cookie.name());
    out.push(b'\t');
    out.extend_from_slice(cookie.value());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    const NOW: UnixTime = UnixTime(1_767_225_600);

    fn read(text: &str) -> (Jar, Loaded) {
        let mut jar = Jar::new();
        let loaded = jar.read_cookies_txt(text.as_bytes(), NOW);
        (jar, loaded)
    }

    #[test]
    fn lines_of_other_writers() {
        let (jar, loaded) = read(
            "\u{feff}# Netscape HTTP Cookie File\r\n\r\n\
             .a.example\tTRUE\t/\tFALSE\t1798761600.5\tfloat\t1\r\n\
             a.example\tFALSE\t/x\tTRUE\t0\tsession\t\r\n\
             a.example\tFALSE\t/x\tTRUE\t\tsix\n\
             #HttpOnly_127.0.0.1\tTRUE\t/\tFALSE\t1798761600\tip\tv=1\n\
             .localhost\tTRUE\t/\tFALSE\t0\t\tnameless\n\
             .a.example\tTRUE\t/\tFALSE\t1\told\t1\n \
             b.example \tFALSE\t\tFALSE\t 1798761600 \tby-hand\t 1 ",
        );
        assert_eq!(loaded, Loaded { stored: 6, expired: 1, problems: vec![] });
        let cookies: Vec<_> = jar.iter().collect();
        assert_eq!((cookies[0].host_only(), cookies[0].expires()), (false, Some(UnixTime(1_798_761_600))));
        assert_eq!(
            (cookies[1].host_only(), cookies[1].expires(), cookies[1].value()),
            (true, None, &b""[..])
        );
        assert!(cookies[3].http_only() && cookies[3].domain() == "127.0.0.1");
        assert_eq!((cookies[4].domain(), cookies[4].pair()), ("localhost", &b"nameless"[..]));
        let by_hand = cookies[5];
        assert_eq!((by_hand.domain(), by_hand.path(), by_hand.pair()), ("b.example", "/", &b"by-hand=1"[..]));
        assert_eq!(by_hand.expires(), Some(UnixTime(1_798_761_600)));
    }

    #[test]
    fn hosts_as_curl_and_wget_spell_them() {
        let (jar, loaded) = read(
            "::1\tFALSE\t/\tFALSE\t0\tcurl\t1\n\
             #HttpOnly_::1\tFALSE\t/\tFALSE\t0\thidden\t1\n\
             [::1]\tFALSE\t/\tFALSE\t0\tpython\t1\n\
             ::1:18080\tFALSE\t/\tFALSE\t0\twget\t1\n\
             [::1]:8080\tFALSE\t/\tFALSE\t0\tport\t1\n\
             2001:DB8::8080\tfalse\t/\tFalse\t0\taddress\t1\n\
             localhost:8080\tFALSE\t/\tFALSE\t0\tname\t1\n\
             127.0.0.1:8080\tFALSE\t/\tFALSE\t0\tv4\t1\n\
             a.example:http\tFALSE\t/\tFALSE\t0\tno-port\t1\n\
             a.example:\tFALSE\t/\tFALSE\t0\tno-port\t1\n",
        );
        let domains: Vec<_> = jar.iter().map(Cookie::domain).collect();
        let (one, two) = ("[::1]", "[2001:db8::8080]");
        assert_eq!(domains, [one, one, one, one, one, two, "localhost", "127.0.0.1"]);
        let faults: Vec<_> = loaded.problems.iter().map(|problem| (problem.line, problem.fault)).collect();
        let fault = Fault::Refused(Reason::InvalidDomain);
        assert_eq!(faults, [(9, fault), (10, fault)]);

        let mut out = Vec::new();
        jar.write_cookies_txt(Keep::All, NOW, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n::1\tFALSE\t/\tFALSE\t0\tpython\t1\n"), "{text}");
        assert!(text.contains("\n#HttpOnly_::1\t") && !text.contains('['), "{text}");
        assert!(read(&text).0.iter().eq(jar.iter()));
    }

    #[test]
    fn ends_of_any_size() {
        let ends = |text: &str| end_of(text.as_bytes());
        assert_eq!(ends("99999999999999999999"), Ok(Some(i64::MAX)));
        assert_eq!(ends("-99999999999999999999.5"), Ok(Some(-i64::MAX)));
        assert_eq!(
            (ends("-5"), ends("000"), ends("-0"), ends("")),
            (Ok(Some(-5)), Ok(None), Ok(None), Ok(None))
        );
        for broken in ["soon", "-", ".5", "+5", "1e9", " 5", "5 ", "--5"] {
            assert_eq!(ends(broken), Err("an end in unix seconds"), "{broken}");
        }
    }

    #[test]
    #[cfg(feature = "psl")]
    fn v69_a_broken_line_loses_nothing_else() {
        let long = "v".repeat(5000);
        let (jar, loaded) = read(&format!(
            "a.example\tFALSE\t/\tFALSE\t0\tgood\t1\n\
             a.example\tFALSE\t/\tFALSE\t0\tlong\t{long}\n\
             a.example\tFALSE\t/\tFALSE\t0\ttabs\t1\t2\n\
             .co.uk\tTRUE\t/\tFALSE\t0\tsuper\t1\n\
             a.example\tFALSE\t/\tFALSE\t0\t__Secure-a\t1\n\
             .a.example\tTRUE\t/\tTRUE\t0\t__Host-a\t1\n\
             a.example\tFALSE\t/\tFALSE\t0\tctl\t\u{1}\n\
             a.example\tFALSE\t/\tFALSE\t0\tinject\t1; x=2\n\
             a.example\tFALSE\tx\tFALSE\t0\tpath\t1\n\
             a.example\tMAYBE\t/\tFALSE\t0\tflag\t1\n\
             a.example\tFALSE\t/\tFALSE\tsoon\tend\t1\n\
             \tFALSE\t/\tFALSE\t0\tdomain\t1\n\
             a b\tFALSE\t/\tFALSE\t0\tdomain\t1\n\
             b.example\tFALSE\t/\tFALSE\t0\tlast\t1\n"
        ));
        assert_eq!(
            jar.iter().map(|cookie| cookie.name().to_vec()).collect::<Vec<_>>(),
            [&b"good"[..], b"last"]
        );
        let faults: Vec<_> = loaded.problems.iter().map(|problem| (problem.line, problem.fault)).collect();
        let refused = |line, reason| (line, Fault::Refused(reason));
        let fields = Fault::Malformed("seven fields between tabs");
        assert_eq!(
            faults,
            [
                refused(2, Reason::TooLong),
                (3, fields),
                refused(4, Reason::PublicSuffix),
                refused(5, Reason::SecurePrefix),
                refused(6, Reason::HostPrefix),
                refused(7, Reason::ControlCharacter),
                refused(8, Reason::Separator),
                refused(9, Reason::InvalidPath),
                (10, Fault::Malformed("TRUE or FALSE")),
                (11, Fault::Malformed("an end in unix seconds")),
                (12, Fault::Malformed("a domain")),
                refused(13, Reason::InvalidDomain),
            ]
        );
    }

    #[test]
    fn fb11_every_end_of_a_line_is_one() {
        let lines = [
            "# Netscape HTTP Cookie File",
            "a.example\tFALSE\t/\tFALSE\t0\ta\t1",
            "",
            "oops",
            "a.example\tFALSE\t/\tFALSE\t0\tb\t2",
        ];
        for mark in ["", "\u{feff}"] {
            for end in ["\n", "\r\n", "\r"] {
                for last in ["", end] {
                    let text = format!("{mark}{}{last}", lines.join(end));
                    let (jar, loaded) = read(&text);
                    let pairs: Vec<_> = jar.iter().map(Cookie::pair).collect();
                    assert_eq!(pairs, [b"a=1", b"b=2"], "{text:?}");
                    assert_eq!(loaded.problems.len(), 1, "{text:?}");
                    assert_eq!(loaded.problems[0].line, 4, "{text:?}");
                }
            }
        }
        // Blank lines count, whatever their line end.
        let (_, loaded) = read("\r\r\n\n\roops");
        assert_eq!(loaded.problems[0].line, 5);
    }

    #[test]
    fn fb9_hosts_that_python_has_put_into_local() {
        let text = "# Netscape HTTP Cookie File\n\
             localhost.local\tFALSE\t/\tFALSE\t0\ta\t1\n\
             [::1].local\tFALSE\t/\tFALSE\t0\tb\t2\n\
             .localhost.local\tTRUE\t/\tFALSE\t0\tc\t3\n\
             printer.local\tFALSE\t/\tFALSE\t0\td\t4\n\
             local\tFALSE\t/\tFALSE\t0\te\t5\n";
        let (mut jar, loaded) = read(text);
        assert_eq!(loaded, Loaded { stored: 5, ..Loaded::default() });
        let now = NOW;
        for (url, sent) in [
            ("http://localhost/", "a=1; c=3"),
            ("http://[::1]:8080/", "b=2"),
            ("http://printer.local/", "d=4"),
            ("http://printer/", ""),
            ("http://localhost.local/", ""),
        ] {
            let mut out = Vec::new();
            jar.header(&url::Url::parse(url).unwrap(), now, &mut out);
            assert_eq!(out.escape_ascii().to_string(), sent, "{url}");
        }
    }

    #[test]
    fn what_does_not_fit_is_reported() {
        let (mut jar, _) = read("a.example\tFALSE\t/\tFALSE\t0\ta\t1\n");
        let now = NOW;
        let url = url::Url::parse("http://a.example/").unwrap();
        jar.extract(&url, [&b"t=1\t2; Max-Age=9"[..], b"b=2; Max-Age=9; HttpOnly; Domain=a.example"], now);
        let mut out = Vec::new();
        let saved = jar.write_cookies_txt(Keep::Persistent, NOW, &mut out);
        assert_eq!(saved, Saved { written: 1, unfit: vec!["t".into()] });
        let line = "#HttpOnly_.a.example\tTRUE\t/\tFALSE\t1767225609\tb\t2\n";
        assert_eq!(String::from_utf8(out).unwrap(), format!("# Netscape HTTP Cookie File\n{line}"));
        assert_eq!(jar.write_cookies_txt(Keep::All, NOW, &mut Vec::new()).written, 2);
    }
}
