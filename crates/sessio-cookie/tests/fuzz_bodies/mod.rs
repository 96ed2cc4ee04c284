//! Fuzz bodies for cookies: they take bytes, and panic if a property does not hold.

mod formats;
mod model;
mod script;

pub(crate) use formats::{cookies_txt, round_trip};
use model::naive_date;
pub(crate) use script::jar_script;
use sessio_cookie::{Cookie, Jar, SetCookie, UnixTime, Url, parse_date};

/// `parse_date` and the model's direct implementation of the grammar return the same.
pub(crate) fn cookie_date(data: &[u8]) {
    assert_eq!(parse_date(data), naive_date(data).map(UnixTime), "{}", data.escape_ascii());
}

/// For any line, the jar sends the pair that it stored, and no byte of it breaks a header.
pub(crate) fn set_cookie(data: &[u8]) {
    let Ok(url) = Url::parse("https://a.b.example/x/y/z") else { return };
    let now = UnixTime(1_767_225_600);
    let mut jar = Jar::new();
    let extracted = jar.extract(&url, [data], now);
    assert!(jar.len() <= 1 && extracted.stored == jar.len() && extracted.refused.len() <= 1);
    for refused in &extracted.refused {
        assert!(refused.to_string().len() < 512);
    }
    let Some(cookie) = jar.iter().next().cloned() else { return };
    let line = SetCookie::parse(data).expect("what cannot be parsed is not stored");
    assert_eq!((cookie.name(), cookie.value()), (line.name, line.value));
    assert!(cookie.pair().len() <= 4097 && !cookie.pair().is_empty());
    assert!(!cookie.pair().iter().any(|&byte| matches!(byte, b';' | 0x7f) || byte < 0x20 && byte != b'\t'));

    let mut out = Vec::new();
    if jar.header(&url, now, &mut out) == 1 {
        assert_eq!(out, cookie.pair());
        // A sent pair, parsed as a line, is the same pair. A nameless value can parse otherwise.
        if !cookie.name().is_empty() {
            let again = SetCookie::parse(&out).expect("a pair parses");
            assert_eq!((again.name, again.value), (cookie.name(), cookie.value()));
        }
    }
    // Setting it again changes nothing that the API shows.
    assert_eq!(jar.extract(&url, [data], now).replaced, 1);
    assert_eq!(jar.iter().map(Cookie::pair).collect::<Vec<_>>(), [cookie.pair()]);
}
