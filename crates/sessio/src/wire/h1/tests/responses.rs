//! Malformed and unusual responses: every row of the table of responses that one connection shows.

use std::borrow::Cow;

use http::Method;

use super::super::{BodyKind, NoReuse, RequestContext, RequestEncoder, Reuse};
use super::wire::{End, Seen, Wire};
use crate::base::kind::Kind;

/// The expected result of a row.
enum Want {
    /// Delivered; the connection is reusable.
    Reuse(u16, &'static [u8]),
    /// Delivered; the connection is closed for this reason.
    Close(u16, &'static [u8], NoReuse),
    /// Refused with the head.
    Refuse(Kind),
    /// Refused after this part of the body.
    Break(&'static [u8], Kind),
}
use Want::{Break, Close, Refuse, Reuse as Keep};

fn get(bytes: impl AsRef<[u8]>) -> Wire {
    Wire::new(RequestContext::new(&Method::GET), bytes.as_ref())
}

fn head(bytes: impl AsRef<[u8]>) -> Wire {
    Wire::new(RequestContext::new(&Method::HEAD), bytes.as_ref())
}

/// Ends the connection after the bytes.
fn fin(mut wire: Wire) -> Wire {
    wire.eof = true;
    wire
}

/// A response with these field lines and this body.
fn ok(fields: &str, body: &str) -> Wire {
    get(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}"))
}

/// A chunked response with this body.
fn chunked(body: &str) -> Wire {
    ok("Transfer-Encoding: chunked\r\n", body)
}

/// A complete response of five bytes with this additional line.
fn line(line: impl AsRef<[u8]>) -> Wire {
    get([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", line.as_ref(), b"\r\n\r\nhello"].concat())
}

/// A complete response of five bytes with this status line.
fn start(line: &str) -> Wire {
    get(format!("{line}\r\nContent-Length: 5\r\n\r\nhello"))
}

fn check(wire: &Wire, want: &Want) -> Seen {
    let seen = wire.everyhow();
    let status = seen.head.as_ref().map(|head| head.status.as_u16());
    match *want {
        Keep(code, body) => {
            assert_eq!(seen.end, End::Complete);
            assert_eq!((status, &*seen.body.escape_ascii().to_string()), (Some(code), &*text(body)));
            assert!(matches!(seen.reuse, Reuse::Yes { .. }), "{:?}", seen.reuse);
        }
        Close(code, body, why) => {
            assert_eq!(seen.end, End::Complete);
            assert_eq!((status, &*seen.body.escape_ascii().to_string()), (Some(code), &*text(body)));
            assert_eq!(seen.reuse, Reuse::No(why));
        }
        Refuse(kind) => {
            assert!(matches!(seen.end, End::Failed(k, _) if k == kind), "{:?}", seen.end);
            assert_eq!((status, text(&seen.body)), (None, String::new()));
            assert_eq!(seen.reuse, Reuse::No(NoReuse::Unfinished));
        }
        Break(body, kind) => {
            assert!(matches!(seen.end, End::Failed(k, _) if k == kind), "{:?}", seen.end);
            assert_eq!((status, text(&seen.body)), (Some(200), text(body)));
            assert_eq!(seen.reuse, Reuse::No(NoReuse::Unfinished));
        }
    }
    seen
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

macro_rules! rows {
    ($($name:ident: $wire:expr => $want:expr;)*) => {
        $(#[test] fn $name() { check(&$wire, &$want); })*

        /// All rows, for tests that modify each of them.
        fn every_row() -> Vec<(&'static str, Wire)> {
            vec![$((stringify!($name), $wire)),*]
        }
    };
}

/// Enough bytes to exceed every limit of the table.
fn many(n: usize, line: &str) -> String {
    line.repeat(n)
}

rows! {
    p002_cl_dup_same: line("Content-Length: 5") => Close(200, b"hello", NoReuse::RepeatedLength);
    p003_cl_dup_diff: line("Content-Length: 6") => Refuse(Kind::ConflictingLength);
    p004_cl_list_same: ok("Content-Length: 5, 5\r\n", "hello") => Close(200, b"hello", NoReuse::RepeatedLength);
    p005_cl_list_diff: ok("Content-Length: 5, 6\r\n", "hello") => Refuse(Kind::ConflictingLength);
    p008_cl_hex: ok("Content-Length: 0x5\r\n", "hello") => Refuse(Kind::BadLength);
    p009_cl_underscore: ok("Content-Length: 1_0\r\n", "hellohello") => Refuse(Kind::BadLength);
    p010_cl_empty: ok("Content-Length:\r\n", "hello") => Refuse(Kind::BadLength);
    p011_cl_alpha: ok("Content-Length: abc\r\n", "hello") => Refuse(Kind::BadLength);
    p012_cl_trail_junk: ok("Content-Length: 5abc\r\n", "hello") => Refuse(Kind::BadLength);
    p013_cl_u64max: ok("Content-Length: 18446744073709551615\r\n", "hello") => Refuse(Kind::BadLength);
    p013_cl_i64max: fin(ok("Content-Length: 9223372036854775807\r\n", "hello"))
        => Break(b"hello", Kind::IncompleteBody);
    p013_cl_i64max_and_one: ok("Content-Length: 9223372036854775808\r\n", "hello") => Refuse(Kind::BadLength);
    p014_cl_overflow: ok("Content-Length: 18446744073709551621\r\n", "hello") => Refuse(Kind::BadLength);
    p016_cl_space: ok("Content-Length: 5 5\r\n", "hello") => Refuse(Kind::BadLength);
    p018_cl_unicode_v104: ok("Content-Length: \u{665}\r\n", "hello") => Refuse(Kind::BadLength);
    v108_cl_plus: ok("Content-Length: +5\r\n", "hello") => Refuse(Kind::BadLength);
    v108_cl_minus: ok("Content-Length: -5\r\n", "hello") => Refuse(Kind::BadLength);
    cl_list_with_nothing: ok("Content-Length: 5,\r\n", "hello") => Refuse(Kind::BadLength);
    cl_leading_zeros: ok("Content-Length: 0000000000000000000000005\r\n", "hello") => Keep(200, b"hello");
    cl_baseline: ok("Content-Length: 5\r\n", "hello") => Keep(200, b"hello");
    cl_zero: ok("Content-Length: 0\r\n", "") => Keep(200, b"");

    p019_te_chunked: chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") => Keep(200, b"hello world");
    p022_te_notfinal: ok("Transfer-Encoding: chunked, gzip\r\n", "") => Refuse(Kind::UnsupportedTransferCoding);
    p023_te_identity: line("Transfer-Encoding: identity") => Refuse(Kind::UnsupportedTransferCoding);
    p024_te_unknown: ok("Transfer-Encoding: foo\r\n", "") => Refuse(Kind::UnsupportedTransferCoding);
    p025_te_unknown_chunked: ok("Transfer-Encoding: foo, chunked\r\n", "0\r\n\r\n")
        => Refuse(Kind::UnsupportedTransferCoding);
    p026_te_xchunked_v106: line("Transfer-Encoding: xchunked") => Refuse(Kind::UnsupportedTransferCoding);
    p027_te_dup_v108: ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")
        => Refuse(Kind::UnsupportedTransferCoding);
    p028_te_list_dup: ok("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")
        => Refuse(Kind::UnsupportedTransferCoding);
    p029_te_vt: ok("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n") => Refuse(Kind::BadHead);
    p030_te_case: ok("transfer-encoding: CHUNKED \t\r\n", "5\r\nhello\r\n0\r\n\r\n") => Keep(200, b"hello");
    p031_te_10: get("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        => Refuse(Kind::UnsupportedTransferCoding);
    p033_te_space_colon: line("Transfer-Encoding : chunked") => Refuse(Kind::BadHead);
    te_empty: line("Transfer-Encoding:") => Refuse(Kind::UnsupportedTransferCoding);

    p035_ch_first_empty: chunked("\r\n5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p036_ch_bare_lf_size_v101: chunked("5\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p037_ch_bare_lf_all: chunked("5\nhello\n0\n\n") => Break(b"", Kind::BadChunk);
    p037_ch_bare_lf_last: chunked("5\r\nhello\r\n0\r\n\n") => Break(b"hello", Kind::BadChunk);
    p037_ch_bare_lf_trailer: chunked("5\r\nhello\r\n0\r\nA: b\n\r\n") => Break(b"hello", Kind::BadChunk);
    p038_ch_ext: chunked("5;a=b\r\nhello\r\n0;c=\"d\"\r\n\r\n") => Keep(200, b"hello");
    p039_ch_ext_lf_v102: chunked("5;a\nb\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p040_ch_ext_cr: chunked("5;a\rb\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p041_ch_ext_big: chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", many(100_000, "a")))
        => Break(b"", Kind::BadChunk);
    p041_ch_ext_big_in_all: chunked(&many(300, &format!("1;{}\r\nx\r\n", many(100, "a"))))
        => Break(&[b'x'; 197], Kind::BadChunk);
    p042_ch_ext_nul: chunked("5;a\0b\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p043_ch_0x: chunked("0x5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p044_ch_plus_v108: chunked("+5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p046_ch_under: chunked("0_5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p047_ch_lead_sp: chunked(" 5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p048_ch_trail_sp: chunked("5 \t\r\nhello\r\n0 \r\n\r\n") => Keep(200, b"hello");
    p048_ch_sp_before_ext: chunked("5 ;a\r\nhello\r\n0\r\n\r\n") => Keep(200, b"hello");
    p048_ch_sp_inside: chunked("5 5\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p049_ch_lead0: chunked("0000000000000000000005\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p049_ch_16_digits: chunked("0000000000000005\r\nhello\r\n0000\r\n\r\n") => Keep(200, b"hello");
    p050_ch_huge: chunked("FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p052_ch_i64_v108: chunked("8000000000000005\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p052_ch_i64max: fin(chunked("7fffffffFFFFFFFF\r\nhello")) => Break(b"hello", Kind::IncompleteBody);
    p053_ch_junk_size: chunked("5g\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);
    p055_ch_lf_after: chunked("5\r\nhello\n0\r\n\r\n") => Break(b"hello", Kind::BadChunk);
    v103_ch_junk_after: chunked("5\r\nhelloXX0\r\n\r\n") => Break(b"hello", Kind::BadChunk);
    p058_ch_eof_no_last: fin(chunked("5\r\nhello\r\n")) => Break(b"hello", Kind::IncompleteBody);
    p058_ch_eof_in_data: fin(chunked("5\r\nhel")) => Break(b"hel", Kind::IncompleteBody);
    p058_ch_eof_at_once: fin(chunked("")) => Break(b"", Kind::IncompleteBody);
    p059_ch_eof_after_0: fin(chunked("5\r\nhello\r\n0\r\n")) => Break(b"hello", Kind::IncompleteBody);
    p059_ch_eof_in_trailer: fin(chunked("5\r\nhello\r\n0\r\nA: b\r\n")) => Break(b"hello", Kind::IncompleteBody);
    p063_ch_trailer_bad: chunked("5\r\nhello\r\n0\r\nnothing\r\n\r\n") => Break(b"hello", Kind::BadChunk);
    v111_ch_trailer_ctl: chunked("0\r\nA: \x01\r\n\r\n") => Break(b"", Kind::BadChunk);
    v102_ch_trailer_sp_colon: chunked("0\r\nA : b\r\n\r\n") => Break(b"", Kind::BadChunk);
    p076_ch_trailer_fold_first: chunked("0\r\n A: b\r\n\r\n") => Break(b"", Kind::BadChunk);
    p075_ch_trailer_fold: chunked("0\r\nA: b\r\n c\r\n\r\n") => Close(200, b"", NoReuse::Folded);
    p065_ch_trailer_big_v111: chunked(&format!("5\r\nhello\r\n0\r\nA: {}\r\n\r\n", many(270_000, "x")))
        => Break(b"hello", Kind::HeadTooLarge);
    p066_ch_trailer_many: chunked(&format!("5\r\nhello\r\n0\r\n{}\r\n", many(20_000, "A: b\r\n")))
        => Break(b"hello", Kind::TooManyFields);
    p067_ch_cr_cr: chunked("5\r\r\nhello\r\n0\r\n\r\n") => Break(b"", Kind::BadChunk);

    p069_bare_lf_mixed: get("HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\nhello")
        => Close(200, b"hello", NoReuse::BareLineFeed);
    p069_bare_lf_all: get("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")
        => Close(200, b"hello", NoReuse::BareLineFeed);
    p069_bare_lf_last: get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello")
        => Close(200, b"hello", NoReuse::BareLineFeed);
    p070_bare_cr_val: line("A: b\rC: d") => Refuse(Kind::BadHead);
    p070_bare_cr_name: line("A\rB: d") => Refuse(Kind::BadHead);
    p070_bare_cr_last: get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\rX\r\n\r\nhello") => Refuse(Kind::BadHead);
    p070_cr_cr_lf: line("A: b\r") => Refuse(Kind::BadHead);
    p071_nul_val: line("A: b\0c") => Refuse(Kind::BadHead);
    p072_ctl_val: line("A: b\x01c") => Refuse(Kind::BadHead);
    p073_del_val: line("A: b\x7fc") => Refuse(Kind::BadHead);
    p074_obs_text: line(b"A: b\x80\xffc") => Keep(200, b"hello");
    p075_obsfold: line("A: b\r\n c") => Close(200, b"hello", NoReuse::Folded);
    p075_obsfold_in_content_length: get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 5\r\n\r\nhello")
        => Refuse(Kind::BadHead);
    p075_obsfold_in_transfer_encoding: get("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n")
        => Refuse(Kind::BadHead);
    p075_obsfold_is_no_field: line("A: b\r\n Content-Length: 6") => Close(200, b"hello", NoReuse::Folded);
    p075_obsfold_of_nothing: line("A:\r\n \t\r\n ") => Close(200, b"hello", NoReuse::Folded);
    p076_obsfold_first: get("HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 5\r\n\r\nhello") => Refuse(Kind::BadHead);
    p078_sp_colon: line("A : b") => Refuse(Kind::BadHead);
    p078_fold_colon: line("A\r\n : b") => Refuse(Kind::BadHead);
    p079_sp_colon_cl: ok("Content-Length : 5\r\n", "hello") => Refuse(Kind::BadHead);
    p080_no_colon: line("A b") => Refuse(Kind::BadHead);
    p081_empty_name: line(": b") => Refuse(Kind::BadHead);
    p082_name_nonascii: line(b"A\xe9: b") => Refuse(Kind::BadHead);
    p083_name_paren: line("A(b): c") => Refuse(Kind::BadHead);
    p084_big_hdr_64k: line(format!("A: {}", many(65_000, "x"))) => Keep(200, b"hello");
    p084_big_name: line(format!("{}: b", many(66_000, "x"))) => Refuse(Kind::BadHead);
    p086_hdrs_101: line(format!("{}A: b", many(100, "A: b\r\n"))) => Keep(200, b"hello");
    p086_hdrs_256: line(format!("{}A: b", many(254, "A: b\r\n"))) => Keep(200, b"hello");
    p086_hdrs_257: line(format!("{}A: b", many(255, "A: b\r\n"))) => Refuse(Kind::TooManyFields);
    p087_hdrs_1000: line(format!("{}A: b", many(1000, "A: b\r\n"))) => Refuse(Kind::TooManyFields);
    p088_hdrs_20000: line(format!("{}A: b", many(20_000, "A: b\r\n"))) => Refuse(Kind::TooManyFields);
    v110_endless_head: get(format!("HTTP/1.1 200 OK\r\nA: {}", many(300_000, "x"))) => Refuse(Kind::HeadTooLarge);

    p092_sl_noreason: start("HTTP/1.1 200") => Keep(200, b"hello");
    p092_sl_noreason_sp: start("HTTP/1.1 200 ") => Keep(200, b"hello");
    p093_sl_2sp: start("HTTP/1.1  200 OK") => Refuse(Kind::BadHead);
    p094_sl_99: start("HTTP/1.1 99 OK") => Refuse(Kind::BadHead);
    p094_sl_099: start("HTTP/1.1 099 OK") => Refuse(Kind::BadHead);
    p094_sl_000: start("HTTP/1.1 000 OK") => Refuse(Kind::BadHead);
    p097_sl_999: start("HTTP/1.1 999 Odd") => Keep(999, b"hello");
    p098_sl_1000: start("HTTP/1.1 1000 OK") => Refuse(Kind::BadHead);
    p100_sl_nul_reason: start("HTTP/1.1 200 O\0K") => Refuse(Kind::BadHead);
    p101_sl_12: start("HTTP/1.2 200 OK") => Refuse(Kind::BadHead);
    p102_sl_20: start("HTTP/2.0 200 OK") => Refuse(Kind::NotHttp);
    p103_sl_2: start("HTTP/2 200 OK") => Refuse(Kind::NotHttp);
    p104_sl_lower: start("http/1.1 200 OK") => Refuse(Kind::NotHttp);
    p105_sl_icy: start("ICY 200 OK") => Refuse(Kind::NotHttp);
    p106_sl_lead_sp: start(" HTTP/1.1 200 OK") => Refuse(Kind::NotHttp);
    p106_sl_lead_crlf: start("\r\nHTTP/1.1 200 OK") => Refuse(Kind::NotHttp);
    p107_sl_tab: start("HTTP/1.1\t200\tOK") => Refuse(Kind::BadHead);
    p108_h09: fin(get("<html>hello</html>")) => Refuse(Kind::NotHttp);
    p109_garbage_tls_f07: fin(get(b"\x15\x03\x03\x00\x02\x02\x46")) => Refuse(Kind::NotHttp);
    sl_glued: start("HTTP/1.1200 OK") => Refuse(Kind::BadHead);
    sl_fold: start("HTTP/1.1 200\r\n OK") => Refuse(Kind::BadHead);

    p114_h10_nolen: fin(get("HTTP/1.0 200 OK\r\n\r\nhello")) => Close(200, b"hello", NoReuse::OldVersion);
    nolen_until_close: fin(ok("", "hello")) => Close(200, b"hello", NoReuse::UntilClose);
    nolen_nothing: fin(ok("", "")) => Close(200, b"", NoReuse::UntilClose);
    p115_h10_cl: start("HTTP/1.0 200 OK") => Close(200, b"hello", NoReuse::OldVersion);
    p116_h10_ka: get("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello")
        => Keep(200, b"hello");
    p117_close: line("Connection: close") => Close(200, b"hello", NoReuse::ClosedByResponse);
    p119_close_two: line("Connection: keep-alive\r\nConnection: CLOSE") => Close(200, b"hello", NoReuse::ClosedByResponse);
    p119_close_list: line("Connection: keep-alive , x,\tClose") => Close(200, b"hello", NoReuse::ClosedByResponse);
    p121_s204_body: get("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
        => Close(204, b"", NoReuse::Excess);
    p121_s204_length: get("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
        => Close(204, b"", NoReuse::BodyWhereNone);
    p121_s204_zero: get("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n") => Keep(204, b"");
    p122_s204_chunked: get("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        => Close(204, b"", NoReuse::Excess);
    p124_s304_body: get("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello")
        => Close(304, b"", NoReuse::Excess);
    p124_s304_length: get("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") => Keep(304, b"");
    p125_s205_body: get("HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello") => Keep(205, b"hello");
    p126_head_cl: head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") => Keep(200, b"");
    p127_head_body: head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") => Close(200, b"", NoReuse::Excess);
    p128_head_chunked: head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        => Close(200, b"", NoReuse::Excess);
    p129_head_cl_dup_diff: head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")
        => Refuse(Kind::ConflictingLength);
    p131_extra_after_chunked: chunked("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        => Close(200, b"hello", NoReuse::Excess);
    p132_extra_crlf: ok("Content-Length: 5\r\n", "hello\r\n") => Close(200, b"hello", NoReuse::Excess);
    v100_extra_response: ok("Content-Length: 5\r\n", "helloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        => Close(200, b"hello", NoReuse::Excess);

    p138_s100: get("HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        => Keep(200, b"hello");
    p139_s103x50: get(many(50, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") => Keep(200, b"hello");
    p139_s103x100: get(many(100, "HTTP/1.1 103 Early Hints\r\n\r\n")
        + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") => Keep(200, b"hello");
    p139_s103x101: get(many(101, "HTTP/1.1 103 Early Hints\r\n\r\n")) => Refuse(Kind::TooManyInterim);
    p142_s100_cl: get("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        => Close(200, b"hello", NoReuse::BodyWhereNone);
    p144_s199: get("HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        => Keep(200, b"hello");
    p145_s100_only_eof: fin(get("HTTP/1.1 100 Continue\r\n\r\n")) => Refuse(Kind::ClosedBeforeResponse);
    p146_early_413: get("HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nhello") => Keep(413, b"hello");
    p148_ce_unknown: line("Content-Encoding: foo") => Keep(200, b"hello");
    v111_interim_is_checked: get("HTTP/1.1 103 Early Hints\r\nA: \x01\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        => Refuse(Kind::BadHead);
    interim_then_garbage: get("HTTP/1.1 100 Continue\r\n\r\nhello") => Refuse(Kind::BadHead);
    f09_closed_before_response: fin(get("")) => Refuse(Kind::ClosedBeforeResponse);
    f12_closed_in_head: fin(get("HTTP/1.1 200 OK\r\nA")) => Refuse(Kind::IncompleteHead);
    f12_closed_in_version: fin(get("HTT")) => Refuse(Kind::IncompleteHead);
}

#[test]
fn p017_cl_short_eof() {
    let seen = check(&fin(ok("Content-Length: 10\r\n", "hello")), &Break(b"hello", Kind::IncompleteBody));
    let End::Failed(_, text) = seen.end else { panic!() };
    assert!(text.contains("got 5 bytes of 10"), "{text}");
}

#[test]
fn p020_p021_te_cl_in_either_order_hides_the_length() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    ] {
        let wire = ok(fields, "5\r\nhello\r\n0\r\n\r\n");
        let seen = check(&wire, &Close(200, b"hello", NoReuse::LengthAndCoding));
        let headers = seen.head.unwrap().headers;
        assert_eq!(format!("{headers:?}"), "[Transfer-Encoding: chunked]");
    }
}

#[test]
fn a_single_length_is_shown_as_received() {
    let seen = check(&ok("Content-Length: 00005\r\n", "hello"), &Keep(200, b"hello"));
    assert_eq!(seen.head.unwrap().headers.get("content-length"), Some("00005"));
}

#[test]
fn p002_p004_a_repeated_length_is_shown_once() {
    for (fields, shown) in [
        ("content-length: 5\r\nA: b\r\nContent-Length: 05, 5\r\n", "[content-length: 5, A: b]"),
        ("Content-LENGTH: 5,5\r\nA: b\r\n", "[Content-LENGTH: 5, A: b]"),
    ] {
        let seen = check(&ok(fields, "hello"), &Close(200, b"hello", NoReuse::RepeatedLength));
        assert_eq!(format!("{:?}", seen.head.unwrap().headers), shown);
    }
}

#[test]
fn p075_a_fold_becomes_blanks() {
    let seen = check(&line("A: b\r\n\t c\n d\r\nE: f"), &Close(200, b"hello", NoReuse::Folded));
    let headers = seen.head.unwrap().headers;
    assert_eq!(headers.get("a"), Some("b c d"));
    assert_eq!(headers.get("e"), Some("f"));
}

/// RFC 9112 section 5.2; `check` also reads each byte by byte and cut at every position.
#[test]
fn fc3_a_fold_becomes_one_blank_with_all_blanks_around_it() {
    for (folded, value) in [
        ("a\t\r\n\tb", "a b"),
        ("a\r\n b", "a b"),
        ("a \t \r\n \t  b \t", "a b"),
        ("a\n\tb", "a b"),
        ("a \n b\r\n\t\tc", "a b c"),
        ("a\r\n \r\n\t\r\n b", "a b"),
        ("\r\n a", "a"),
        (" \t\r\n\ta", "a"),
        ("a\r\n ", "a"),
        ("a\r\n \r\n\t", "a"),
        ("\r\n ", ""),
        ("a  b\t\tc\r\n  d", "a  b\t\tc d"),
        ("a, \r\n b", "a, b"),
    ] {
        let lines = format!("First: 1\r\nFolded:{folded}\r\nLast: 2");
        let seen = check(&line(&lines), &Close(200, b"hello", NoReuse::Folded));
        let headers = seen.head.unwrap().headers;
        let all: Vec<_> = headers.iter().map(|field| (field.name, field.value)).collect();
        let expected: [(&str, &[u8]); 4] =
            [("Content-Length", b"5"), ("First", b"1"), ("Folded", value.as_bytes()), ("Last", b"2")];
        assert_eq!(all, expected, "{folded:?}");
        // Also behind a body, where a bare LF is refused.
        if folded.replace("\r\n", "").contains('\n') {
            continue;
        }
        let wire = chunked(&format!("5\r\nhello\r\n0\r\n{lines}\r\n\r\n"));
        let seen = check(&wire, &Close(200, b"hello", NoReuse::Folded));
        assert_eq!(seen.trailers.get("Folded"), Some(value), "{folded:?}");
    }
    // A CR that ends no line is not hidden by the fold behind it.
    check(&line("A: b\r\r\n c"), &Refuse(Kind::BadHead));
}

#[test]
fn p141_s103_bighdr() {
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", many(60_000, "x"));
    check(&get(many(200, &hint)), &Refuse(Kind::HeadTooLarge));
}

#[test]
fn p109_says_that_the_server_speaks_tls() {
    let End::Failed(_, text) = get(b"\x15\x03\x03\x00\x02\x02\x46").cut(&[]).end else { panic!() };
    assert!(text.contains("speaks TLS"), "{text}");
    let End::Failed(_, text) = get(b"SSH-2.0-x\r\n").cut(&[]).end else { panic!() };
    assert!(text.contains(r#"it says "SSH-2.0-x\r\n""#), "{text}");
}

#[test]
fn the_reason_is_as_received() {
    for (line, reason) in [
        ("HTTP/1.1 200 OK", &b"OK"[..]),
        ("HTTP/1.1 200", b""),
        ("HTTP/1.1 200 ", b""),
        ("HTTP/1.1 200 All good \tnow", b"All good \tnow"),
        ("HTTP/1.1 418 Caf\u{e9}", "Caf\u{e9}".as_bytes()),
    ] {
        assert_eq!(start(line).cut(&[]).head.unwrap().reason, reason, "{line}");
    }
    for (line, is_usual) in
        [("HTTP/1.1 404 Not Found", true), ("HTTP/1.1 404", true), ("HTTP/1.1 404 Gone", false)]
    {
        let reason = start(line).cut(&[]).head.unwrap().reason;
        assert_eq!(
            matches!(reason, Cow::Borrowed(_)),
            is_usual,
            "{line}: only unusual reasons are allocated"
        );
    }
}

#[test]
fn fa14_v102_q25_trailers_have_no_field_that_counts_only_in_a_head() {
    let forbidden = [
        "Content-Length: 99",
        "set-cookie: a=b",
        "AUTHORIZATION: Basic eDp5",
        "Transfer-Encoding: gzip",
        "Host: evil.test",
        "Content-Encoding: br",
        "Content-Type: text/html",
        "Content-Range: bytes 0-1/2",
        "Connection: close",
        "Keep-Alive: max=0",
        "Location: /elsewhere",
        "Cache-Control: no-store",
        "WWW-Authenticate: Basic",
        "Proxy-Authenticate: Basic",
        "Trailer: X",
    ];
    let lines = forbidden.map(|line| format!("{line}\r\n")).concat();
    let seen = check(
        &chunked(&format!("5\r\nhello\r\n0\r\nDigest: x\r\n{lines}ETag: \"1\"\r\nX-Sum: 1\r\n\r\n")),
        &Keep(200, b"hello"),
    );
    let names: Vec<_> = seen.trailers.iter().map(|field| field.name.to_owned()).collect();
    assert_eq!(names, ["Digest", "ETag", "X-Sum"]);
    let head = seen.head.unwrap().headers;
    assert_eq!((head.len(), head.contains("Content-Length")), (1, false));
    // Each of them alone leaves no trailers, and each is refused in sending as well.
    for line in forbidden {
        let seen = check(&chunked(&format!("0\r\n{line}\r\n\r\n")), &Keep(200, b""));
        assert!(seen.trailers.is_empty(), "{line}");
        let (name, value) = line.split_once(": ").unwrap();
        let mut trailers = crate::Headers::new();
        trailers.append(name, value).unwrap();
        let body = BodyKind::Source { length: None };
        let mut sender = RequestEncoder::new(&Method::POST, b"/", &crate::Headers::new(), body, Vec::new());
        assert_eq!(sender.supply_end_with(&trailers).unwrap_err().kind(), Kind::InvalidHeader, "{line}");
    }
}

/// Chunks of 100 bytes with an extension of four are common; a flood of extensions is refused.
#[test]
fn fm5_extensions_count_in_proportion_to_the_data() {
    let data = "x".repeat(100);
    let body = many(50_000, &format!("64;e=1\r\n{data}\r\n"));
    let seen = chunked(&format!("{body}0\r\n\r\n")).cut(&[]);
    assert_eq!((seen.end, seen.body.len()), (End::Complete, 5_000_000));
    // Signatures of chunks, as object stores send them.
    let signed = many(2_000, &format!("64;chunk-signature={}\r\n{data}\r\n", "f".repeat(64)));
    assert_eq!(chunked(&format!("{signed}0\r\n\r\n")).cut(&[]).end, End::Complete);
    for flood in [
        // One chunk.
        format!("1;{}\r\nx\r\n", "e".repeat(17_000)),
        // One chunk that declares a large size.
        format!("7fffffffffffffff;{}", "e".repeat(17_000)),
        // Blanks only.
        format!("7fffffff{}", " ".repeat(17_000)),
        // Many small chunks: 18 bytes of each are free, 20 are limited in sum.
        many(10_000, &format!("1;{}\r\nx\r\n", "e".repeat(19))),
        // Unused allowance is not carried over.
        format!("{body}{}", many(300, &format!("1;{}\r\nx\r\n", "e".repeat(100)))),
    ] {
        let End::Failed(kind, text) = chunked(&flood).cut(&[]).end else { panic!("{}", &flood[..40]) };
        assert_eq!(kind, Kind::BadChunk);
        assert!(text.contains("chunk_ext_bytes"), "{text}");
    }
    let small = many(1_000, &format!("1;{}\r\nx\r\n", "e".repeat(17)));
    assert_eq!(chunked(&format!("{small}0\r\n\r\n")).cut(&[]).end, End::Complete);
    // The limit itself, read byte by byte and cut at every position.
    for (extension, is_tolerated) in [(20, true), (21, false)] {
        let mut wire = chunked(&format!("1;{0}\r\nx\r\n1;{0}\r\nx\r\n0\r\n\r\n", "e".repeat(extension - 1)));
        wire.limits.chunk_ext_bytes = 20;
        assert_eq!(wire.everyhow().end == End::Complete, is_tolerated, "{extension}");
    }
    // A chunk of one byte has 18 bytes free, so ten extensions of 20 bytes reach the limit.
    for (last, is_tolerated) in [(18, true), (19, false)] {
        let chunk = |extension: usize| format!("1;{}\r\nx\r\n", "e".repeat(extension - 1));
        let mut wire = chunked(&format!("{}{}0\r\n\r\n", chunk(20).repeat(10), chunk(last)));
        wire.limits.chunk_ext_bytes = 20;
        assert_eq!(wire.cut(&[]).end == End::Complete, is_tolerated, "{last}");
    }
}

#[test]
fn fc5_interim_responses_alone_are_no_response_and_no_part_of_one() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for (bytes, kind) in [
        (String::new(), Kind::ClosedBeforeResponse),
        (interim.to_owned(), Kind::ClosedBeforeResponse),
        (interim.repeat(2), Kind::ClosedBeforeResponse),
        (format!("{interim}H"), Kind::IncompleteHead),
        (format!("{interim}\r"), Kind::BadHead),
        ("HTTP/1.1 100".to_owned(), Kind::IncompleteHead),
    ] {
        check(&fin(get(&bytes)), &Refuse(kind));
    }
}

/// The poison oracle (G5): bytes behind a response are never read as another response.
#[test]
fn v100_g5_nothing_may_hang_on() {
    let mut rows = 0;
    for (name, wire) in every_row() {
        let alone = wire.cut(&[]);
        if !matches!(alone.reuse, Reuse::Yes { .. }) {
            continue;
        }
        rows += 1;
        for tail in
            ["x", "\r\n", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        {
            let mut poisoned = wire.clone();
            poisoned.bytes.extend_from_slice(tail.as_bytes());
            for cuts in [&[][..], &[wire.bytes.len()], &[wire.bytes.len() - 1]] {
                let seen = poisoned.cut(cuts);
                assert_eq!(seen.reuse, Reuse::No(NoReuse::Excess), "{name} and {tail:?}");
                let alone = Seen { reuse: seen.reuse, ..alone.clone() };
                assert_eq!(seen, alone, "{name} and {tail:?}");
            }
        }
    }
    assert!(rows > 20);
}

/// The connection ends at every byte (G2): no truncated response is complete, and no received byte
/// is lost.
#[test]
fn g2_f12_f13_cut_off_anywhere() {
    for (name, mut wire) in every_row() {
        let whole = wire.cut(&[]);
        let ends_with_connection =
            matches!(whole.reuse, Reuse::No(NoReuse::UntilClose | NoReuse::OldVersion));
        if wire.bytes.len() > 4096 || whole.end != End::Complete || ends_with_connection {
            continue;
        }
        let excess = whole.reuse == Reuse::No(NoReuse::Excess);
        let bytes = std::mem::take(&mut wire.bytes);
        wire.eof = true;
        for len in 0..bytes.len() {
            wire.bytes = bytes[..len].to_vec();
            let seen = wire.cut(&[]);
            assert!(whole.body.starts_with(&seen.body), "{name} at {len}");
            match seen.end {
                End::Complete => assert!(excess && seen.body == whole.body, "{name} at {len}"),
                End::Waiting => panic!("{name} at {len}"),
                End::Failed(kind, _) => {
                    let expected = match (len, &seen.head) {
                        (0, _) => Kind::ClosedBeforeResponse,
                        // Between two heads.
                        (_, None) if !seen.interim.is_empty() && wire.bytes.ends_with(b"\n\r\n") => {
                            Kind::ClosedBeforeResponse
                        }
                        (_, None) => Kind::IncompleteHead,
                        (_, Some(_)) => Kind::IncompleteBody,
                    };
                    assert_eq!(kind, expected, "{name} at {len}");
                    assert_eq!(seen.reuse, Reuse::No(NoReuse::Unfinished));
                }
            }
        }
    }
}

/// The short responses; with `SESSIO_LONG` set, better with `--release`, those up to 512 bytes.
#[test]
fn g1_every_3_split() {
    let most = if std::env::var_os("SESSIO_LONG").is_some() { 512 } else { 40 };
    for (name, wire) in every_row() {
        let whole = wire.cut(&[]);
        if wire.bytes.len() > most || matches!(whole.end, End::Failed(Kind::NotHttp, _)) {
            continue;
        }
        for first in 0..wire.bytes.len() {
            for second in first..wire.bytes.len() {
                assert_eq!(wire.cut(&[first, second]), whole, "{name} at {first} and {second}");
            }
        }
    }
}
