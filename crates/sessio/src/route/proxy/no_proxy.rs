//! Hosts that are reached without a proxy.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

use crate::base::decimal;
use crate::uri::address::parse_port;

/// The hosts that are reached directly, in spite of any proxy rule: the list that `no_proxy`
/// contains.
///
/// Commas, blanks or line ends separate the entries (rule E-04). The sole entry `*` matches every
/// host (E-07).
///
/// | entry | means |
/// |---|---|
/// | `example.org`, `.example.org` | that host and all below it, never `anexample.org` (rule E-06) |
/// | `*.example.org` | all hosts below that one |
/// | `example.org:8080` | the same on that port alone |
/// | `192.0.2.7`, `192.0.2.7:80` | that address, written as such in the URL (rule E-05) |
/// | `192.0.2.0/24` | the addresses of that network, `/1` to `/32` |
/// | `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80` | that address (row B34) |
/// | `2001:db8::/32`, `[2001:db8::]/32` | the addresses of that network, `/1` to `/128` |
///
/// Names are compared as in URLs, in lower case and A-labels, and without a trailing dot. An IPv4
/// address inside an IPv6 one (`::ffff:192.0.2.7`) is that IPv4 address. Names are never resolved:
/// `localhost` matches neither `127.0.0.1` nor `[::1]` (row V58). Any other entry matches nothing.
///
/// ```
/// use sessio::proxy::NoProxy;
/// use sessio::Url;
///
/// let no_proxy = NoProxy::parse("localhost, .example.org, 10.0.0.0/8, [fd00::]/8");
/// let covers = |url: &str| no_proxy.covers(&Url::parse(url).unwrap());
/// assert_eq!(covers("http://www.example.org/"), Some(".example.org"));
/// assert_eq!(covers("https://[fd00::1]:8443/"), Some("[fd00::]/8"));
/// assert_eq!(covers("http://anexample.org/"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    text: Box<str>,
    means: Means,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    All,
    /// A name and all names below it.
    Names(Box<str>),
    /// All names below this one.
    Below(Box<str>),
    /// A network: the address, and the number of leading bits that count.
    Net(IpAddr, u8),
    Nothing,
}

impl NoProxy {
    /// Parses a list. It never fails: entries without a meaning match nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text.trim_start_matches('\u{feff}').split(|c: char| c == ',' || c.is_whitespace());
        let mut entries: Vec<_> = entries.filter(|entry| !entry.is_empty()).map(Entry::parse).collect();
        if let [Entry { text, means, .. }] = &mut entries[..]
            && &**text == "*"
        {
            *means = Means::All;
        }
        Self { entries }
    }

    /// The first entry that matches this URL's host.
    #[must_use]
    pub fn covers(&self, url: &Url) -> Option<&str> {
        let host = Asked::of(url)?;
        self.entries.iter().find(|entry| entry.matches(&host)).map(|entry| &*entry.text)
    }

    /// Returns `true` if there are no exceptions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Iterates over the entries as they were written, and whether each has a meaning.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.entries.iter().map(|entry| (&*entry.text, entry.means != Means::Nothing))
    }
}

/// The host to match.
struct Asked<'a> {
    host: Result<IpAddr, &'a str>,
    port: Option<u16>,
}

impl<'a> Asked<'a> {
    fn of(url: &'a Url) -> Option<Self> {
        let host = match url.host()? {
            Host::Domain(name) => Err(name.strip_suffix('.').unwrap_or(name)),
            Host::Ipv4(ip) => Ok(ip.into()),
            Host::Ipv6(ip) => Ok(plain(ip)),
        };
        Some(Self { host, port: url.port_or_known_default() })
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        let (means, port) = Means::parse(text);
        Self { text: text.into(), means, port }
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        if self.port.is_some() && self.port != asked.port {
            return false;
        }
        match (&self.means, asked.host) {
            (Means::All, _) => true,
            (Means::Names(name), Err(host)) => {
                host.strip_suffix(&**name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Means::Below(name), Err(host)) => {
                host.strip_suffix(&**name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (Means::Net(IpAddr::V4(net), bits), Ok(IpAddr::V4(ip))) => {
                same(net.to_bits().into(), ip.to_bits().into(), 32 - u32::from(*bits))
            }
            (Means::Net(IpAddr::V6(net), bits), Ok(IpAddr::V6(ip))) => {
                same(net.to_bits(), ip.to_bits(), 128 - u32::from(*bits))
            }
            _ => false,
        }
    }
}

impl Means {
    fn parse(text: &str) -> (Self, Option<u16>) {
        if let Some((net, bits)) = text.rsplit_once('/') {
            return (Self::net(net, bits).unwrap_or(Self::Nothing), None);
        }
        let (text, is_wild) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text.trim_start_matches('.'), false),
        };
        if let Some(ip) = address(text) {
            return (if is_wild { Self::Nothing } else { Self::one(ip) }, None);
        }
        let (name, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((name, port)) => match parse_port(port) {
                Some(number) => (name, Some(number)),
                None => return (Self::Nothing, None),
            },
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let means = match Host::parse(name) {
            Ok(Host::Domain(name)) if name.is_empty() || name.starts_with(['*', '.']) => Self::Nothing,
            Ok(Host::Domain(name)) if is_wild => Self::Below(name.into()),
            Ok(Host::Domain(name)) => Self::Names(name.into()),
            Ok(_) if is_wild => Self::Nothing,
            Ok(Host::Ipv4(ip)) => Self::one(ip.into()),
            Ok(Host::Ipv6(ip)) => Self::one(plain(ip)),
            _ => Self::Nothing,
        };
        (means, port)
    }

    fn one(ip: IpAddr) -> Self {
        Self::Net(ip, if ip.is_ipv4() { 32 } else { 128 })
    }

    /// Rule E-05: a network of no bits, or of too many, is none.
    fn net(net: &str, bits: &str) -> Option<Self> {
        let net = match address(net)? {
            IpAddr::V6(ip) => IpAddr::V6(ip),
            // Inside an IPv6 address the prefix length would count from another position.
            IpAddr::V4(_) if net.contains(':') => return None,
            ip => ip,
        };
        let most = if net.is_ipv4() { 32 } else { 128 };
        let bits = decimal::parse(bits.as_bytes()).and_then(|bits| u8::try_from(bits).ok());
        let bits = bits.filter(|bits| (1..=most).contains(bits))?;
        Some(Self::Net(net, bits))
    }
}

/// Parses a literal address, with or without brackets; a zone is left out (row V57).
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let bare = bare.unwrap_or(text);
    let bare = bare.split_once('%').map_or(bare, |(ip, _)| ip);
    match IpAddr::from_str(bare).ok()? {
        IpAddr::V6(ip) => Some(plain(ip)),
        ip if bare.len() == text.len() => Some(ip),
        // Brackets are for IPv6 only.
        _ => None,
    }
}

fn plain(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

fn same(a: u128, b: u128, ignored: u32) -> bool {
    // Entries have at least one bit, so the shift is less than 128.
    (a ^ b) >> ignored == 0
}

/// The list as it was written.
impl fmt::Display for NoProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (text, _)) in self.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            f.write_str(text)?;
        }
        Ok(())
    }
}

impl From<&str> for NoProxy {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<String> for NoProxy {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covers(list: &str, url: &str) -> bool {
        NoProxy::parse(list).covers(&Url::parse(url).unwrap()).is_some()
    }

    #[test]
    fn e06_b53_names_match_at_their_dots() {
        let list = "localhost.localdomain,newdomain.com:1234,.internal.test,UPPER.test,b\u{fc}cher.test";
        for (url, covered) in [
            ("http://localhost.localdomain/", true),
            ("http://localhost.localdomain:5000/v1.0/", true),
            ("http://a.localhost.localdomain/", true),
            ("http://prelocalhost.localdomain/", false),
            ("http://localhost.localdomain.evil.test/", false),
            ("http://localdomain/", false),
            ("http://newdomain.com:1234/", true),
            ("http://www.newdomain.com:1234/", true),
            ("http://newdomain.com/", false),
            ("http://newdomain.com:1235/", false),
            ("http://internal.test/", true),
            ("http://x.internal.test/", true),
            ("http://upper.TEST/", true),
            ("http://xn--bcher-kva.test/", true),
            ("http://user:internal.test@other.test/", false),
        ] {
            assert_eq!(covers(list, url), covered, "{url}");
        }
    }

    #[test]
    fn e05_ipv4_by_address_and_network() {
        let list = "192.168.0.0/24,127.0.0.1,172.16.0.1:8080,10.0.0.0/0,11.0.0.0/33,12.0.0.0/+8,13.0.0.0/";
        for (url, covered) in [
            ("http://192.168.0.1:5000/", true),
            ("http://192.168.1.1/", false),
            ("http://127.0.0.1/", true),
            ("http://127.1/", true),
            ("http://127.0.0.2/", false),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://[::ffff:192.168.0.9]/", true),
            ("http://172.16.0.1:8080/", true),
            ("http://172.16.0.1/", false),
            ("http://10.0.0.1/", false),
            ("http://11.0.0.1/", false),
            ("http://12.0.0.1/", false),
            ("http://13.0.0.1/", false),
            ("http://127.0.0.1.test/", false),
        ] {
            assert_eq!(covers(list, url), covered, "{url}");
        }
        // Bits behind the mask are ignored.
        assert!(covers("192.168.0.77/24", "http://192.168.0.1/"));
    }

    #[test]
    fn e08_b34_ipv6_by_address_and_network_with_and_without_brackets() {
        for (list, url, covered) in [
            ("::1", "http://[::1]/", true),
            ("[::1]", "http://[::1]/", true),
            ("[::1]:80", "http://[::1]/", true),
            ("[::1]:81", "http://[::1]/", false),
            ("2001:db8::/32", "http://[2001:db8:1::7]/", true),
            ("[2001:db8::]/32", "http://[2001:db8:1::7]/", true),
            ("2001:db8::/32", "http://[2001:db9::7]/", false),
            ("2001:db8::/129", "http://[2001:db8::]/", false),
            ("2001:db8::/0", "http://[2001:db8::]/", false),
            ("fe80::1%eth0", "http://[fe80::1]/", true),
            ("0:0:0:0:0:0:0:1", "http://[::1]/", true),
            ("::ffff:10.0.0.1", "http://10.0.0.1/", true),
            ("::ffff:10.0.0.0/104", "http://10.0.0.1/", false),
        ] {
            assert_eq!(covers(list, url), covered, "{list} {url}");
        }
    }

    #[test]
    fn v58_forms_of_one_machine_are_told_apart_but_for_the_last_dot() {
        for (list, url, covered) in [
            ("localhost", "http://localhost./", true),
            ("localhost.", "http://localhost/", true),
            ("localhost", "http://LOCALHOST/", true),
            ("localhost", "http://a.localhost/", true),
            ("localhost", "http://127.0.0.1/", false),
            ("localhost", "http://[::1]/", false),
            ("127.0.0.1", "http://localhost/", false),
            ("127.0.0.0/8", "http://127.8.9.1/", true),
            ("127.0.0.0/8", "http://0x7f.1/", true),
            ("127.0.0.0/8", "http://2130706433/", true),
            ("127.0.0.1", "http://[::ffff:7f00:1]/", true),
            ("0x7f.1", "http://127.0.0.1/", true),
        ] {
            assert_eq!(covers(list, url), covered, "{list} {url}");
        }
    }

    #[test]
    fn e07_a_star_is_all_only_by_itself() {
        assert!(covers("*", "http://a/") && covers(" * ", "https://[::1]:1/"));
        for list in ["*,x", "x,*", "*.a.test", "*test", "*.*.test", "*..test", "**", "*.", "", ",", " , "] {
            assert!(!covers(list, "http://a.test/"), "{list}");
        }
    }

    #[test]
    fn fb15_a_star_before_a_dot_is_whatever_lies_below() {
        let list = "*.example.org, *.b.test:8080,*.b\u{fc}cher.test,*.127.0.0.1,*.[::1],*.UP.test.";
        for (url, covered) in [
            ("http://www.example.org/", true),
            ("http://a.b.example.org:81/", true),
            ("http://example.org/", false),
            ("http://anexample.org/", false),
            ("http://example.org.evil.test/", false),
            ("http://a.b.test:8080/", true),
            ("http://a.b.test/", false),
            ("http://b.test:8080/", false),
            ("http://a.xn--bcher-kva.test/", true),
            ("http://a.up.TEST/", true),
            ("http://127.0.0.1/", false),
            ("http://[::1]/", false),
        ] {
            assert_eq!(covers(list, url), covered, "{url}");
        }
        assert_eq!(NoProxy::parse(list).iter().filter(|(_, means)| !means).count(), 2);
    }

    #[test]
    fn fb15_fb10_blanks_and_line_ends_separate_entries() {
        for list in [
            "a.test b.test",
            " a.test , b.test ",
            "a.test\tb.test",
            "a.test\nb.test\n",
            "a.test\r\nb.test\r\n",
            "a.test\rb.test",
            "\u{feff}a.test,b.test",
            "a.test ,, ,b.test",
        ] {
            assert_eq!(NoProxy::parse(list).to_string(), "a.test,b.test", "{list:?}");
        }
        assert!(covers("* ", "http://a/") && covers("\u{feff}*", "http://a/"));
        assert!(!covers("* a", "http://b/"));
    }

    #[test]
    fn e04_blanks_and_empty_entries_mean_nothing() {
        let list = NoProxy::parse(" a.test ,, b.test,\t.c.test ,");
        assert_eq!(list.to_string(), "a.test,b.test,.c.test");
        assert_eq!(NoProxy::parse(&list.to_string()), list);
        assert!(list.covers(&Url::parse("data:x").unwrap()).is_none());
    }

    proptest! {
        /// In every list, an entry for a network matches exactly the addresses with its leading
        /// bits.
        #[test]
        fn networks_are_their_leading_bits(net: u32, ip: u32, bits in 1u32..=32, near: bool) {
            let ip = if near { net ^ (ip >> bits.min(31)) } else { ip };
            let (net, ip) = (std::net::Ipv4Addr::from_bits(net), std::net::Ipv4Addr::from_bits(ip));
            let list = format!("{net}/{bits}");
            let expected = (0..bits).all(|bit| (net.to_bits() ^ ip.to_bits()) >> (31 - bit) & 1 == 0);
            prop_assert_eq!(covers(&list, &format!("http://{ip}/")), expected);
        }

        /// A longer list matches at least the same hosts.
        #[test]
        fn entries_add_up(a in "[a-z.*:/\\[\\]0-9]{0,12}", b in "[a-z.*:/\\[\\]0-9]{0,12}", host in "[a-z]{1,3}(\\.[a-z]{1,3})?") {
            let url = format!("http://{host}/");
            prop_assume!(a != "*" && b != "*");
            prop_assert_eq!(covers(&format!("{a},{b}"), &url), covers(&a, &url) || covers(&b, &url));
        }
    }
}
