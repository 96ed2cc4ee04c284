//! A model of the jar: a direct implementation of the rules without optimisation. The jar is
//! compared with it.

use sessio_cookie::{Policy, Url, parse_date};

/// One cookie of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Vec<u8>,
    value: Vec<u8>,
    domain: String,
    host_only: bool,
    path: Vec<u8>,
    secure: bool,
    expires: Option<i64>,
    order: u64,
    used: u64,
}

/// All cookies, in one list.
#[derive(Debug)]
pub(crate) struct Model {
    policy: Policy,
    cookies: Vec<Entry>,
    clock: u64,
}

impl Model {
    /// An empty model.
    #[must_use]
    pub(crate) const fn new(policy: Policy) -> Self {
        Self { policy, cookies: Vec::new(), clock: 0 }
    }

    /// The number of cookies that are not expired.
    #[must_use]
    pub(crate) fn len(&self, now: i64) -> usize {
        self.cookies.iter().filter(|cookie| alive(cookie, now)).count()
    }

    /// Applies one `Set-Cookie` line. Returns whether it was accepted.
    pub(crate) fn set(&mut self, url: &Url, line: &[u8], now: i64) -> bool {
        self.accept(url, line, now).is_some()
    }

    fn accept(&mut self, url: &Url, line: &[u8], now: i64) -> Option<()> {
        self.cookies.retain(|cookie| alive(cookie, now));
        let host = url.host_str()?.to_owned();
        // Rules 3 to 7.
        if line.iter().any(|&byte| (byte < 0x20 && byte != 9) || byte == 0x7f) {
            return None;
        }
        let mut parts = line.split(|&byte| byte == b';');
        let pair = parts.next()?;
        let (name, value) = match pair.iter().position(|&byte| byte == b'=') {
            Some(at) => (strip(&pair[..at]), strip(&pair[at + 1..])),
            None => (Vec::new(), strip(pair)),
        };
        if name.len() + value.len() == 0 || name.len() + value.len() > 4096 {
            return None;
        }
        // Rules 8 to 16.
        let (mut expires, mut max_age, mut domain, mut path) = (None, None, Vec::new(), None);
        let (mut secure, mut http_only, mut same_site_none) = (false, false, false);
        for part in parts {
            let mut sides = part.splitn(2, |&byte| byte == b'=');
            let key = strip(sides.next()?).to_ascii_lowercase();
            let value = strip(sides.next().unwrap_or_default());
            if value.len() > 1024 {
                continue;
            }
            match key.as_slice() {
                b"expires" => expires = parse_date(&value).map(|date| date.0).or(expires),
                b"max-age" => max_age = seconds(&value).or(max_age),
                b"domain" => domain = value.to_ascii_lowercase(),
                b"path" => path = if value.first() == Some(&b'/') { Some(value) } else { None },
                b"secure" => secure = true,
                b"httponly" => http_only = true,
                b"samesite" => same_site_none = value.eq_ignore_ascii_case(b"none"),
                _ => {}
            }
        }
        // Rules 13 and 19 to 21.
        if domain == b"." {
            return None;
        }
        if domain.first() == Some(&b'.') {
            domain.remove(0);
        }
        if !domain.is_ascii() {
            return None;
        }
        let mut domain = String::from_utf8(domain).ok()?;
        let suffixes = &self.policy.suffixes;
        let beyond = domain.len() < suffixes.registrable(&host).len() || suffixes.contains(&domain);
        if beyond && !domain.is_empty() {
            if domain == host {
                domain = String::new();
            } else {
                return None;
            }
        }
        let host_only = domain.is_empty();
        if host_only {
            domain = host;
        } else if !matches(&host, &domain) {
            return None;
        }
        // Rules 22 to 29.
        let root = path.as_deref() == Some(b"/");
        if path.as_ref().is_some_and(|path| !path.is_ascii()) {
            return None;
        }
        let path = path.unwrap_or_else(|| directory(url.path()).as_bytes().to_vec());
        let safe = self.policy.is_secure(url);
        if secure && !safe {
            return None;
        }
        let shadows = |old: &Entry| {
            old.secure
                && old.name == name
                && (matches(&old.domain, &domain) || matches(&domain, &old.domain))
                && inside(&path, &old.path)
        };
        if !secure && !safe && self.cookies.iter().any(shadows) {
            return None;
        }
        if same_site_none && !secure {
            return None;
        }
        let claim = |text: &[u8], prefix: &str| text.to_ascii_lowercase().starts_with(prefix.as_bytes());
        let prefixes = ["__secure-", "__host-", "__http-"];
        if name.is_empty() && prefixes.iter().any(|prefix| claim(&value, prefix)) {
            return None;
        }
        let demands_http = claim(&name, "__http-") || claim(&name, "__host-http-");
        if (prefixes.iter().any(|prefix| claim(&name, prefix)) && !secure)
            || (claim(&name, "__host-") && !(host_only && root))
            || (demands_http && !http_only)
        {
            return None;
        }
        // Rules 10 to 12, 31 and 32.
        let cap = now + 400 * 86_400;
        let end = match (max_age, expires) {
            (Some(age), _) if age <= 0 => Some(i64::MIN),
            (Some(age), _) => Some(now.saturating_add(age).min(cap)),
            (None, Some(date)) => Some(date.min(cap)),
            (None, None) => None,
        };
        self.clock += 1;
        let old = self.cookies.iter().position(|old| {
            (&old.name, &old.domain, old.host_only, &old.path) == (&name, &domain, host_only, &path)
        });
        let order = old.map_or(self.clock, |at| self.cookies.remove(at).order);
        let new =
            Entry { name, value, domain, host_only, path, secure, expires: end, order, used: self.clock };
        if alive(&new, now) {
            let domain = new.domain.clone();
            self.cookies.push(new);
            self.evict(&domain);
        }
        Some(())
    }

    /// Rule 34, within one domain.
    fn evict(&mut self, domain: &str) {
        while self.cookies.iter().filter(|cookie| cookie.domain == domain).count()
            > self.policy.limits.per_domain
        {
            let of_domain = self.cookies.iter().enumerate().filter(|(_, cookie)| cookie.domain == domain);
            let first = of_domain.min_by_key(|(_, cookie)| (cookie.secure, cookie.used, cookie.order));
            let Some((at, _)) = first else { return };
            self.cookies.remove(at);
        }
    }

    /// The header of a request, with marking its cookies as used. Rules 36 to 40.
    pub(crate) fn get(&mut self, url: &Url, now: i64) -> Vec<u8> {
        self.cookies.retain(|cookie| alive(cookie, now));
        let Some(host) = url.host_str() else { return Vec::new() };
        let safe = self.policy.is_secure(url);
        let mut chosen: Vec<&mut Entry> = self
            .cookies
            .iter_mut()
            .filter(
                |cookie| if cookie.host_only { host == cookie.domain } else { matches(host, &cookie.domain) },
            )
            .filter(|cookie| inside(url.path().as_bytes(), &cookie.path))
            .filter(|cookie| safe || !cookie.secure)
            .collect();
        chosen.sort_by_key(|cookie| (usize::MAX - cookie.path.len(), cookie.order));
        self.clock += 1;
        let mut header = Vec::new();
        for cookie in chosen {
            let mut pair = cookie.value.clone();
            if !cookie.name.is_empty() {
                pair = [&cookie.name[..], b"=", &cookie.value].concat();
            }
            let glue: &[u8] = if header.is_empty() { b"" } else { b"; " };
            if header.len() + glue.len() + pair.len() > self.policy.limits.header_octets {
                break;
            }
            header.extend([glue, &pair].concat());
            cookie.used = self.clock;
        }
        header
    }
}

fn alive(cookie: &Entry, now: i64) -> bool {
    cookie.expires.is_none_or(|end| end >= now)
}

fn strip(bytes: &[u8]) -> Vec<u8> {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = bytes.iter().take_while(|byte| blank(byte)).count();
    let end = bytes.iter().rev().take_while(|byte| blank(byte)).count();
    if start == bytes.len() { Vec::new() } else { bytes[start..bytes.len() - end].to_vec() }
}

/// Rule 11.
fn seconds(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.iter().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let text = str::from_utf8(text).ok()?;
    Some(text.parse().unwrap_or_else(|_| if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

/// Rule 21.
fn matches(host: &str, domain: &str) -> bool {
    let ip = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    host == domain
        || (!ip && !domain.is_empty() && host.len() <= 255 && host.ends_with(&format!(".{domain}")))
}

/// Rule 22.
fn directory(path: &str) -> &str {
    if !path.starts_with('/') || path.matches('/').count() == 1 {
        return "/";
    }
    path.rsplit_once('/').map_or("/", |(directory, _)| directory)
}

/// Rule 23.
fn inside(path: &[u8], cookie_path: &[u8]) -> bool {
    path == cookie_path
        || (path.starts_with(cookie_path)
            && (cookie_path.last() == Some(&b'/') || path.get(cookie_path.len()) == Some(&b'/')))
}

/// Rules 17 and 18, by the grammar: splits the tokens first, then tries each production in order.
#[must_use]
pub(crate) fn naive_date(text: &[u8]) -> Option<i64> {
    let delimiter = |byte: &u8| {
        *byte == 9
            || (0x20..=0x2f).contains(byte)
            || (0x3b..=0x40).contains(byte)
            || (0x5b..=0x60).contains(byte)
            || (0x7b..=0x7e).contains(byte)
    };
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(delimiter).filter(|token| !token.is_empty()) {
        let start = |min: usize, max: usize| {
            let digits: Vec<u8> = token.iter().copied().take_while(u8::is_ascii_digit).collect();
            let fits = (min..=max).contains(&digits.len());
            if fits { String::from_utf8(digits).ok()?.parse::<i64>().ok() } else { None }
        };
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let named = |name: &&str| token.to_ascii_lowercase().starts_with(name.as_bytes());
        if time.is_none() && hms(token).is_some() {
            time = hms(token);
        } else if day.is_none() && start(1, 2).is_some() {
            day = start(1, 2);
        } else if month.is_none() && names.iter().any(named) {
            month = names.iter().position(named).map(|at| at as i64 + 1);
        } else if year.is_none() && start(2, 4).is_some() {
            year = start(2, 4);
        }
    }
    let ([hour, minute, second], day, month, mut year) = (time?, day?, month?, year?);
    if (70..=99).contains(&year) {
        year += 1900;
    } else if (0..=69).contains(&year) {
        year += 2000;
    }
    let leap = |year: i64| year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if year < 1601 || day < 1 || day > lengths[month as usize - 1] || hour > 23 || minute > 59 || second > 59
    {
        return None;
    }
    let span = |year: i64| if leap(year) { 366 } else { 365 };
    let years: i64 = (1970..year).map(span).sum::<i64>() - (year..1970).map(span).sum::<i64>();
    let days = years + lengths[..month as usize - 1].iter().sum::<i64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Three fields of one or two digits, separated by colons. A digit must not follow.
fn hms(token: &[u8]) -> Option<[i64; 3]> {
    let end = token.iter().position(|byte| !byte.is_ascii_digit() && *byte != b':').unwrap_or(token.len());
    let text = str::from_utf8(&token[..end]).ok()?;
    // A fourth field is not part of the time: its colon is the non-digit after the seconds.
    let fields: Vec<&str> = text.splitn(4, ':').take(3).collect();
    let [hour, minute, second] = fields.try_into().ok()?;
    let field = |text: &str| if text.len() <= 2 { text.parse::<i64>().ok() } else { None };
    Some([field(hour)?, field(minute)?, field(second)?])
}
