//! `Set-Cookie3`, the format of libwww-perl and of Python's `LWPCookieJar`.

use crate::date::days_from_civil;
use crate::format::restore::{Entry, Fault, Keep, Loaded, Saved, lines, without_local};
use crate::jar::Jar;
use crate::parse::SameSite;
use crate::record::Cookie;
use crate::scan::{cut, trim};
use crate::unix_time::UnixTime;

const MAGIC: &[u8] = b"#LWP-Cookies-2.0\n";
const LINE: &[u8] = b"Set-Cookie3:";

/// Lines such as `Set-Cookie3: a=1; path="/"; domain=a.example; path_spec; expires="2027-01-01 00:00:00Z"; version=0`.
impl Jar {
    /// Reads the output of `LWPCookieJar` and of [`write_lwp`](Self::write_lwp). An unusable line
    /// is reported with its number, and all others are read.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime};
    ///
    /// let text = b"#LWP-Cookies-2.0\n\
    ///     Set-Cookie3: sid=\"a \\\"b\\\"\"; path=\"/\"; domain=\".example.com\"; path_spec; domain_dot; \
    ///     expires=\"2027-01-01 00:00:00Z\"; HttpOnly=None; version=0\n";
    /// let mut jar = Jar::new();
    /// assert_eq!(jar.read_lwp(text, UnixTime(1_767_225_600)).stored, 1);
    /// assert_eq!(jar.get("sid").and_then(|cookie| cookie.value_str()), Some("a \"b\""));
    /// ```
    pub fn read_lwp(&mut self, text: &[u8], now: UnixTime) -> Loaded {
        let mut loaded = Loaded::default();
        for (number, line) in lines(text).filter(|(_, line)| !line.starts_with(b"#")) {
            match line.strip_prefix(LINE).ok_or("Set-Cookie3:").and_then(Fields::read) {
                Ok(fields) => match fields.entry() {
                    Ok(entry) => self.restore(&entry, Some(now), number, &mut loaded),
                    Err(expected) => loaded.fail(number, Fault::Malformed(expected)),
                },
                Err(expected) => loaded.fail(number, Fault::Malformed(expected)),
            }
        }
        loaded
    }

    /// Appends the jar in the format of `LWPCookieJar` to `out`, oldest cookie first.
    ///
    /// The format has no place for the time of creation. A cookie without a domain is left out and
    /// reported. Names that are not tokens are written as they are; other readers may refuse them.
    pub fn write_lwp(&self, keep: Keep, now: UnixTime, out: &mut Vec<u8>) -> Saved {
        let mut saved = Saved::default();
        out.extend_from_slice(MAGIC);
        for cookie in self.iter().filter(|cookie| keep.keeps(cookie, now)) {
            if cookie.domain().is_empty() {
                saved.unfit(cookie);
                continue;
            }
            write(cookie, out);
            saved.written += 1;
        }
        saved
    }
}

/// The first pair of a line, and its attributes.
struct Fields {
    name: Vec<u8>,
    value: Vec<u8>,
    attributes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Fields {
    fn read(line: &[u8]) -> Result<Self, &'static str> {
        let mut rest = line;
        let (name, value) = field(&mut rest)?;
        // A lone word is a value without a name.
        let (name, value) = match value {
            Some(value) => (name, value),
            None => (Vec::new(), name),
        };
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            attributes.push(field(&mut rest)?);
        }
        Ok(Self { name, value, attributes })
    }

    fn get(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(found.1.as_deref())
    }

    fn entry(&self) -> Result<Entry<'_>, &'static str> {
        let text = |name| self.get(name).flatten();
        let domain = text(b"domain").and_then(|domain| str::from_utf8(domain).ok()).map(without_local);
        Ok(Entry {
            name: &self.name,
            value: &self.value,
            domain: domain.filter(|domain| !domain.is_empty()).ok_or("a domain")?,
            host_only: self.get(b"domain_dot").is_none()
                && !domain.is_some_and(|domain| domain.starts_with('.')),
            path: text(b"path").unwrap_or(b"/"),
            expires: text(b"expires").map(|date| read_date(date).ok_or("a date")).transpose()?,
            secure: self.get(b"secure").is_some(),
            http_only: self.get(b"httponly").is_some(),
            same_site: text(b"samesite").map_or(SameSite::Unset, SameSite::parse),
            partitioned: self.get(b"partitioned").is_some(),
            created: None,
            used: 0,
        })
    }
}

/// Removes one field from the front, with the `;` after it. A field is `name`, `name=word` or
/// `name="quoted"`.
fn field(rest: &mut &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), &'static str> {
    let end = rest.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(rest.len());
    let name = trim(&rest[..end]).to_vec();
    let value = rest.get(end) == Some(&b'=');
    *rest = if value { trim(&rest[end + 1..]) } else { &rest[end..] };
    let value = match (value, rest.strip_prefix(b"\"")) {
        (false, _) => None,
        (true, Some(quoted)) => Some(unquote(quoted, rest)?),
        (true, None) => {
            let (word, _) = cut(rest, b';');
            *rest = &rest[word.len()..];
            Some(trim(word).to_vec())
        }
    };
    match trim(rest) {
        [b';', next @ ..] => *rest = trim(next),
        [] => *rest = &[],
        _ => return Err("a semicolon"),
    }
    Ok((name, value))
}

/// The text up to the closing quote, without its backslashes. Sets `rest` to the bytes after the
/// quote.
fn unquote<'a>(quoted: &'a [u8], rest: &mut &'a [u8]) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => {
                *rest = &quoted[at + 1..];
                return Ok(text);
            }
            b'\\' => text.extend(bytes.next().map(|(_, &escaped)| escaped)),
            byte => text.push(byte),
        }
    }
    Err("a closing quote")
}

fn write(cookie: &Cookie, out: &mut Vec<u8>) {
    out.extend_from_slice(LINE);
    out.push(b' ');
    out.extend_from_slice(cookie.name());
    out.push(b'=');
    quote(cookie.value(), out);
    out.extend_from_slice(b"; path=");
    quote(cookie.path().as_bytes(), out);
    out.extend_from_slice(b"; domain=");
    let dot = if cookie.host_only() { "" } else { "." };
    quote(format!("{dot}{}", cookie.domain()).as_bytes(), out);
    out.extend_from_slice(b"; path_spec");
    if !cookie.host_only() {
        out.extend_from_slice(b"; domain_dot");
    }
    if cookie.secure() {
        out.extend_from_slice(b"; secure");
    }
    match cookie.expires() {
        Some(end) => out.extend_from_slice(format!("; expires=\"{}\"", date(end)).as_bytes()),
        None => out.extend_from_slice(b"; discard"),
    }
    if cookie.http_only() {
        out.extend_from_slice(b"; HttpOnly=None");
    }
    if cookie.partitioned() {
        out.extend_from_slice(b"; Partitioned=None");
    }
    if let Some(word) = cookie.same_site().as_str() {
        out.extend_from_slice(format!("; SameSite={word}").as_bytes());
    }
    out.extend_from_slice(b"; version=0\n");
}

fn quote(text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty() && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// A date such as `2027-01-01 00:00:00Z`. The year has four digits, so dates are limited to the
/// years 1 to 9999.
fn date(time: UnixTime) -> String {
    let seconds = time.0.clamp(days_from_civil(1, 1, 1) * 86_400, days_from_civil(10_000, 1, 1) * 86_400 - 1);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The average length of a year gives the right year, or one next to it.
    let mut year = 1970 + (days * 400).div_euclid(146_097);
    while days_from_civil(year, 1, 1) > days {
        year -= 1;
    }
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (2..=12).rev().find(|&month| days_from_civil(year, month, 1) <= days).unwrap_or(1);
    let day = days - days_from_civil(year, month, 1) + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

fn read_date(text: &[u8]) -> Option<i64> {
    let text = str::from_utf8(text).ok()?;
    let mut numbers = text.trim_end_matches('Z').split(['-', ' ', 'T', ':']);
    let mut next =
        |most: i64| numbers.next()?.parse::<i64>().ok().filter(|number| (0..=most).contains(number));
    let (year, month, day) = (next(9999)?, next(12)?, next(31)?);
    let (hour, minute, second) = (next(23)?, next(59)?, next(59)?);
    let date = month > 0 && day > 0 && numbers.next().is_none();
    date.then(|| days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_there_and_back() {
        for days in (-600_000_i64..2_900_000).step_by(97).chain(-1000..=1000) {
            let time = UnixTime(days * 86_400 + 86_399 - days.rem_euclid(86_400));
            assert_eq!(read_date(date(time).as_bytes()), Some(time.0));
        }
        assert_eq!(date(UnixTime(0)), "1970-01-01 00:00:00Z");
        assert_eq!(date(UnixTime(i64::MIN)), "0001-01-01 00:00:00Z");
        assert_eq!(date(UnixTime(i64::MAX)), "9999-12-31 23:59:59Z");
        for broken in ["", "2027", "2027-13-01 00:00:00Z", "2027-01-01 00:00:00 1", "2027-01-01 24:00:00Z"] {
            assert_eq!(read_date(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn fb9_fb11_what_python_writes_for_this_machine_with_every_end_of_a_line() {
        let lines = [
            "#LWP-Cookies-2.0",
            "Set-Cookie3: a=1; path=\"/\"; domain=\"localhost.local\"; path_spec; discard; version=0",
            "oops",
            "Set-Cookie3: b=2; path=\"/\"; domain=\"[::1].local\"; path_spec; discard; version=0",
        ];
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("\u{feff}{}", lines.join(end));
            let mut jar = Jar::new();
            let loaded = jar.read(text.as_bytes(), UnixTime(0));
            assert_eq!(loaded.problems[0].to_string(), "line 3: expected Set-Cookie3:");
            assert_eq!((loaded.stored, loaded.problems.len()), (2, 1), "{text:?}");
            let domains: Vec<_> = jar.iter().map(|it| (it.domain(), it.host_only())).collect();
            assert_eq!(domains, [("localhost", true), ("[::1]", true)]);
        }
    }

    #[test]
    fn broken_lines_are_reported() {
        let text = "#LWP-Cookies-2.0\n\
            Set-Cookie3: word; path=\"/\"; domain=a.example; version=0\n\
            Set-Cookie3: a=\"open; path=\"/\"; domain=a.example\n\
            Set-Cookie3: a=1; path=\"/\"; version=0\n\
            Set-Cookie2: a=1; domain=a.example\n\
            Set-Cookie3: a=1; domain=a.example; expires=\"soon\"\n\
            Set-Cookie3: b=2; domain=\"a.example\"; secure; discard\n";
        let mut jar = Jar::new();
        let loaded = jar.read_lwp(text.as_bytes(), UnixTime(0));
        let shown: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 3: expected a semicolon",
                "line 4: expected a domain",
                "line 5: expected Set-Cookie3:",
                "line 6: expected a date"
            ]
        );
        assert_eq!(jar.iter().map(Cookie::pair).collect::<Vec<_>>(), [&b"word"[..], b"b=2"]);
    }
}
