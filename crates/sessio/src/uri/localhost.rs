//! Names that mean this machine.

/// Whether the name is `localhost` or lies below it (RFC 6761 section 6.3): it means a loopback address, whatever a
/// resolver says. The name is in lower case, as URLs have it, and may end with a dot.
///
/// Cookies, the guard and the way of a connection agree on it: a name that counts as this machine leads to it.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix("localhost").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fc2_localhost_and_what_lies_below_it() {
        for name in ["localhost", "localhost.", "a.localhost", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
        }
        for name in [
            "",
            ".",
            "notlocalhost",
            "localhost.test",
            "localhost..",
            "local",
            "localhos",
            "localhost.a.localhos",
        ] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
