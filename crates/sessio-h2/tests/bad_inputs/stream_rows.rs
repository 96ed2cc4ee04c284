//! Rows for one stream: malformed responses, and bodies that do not have their declared length.

use sessio_h2::StreamErrorKind as Kinds;
use sessio_h2::frame::{Header, Kind};
use sessio_h2::{ConnectionErrorKind, ErrorCode, Malformed};

use crate::script::Outcome::{self, Tolerated};
use crate::script::{Row, block, script};

fn malformed(id: u32, rule: Malformed) -> Outcome {
    Outcome::Stream(id, ErrorCode::PROTOCOL_ERROR, Kinds::Malformed(rule))
}

pub(crate) fn rows() -> Vec<Row> {
    [heads(), names_and_values(), bodies(), resets()].concat()
}

fn heads() -> Vec<Row> {
    let head = |fields: &[(&str, &str)]| script().head(1, fields, true);
    let status = |text: &str| script().head(1, &[(":status", text)], true);
    let mut interim = script();
    for _ in 0..33 {
        interim = interim.head(1, &[(":status", "103")], false);
    }
    vec![
        Row::new("no_fields", script().block(1, b"", true), malformed(1, Malformed::MissingStatus)),
        Row::new("no_status", head(&[("a", "b")]), malformed(1, Malformed::MissingStatus)),
        Row::new(
            "two_statuses",
            head(&[(":status", "200"), (":status", "200")]),
            malformed(1, Malformed::RepeatedStatus),
        ),
        Row::new("status_of_two_digits", status("20"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_of_four_digits", status("2000"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_below_100", status("099"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_of_letters", status("abc"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_of_nothing", status(""), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_with_a_reason", status("200 OK"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_with_a_sign", status("+20"), malformed(1, Malformed::InvalidStatus)),
        Row::new("status_999", status("999"), Tolerated),
        Row::new(
            "pseudo_field_of_requests",
            head(&[(":status", "200"), (":path", "/")]),
            malformed(1, Malformed::UnknownPseudoField),
        ),
        Row::new(
            "pseudo_field_unknown",
            head(&[(":status", "200"), (":x", "1")]),
            malformed(1, Malformed::UnknownPseudoField),
        ),
        Row::new(
            "pseudo_field_behind_a_field",
            head(&[("a", "b"), (":status", "200")]),
            malformed(1, Malformed::LatePseudoField),
        ),
        Row::new("status_101", status("101"), malformed(1, Malformed::SwitchingProtocols)),
        Row::new(
            "status_101_that_goes_on",
            script().head(1, &[(":status", "101")], false),
            malformed(1, Malformed::SwitchingProtocols),
        ),
        Row::new("interim_ends_the_stream", status("103"), malformed(1, Malformed::InterimEndsStream)),
        Row::new(
            "interim_without_end",
            interim,
            Outcome::Stream(1, ErrorCode::ENHANCE_YOUR_CALM, Kinds::TooManyInterimHeads),
        ),
        Row::new(
            "interim_and_then_the_head",
            script().head(1, &[(":status", "103")], false).response(1),
            Tolerated,
        ),
        Row::new(
            "interim_and_then_a_body",
            script().head(1, &[(":status", "103")], false).data(1, b"x", true),
            malformed(1, Malformed::BodyBeforeHead),
        ),
        Row::new("a_head_after_the_end", script().response(1).block(1, &[0x88], true), Tolerated),
        Row::new(
            "a_head_after_the_end_of_an_upload_that_goes_on",
            script().response(7).block(7, &[0x88], true),
            Tolerated,
        ),
        Row::new(
            "rules_broken_without_end",
            {
                let mut many = script();
                // The first violation on a stream with an unfinished upload is counted. The stream
                // is reset then, so the second one is not.
                for _ in 0..2 {
                    many = many.response(7).data(7, b"more", false);
                }
                many
            },
            Tolerated,
        )
        .cves("CVE-2025-8671"),
    ]
}

fn names_and_values() -> Vec<Row> {
    let with = |name: &str, value: &str| script().head(1, &[(":status", "200"), (name, value)], true);
    let raw = |name: &[u8], value: &[u8]| {
        let lengths = (u8::try_from(name.len()).unwrap(), u8::try_from(value.len()).unwrap());
        script().block(1, &[&[0x88, 0x00, lengths.0], name, &[lengths.1], value].concat(), true)
    };
    let connection = || malformed(1, Malformed::ConnectionField);
    let (name, value) = (|| malformed(1, Malformed::InvalidName), || malformed(1, Malformed::InvalidValue));
    let nothing: Vec<u8> = [vec![0x88], [0x00, 0, 0].repeat(1_000)].concat();
    vec![
        Row::new("name_in_upper_case", with("X-Upper", "1"), malformed(1, Malformed::UpperCaseName)),
        Row::new("name_of_nothing", raw(b"", b"x"), name()).cves("CVE-2019-9516"),
        Row::new("names_of_nothing_without_end", script().block(1, &nothing, true), name())
            .cves("CVE-2019-9516"),
        Row::new("name_with_a_blank", raw(b"a b", b"x"), name()),
        Row::new("name_with_a_colon", raw(b"a:b", b"x"), name()),
        Row::new("name_with_nul", raw(b"a\0", b"x"), name()),
        Row::new("name_with_a_line_end", raw(b"a\r\nb", b"x"), name()),
        Row::new("name_beyond_ascii", raw(&[0xc3, 0xa9], b"x"), name()),
        Row::new("value_with_nul", raw(b"a", b"x\0y"), value()),
        Row::new("value_with_cr", raw(b"a", b"x\ry"), value()),
        Row::new("value_with_lf", raw(b"a", b"x\ny"), value()),
        Row::new("value_with_a_field_in_it", raw(b"a", b"x\r\nset-cookie: y"), value()),
        Row::new("value_begins_with_a_blank", raw(b"a", b" x"), value()),
        Row::new("value_ends_with_a_tab", raw(b"a", b"x\t"), value()),
        Row::new("value_of_nothing", raw(b"a", b""), Tolerated),
        Row::new("value_beyond_ascii", raw(b"a", &[0xff, 0xfe]), Tolerated),
        Row::new("connection", with("connection", "close"), connection()),
        Row::new("keep_alive", with("keep-alive", "timeout=5"), connection()),
        Row::new("proxy_connection", with("proxy-connection", "close"), connection()),
        Row::new("transfer_encoding", with("transfer-encoding", "chunked"), connection()),
        Row::new("upgrade", with("upgrade", "h2c"), connection()),
        Row::new(
            "header_list_too_large",
            {
                let value = "v".repeat(1_000);
                let fields = vec![("a", value.as_str()); 70];
                script().block(1, &[block(&[(":status", "200")]), block(&fields)].concat(), true)
            },
            Outcome::Stream(1, ErrorCode::ENHANCE_YOUR_CALM, Kinds::HeaderListTooLarge),
        ),
    ]
}

fn bodies() -> Vec<Row> {
    let said = |length: &str| script().head(1, &[(":status", "200"), ("content-length", length)], false);
    let status = |id, status: &str| script().head(id, &[(":status", status)], false);
    let length = || malformed(1, Malformed::InvalidContentLength);
    let wrong = || malformed(1, Malformed::WrongLength);
    let trailers =
        |fields: &[(&str, &str)], is_last| status(1, "200").data(1, b"x", false).head(1, fields, is_last);
    vec![
        Row::new(
            "body_before_its_head",
            script().data(1, b"x", true),
            malformed(1, Malformed::BodyBeforeHead),
        ),
        Row::new("body_shorter_than_said", said("5").data(1, b"four", true), wrong()),
        Row::new("body_longer_than_said", said("3").data(1, b"four", true), wrong()),
        Row::new("body_longer_than_nothing", said("0").data(1, b"x", true), wrong()),
        Row::new(
            "no_body_where_one_was_said",
            script().head(1, &[(":status", "200"), ("content-length", "3")], true),
            wrong(),
        ),
        Row::new("length_of_letters", said("x"), length()),
        Row::new("length_of_nothing", said(""), length()),
        Row::new("length_below_zero", said("-1"), length()),
        Row::new("length_with_a_sign", said("+1"), length()),
        Row::new("length_beyond_64_bits", said("99999999999999999999999"), length()),
        Row::new("length_twice_in_a_field", said("2, 2"), length()),
        Row::new(
            "two_lengths",
            script().head(1, &[(":status", "200"), ("content-length", "1"), ("content-length", "2")], false),
            length(),
        ),
        Row::new(
            "the_same_length_twice",
            script()
                .head(1, &[(":status", "200"), ("content-length", "2"), ("content-length", "2")], false)
                .data(1, b"hi", true),
            Tolerated,
        ),
        Row::new(
            "body_of_a_head_response",
            status(5, "200").data(5, b"x", true),
            malformed(5, Malformed::UnexpectedBody),
        ),
        Row::new(
            "length_of_a_head_response",
            script().head(5, &[(":status", "200"), ("content-length", "9")], true),
            Tolerated,
        ),
        Row::new("empty_data_of_a_head_response", status(5, "200").data(5, b"", true), Tolerated),
        Row::new(
            "body_of_204",
            status(1, "204").data(1, b"x", true),
            malformed(1, Malformed::UnexpectedBody),
        ),
        Row::new(
            "body_of_304",
            status(1, "304").data(1, b"x", true),
            malformed(1, Malformed::UnexpectedBody),
        ),
        Row::new(
            "length_of_304",
            script().head(1, &[(":status", "304"), ("content-length", "9")], true),
            Tolerated,
        ),
        Row::new(
            "trailers_that_do_not_end",
            trailers(&[("a", "b")], false),
            malformed(1, Malformed::TrailersWithoutEnd),
        ),
        Row::new(
            "pseudo_field_in_trailers",
            trailers(&[(":status", "200")], true),
            malformed(1, Malformed::PseudoFieldInTrailers),
        ),
        Row::new(
            "upper_case_in_trailers",
            trailers(&[("A", "b")], true),
            malformed(1, Malformed::UpperCaseName),
        ),
        Row::new(
            "connection_field_in_trailers",
            trailers(&[("connection", "close")], true),
            malformed(1, Malformed::ConnectionField),
        ),
        Row::new(
            "trailers_before_the_body_is_whole",
            said("5").data(1, b"x", false).head(1, &[("a", "b")], true),
            wrong(),
        ),
        Row::new("trailers_without_fields", trailers(&[], true), Tolerated),
        Row::new(
            "empty_data_flood",
            status(1, "200").frames(1001, Kind::DATA, 0, 1, b""),
            Outcome::Connection(ErrorCode::ENHANCE_YOUR_CALM, ConnectionErrorKind::TooManyEmptyFrames),
        )
        .cves("CVE-2019-9518"),
        Row::new(
            "padding_flood",
            status(1, "200").frames(1001, Kind::DATA, Header::PADDED, 1, &[0]),
            Outcome::Connection(ErrorCode::ENHANCE_YOUR_CALM, ConnectionErrorKind::TooManyEmptyFrames),
        )
        .cves("CVE-2019-9518"),
        Row::new(
            "padding_alone",
            status(1, "200").frame(Kind::DATA, Header::PADDED | 1, 1, &[&[255][..], &[0; 255]].concat()),
            Tolerated,
        ),
        Row::new("data_after_the_end", script().response(1).data(1, b"more", false), Tolerated),
        Row::new(
            "data_after_the_end_of_an_upload_that_goes_on",
            script().response(7).data(7, b"more", true),
            Tolerated,
        ),
        Row::new(
            "one_byte_a_frame",
            {
                let mut slow = status(1, "200");
                for _ in 0..2_000 {
                    slow = slow.data(1, b"x", false);
                }
                slow.data(1, b"", true)
            },
            Tolerated,
        )
        .cves("CVE-2019-9511"),
    ]
}

fn resets() -> Vec<Row> {
    let reset = |id, code| Outcome::Stream(id, code, Kinds::Reset(code));
    vec![
        Row::new(
            "reset_before_the_head",
            script().reset(1, ErrorCode::INTERNAL_ERROR),
            reset(1, ErrorCode::INTERNAL_ERROR),
        ),
        Row::new(
            "reset_without_an_error_before_the_head",
            script().reset(1, ErrorCode::NO_ERROR),
            reset(1, ErrorCode::NO_ERROR),
        ),
        Row::new(
            "reset_within_the_body",
            script().head(1, &[(":status", "200")], false).data(1, b"x", false).reset(1, ErrorCode::CANCEL),
            reset(1, ErrorCode::CANCEL),
        ),
        Row::new(
            "refused",
            script().reset(1, ErrorCode::REFUSED_STREAM),
            reset(1, ErrorCode::REFUSED_STREAM),
        ),
        Row::new(
            "reset_with_an_unknown_code",
            script().reset(1, ErrorCode(0xdead_beef)),
            reset(1, ErrorCode(0xdead_beef)),
        ),
        Row::new(
            "reset_twice",
            script().reset(1, ErrorCode::CANCEL).reset(1, ErrorCode::CANCEL),
            reset(1, ErrorCode::CANCEL),
        ),
        Row::new(
            "early_response_and_no_error",
            script().response(7).reset(7, ErrorCode::NO_ERROR),
            Tolerated,
        ),
        Row::new(
            "http_1_1_required",
            script().reset(1, ErrorCode::HTTP_1_1_REQUIRED),
            reset(1, ErrorCode::HTTP_1_1_REQUIRED),
        ),
        Row::new(
            "stream_credit_of_nothing",
            script().window_update(7, 0),
            Outcome::Stream(7, ErrorCode::PROTOCOL_ERROR, Kinds::ZeroIncrement),
        ),
        Row::new(
            "stream_credit_beyond_the_largest_window",
            script().window_update(7, (1 << 31) - 1),
            Outcome::Stream(7, ErrorCode::FLOW_CONTROL_ERROR, Kinds::WindowOverflow),
        ),
    ]
}
