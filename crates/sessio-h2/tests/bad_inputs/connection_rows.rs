//! Rows for the connection: its first bytes, frames, settings, floods and header compression.

use std::time::Duration;

use sessio_h2::ConnectionErrorKind as Kinds;
use sessio_h2::ErrorCode;
use sessio_h2::frame::{FrameError, Header, Kind};
use sessio_h2::hpack::DecodeError;

use crate::script::Outcome::{self, Tolerated};
use crate::script::{Row, block, script};

const ACK: u8 = Header::ACK;
const END_HEADERS: u8 = Header::END_HEADERS;
const PADDED: u8 = Header::PADDED;

fn protocol(kind: Kinds) -> Outcome {
    Outcome::Connection(ErrorCode::PROTOCOL_ERROR, kind)
}

fn size(kind: Kind) -> Outcome {
    Outcome::Connection(ErrorCode::FRAME_SIZE_ERROR, Kinds::Frame(FrameError::Size(kind)))
}

fn large(length: u32) -> Outcome {
    Outcome::Connection(ErrorCode::FRAME_SIZE_ERROR, Kinds::FrameTooLarge(length))
}

fn stream(kind: Kind) -> Outcome {
    protocol(Kinds::Frame(FrameError::Stream(kind)))
}

fn calm(kind: Kinds) -> Outcome {
    Outcome::Connection(ErrorCode::ENHANCE_YOUR_CALM, kind)
}

fn flow(kind: Kinds) -> Outcome {
    Outcome::Connection(ErrorCode::FLOW_CONTROL_ERROR, kind)
}

fn compression(error: DecodeError) -> Outcome {
    Outcome::Connection(ErrorCode::COMPRESSION_ERROR, Kinds::HeaderBlock(error))
}

fn closed() -> Outcome {
    Outcome::Connection(ErrorCode::NO_ERROR, Kinds::Closed)
}

pub(crate) fn rows() -> Vec<Row> {
    [
        first_bytes(),
        frames(),
        settings(),
        replies(),
        goaways(),
        windows(),
        resets(),
        blocks(),
        hpack(),
        ends(),
    ]
    .concat()
}

fn first_bytes() -> Vec<Row> {
    vec![
        Row::first(
            "first_is_http1",
            script().raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            protocol(Kinds::NotHttp2),
        ),
        Row::first(
            "first_is_a_tls_alert",
            script().raw(&[21, 3, 1, 0, 2, 2, 70, 0, 0, 0]),
            protocol(Kinds::NotHttp2),
        ),
        Row::first("first_is_zeros", script().raw(&[0; 64]), protocol(Kinds::NotHttp2)),
        Row::first("first_is_ping", script().frame(Kind::PING, 0, 0, &[0; 8]), protocol(Kinds::NotHttp2)),
        Row::first("first_is_settings_ack", script().settings_ack(), protocol(Kinds::NotHttp2)),
        Row::first(
            "first_is_goaway",
            script().goaway(0, ErrorCode::NO_ERROR, b""),
            protocol(Kinds::NotHttp2),
        ),
        Row::first("first_is_head", script().response(1), protocol(Kinds::NotHttp2)),
        Row::first("first_is_large_settings", script().header(Kind::SETTINGS, 60_000, 0), large(60_000)),
        Row::first(
            "first_is_settings_of_a_stream",
            script().frame(Kind::SETTINGS, 0, 1, &[]),
            stream(Kind::SETTINGS),
        ),
        Row::first("first_is_nothing", script().end(), closed()),
        Row::first("first_is_half_a_frame", script().raw(&[0, 0, 6, 4]).end(), closed()),
        Row::first(
            "settings_are_never_acknowledged",
            script().settings(&[]).wait(Duration::from_secs(11)),
            Outcome::Connection(ErrorCode::SETTINGS_TIMEOUT, Kinds::SettingsTimeout),
        ),
    ]
}

fn frames() -> Vec<Row> {
    vec![
        Row::new("data_too_large", script().header(Kind::DATA, 16_385, 1), large(16_385)),
        Row::new("head_too_large", script().header(Kind::HEADERS, 16_385, 1), large(16_385)),
        Row::new("unknown_too_large", script().header(Kind(0xee), 16_385, 1), large(16_385)),
        Row::new("largest_length", script().header(Kind::DATA, 0xff_ffff, 1), large(0xff_ffff)),
        Row::new("unknown_kind", script().frame(Kind(0xff), 0xff, 1, b"whatever").response(1), Tolerated),
        Row::new("unknown_kind_on_an_idle_stream", script().frame(Kind(0xff), 0, 99, b""), Tolerated),
        Row::new(
            "altsvc_and_origin",
            script().frame(Kind(0xa), 0, 0, &[0, 0]).frame(Kind(0xc), 0, 0, b""),
            Tolerated,
        ),
        Row::new(
            "reserved_bit_of_a_stream",
            script().raw(&[0, 0, 1, 0x88, 4, 0x80, 0, 0, 1, 0x88]).response(1),
            Tolerated,
        ),
        Row::new("reserved_bit_of_a_head", script().raw(&[0, 0, 1, 1, 5, 0x80, 0, 0, 1, 0x88]), Tolerated),
        Row::new("undefined_flags", script().frame(Kind::PING, 0xfe, 0, &[0; 8]).response(1), Tolerated),
        Row::new("data_on_the_connection", script().data(0, b"x", false), stream(Kind::DATA)),
        Row::new(
            "data_on_an_idle_stream",
            script().data(99, b"x", false),
            protocol(Kinds::IdleStream(Kind::DATA)),
        ),
        Row::new(
            "data_on_a_stream_of_the_server",
            script().data(2, b"x", false),
            protocol(Kinds::IdleStream(Kind::DATA)),
        ),
        Row::new(
            "data_padded_without_a_length",
            script().frame(Kind::DATA, PADDED, 1, b""),
            size(Kind::DATA),
        ),
        Row::new(
            "data_of_more_padding_than_payload",
            script().frame(Kind::DATA, PADDED, 1, &[5, 0, 0]),
            protocol(Kinds::Frame(FrameError::Padding(Kind::DATA))),
        ),
        Row::new("head_on_the_connection", script().block(0, &[0x88], true), stream(Kind::HEADERS)),
        Row::new(
            "head_on_an_idle_stream",
            script().block(99, &[0x88], true),
            protocol(Kinds::IdleStream(Kind::HEADERS)),
        )
        .cves("CVE-2015-8659"),
        Row::new(
            "head_on_a_stream_of_the_server",
            script().block(2, &[0x88], true),
            protocol(Kinds::IdleStream(Kind::HEADERS)),
        ),
        Row::new(
            "head_padded_without_a_length",
            script().frame(Kind::HEADERS, PADDED | END_HEADERS, 1, b""),
            size(Kind::HEADERS),
        ),
        Row::new(
            "head_of_more_padding_than_payload",
            script().frame(Kind::HEADERS, PADDED | END_HEADERS, 1, &[9, 0x88]),
            protocol(Kinds::Frame(FrameError::Padding(Kind::HEADERS))),
        ),
        Row::new(
            "head_with_half_a_priority",
            script().frame(Kind::HEADERS, Header::PRIORITY | END_HEADERS, 1, &[0, 0, 0]),
            size(Kind::HEADERS),
        ),
        Row::new(
            "head_with_priority_and_padding",
            script().frame(
                Kind::HEADERS,
                Header::PRIORITY | PADDED | END_HEADERS | 1,
                1,
                &[2, 0, 0, 0, 0, 9, 0x88, 0, 0],
            ),
            Tolerated,
        ),
        Row::new("priority_too_short", script().frame(Kind::PRIORITY, 0, 1, &[0; 4]), size(Kind::PRIORITY)),
        Row::new(
            "priority_on_the_connection",
            script().frame(Kind::PRIORITY, 0, 0, &[0; 5]),
            stream(Kind::PRIORITY),
        ),
        Row::new(
            "priority_of_a_stream_on_itself",
            script().frame(Kind::PRIORITY, 0, 1, &[0, 0, 0, 1, 9]).response(1),
            Tolerated,
        )
        .cves("CVE-2016-6580"),
        Row::new("priority_on_an_idle_stream", script().frame(Kind::PRIORITY, 0, 99, &[0; 5]), Tolerated),
        Row::new(
            "priority_flood",
            script().frames(1001, Kind::PRIORITY, 0, 1, &[0; 5]),
            calm(Kinds::TooManyEmptyFrames),
        )
        .cves("CVE-2019-9513"),
        Row::new(
            "unknown_flood",
            script().frames(1001, Kind(0xee), 0, 0, b""),
            calm(Kinds::TooManyEmptyFrames),
        ),
        Row::new(
            "priority_in_peace",
            script()
                .frames(900, Kind::PRIORITY, 0, 1, &[0; 5])
                .wait(Duration::from_secs(1))
                .frames(900, Kind::PRIORITY, 0, 1, &[0; 5])
                .response(1),
            Tolerated,
        ),
        Row::new(
            "push",
            script().frame(Kind::PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]),
            protocol(Kinds::PushPromise),
        ),
        Row::new(
            "push_on_the_connection",
            script().frame(Kind::PUSH_PROMISE, END_HEADERS, 0, &[0, 0, 0, 2, 0x82]),
            stream(Kind::PUSH_PROMISE),
        ),
        Row::new(
            "push_of_a_stream_of_ours",
            script().frame(Kind::PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 3, 0x82]),
            protocol(Kinds::Frame(FrameError::Promised)),
        ),
        Row::new(
            "push_of_the_connection",
            script().frame(Kind::PUSH_PROMISE, END_HEADERS, 1, &[0; 5]),
            protocol(Kinds::Frame(FrameError::Promised)),
        ),
        Row::new(
            "push_too_short",
            script().frame(Kind::PUSH_PROMISE, END_HEADERS, 1, &[0, 0]),
            size(Kind::PUSH_PROMISE),
        ),
    ]
}

fn settings() -> Vec<Row> {
    let invalid = |id, value| protocol(Kinds::InvalidSetting { id, value });
    let many: Vec<_> = (0..2400).map(|n| (0x1000 + n, 1)).collect();
    vec![
        Row::new(
            "settings_of_five_bytes",
            script().frame(Kind::SETTINGS, 0, 0, &[0; 5]),
            size(Kind::SETTINGS),
        ),
        Row::new(
            "settings_ack_with_payload",
            script().frame(Kind::SETTINGS, ACK, 0, &[0; 6]),
            size(Kind::SETTINGS),
        ),
        Row::new("settings_on_a_stream", script().frame(Kind::SETTINGS, 0, 1, &[]), stream(Kind::SETTINGS)),
        Row::new("push_enabled_by_the_server", script().settings(&[(2, 1)]), invalid(2, 1)),
        Row::new("push_is_two", script().settings(&[(2, 2)]), invalid(2, 2)),
        Row::new(
            "initial_window_too_large",
            script().settings(&[(4, 1 << 31)]),
            flow(Kinds::InvalidSetting { id: 4, value: 1 << 31 }),
        ),
        Row::new("frame_size_too_small", script().settings(&[(5, 16_383)]), invalid(5, 16_383)),
        Row::new("frame_size_too_large", script().settings(&[(5, 1 << 24)]), invalid(5, 1 << 24)),
        Row::new("unknown_settings", script().settings(&[(0xff, 7), (8, 1)]).response(1), Tolerated),
        Row::new("the_same_setting_twice", script().settings(&[(4, 1), (4, 70_000)]).response(1), Tolerated),
        Row::new("no_settings_in_settings", script().settings(&[]).response(1), Tolerated),
        Row::new("2400_settings", script().settings(&many).response(1), Tolerated).cves("CVE-2020-11080"),
        Row::new("a_window_of_nothing", script().settings(&[(4, 0)]).response(1), Tolerated)
            .cves("CVE-2019-9517"),
        Row::new("no_streams", script().settings(&[(3, 0)]).response(1), Tolerated),
        Row::new("a_table_of_nothing", script().settings(&[(1, 0)]).response(1), Tolerated),
        Row::new("a_table_without_end", script().settings(&[(1, u32::MAX)]).response(1), Tolerated),
        Row::new("an_ack_that_nobody_waits_for", script().settings_ack().response(1), Tolerated),
        Row::new(
            "settings_flood",
            script().frames(21, Kind::SETTINGS, 0, 0, &[]),
            calm(Kinds::TooManySettings),
        )
        .cves("CVE-2019-9515"),
        Row::new(
            "settings_that_overflow_a_window",
            script().window_update(7, (1 << 31) - 1 - 65_535).settings(&[(4, 65_536)]),
            flow(Kinds::WindowOverflow),
        ),
    ]
}

fn replies() -> Vec<Row> {
    let ping = |n| script().frames(n, Kind::PING, 0, 0, &[7; 8]);
    let mut unread = script().stall();
    for _ in 0..11 {
        unread = unread.frames(99, Kind::PING, 0, 0, &[7; 8]).wait(Duration::from_millis(1_100));
    }
    vec![
        Row::new("ping_of_seven_bytes", script().frame(Kind::PING, 0, 0, &[0; 7]), size(Kind::PING)),
        Row::new("ping_of_nine_bytes", script().frame(Kind::PING, 0, 0, &[0; 9]), size(Kind::PING)),
        Row::new("ping_on_a_stream", script().frame(Kind::PING, 0, 1, &[0; 8]), stream(Kind::PING)),
        Row::new(
            "a_ping_answer_that_nobody_waits_for",
            script().frame(Kind::PING, ACK, 0, &[0; 8]).response(1),
            Tolerated,
        ),
        Row::new("ping_flood", ping(101), calm(Kinds::TooManyPings)).cves("CVE-2019-9512"),
        Row::new(
            "pings_in_peace",
            ping(100).wait(Duration::from_secs(1)).frames(100, Kind::PING, 0, 0, &[7; 8]),
            Tolerated,
        ),
        Row::new("replies_are_not_read", unread, calm(Kinds::TooManyReplies))
            .cves("CVE-2019-9512 CVE-2019-9515"),
    ]
}

fn goaways() -> Vec<Row> {
    vec![
        Row::new("goaway_of_seven_bytes", script().frame(Kind::GOAWAY, 0, 0, &[0; 7]), size(Kind::GOAWAY)),
        Row::new("goaway_on_a_stream", script().frame(Kind::GOAWAY, 0, 1, &[0; 8]), stream(Kind::GOAWAY)),
        Row::new(
            "goaway_takes_back_what_it_said",
            script().goaway(3, ErrorCode::NO_ERROR, b"").goaway(5, ErrorCode::NO_ERROR, b""),
            protocol(Kinds::GoAwayIncreased),
        ),
        Row::new(
            "goaway_above_all_streams",
            script().goaway((1 << 31) - 1, ErrorCode::NO_ERROR, b"").response(1),
            Tolerated,
        ),
        Row::new(
            "goaway_with_a_long_reason",
            script().goaway(99, ErrorCode::NO_ERROR, &[b'x'; 16_000]).response(1),
            Tolerated,
        ),
        Row::new(
            "goaway_with_a_code_of_its_own",
            script().goaway(7, ErrorCode(0xdead), b"").response(1),
            Tolerated,
        ),
        Row::new(
            "goaway_twice",
            script().goaway(99, ErrorCode::NO_ERROR, b"").goaway(7, ErrorCode::NO_ERROR, b"").response(1),
            Tolerated,
        ),
    ]
}

fn windows() -> Vec<Row> {
    let idle = |id| (script().window_update(id, 1), protocol(Kinds::IdleStream(Kind::WINDOW_UPDATE)));
    let ((idle_stream, idle_outcome), (even, even_outcome)) = (idle(99), idle(2));
    let beyond = {
        // Streams 1, 3 and 7 allow 20,000 bytes each. Stream 5 is closed, so its bytes count for
        // the connection alone.
        let head = |script: crate::script::Script, id| script.head(id, &[(":status", "200")], false);
        let mut script = head(head(head(script(), 1), 3), 7).head(5, &[(":status", "200")], true);
        for id in [1, 3, 7] {
            script = script.data(id, &[0; 10_000], false);
        }
        script.data(1, &[0; 16_384], false)
    };
    vec![
        Row::new(
            "credit_of_three_bytes",
            script().frame(Kind::WINDOW_UPDATE, 0, 0, &[0; 3]),
            size(Kind::WINDOW_UPDATE),
        ),
        Row::new("credit_of_nothing", script().window_update(0, 0), protocol(Kinds::ZeroIncrement)),
        Row::new(
            "credit_beyond_the_largest_window",
            script().window_update(0, (1 << 31) - 1),
            flow(Kinds::WindowOverflow),
        ),
        Row::new("credit_for_an_idle_stream", idle_stream, idle_outcome),
        Row::new("credit_for_a_stream_of_the_server", even, even_outcome),
        Row::new("credit_for_a_stream_that_has_ended", script().response(1).window_update(1, 1), Tolerated),
        Row::new(
            "credit_with_the_reserved_bit",
            script().frame(Kind::WINDOW_UPDATE, 0, 0, &[0x80, 0, 0, 1]).response(1),
            Tolerated,
        ),
        Row::new(
            "credit_in_crumbs",
            script().frames(5000, Kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).response(1),
            Tolerated,
        )
        .cves("CVE-2019-9511"),
        Row::new(
            "more_than_a_stream_takes",
            beyond,
            Outcome::Stream(1, ErrorCode::FLOW_CONTROL_ERROR, sessio_h2::StreamErrorKind::WindowExceeded),
        ),
        Row::new(
            "bodies_that_fill_their_windows",
            {
                let mut all = script().stall();
                for id in [1, 3, 7] {
                    all = all.head(id, &[(":status", "200")], false);
                }
                all = all.data(1, &[0; 16_000], false).data(3, &[0; 16_000], false);
                // The connection is credited on arrival, even if the client does not read.
                all.data(7, &[0; 16_000], false).data(1, &[0; 4_000], false).data(3, &[0; 4_000], false)
            },
            Tolerated,
        ),
    ]
}

fn resets() -> Vec<Row> {
    vec![
        Row::new(
            "reset_of_three_bytes",
            script().frame(Kind::RST_STREAM, 0, 1, &[0; 3]),
            size(Kind::RST_STREAM),
        ),
        Row::new(
            "reset_of_five_bytes",
            script().frame(Kind::RST_STREAM, 0, 1, &[0; 5]),
            size(Kind::RST_STREAM),
        ),
        Row::new("reset_on_the_connection", script().reset(0, ErrorCode::CANCEL), stream(Kind::RST_STREAM)),
        Row::new(
            "reset_on_an_idle_stream",
            script().reset(99, ErrorCode::CANCEL),
            protocol(Kinds::IdleStream(Kind::RST_STREAM)),
        ),
        Row::new(
            "reset_on_a_stream_of_the_server",
            script().reset(2, ErrorCode::CANCEL),
            protocol(Kinds::IdleStream(Kind::RST_STREAM)),
        ),
        Row::new("reset_after_the_response", script().response(1).reset(1, ErrorCode::NO_ERROR), Tolerated),
        Row::new(
            "reset_twice_after_the_response",
            script().response(1).reset(1, ErrorCode::CANCEL).reset(1, ErrorCode::CANCEL),
            Tolerated,
        ),
        Row::new(
            "reset_flood",
            script().response(1).frames(1001, Kind::RST_STREAM, 0, 1, &[0, 0, 0, 8]),
            calm(Kinds::TooManyResets),
        )
        .cves("CVE-2019-9514 CVE-2023-44487 CVE-2023-35945"),
    ]
}

fn blocks() -> Vec<Row> {
    let broken = |kind| protocol(Kinds::BrokenHeaderBlock(kind));
    let open = || script().frame(Kind::HEADERS, 0, 1, &[0x88]);
    let long = |n: usize| {
        let mut long = open();
        for _ in 0..n {
            long = long.frame(Kind::CONTINUATION, 0, 1, &[0; 16_384]);
        }
        long
    };
    vec![
        Row::new(
            "continuation_of_nothing",
            script().frame(Kind::CONTINUATION, END_HEADERS, 1, &[0x88]),
            broken(Kind::CONTINUATION),
        ),
        Row::new(
            "continuation_on_another_stream",
            open().frame(Kind::CONTINUATION, END_HEADERS, 3, b""),
            broken(Kind::CONTINUATION),
        ),
        Row::new(
            "continuation_on_the_connection",
            open().frame(Kind::CONTINUATION, END_HEADERS, 0, b""),
            broken(Kind::CONTINUATION),
        ),
        Row::new("data_within_a_head", open().data(1, b"x", false), broken(Kind::DATA)),
        Row::new("head_within_a_head", open().block(3, &[0x88], true), broken(Kind::HEADERS)),
        Row::new("ping_within_a_head", open().frame(Kind::PING, 0, 0, &[0; 8]), broken(Kind::PING)),
        Row::new("reset_within_a_head", open().reset(1, ErrorCode::CANCEL), broken(Kind::RST_STREAM)),
        Row::new("goaway_within_a_head", open().goaway(0, ErrorCode::NO_ERROR, b""), broken(Kind::GOAWAY)),
        Row::new("unknown_within_a_head", open().frame(Kind(0xee), 0, 1, b""), broken(Kind(0xee))),
        Row::new(
            "continuation_without_bytes",
            open()
                .frames(63, Kind::CONTINUATION, 0, 1, b"")
                .frame(Kind::CONTINUATION, END_HEADERS, 1, b"")
                .data(1, b"", true),
            Tolerated,
        ),
        Row::new(
            "continuation_flood",
            open().frames(65, Kind::CONTINUATION, 0, 1, b""),
            calm(Kinds::TooManyContinuations),
        )
        .cves("CVE-2024-27316 CVE-2024-28182 CVE-2023-45288 CVE-2024-27983 CVE-2024-24549"),
        Row::new("continuation_without_end", long(17), calm(Kinds::HeaderListTooLarge))
            .cves("CVE-2024-27316"),
    ]
}

fn hpack() -> Vec<Row> {
    let of = |bytes: &[u8]| script().block(1, &[&[0x88], bytes].concat(), true);
    let large = |n: usize| {
        // A field of 4,000 bytes is added to the table. References of one byte each follow.
        let mut bytes = vec![0x88, 0x40, 1, b'a', 0x7f, 0xa1, 0x1e];
        bytes.extend_from_slice(&[b'b'; 4_000]);
        bytes.extend(std::iter::repeat_n(0xbe, n));
        bytes
    };
    vec![
        Row::new("index_of_nothing", of(&[0x80]), compression(DecodeError::InvalidIndex)),
        Row::new("index_beyond_the_tables", of(&[0xbe]), compression(DecodeError::InvalidIndex)),
        Row::new(
            "index_far_beyond_the_tables",
            of(&[0xff, 0xff, 0xff, 0x7f]),
            compression(DecodeError::InvalidIndex),
        ),
        Row::new("name_beyond_the_tables", of(&[0x7e, 1, b'x']), compression(DecodeError::InvalidIndex)),
        Row::new("integer_without_end", of(&[0xff, 0xff]), compression(DecodeError::Truncated)),
        Row::new(
            "integer_of_64_bits",
            of(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            compression(DecodeError::IntegerTooLarge),
        ),
        Row::new(
            "integer_padded_with_zeros",
            of(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
            compression(DecodeError::IntegerTooLarge),
        ),
        Row::new("name_longer_than_its_block", of(&[0x40, 10, b'a']), compression(DecodeError::Truncated)),
        Row::new(
            "value_longer_than_its_block",
            of(&[0x40, 1, b'a', 10, b'b']),
            compression(DecodeError::Truncated),
        ),
        Row::new("name_without_value", of(&[0x40, 1, b'a']), compression(DecodeError::Truncated)),
        Row::new(
            "huffman_eos",
            of(&[0x40, 1, b'a', 0x84, 0xff, 0xff, 0xff, 0xff]),
            compression(DecodeError::InvalidHuffman),
        ),
        Row::new(
            "huffman_padding_of_zeros",
            of(&[0x40, 1, b'a', 0x81, 0x00]),
            compression(DecodeError::InvalidHuffman),
        ),
        Row::new(
            "huffman_padding_of_a_byte",
            of(&[0x40, 1, b'a', 0x82, 0x1f, 0xff]),
            compression(DecodeError::InvalidHuffman),
        ),
        Row::new(
            "table_larger_than_allowed",
            script().block(1, &[0x3f, 0xe2, 0x1f, 0x88], true),
            compression(DecodeError::TableTooLarge),
        ),
        Row::new(
            "table_without_end",
            script().block(1, &[0x3f, 0xff, 0xff, 0xff, 0x7f, 0x88], true),
            compression(DecodeError::IntegerTooLarge),
        ),
        Row::new("table_changed_behind_a_field", of(&[0x20]), compression(DecodeError::LateTableSize)),
        Row::new(
            "table_changed_often",
            script().block(1, &[0x20, 0x3f, 0xe1, 0x1f, 0x20, 0x88], true),
            Tolerated,
        ),
        Row::new(
            "a_block_for_a_stream_that_has_ended_is_decoded",
            script().response(1).block(1, &[0xbe], true),
            compression(DecodeError::InvalidIndex),
        ),
        Row::new("a_bomb", script().block(1, &large(70), true), calm(Kinds::HeaderListTooLarge))
            .cves("CVE-2016-6581"),
        Row::new(
            "a_small_bomb",
            script().block(1, &large(20), true),
            Outcome::Stream(1, ErrorCode::ENHANCE_YOUR_CALM, sessio_h2::StreamErrorKind::HeaderListTooLarge),
        )
        .cves("CVE-2016-6581"),
        Row::new(
            "fields_of_one_byte_without_end",
            script().block(1, &[vec![0x88], vec![0x90; 8_000]].concat(), true),
            calm(Kinds::HeaderListTooLarge),
        )
        .cves("CVE-2016-6581"),
        Row::new(
            "values_that_enter_the_table_too_large",
            script().block(
                1,
                &{
                    let value = "v".repeat(5_000);
                    [
                        block(&[(":status", "200")]),
                        [&[0x40, 1, b'a', 0x7f, 0x89, 0x26][..], value.as_bytes()].concat(),
                    ]
                    .concat()
                },
                true,
            ),
            Tolerated,
        ),
    ]
}

fn ends() -> Vec<Row> {
    vec![
        Row::new("the_end_within_a_frame", script().raw(&[0, 0, 9, 0, 0, 0, 0]).end(), closed()),
        Row::new(
            "the_end_within_a_body",
            script().head(1, &[(":status", "200")], false).data(1, b"half", false).end(),
            closed(),
        ),
        Row::new("the_end_within_a_head", script().frame(Kind::HEADERS, 0, 1, &[0x88]).end(), closed()),
        Row::new("the_end_after_goaway", script().goaway(0, ErrorCode::NO_ERROR, b"").end(), closed()),
    ]
}
