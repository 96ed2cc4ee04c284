//! Fuzz bodies for the way to a host: netrc files, lists of exceptions, replies of proxies.

use crate::message::headers::Headers;
use crate::route::netrc::Netrc;
use crate::route::proxy::{NoProxy, Proxy};
use crate::wire::h1::Limits;
use crate::wire::tunnel::{Refused, Tunnel};
use crate::{Error, Url};

/// Valid entries before any other data are read. So are those after an end of everything that can
/// be open: a quote, an entry, a macro.
pub fn netrc(data: &[u8]) {
    let good = b"machine first.example login \"a b\" password c\\ d\n";
    let file = [&good[..], data].concat();
    let netrc = Netrc::parse(&file);
    let is_word = |word: &[u8]| data.windows(word.len()).any(|window| window == word);
    // The data that follows may continue the entry, or be another entry for the host.
    if data.starts_with(b"machine ") && !is_word(b"first") {
        let login = netrc.of("first.example").expect("it was written");
        assert_eq!((login.user(), login.password()), (&b"a b"[..], &b"c d"[..]));
    }
    let closed = [data, b"\" \"\n\nmachine last.example login z\n"].concat();
    let after = Netrc::parse(&closed);
    if !data.iter().any(|byte| matches!(byte, b'"' | b'\\' | b'#')) && !is_word(b"m") {
        assert!(after.of("last.example").is_some() || !after.problems().is_empty());
    }
    for problem in netrc.problems() {
        // CR ends a line too, alone or before LF.
        let lines = file.iter().filter(|byte| matches!(**byte, b'\n' | b'\r')).count() + 1;
        assert!((1..=lines).contains(&problem.line));
        assert!(problem.to_string().chars().all(|c| !c.is_control()));
    }
}

/// A list means the same as its entries, in any notation.
pub fn no_proxy(data: &[u8]) {
    let Some((host, list)) = data.split_at_checked(8) else { return };
    let list = String::from_utf8_lossy(list);
    let no_proxy = NoProxy::parse(&list);
    assert_eq!(NoProxy::parse(&no_proxy.to_string()), no_proxy);
    let name: String = host.iter().map(|byte| char::from(b'a' + byte % 3)).collect();
    let ip = format!("{}.{}.{}.{}", host[0], host[1], host[2], host[3]);
    let ipv6 = format!(
        "[{:x}::{:x}]",
        u16::from_le_bytes([host[4], host[5]]),
        u16::from_le_bytes([host[6], host[7]])
    );
    for host in [format!("{}.{}", &name[..4], &name[4..]), name, ip, ipv6] {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else { continue };
        let found = no_proxy.covers(&url);
        let alone = no_proxy
            .iter()
            .map(|(entry, _)| entry)
            .find(|entry| NoProxy::parse(entry).covers(&url).is_some());
        if alone != Some("*") {
            assert_eq!(found, alone, "{list} {url}");
        }
        if let Some(entry) = found {
            // A name covers the names below it, and an address covers only itself.
            assert!(no_proxy.iter().any(|(other, means)| other == entry && means));
        }
    }
    let _ = Proxy::parse(&list);
}

/// The outcome of a conversation with a proxy whose replies have pieces of this size.
fn outcome(scheme: &str, words: &[u8], size: usize) -> (String, usize) {
    let url = Url::parse("https://a.example/").expect("a URL");
    let proxy = Proxy::parse(&format!("{scheme}://user:pass@p")).expect("a proxy").wait_for_challenge();
    let limits = Limits { head_bytes: 4096, ..Limits::default() };
    let mut tunnel = Tunnel::to(&url, &proxy, &Headers::new(), &[], limits).expect("a tunnel");
    let mut left = words;
    loop {
        while !tunnel.unsent().is_empty() {
            let n = tunnel.unsent().len().min(size);
            tunnel.sent(n);
        }
        if tunnel.is_done() {
            assert!(tunnel.room().is_empty());
            return ("done".into(), words.len() - left.len());
        }
        let room = tunnel.room();
        assert!(!room.is_empty(), "it waits for nothing");
        let n = left.len().min(room.len()).min(size);
        room[..n].copy_from_slice(&left[..n]);
        left = &left[n..];
        if let Err(error) = tunnel.received(n) {
            let error = Error::from(error);
            let refused = error
                .refused()
                .map(|Refused { head, body, is_whole, .. }| (head.status, body.clone(), *is_whole));
            assert!(refused.as_ref().is_none_or(|(_, body, _)| body.len() <= 64 * 1024));
            return (format!("{} {refused:?}", error.kind()), 0);
        }
    }
}

/// The replies of a proxy have the same outcome in any cut. No byte after the last reply is taken
/// from the origin.
pub fn tunnel(data: &[u8]) {
    let (words, size) = super::reading::pieces(data);
    for scheme in ["http", "socks5h"] {
        let [whole, cut, bytewise] = [usize::MAX, size, 1].map(|size| outcome(scheme, words, size));
        // Excess after a 407 prevents the second request if it arrives with the 407. Otherwise it is
        // read as the response to that request.
        let is_refused = whole.0.starts_with("proxy-authentication");
        if scheme == "http" && is_refused && (whole != cut || whole != bytewise) {
            continue;
        }
        // Excess shows only if it arrives with the response.
        let is_unsolicited = whole.0.starts_with("unsolicited");
        if !is_unsolicited && (scheme != "http" || cut.0 != "done") {
            assert_eq!(whole, cut, "{scheme} {}", words.escape_ascii());
        }
        assert_eq!(bytewise.0 == "done", cut.0 == "done" || is_unsolicited);
    }
}
