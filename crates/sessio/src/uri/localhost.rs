//! Names of this machine.

/// Whether the name is `localhost` or a name below it (RFC 6761 section 6.3). Such a name means a
/// loopback address, whatever a resolver returns. The name must be in lower case, as in URLs, and
/// may end with a dot.
///
/// The guard, the pool's key and the routing of a connection use this function. The jar trusts such
/// names without TLS and has its own copy: a crate of cookies should not export it. A test below
/// checks that both agree.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix("localhost").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use sessio_cookie::Policy;

    use super::*;

    fn jar_trusts(name: &str) -> bool {
        let url = url::Url::parse(&format!("http://{name}/"));
        url.is_ok_and(|url| Policy::default().is_secure(&url))
    }

    #[test]
    fn fc2_localhost_and_what_lies_below_it() {
        for name in ["localhost", "localhost.", "a.localhost", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
            assert!(jar_trusts(name), "{name}");
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
            assert!(!jar_trusts(name), "{name}");
        }
    }
}
