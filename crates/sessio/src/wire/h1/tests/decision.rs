//! The framing decision: every status class with every version, Transfer-Encoding and
//! Content-Length (G13).

use std::time::Duration;

use http::{Method, StatusCode, Version};

use super::super::{Framing, NoReuse, RequestContext, Reuse};
use crate::base::fault::Result;
use crate::base::kind::Kind;

type Fields<'a> = Vec<(&'a [u8], &'a [u8])>;

fn decide(
    status: u16,
    asked: RequestContext,
    version: Version,
    fields: &Fields<'_>,
) -> Result<(Framing, Reuse)> {
    let status = StatusCode::from_u16(status).unwrap();
    let decision = Framing::decide(status, asked, version, fields.iter().copied())?;
    Ok((decision.framing, decision.reuse))
}

const STATUSES: [u16; 16] = [100, 101, 103, 199, 200, 201, 204, 205, 206, 299, 300, 304, 404, 407, 500, 999];
const CODINGS: [(&[&str], Option<Kind>); 6] = [
    (&[], None),
    (&["chunked"], None),
    (&["Chunked"], None),
    (&["gzip, chunked"], Some(Kind::UnsupportedTransferCoding)),
    (&["chunked", "chunked"], Some(Kind::UnsupportedTransferCoding)),
    (&["identity"], Some(Kind::UnsupportedTransferCoding)),
];
/// The expected length, or the kind of the refusal.
type Length = Result<Option<u64>, Kind>;
/// The third element is set if the length was repeated.
const LENGTHS: [(&[&str], Length, bool); 8] = [
    (&[], Ok(None), false),
    (&["0"], Ok(Some(0)), false),
    (&["5"], Ok(Some(5)), false),
    (&["5", "5"], Ok(Some(5)), true),
    (&["5 ,\t5"], Ok(Some(5)), true),
    (&["5", "6"], Err(Kind::ConflictingLength), false),
    (&["x"], Err(Kind::BadLength), false),
    (&["9223372036854775808"], Err(Kind::BadLength), false),
];

#[test]
fn g13_every_combination() {
    let mut rows = 0;
    for status in STATUSES {
        for method in [Method::GET, Method::HEAD, Method::CONNECT, Method::POST] {
            for (upgrade, close) in [(false, false), (true, false), (false, true), (true, true)] {
                for version in [Version::HTTP_10, Version::HTTP_11] {
                    for (codings, bad_coding) in CODINGS {
                        for (lengths, length, repeated) in LENGTHS {
                            for connection in [None, Some("close"), Some("keep-alive"), Some("x, Close")] {
                                let mut asked = RequestContext::new(&method);
                                (asked.upgrade, asked.close) = (upgrade, close);
                                let mut fields = Fields::new();
                                fields.extend(
                                    codings.iter().map(|v| (&b"transfer-encoding"[..], v.as_bytes())),
                                );
                                fields.extend(lengths.iter().map(|v| (&b"Content-Length"[..], v.as_bytes())));
                                fields.extend(connection.map(|v| (&b"CONNECTION"[..], v.as_bytes())));
                                let got = decide(status, asked, version, &fields).map_err(|e| e.kind());
                                let want = expected(
                                    (status, asked, version),
                                    (!codings.is_empty(), bad_coding),
                                    (length, repeated),
                                    connection,
                                );
                                assert_eq!(got, want, "{status} {asked:?} {version:?} {fields:?}");
                                rows += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(rows, 16 * 4 * 4 * 2 * 6 * 8 * 4);
}

/// The same as a list of rules, first match, in the order of RFC 9112 sections 6.3 and 9.3.
fn expected(
    (status, asked, version): (u16, RequestContext, Version),
    (has_coding, bad_coding): (bool, Option<Kind>),
    (length, repeated): (Length, bool),
    connection: Option<&str>,
) -> Result<(Framing, Reuse), Kind> {
    if asked.connect && (200..300).contains(&status) {
        return Ok((Framing::None, Reuse::No(NoReuse::Upgraded)));
    }
    if let Some(kind) = bad_coding {
        return Err(kind);
    }
    let length = length?;
    if status == 101 {
        return match asked.upgrade {
            true => Ok((Framing::None, Reuse::No(NoReuse::Upgraded))),
            false => Err(Kind::UnexpectedUpgrade),
        };
    }
    let is_old = version == Version::HTTP_10;
    if has_coding && is_old {
        return Err(Kind::UnsupportedTransferCoding);
    }
    let framing = if asked.head || status < 200 || status == 204 || status == 304 {
        Framing::None
    } else if has_coding {
        Framing::Chunked
    } else if let Some(length) = length {
        Framing::Length(length)
    } else {
        Framing::UntilClose
    };
    let no_body_allowed = status < 200 || status == 204;
    let why = if has_coding && length.is_some() {
        NoReuse::LengthAndCoding
    } else if repeated {
        NoReuse::RepeatedLength
    } else if no_body_allowed && (has_coding || length.is_some_and(|n| n > 0)) {
        NoReuse::BodyWhereNone
    } else if connection.is_some_and(|c| c.to_ascii_lowercase().contains("close")) {
        NoReuse::ClosedByResponse
    } else if is_old && connection != Some("keep-alive") {
        NoReuse::OldVersion
    } else if asked.close {
        NoReuse::ClosedByRequest
    } else if framing == Framing::UntilClose {
        NoReuse::UntilClose
    } else {
        return Ok((framing, Reuse::Yes { idle_for: None, max: None }));
    };
    Ok((framing, Reuse::No(why)))
}

fn keep_alive(values: &[&str]) -> Reuse {
    let mut fields: Fields<'_> = vec![(b"content-length", b"0")];
    fields.extend(values.iter().map(|v| (&b"Keep-Alive"[..], v.as_bytes())));
    decide(200, RequestContext::new(&Method::GET), Version::HTTP_11, &fields).unwrap().1
}

#[test]
fn q21_a_connection_is_retired_a_second_before_the_server_would() {
    let idle = |seconds| Reuse::Yes { idle_for: Some(Duration::from_secs(seconds)), max: None };
    assert_eq!(keep_alive(&["timeout=5"]), idle(4));
    assert_eq!(keep_alive(&["TimeOut = 5"]), idle(4));
    assert_eq!(keep_alive(&["timeout=9, timeout=5", "timeout=7"]), idle(4));
    assert_eq!(keep_alive(&["timeout=2"]), idle(1));
    assert_eq!(keep_alive(&["timeout=0"]), idle(0));
    assert_eq!(keep_alive(&["timeout=9223372036854775807"]), idle(9_223_372_036_854_775_806));
    for odd in
        ["timeout", "timeout=", "timeout=-5", "timeout=5s", "5", "", "time=5", "timeout=99999999999999999999"]
    {
        assert_eq!(keep_alive(&[odd]), Reuse::Yes { idle_for: None, max: None }, "{odd}");
    }
}

#[test]
fn fn12_a_short_keep_alive_is_used_for_half_of_it() {
    let half = Reuse::Yes { idle_for: Some(Duration::from_millis(500)), max: None };
    assert_eq!(keep_alive(&["timeout=1"]), half);
    assert_eq!(keep_alive(&["timeout=1, timeout=2"]), half);
}

/// Names of ten letters with the value of a Keep-Alive.
#[test]
fn q22_other_fields_of_that_length_say_nothing_of_keep_alive() {
    for name in ["Set-Cookie", "Keep-Alivf", "Connectioo", "X-Keepaliv"] {
        for value in ["max=0", "timeout=0", "timeout=0, max=0"] {
            let fields: Fields<'_> = vec![(b"Content-Length", b"0"), (name.as_bytes(), value.as_bytes())];
            let got = decide(200, RequestContext::new(&Method::GET), Version::HTTP_11, &fields).unwrap().1;
            assert_eq!(got, Reuse::Yes { idle_for: None, max: None }, "{name}: {value}");
        }
    }
    // Parameters of Keep-Alive other than these two.
    for odd in ["maximum=0", "ma=0", "xam=0", "=0", "timeouts=1", "max", "min=0"] {
        assert_eq!(keep_alive(&[odd]), Reuse::Yes { idle_for: None, max: None }, "{odd}");
    }
}

#[test]
fn q22_a_connection_carries_as_many_requests_as_the_server_says() {
    assert_eq!(
        keep_alive(&["timeout=5, max=100"]),
        Reuse::Yes { idle_for: Some(Duration::from_secs(4)), max: Some(100) }
    );
    assert_eq!(keep_alive(&["max=1"]), Reuse::Yes { idle_for: None, max: Some(1) });
    assert_eq!(keep_alive(&["max=0"]), Reuse::No(NoReuse::Spent));
    assert_eq!(keep_alive(&["max=99999999999"]), Reuse::Yes { idle_for: None, max: Some(u32::MAX) });
}

#[test]
fn q23_q24_other_fields_frame_nothing() {
    let asked = RequestContext::new(&Method::GET);
    let fields: Fields<'_> = vec![(b"Proxy-Connection", b"keep-alive"), (b"Content-Length", b"5")];
    let got = decide(200, asked, Version::HTTP_10, &fields).unwrap();
    assert_eq!(got, (Framing::Length(5), Reuse::No(NoReuse::OldVersion)));
    let fields: Fields<'_> =
        vec![(b"Connection", b"content-length"), (b"Content-Length", b"5"), (b"Connection", b"x")];
    let got = decide(200, asked, Version::HTTP_11, &fields).unwrap();
    assert_eq!(got, (Framing::Length(5), Reuse::Yes { idle_for: None, max: None }));
}
