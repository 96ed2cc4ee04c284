//! Laws of responses, whole calls and PEM, over random input. The fuzz targets search further.

use proptest::prelude::*;
use sessio::testing::{call, pem, response};

/// Bytes that are mostly these words.
fn words(words: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        9 => prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..most).prop_map(|words| words.concat())
}

/// Heads, fields and bodies of responses.
const RESPONSES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 \r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 302 Found\r\n",
    "HTTP/1.1 303 See\r\n",
    "HTTP/1.1 307 Same\r\n",
    "HTTP/1.1 401 Who\r\n",
    "HTTP/1.1 417 No\r\n",
    "Location: /other\r\n",
    "Location: http://b.test/\r\n",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
    "Set-Cookie: a=b\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "\r\n",
    "\r\nhello",
    "\r\n5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n",
    "0\r\nTrailer: x\r\n\r\n",
];

/// The end of one peer, and the action of the next one.
const ENDS: &[&[u8]] = &[b"\xff\x00", b"\xff\x01", b"\xff\x02", b"\xff\x03", b"\xff\x04", b""];

/// Lines of PEM files.
const PEM: &[&str] = &[
    "-----BEGIN CERTIFICATE-----",
    "-----END CERTIFICATE-----",
    "-----BEGIN X509 CRL-----",
    "-----END X509 CRL-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----END EC PRIVATE KEY-----",
    "-----BEGIN X-----",
    "-----END X-----",
    "\n",
    "\n",
    "\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "AAEC",
    "Aw==",
    " ",
    "Proc-Type: 4",
    "-----",
    "!",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn responses_are_the_same_in_any_cut(draws: [u8; 3], bytes in words(RESPONSES, 10)) {
        response::h1(&[&draws[..], &bytes].concat());
    }

    #[test]
    fn calls_end_and_keep_their_secrets(
        draws: [u8; 4],
        peers in prop::collection::vec((prop::sample::select(ENDS), words(RESPONSES, 6)), 1..6),
    ) {
        let script: Vec<u8> = peers.into_iter().flat_map(|(end, bytes)| [end, &bytes].concat()).collect();
        call::call(&[&draws[..], &script].concat());
    }

    #[test]
    fn pem_is_read_or_refused(data in words(PEM, 30)) {
        pem::pem(&data);
    }
}
