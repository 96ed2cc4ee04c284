//! Jars as JSON: the document that loses nothing, and the formats of browser tools.

use serde_json::{Map, Value, json};

use crate::format::document::{Document, FORMAT, Record, VERSION};
use crate::format::restore::{Entry, Fault, Keep, Loaded, Saved, unmarked};
use crate::jar::Jar;
use crate::parse::SameSite;
use crate::record::Cookie;
use crate::unix_time::UnixTime;

impl Jar {
    /// Reads the output of [`write_json`](Self::write_json). An unusable entry is reported with its
    /// number, from 1, and all others are read. A document of another kind or version is reported
    /// as line 0.
    pub fn read_json(&mut self, text: &[u8], now: UnixTime) -> Loaded {
        let mut loaded = Loaded::default();
        let document = serde_json::from_slice::<Document<Value>>(unmarked(text)).ok();
        let Some(document) = document.filter(|it| it.format == FORMAT && it.version == VERSION) else {
            loaded.fail(0, Fault::Malformed("a document \"sessio-cookies\" of version 1"));
            return loaded;
        };
        for (number, value) in (1..).zip(document.cookies) {
            let read = serde_json::from_value::<Record>(value).map_err(|_| "the fields of a cookie");
            let read = read.and_then(|record| {
                record.with_entry(|entry| self.restore(entry, Some(now), number, &mut loaded))
            });
            if let Err(expected) = read {
                loaded.fail(number, Fault::Malformed(expected));
            }
        }
        loaded
    }

    /// Appends the jar as a JSON document to `out`, oldest cookie first. Nothing is lost: it has
    /// every byte of each value, the order of creation and the order of use.
    ///
    /// ```
    /// use sessio_cookie::{Jar, Keep, UnixTime, Url};
    ///
    /// let now = UnixTime(1_767_225_600);
    /// let mut jar = Jar::new();
    /// jar.extract(&Url::parse("https://example.com/")?, [&b"sid=\xff; HttpOnly"[..]], now);
    /// let mut text = Vec::new();
    /// assert_eq!(jar.write_json(Keep::All, now, &mut text).written, 1);
    ///
    /// let mut other = Jar::new();
    /// assert_eq!(other.read_json(&text, now).stored, 1);
    /// assert!(jar.iter().eq(other.iter()));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn write_json(&self, keep: Keep, now: UnixTime, out: &mut Vec<u8>) -> Saved {
        let cookies: Vec<Record> =
            self.iter().filter(|cookie| keep.keeps(cookie, now)).map(Record::new).collect();
        let written = cookies.len();
        append(&Document { format: FORMAT.to_owned(), version: VERSION, cookies }, out);
        Saved { written, unfit: Vec::new() }
    }

    /// Reads Playwright's `storageState`, or a list of cookies. Browser extensions export such a
    /// list with `hostOnly` and `expirationDate`, and WebDriver with `expiry`. Entries are reported
    /// like those of [`read_json`](Self::read_json).
    ///
    /// Flags are `true`, `false`, 1 or 0. `SameSite=None` without `Secure` is read as absent:
    /// Firefox and WebKit export cookies without `SameSite` in that way.
    ///
    /// ```
    /// use sessio_cookie::{Jar, UnixTime};
    ///
    /// let text = br#"{"cookies": [{"name": "sid", "value": "31d4", "domain": ".example.com", "path": "/", "expires": -1,
    ///     "httpOnly": true, "secure": true, "sameSite": "Lax"}], "origins": []}"#;
    /// let mut jar = Jar::new();
    /// assert_eq!(jar.read_storage_state(text, UnixTime(1_767_225_600)).stored, 1);
    /// assert!(jar.get("sid").is_some_and(|cookie| cookie.http_only() && !cookie.host_only()));
    /// ```
    pub fn read_storage_state(&mut self, text: &[u8], now: UnixTime) -> Loaded {
        let mut loaded = Loaded::default();
        let document = serde_json::from_slice(unmarked(text)).unwrap_or_default();
        let cookies = match &document {
            Value::Array(cookies) => Some(cookies),
            document => document["cookies"].as_array(),
        };
        let Some(cookies) = cookies else {
            loaded.fail(0, Fault::Malformed("a list of cookies"));
            return loaded;
        };
        for (number, cookie) in (1..).zip(cookies) {
            match foreign(cookie) {
                Ok(entry) => self.restore(&entry, Some(now), number, &mut loaded),
                Err(expected) => loaded.fail(number, Fault::Malformed(expected)),
            }
        }
        loaded
    }

    /// Appends the jar as Playwright's `storageState` to `out`, oldest cookie first.
    ///
    /// The format has no place for bytes that are not UTF-8, nor for a cookie without a domain:
    /// these are left out and reported. A cookie without `SameSite` is written as `Lax`, as
    /// browsers treat it.
    pub fn write_storage_state(&self, keep: Keep, now: UnixTime, out: &mut Vec<u8>) -> Saved {
        let mut saved = Saved::default();
        let mut cookies = Vec::new();
        for cookie in self.iter().filter(|cookie| keep.keeps(cookie, now)) {
            match playwright(cookie) {
                Some(entry) => cookies.push(entry),
                None => saved.unfit(cookie),
            }
        }
        saved.written = cookies.len();
        append(&json!({"cookies": cookies, "origins": []}), out);
        saved
    }
}

fn append(document: &impl serde::Serialize, out: &mut Vec<u8>) {
    // Writing text and numbers into memory does not fail.
    let done = serde_json::to_writer(out, document);
    debug_assert!(done.is_ok());
}

/// The end of the year 9999. Playwright refuses a whole file if one cookie in it expires later.
const LAST: i64 = 253_402_300_799;

fn playwright(cookie: &Cookie) -> Option<Value> {
    let (name, value) = (cookie.name_str()?, cookie.value_str()?);
    if cookie.domain().is_empty() {
        return None;
    }
    let dot = if cookie.host_only() { "" } else { "." };
    Some(json!({
        "name": name,
        "value": value,
        "domain": format!("{dot}{}", cookie.domain()),
        "path": cookie.path(),
        "expires": cookie.expires().map_or(-1, |end| end.0.clamp(0, LAST)),
        "httpOnly": cookie.http_only(),
        "secure": cookie.secure(),
        "sameSite": cookie.same_site().as_str().unwrap_or("Lax"),
    }))
}

fn foreign(cookie: &Value) -> Result<Entry<'_>, &'static str> {
    let cookie = cookie.as_object().ok_or("an object")?;
    let domain = text(cookie, "domain", "a domain")?.filter(|domain| !domain.is_empty()).ok_or("a domain")?;
    let secure = flag(cookie, "secure")?.unwrap_or_default();
    Ok(Entry {
        name: text(cookie, "name", "a name")?.ok_or("a name")?.as_bytes(),
        value: text(cookie, "value", "a value")?.ok_or("a value")?.as_bytes(),
        domain,
        host_only: flag(cookie, "hostOnly")?.unwrap_or_else(|| !domain.starts_with('.')),
        path: text(cookie, "path", "a path")?.unwrap_or("/").as_bytes(),
        expires: end(cookie)?,
        secure,
        http_only: flag(cookie, "httpOnly")?.unwrap_or_default(),
        same_site: same_site(text(cookie, "sameSite", "a word for SameSite")?, secure),
        partitioned: cookie.get("partitionKey").is_some_and(|key| !key.is_null()),
        created: None,
        used: 0,
    })
}

/// The value of a key. `null` counts as absent.
fn said<'a>(cookie: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    cookie.get(key).filter(|value| !value.is_null())
}

fn text<'a>(
    cookie: &'a Map<String, Value>,
    key: &str,
    expected: &'static str,
) -> Result<Option<&'a str>, &'static str> {
    said(cookie, key).map(|value| value.as_str().ok_or(expected)).transpose()
}

/// A flag: a boolean, or 0 or 1, as some tools write it. Anything else is reported: if an unknown
/// value of `secure` counted as false, a `Secure` cookie would be sent over http.
fn flag(cookie: &Map<String, Value>, key: &str) -> Result<Option<bool>, &'static str> {
    match said(cookie, key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(number) if number.as_f64() == Some(0.0) => Ok(Some(false)),
        Some(number) if number.as_f64() == Some(1.0) => Ok(Some(true)),
        Some(_) => Err("true or false as a flag"),
    }
}

/// The value of `SameSite`. If the server set none, extensions of Firefox write `no_restriction`,
/// and Playwright writes `None` for WebKit. A real `None` needs `Secure`.
fn same_site(word: Option<&str>, secure: bool) -> SameSite {
    match word {
        Some("no_restriction") if secure => SameSite::None,
        Some(word) => match SameSite::parse(word.as_bytes()) {
            SameSite::None if !secure => SameSite::Unset,
            same_site => same_site,
        },
        None => SameSite::Unset,
    }
}

/// The expiry time in Unix seconds, without its fraction. A cookie with none, or with -1, is a
/// session cookie.
fn end(cookie: &Map<String, Value>) -> Result<Option<i64>, &'static str> {
    match ["expires", "expirationDate", "expiry"].iter().find_map(|key| said(cookie, key)) {
        None => Ok(None),
        Some(number) => match number.as_f64().ok_or("an end in unix seconds")? {
            -1.0 => Ok(None),
            // A float that is out of range saturates.
            seconds => Ok(Some(seconds as i64)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    const NOW: UnixTime = UnixTime(1_767_225_600);

    #[test]
    fn broken_entries_are_reported() {
        let text = br#"{"format": "sessio-cookies", "version": 1, "cookies": [
            {"name": "a", "value": "1", "domain": "a.example", "host_only": true, "path": "/", "expires": null,
             "secure": false, "http_only": false, "same_site": null, "partitioned": false, "created": 5},
            {"name": "a"},
            {"name": "__Host-a", "value": "1", "domain": "a.example", "host_only": true, "path": "/", "expires": null,
             "secure": false, "http_only": false, "same_site": null, "partitioned": false, "created": 5},
            7]}"#;
        let mut jar = Jar::new();
        let loaded = jar.read_json(text, NOW);
        assert_eq!((loaded.stored, jar.len()), (1, 1));
        let faults: Vec<_> = loaded.problems.iter().map(|problem| (problem.line, problem.fault)).collect();
        let fields = Fault::Malformed("the fields of a cookie");
        assert_eq!(faults, [(2, fields), (3, Fault::Refused(Reason::HostPrefix)), (4, fields)]);
        for other in [&b"{}"[..], b"", b"[", br#"{"format": "sessio-cookies", "version": 2, "cookies": []}"#]
        {
            assert_eq!(jar.read_json(other, NOW).problems[0].line, 0);
            assert_eq!(
                jar.read_storage_state(other, NOW).problems.len(),
                usize::from(!other.ends_with(b"]}"))
            );
        }
    }

    #[test]
    fn extreme_numbers() {
        let text = br#"{"format": "sessio-cookies", "version": 1, "cookies": [
            {"name_b64": "/w==", "value_b64": "AAA=", "domain": "a.example", "host_only": true, "path": "/", "expires": null,
             "secure": false, "http_only": false, "same_site": null, "partitioned": false, "created": 5},
            {"name": "a", "value_b64": "/w==", "domain": "", "host_only": false, "path": "/",
             "expires": 9223372036854775807, "secure": false, "http_only": false, "same_site": "strict",
             "partitioned": true, "created": -9223372036854775808, "used": 18446744073709551615}]}"#;
        let mut jar = Jar::new();
        let loaded = jar.read_json(text, NOW);
        assert_eq!(loaded.problems[0].fault, Fault::Refused(Reason::ControlCharacter));
        let now = NOW;
        let url = url::Url::parse("http://a.example/").unwrap();
        let mut out = Vec::new();
        assert_eq!(jar.header(&url, now, &mut out), 1);
        assert_eq!((&out[..], jar.get("a").unwrap().domain()), (&b"a=\xff"[..], "a.example"));
        let again: Jar = serde_json::from_str(&serde_json::to_string(&jar).unwrap()).unwrap();
        assert!(again.iter().eq(jar.iter()));
    }

    #[test]
    fn lists_of_webdriver() {
        let text = br#"[{"domain": ".a.example", "expiry": 1798761600, "httpOnly": true, "name": "a", "path": "/",
            "sameSite": "Lax", "secure": false, "value": "1"},
            {"domain": "a.example", "httpOnly": false, "name": "b", "path": "/", "secure": false, "value": "2"}]"#;
        let mut jar = Jar::new();
        assert_eq!(jar.read_storage_state(text, NOW), Loaded { stored: 2, ..Loaded::default() });
        let (a, b) = (jar.get("a").unwrap(), jar.get("b").unwrap());
        assert_eq!((a.host_only(), a.expires()), (false, Some(UnixTime(1_798_761_600))));
        assert_eq!((b.host_only(), b.expires()), (true, None));
    }

    #[test]
    fn no_end_is_later_than_playwright_takes() {
        let policy = crate::Policy { max_lifetime: None, ..Default::default() };
        let mut jar = Jar::with_policy(policy);
        let url = url::Url::parse("https://a.example/").unwrap();
        jar.extract(&url, [&b"a=1; Max-Age=99999999999999"[..]], NOW);
        let mut text = Vec::new();
        jar.write_storage_state(Keep::All, NOW, &mut text);
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap()["cookies"][0]["expires"], LAST);
    }

    #[test]
    fn fb7_none_without_secure_is_read_as_unset() {
        let text = br#"[{"domain": "a.example", "name": "a", "value": "1", "sameSite": "no_restriction"},
            {"domain": "a.example", "name": "b", "value": "1", "sameSite": "None", "secure": false},
            {"domain": "a.example", "name": "c", "value": "1", "sameSite": "no_restriction", "secure": true},
            {"domain": "a.example", "name": "d", "value": "1", "sameSite": "None", "secure": 1},
            {"domain": "a.example", "name": "e", "value": "1", "sameSite": "lax"},
            {"domain": "a.example", "name": "f", "value": "1", "sameSite": null}]"#;
        let mut jar = Jar::new();
        assert_eq!(jar.read_storage_state(text, NOW), Loaded { stored: 6, ..Loaded::default() });
        let read: Vec<_> = jar.iter().map(Cookie::same_site).collect();
        let (unset, none) = (SameSite::Unset, SameSite::None);
        assert_eq!(read, [unset, unset, none, none, SameSite::Lax, unset]);
    }

    #[test]
    fn fb8_numbers_are_flags_and_anything_else_is_told() {
        for (value, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("1", Some(true)),
            ("1.0", Some(true)),
            ("0", Some(false)),
            ("null", Some(false)),
            ("2", None),
            ("-1", None),
            ("\"true\"", None),
            ("[]", None),
            ("{}", None),
        ] {
            for key in ["secure", "httpOnly", "hostOnly"] {
                let text = format!(
                    "[{{\"domain\": \".a.example\", \"name\": \"a\", \"value\": \"1\", \"{key}\": {value}}}]"
                );
                let mut jar = Jar::new();
                let loaded = jar.read_storage_state(text.as_bytes(), NOW);
                let Some(expected) = expected else {
                    let fault = Fault::Malformed("true or false as a flag");
                    assert_eq!((jar.len(), loaded.problems[0].fault), (0, fault), "{text}");
                    continue;
                };
                let cookie = jar.get("a").unwrap();
                let flags = [cookie.secure(), cookie.http_only(), cookie.host_only()];
                assert_eq!(
                    flags,
                    ["secure", "httpOnly", "hostOnly"].map(|flag| flag == key && expected),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn fb8_a_field_of_another_kind_is_told() {
        for (field, expected) in [
            ("\"path\": 1", "a path"),
            ("\"sameSite\": 1", "a word for SameSite"),
            ("\"sameSite\": false", "a word for SameSite"),
            ("\"expires\": \"1798761600\"", "an end in unix seconds"),
            ("\"expires\": null, \"expiry\": \"soon\"", "an end in unix seconds"),
        ] {
            let text = format!("[{{\"domain\": \"a.example\", \"name\": \"a\", \"value\": \"1\", {field}}}]");
            let loaded = Jar::new().read_storage_state(text.as_bytes(), NOW);
            assert_eq!(loaded.problems[0].fault, Fault::Malformed(expected), "{text}");
        }
        let text =
            br#"[{"domain": "a.example", "name": "a", "value": "1", "expires": null, "expiry": 1798761600}]"#;
        let mut jar = Jar::new();
        jar.read_storage_state(text, NOW);
        assert_eq!(jar.get("a").unwrap().expires(), Some(UnixTime(1_798_761_600)));
    }

    #[test]
    fn lists_of_browser_extensions() {
        let text = br#"[{"domain": "a.example", "expirationDate": 1798761600.25, "hostOnly": false, "httpOnly": false,
            "name": "a", "path": "/", "sameSite": "no_restriction", "secure": true, "session": false, "value": "1"},
            {"domain": "a.example", "name": "b", "value": "2", "sameSite": "unspecified", "hostOnly": true},
            {"domain": "a.example", "name": "c", "value": "3", "expirationDate": 1e300},
            {"domain": "a.example", "name": "d", "value": 4}]"#;
        let mut jar = Jar::new();
        let loaded = jar.read_storage_state(text, NOW);
        assert_eq!((loaded.stored, loaded.problems[0].to_string()), (3, "line 4: expected a value".into()));
        let a = jar.get("a").unwrap();
        assert_eq!(
            (a.host_only(), a.same_site(), a.expires()),
            (false, SameSite::None, Some(UnixTime(1_798_761_600)))
        );
        assert_eq!(jar.get("b").unwrap().expires(), None);
    }
}
