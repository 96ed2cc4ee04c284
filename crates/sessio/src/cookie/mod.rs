//! Cookies.
#![allow(missing_docs)]
use crate::Now;
use url::Url;
#[derive(Clone, Debug, Default)]
pub struct Jar(Vec<(Vec<u8>, Vec<u8>)>);
#[derive(Clone, Debug, Default)]
pub struct Extracted;
#[derive(Clone, Debug, Default)]
pub struct RequestCookies(Vec<(Vec<u8>, Vec<u8>)>);
#[derive(Debug)]
pub struct InvalidCookie;
impl std::fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
impl std::error::Error for InvalidCookie {}
impl Jar {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
    pub fn extract<'a>(
        &mut self,
        _url: &Url,
        set_cookie: impl IntoIterator<Item = &'a [u8]>,
        _now: Now,
    ) -> Extracted {
        for c in set_cookie {
            let c = c.split(|b| *b == b';').next().unwrap_or_default();
            let at = c.iter().position(|b| *b == b'=').unwrap_or(0);
            self.0.retain(|(n, _)| n != &c[..at]);
            self.0.push((c[..at].to_vec(), c[at + 1..].to_vec()));
        }
        Extracted
    }
}
impl RequestCookies {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), InvalidCookie> {
        self.0.push((name.into(), value.into()));
        Ok(())
    }
    pub fn parse_header(&mut self, _line: &[u8]) {}
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(a, b)| (&a[..], &b[..]))
    }
}
pub fn line(jar: &mut Jar, own: &RequestCookies, _url: &Url, _now: Now, out: &mut Vec<u8>) -> usize {
    let mut n = 0;
    for (a, b) in jar.0.iter().chain(&own.0) {
        if n > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(a);
        out.push(b'=');
        out.extend_from_slice(b);
        n += 1;
    }
    n
}
