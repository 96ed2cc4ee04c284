//! Addresses that a session must not reach.
//!
//! A program that fetches URLs of strangers can be directed to internal services: the loopback
//! interface, the private network, the metadata service of a cloud. A [`Guard`] restricts a session
//! to the public internet. It checks the very addresses that are connected to, after resolution, at
//! every hop. So it also covers redirects, names that resolve to internal addresses, and names that
//! resolve differently the second time.
//!
//! ```
//! use sessio::Guard;
//!
//! let guard = Guard::public();
//! for inside in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"] {
//!     assert!(guard.refuses(inside.parse()?).is_some(), "{inside}");
//! }
//! assert_eq!(guard.refuses("192.168.0.1".parse()?), Some("private use"));
//! assert_eq!(guard.refuses("93.184.215.14".parse()?), None);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! The guard has one gap: a proxy that receives names resolves them itself. The guard then refuses
//! only known targets, that is, addresses in the URL and names that always mean this machine
//! (`localhost` and below).
//!
//! The proxy itself passes: the session chose it. Pinned addresses and Unix sockets pass as well,
//! unless [`and_pins`](Guard::and_pins) and [`and_sockets`](Guard::and_sockets) are set. After a
//! redirect from another host, pinned addresses have to pass the guard and Unix sockets are refused
//! ([`AllowedTargets::and_routes`](crate::policy::redirect::AllowedTargets::and_routes) changes
//! both).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::uri::localhost::is_localhost;

/// The addresses that a session may reach. Default: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Guard {
    is_on: bool,
    is_on_pins: bool,
    is_on_sockets: bool,
}

impl Guard {
    /// No guard: every address may be reached.
    #[must_use]
    pub const fn off() -> Self {
        Self { is_on: false, is_on_pins: false, is_on_sockets: false }
    }

    /// Allows public addresses only.
    ///
    /// It refuses all addresses that IANA's registries of special-purpose addresses exclude from
    /// the internet, also if they are embedded in others, and multicast.
    #[must_use]
    pub const fn public() -> Self {
        Self { is_on: true, is_on_pins: false, is_on_sockets: false }
    }

    /// Also checks addresses that were pinned by [`Routes`](crate::Routes).
    #[must_use]
    pub const fn and_pins(self) -> Self {
        Self { is_on_pins: self.is_on, ..self }
    }

    /// Refuses Unix sockets as well.
    #[must_use]
    pub const fn and_sockets(self) -> Self {
        Self { is_on_sockets: self.is_on, ..self }
    }

    /// Returns `true` if any address is refused.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.is_on
    }

    /// Returns `true` if pinned addresses are checked, too.
    #[must_use]
    pub const fn is_on_pins(self) -> bool {
        self.is_on_pins
    }

    /// Returns `true` if Unix sockets are refused.
    #[must_use]
    pub const fn is_on_sockets(self) -> bool {
        self.is_on_sockets
    }

    /// The reason why this address is refused: the purpose it is reserved for.
    #[must_use]
    pub fn refuses(self, ip: IpAddr) -> Option<&'static str> {
        if self.is_on { special(ip) } else { None }
    }

    /// The reason why a host is refused, as far as it is known before a proxy resolves its name.
    #[must_use]
    pub fn refuses_host(self, url: &Url) -> Option<&'static str> {
        match url.host()? {
            Host::Ipv4(ip) => self.refuses(ip.into()),
            Host::Ipv6(ip) => self.refuses(ip.into()),
            Host::Domain(name) => (self.is_on && is_localhost(name)).then_some("loopback"),
        }
    }
}

/// The purpose an address is reserved for (RFC 6890 and its registries).
fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

/// Networks of IANA's registry for IPv4 that are not globally reachable, networks that are not
/// unicast, and the 6to4 relays, which were withdrawn (RFC 7526).
const V4: [(Ipv4Addr, u32, &str); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private use"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared address space"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private use"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "AS112"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "AMT"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private use"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let within = |(net, bits, _): &&(Ipv4Addr, u32, &str)| (net.to_bits() ^ ip.to_bits()) >> (32 - bits) == 0;
    V4.iter().find(within).map(|(_, _, what)| *what)
}

/// The same for IPv6, within global unicast.
const V6: [(Ipv6Addr, u32, &str); 6] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, "AS112"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, "6bone"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "segment routing"),
];

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = embedded(ip) {
        // An embedded IPv4 address decides. A translated address is public only if that one is.
        return special_v4(inner);
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => return Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => return Some("loopback"),
        [0x64, 0xff9b, ..] => return Some("translation"),
        [0xfe80..=0xfebf, ..] => return Some("link-local"),
        [0xfec0..=0xfeff, ..] => return Some("site-local"),
        [0xfc00..=0xfdff, ..] => return Some("unique local"),
        [0xff00..=0xffff, ..] => return Some("multicast"),
        _ => {}
    }
    let within =
        |(net, bits, _): &&(Ipv6Addr, u32, &str)| (net.to_bits() ^ ip.to_bits()) >> (128 - bits) == 0;
    if let Some((_, _, what)) = V6.iter().find(within) {
        return Some(what);
    }
    // Global unicast is 2000::/3; the rest is unassigned.
    (ip.segments()[0] & 0xe000 != 0x2000).then_some("unassigned")
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, translated (RFC 6052), 6to4 or ISATAP;
/// for Teredo, that of the client.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = || Ipv4Addr::from_bits((ip.to_bits() & 0xffff_ffff) as u32);
    let pair = |a: u16, b: u16| Ipv4Addr::from_bits(u32::from(a) << 16 | u32::from(b));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(last()),
        [0x2002, a, b, ..] => Some(pair(a, b)),
        [0x2001, 0, .., a, b] => Some(pair(!a, !b)),
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, _, _] => Some(last()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(ip: &str) -> Option<&'static str> {
        Guard::public().refuses(ip.parse().unwrap())
    }

    #[test]
    fn networks_are_refused_from_their_first_address_to_their_last() {
        for (first, last, outside) in [
            ("0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.31.196.0", "192.31.196.255", "192.31.197.0"),
            ("192.52.193.0", "192.52.193.255", "192.52.194.0"),
            ("192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("224.0.0.0", "255.255.255.255", "223.255.255.255"),
            ("fe80::", "febf:ffff::", "2606:4700::1"),
            ("fc00::", "fdff:ffff::", "2a00::"),
            ("fec0::", "ffff::", "2001:4860::8888"),
            ("2001::", "2001:1ff:ffff::", "2001:200::"),
            ("2001:db8::", "2001:db8:ffff::", "2001:db9::"),
            ("2620:4f:8000::", "2620:4f:8000:ffff::", "2620:4f:8001::"),
            ("3ffe::", "3ffe:ffff::", "3ffd::"),
            ("5f00::", "5f00:ffff::", "2400::"),
            ("3fff::", "3fff:fff::", "2fff::"),
            ("4000::", "fbff::", "2400::"),
            ("::2:0:0:0:1", "1fff::", "2000::"),
        ] {
            assert!(refused(first).is_some(), "{first}");
            assert!(refused(last).is_some(), "{last}");
            assert_eq!(refused(outside), None, "{outside}");
        }
        // The reason is that of the network itself, also if another one would refuse the address as
        // well.
        for (ip, why) in [
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("fc00::1", "unique local"),
            ("fdff::1", "unique local"),
            ("ff02::1", "multicast"),
            ("64:ff9b:1::1", "translation"),
            ("5f00::1", "segment routing"),
            ("3ffe::1", "6bone"),
            ("4000::1", "unassigned"),
            ("2620:4f:8000::1", "AS112"),
            ("2001:2::1", "protocol assignments"),
            ("192.52.193.1", "AMT"),
            ("192.0.0.8", "protocol assignments"),
            ("0.1.2.3", "this network"),
            ("240.0.0.1", "reserved"),
        ] {
            assert_eq!(refused(ip), Some(why), "{ip}");
        }
    }

    #[test]
    fn an_ipv4_address_is_seen_through_its_disguises() {
        for wrapped in [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:a9fe:a9fe",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001:0:4136:e378:8000:63bf:5601:5601",
            "2400::5efe:a9fe:a9fe",
            "2400::200:5efe:a9fe:a9fe",
        ] {
            assert_eq!(refused(wrapped), Some("link-local"), "{wrapped}");
        }
        for public in ["::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"] {
            assert_eq!(refused(public), None, "{public}");
        }
        // Teredo: each half of the address counts.
        assert_eq!(refused("2001::3fff:fdfe"), Some("documentation"));
        assert_eq!(refused("2001::3fff:fcfe"), None);
        // The local translation prefix embeds addresses at other positions.
        assert_eq!(refused("64:ff9b:1::101:101"), Some("translation"));
    }

    #[test]
    fn of_a_name_that_is_resolved_elsewhere_only_this_machine_is_known() {
        let refuses = |url: &str| Guard::public().refuses_host(&Url::parse(url).unwrap());
        for url in [
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://127.1/",
            "http://[::1]/",
            "http://0/",
        ] {
            assert!(refuses(url).is_some(), "{url}");
        }
        for url in ["http://notlocalhost/", "http://localhost.test/", "http://1.1.1.1/"] {
            assert_eq!(refuses(url), None, "{url}");
        }
        assert_eq!(Guard::off().refuses_host(&Url::parse("http://localhost/").unwrap()), None);
        assert_eq!(Guard::off().refuses([127, 0, 0, 1].into()), None);
        assert!(!Guard::off().and_pins().is_on_pins() && Guard::public().and_pins().is_on_pins());
        assert!(!Guard::off().and_sockets().is_on_sockets() && Guard::public().and_sockets().is_on_sockets());
        let all = Guard::public().and_sockets().and_pins();
        assert!(all.is_on() && all.is_on_pins() && all.is_on_sockets());
        assert!(!Guard::public().is_on_pins() && !Guard::public().is_on_sockets() && !Guard::off().is_on());
    }

    proptest! {
        /// All special addresses of the standard library are covered here.
        #[test]
        fn whatever_std_calls_private_is_refused(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let is_inside = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast()
                || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified();
            prop_assert!(!is_inside || special_v4(ip).is_some());
            prop_assert_eq!(special(ip.into()), special(IpAddr::V6(ip.to_ipv6_mapped())));
        }
    }
}
