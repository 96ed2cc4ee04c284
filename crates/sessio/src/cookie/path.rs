//! Paths of cookies.

/// The directory of a URL's path, for a cookie that names none. RFC 6265bis 5.1.4; rule 22.
pub(super) fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(at) if at > 0 && path.starts_with('/') => &path[..at],
        _ => "/",
    }
}

/// Whether a request for `path` is for `cookie_path` or something in it. RFC 6265bis 5.1.4; rule 23.
pub(super) fn path_match(path: &[u8], cookie_path: &[u8]) -> bool {
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
