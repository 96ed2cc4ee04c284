//! Paths of cookies.

use crate::parse::MAX_ATTRIBUTE;

/// The default path of a cookie: the directory of the URL's path. RFC 6265bis 5.1.4; rule 22.
///
/// It is at most as long as a `Path` attribute may be. For a deeper directory it is the closest
/// parent that fits. Otherwise a server could multiply the length of a URL by the number of its
/// cookies.
pub(crate) fn default_path(path: &str) -> &str {
    // The slice includes the slash behind the longest directory that fits.
    let routing = &path.as_bytes()[..path.len().min(MAX_ATTRIBUTE + 1)];
    match routing.iter().rposition(|&byte| byte == b'/') {
        Some(at) if at > 0 && path.starts_with('/') => &path[..at],
        _ => "/",
    }
}

/// Whether `path` is `cookie_path` or below it. RFC 6265bis 5.1.4; rule 23.
pub(crate) fn path_match(path: &[u8], cookie_path: &[u8]) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || rest[0] == b'/' || cookie_path.ends_with(b"/"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults() {
        for (path, expected) in [
            ("", "/"),
            ("x", "/"),
            ("x/y/z", "/"),
            ("/", "/"),
            ("/a", "/"),
            ("/a/", "/a"),
            ("/a/b", "/a"),
            ("//", "/"),
        ] {
            assert_eq!(default_path(path), expected, "{path}");
        }
    }

    #[test]
    fn fa5_a_default_path_is_no_longer_than_the_attribute_may_be() {
        let (fits, long) = ("b".repeat(MAX_ATTRIBUTE - 3), "b".repeat(MAX_ATTRIBUTE - 2));
        for (path, length) in [
            (format!("/a/{fits}/c"), MAX_ATTRIBUTE),
            (format!("/a/{long}/c"), 2),
            (format!("/a/{long}"), 2),
            (format!("/a{fits}{fits}/c"), 1),
            ("/abc".repeat(30_000), MAX_ATTRIBUTE),
            ("/\u{e9}".repeat(30_000), MAX_ATTRIBUTE - 1),
        ] {
            let directory = default_path(&path);
            assert_eq!(directory.len(), length);
            assert!(path_match(path.as_bytes(), directory.as_bytes()));
        }
    }

    #[test]
    fn matches() {
        for (path, cookie_path, expected) in [
            ("/foo", "/foo", true),
            ("/foo/bar", "/foo", true),
            ("/foobar", "/foo", false),
            ("/foo/bar", "/foo/", true),
            ("/foo", "/foo/", false),
            ("/Foo", "/foo", false),
            ("/anything", "/", true),
        ] {
            assert_eq!(path_match(path.as_bytes(), cookie_path.as_bytes()), expected, "{path} {cookie_path}");
        }
    }
}
