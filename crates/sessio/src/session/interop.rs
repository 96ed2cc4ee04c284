//! Conversions from requests of the crate `http`.

use http::request::Parts;

use crate::message::body::Body;
use crate::session::request::Request;

/// A request without a body. Method, URI and headers belong to this request, and merge with the
/// session's defaults. The URI may be relative to the session's `base_url`.
///
/// The values of one name keep their order and replace the session's. Sensitive values stay
/// sensitive. Version and extensions are ignored: the session chooses the protocol version.
impl From<Parts> for Request {
    fn from(parts: Parts) -> Self {
        let mut request = Self::new(parts.method.as_str(), parts.uri);
        for name in parts.headers.keys() {
            let mut values = parts.headers.get_all(name).iter();
            if let Some(first) = values.next() {
                request = request.header(name, first);
            }
            request = values.fold(request, |request, value| request.append_header(name, value));
            if parts.headers.get_all(name).iter().any(http::HeaderValue::is_sensitive) {
                request.headers.mark_sensitive(name.as_str());
            }
        }
        request
    }
}

/// ```
/// use sessio::{Request, http};
///
/// let request = http::Request::post("http://example.org/x").header("X-Test", "1").body("hello")?;
/// let request = Request::from(request).param("page", "2");
/// assert_eq!(request.body.as_bytes(), Some(&b"hello"[..]));
/// # Ok::<(), http::Error>(())
/// ```
impl<B: Into<Body>> From<http::Request<B>> for Request {
    fn from(request: http::Request<B>) -> Self {
        let (parts, body) = request.into_parts();
        Self::from(parts).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::settings::Settings;
    use crate::{Jar, Now, UnixTime, merge, prepare};

    fn prepared(request: Request, settings: &Settings) -> crate::Result<String> {
        let now = Now { mono: crate::base::time::Instant::ZERO, wall: UnixTime(0) };
        let prepared = prepare(merge(settings, request), &mut Jar::new(), now)?;
        Ok(String::from_utf8_lossy(&prepared.head()).into_owned())
    }

    fn bare() -> Settings {
        let mut settings = Settings::default();
        settings.headers.clear();
        settings
    }

    #[test]
    fn order_and_duplicates_are_kept() {
        let request = http::Request::put("http://h/a%20b?c=d")
            .header("X-B", "1")
            .header("x-a", "2")
            .header("x-b", "3")
            .body("hello")
            .unwrap();
        // The crate `http` has all names in lower case, and all values of a name in one place.
        assert_eq!(
            prepared(request.into(), &bare()).unwrap(),
            "PUT /a%20b?c=d HTTP/1.1\r\nHost: h\r\nx-b: 1\r\nx-a: 2\r\nx-b: 3\r\nContent-Length: 5\r\n\r\n"
        );
    }

    #[test]
    fn m04_the_sessions_defaults_are_merged_in_and_overridden() {
        let mut settings = bare();
        settings.headers.insert("X-Session", "1").unwrap();
        settings.headers.insert("X-Both", "session").unwrap();
        settings.base_url = Some("http://base/api/".parse().unwrap());
        let request = http::Request::get("/users").header("x-both", "one").header("x-both", "two").body("");
        let head = prepared(request.unwrap().into(), &settings).unwrap();
        assert!(
            head.starts_with("GET /users HTTP/1.1\r\nHost: base\r\nX-Session: 1\r\nx-both: one\r\n"),
            "{head}"
        );
        assert!(head.contains("x-both: two\r\n") && !head.contains("session"), "{head}");
    }

    #[test]
    fn s21_what_is_sensitive_stays_so() {
        let mut secret = http::HeaderValue::from_static("hunter2");
        secret.set_sensitive(true);
        let request = http::Request::get("http://h/").header("X-Key", secret).body("").unwrap();
        assert!(!format!("{:?}", Request::from(request)).contains("hunter2"));
    }

    #[test]
    fn a_uri_without_a_host_is_an_error_and_no_panic() {
        let request = http::Request::get("*").body("").unwrap();
        assert!(prepared(request.into(), &bare()).is_err());
    }
}
