//! The bodies of the fuzz targets, over chance of a fixed kind: the fuzzer goes further.

use proptest::prelude::*;
use sessio::testing::proxy;

/// Bytes that are often words of the language at hand.
fn words(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(word, 0..20).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn netrc_files(data in words(&[
        "machine ", "default ", "login ", "password ", "account ", "macdef ", "a", "b ", "\n", "\n\n", "\"", "\\", "# ", "first.example ", " ",
    ])) {
        proxy::netrc(&data);
    }

    #[test]
    fn lists_of_exceptions(host: [u8; 8], list in words(&[
        "a", "b", "c", ".", ",", "*", ":", "80", "/", "8", "1.2.3.4", "::1", "[", "]", "0.0.0.0/1", "::/1", " ", "aaaa.bbbb",
    ])) {
        proxy::no_proxy(&[&host[..], &list].concat());
    }

    #[test]
    fn what_proxies_say(size: u8, data in words(&[
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 403 No\r\n", "HTTP/1.1 407 Who\r\n", "Proxy-Authenticate: Basic\r\n",
        "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "abc", "3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 C\r\n\r\n",
        "\x05\x00", "\x05\x02", "\x01\x00", "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", "\x05\x05\x00\x01", "\x05\x00\x00\x03\x01a\x00\x00",
    ])) {
        proxy::tunnel(&[&[size][..], &data].concat());
    }
}
