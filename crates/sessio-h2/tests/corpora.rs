//! The corpora of the HTTP/2 Japan Community: header blocks of eleven encoders, and valid and
//! invalid frames.
//!
//! They are read from the folder `SESSIO_SPEC_DATA`, which must have them, or from
//! `../shared/spec/data` beside the checkout. Without that folder, each test prints its name and
//! that it did not run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write, stderr};
use std::path::PathBuf;
use std::thread;

use serde_json::Value;
use sessio_h2::frame::{Frame, FrameError, Header};
use sessio_h2::hpack::{Decoder, Encoder, FieldBlock, Indexing, ListLimits};

/// The JSON files of an archive, by their names.
fn corpus(archive: &str) -> Option<BTreeMap<String, Value>> {
    let named = std::env::var_os("SESSIO_SPEC_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/data");
    let path = named.clone().unwrap_or_else(beside).join("h2").join(archive);
    let packed = match std::fs::read(&path) {
        Ok(packed) => packed,
        Err(error) if named.is_none() => {
            // The harness hides the output of `println` and `eprintln` of a passing test.
            let mut console = stderr();
            let test = thread::current().name().unwrap_or_default().to_owned();
            writeln!(console, "not run: {test} ({archive} beside the checkout: {error})").unwrap();
            return None;
        }
        Err(error) => panic!("SESSIO_SPEC_DATA is set, but {} cannot be read: {error}", path.display()),
    };
    let mut unpacked = Vec::new();
    lzma_rs::xz_decompress(&mut Cursor::new(packed), &mut unpacked).unwrap();
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(Cursor::new(unpacked)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            files.insert(name, serde_json::from_slice(&text).unwrap());
        }
    }
    Some(files)
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes().chunks(2);
    hex.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn fields(case: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fields = case["headers"].as_array().unwrap().iter().flat_map(|field| field.as_object().unwrap());
    fields
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_str().unwrap().as_bytes().to_vec()))
        .collect()
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields = FieldBlock::new();
    decoder.decode(block, ListLimits::new(1 << 20), &mut fields).unwrap();
    assert!(!fields.is_cut());
    fields.fields().iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

#[test]
fn the_header_blocks_of_eleven_encoders_are_decoded() {
    let Some(files) = corpus("hpack-test-case.tar.xz") else { return };
    let (mut stories, mut blocks) = (0, 0);
    for (name, story) in files.iter().filter(|(name, _)| !name.contains("raw-data")) {
        let mut decoder = Decoder::new(4096);
        for case in story["cases"].as_array().unwrap() {
            if let Some(size) = case["header_table_size"].as_u64() {
                decoder.set_max_table_size(size as usize);
            }
            assert_eq!(
                decoded(&mut decoder, &bytes(&case["wire"])),
                fields(case),
                "{name} {}",
                case["seqno"]
            );
            blocks += 1;
        }
        stories += 1;
    }
    println!("{blocks} header blocks in {stories} stories");
    assert_eq!(stories, 350);
}

/// A truncated or changed block is an error or a list. It never causes a panic.
#[test]
fn broken_header_blocks_are_refused_or_read() {
    let Some(files) = corpus("hpack-test-case.tar.xz") else { return };
    let limits = ListLimits::new(65_536);
    let mut fields = FieldBlock::new();
    let mut refused = 0;
    for story in files.iter().filter(|(name, _)| name.contains("story_00")).map(|(_, story)| story) {
        for case in story["cases"].as_array().unwrap().iter().filter(|case| case["wire"].is_string()) {
            let block = bytes(&case["wire"]);
            for at in 0..block.len() {
                let mut broken = block.clone();
                broken[at] ^= 0x81;
                let cut = &block[..at];
                for block in [cut, &broken] {
                    refused += usize::from(Decoder::new(4096).decode(block, limits, &mut fields).is_err());
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn stories_come_back_from_our_encoder() {
    let Some(files) = corpus("hpack-test-case.tar.xz") else { return };
    let (mut stories, mut plain, mut coded) = (0, 0, 0);
    for (_, story) in files.iter().filter(|(name, _)| name.contains("raw-data")) {
        let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
        for (at, case) in story["cases"].as_array().unwrap().iter().enumerate() {
            // The size of the table changes between two blocks.
            if at % 7 == 6 {
                for size in [at * 64 % 4096, 4096 - at] {
                    encoder.set_max_table_size(size);
                }
            }
            let fields = fields(case);
            let mut block = Vec::new();
            encoder.begin(&mut block);
            for (at, (name, value)) in fields.iter().enumerate() {
                let indexing =
                    [Indexing::Incremental, Indexing::Incremental, Indexing::Without, Indexing::Never];
                encoder.encode(name, value, indexing[at % 4], &mut block);
                plain += name.len() + value.len();
            }
            coded += block.len();
            assert_eq!(decoded(&mut decoder, &block), fields);
        }
        stories += 1;
    }
    println!("{plain} bytes became {coded}");
    assert!(stories == 32 && coded < plain / 2, "{stories} {plain} {coded}");
}

#[test]
fn frames_good_and_bad() {
    let Some(files) = corpus("http2-frame-test-case.tar.xz") else { return };
    let (mut good, mut bad) = (0, 0);
    for (name, case) in &files {
        let wire = bytes(&case["wire"]);
        let (head, payload) = wire.split_first_chunk().unwrap();
        let header = Header::parse(head);
        // `Frame::parse` does not check the largest payload, since that is a setting.
        let parsed = if header.length > 16_384 {
            Err(FrameError::Size(header.kind))
        } else {
            Frame::parse(&header, payload)
        };
        if let Some(codes) = case["error"].as_array() {
            let code = match parsed {
                // The state of the stream decides whether this is an error of the stream or of the
                // connection.
                Ok(Frame::WindowUpdate(0)) => 1,
                parsed => parsed.expect_err(name).code().0,
            };
            assert!(codes.contains(&code.into()), "{name}: {code}");
            bad += 1;
            continue;
        }
        let frame = &case["frame"];
        assert_eq!(header.length, frame["length"].as_u64().unwrap() as u32, "{name}");
        assert_eq!(u64::from(header.kind.0), frame["type"].as_u64().unwrap(), "{name}");
        assert_eq!(u64::from(header.flags), frame["flags"].as_u64().unwrap(), "{name}");
        assert_eq!(u64::from(header.stream), frame["stream_identifier"].as_u64().unwrap(), "{name}");
        assert_eq!(header.encode(), *head, "{name}");
        let told = &frame["frame_payload"];
        let number = |key: &str| told[key].as_u64().unwrap() as u32;
        let text = |key: &str| told[key].as_str().unwrap().as_bytes().to_vec();
        match parsed.expect(name) {
            Frame::Data(data) => assert_eq!(data, text("data"), "{name}"),
            Frame::Headers { priority, block } => {
                assert_eq!(block, text("header_block_fragment"), "{name}");
                assert_eq!(priority.is_some(), told["weight"].is_u64(), "{name}");
                if let Some(priority) = priority {
                    assert_eq!(priority.dependency, number("stream_dependency"), "{name}");
                    assert_eq!(u32::from(priority.weight) + 1, number("weight"), "{name}");
                    assert_eq!(priority.is_exclusive, told["exclusive"].as_bool().unwrap(), "{name}");
                }
            }
            Frame::Priority(priority) => {
                assert_eq!(priority.dependency, number("stream_dependency"), "{name}");
                assert_eq!(u32::from(priority.weight) + 1, number("weight"), "{name}");
            }
            Frame::Reset(code) => assert_eq!(code.0, number("error_code"), "{name}"),
            Frame::Settings(settings) => {
                let pairs = settings.chunks(6).map(|pair| {
                    let id = u16::from_be_bytes([pair[0], pair[1]]);
                    (u64::from(id), u64::from(u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]])))
                });
                let expected = told["settings"].as_array().unwrap().iter();
                let expected = expected.map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_u64().unwrap()));
                assert!(pairs.eq(expected), "{name}");
            }
            Frame::PushPromise { promised, block } => {
                assert_eq!(promised, number("promised_stream_id"), "{name}");
                assert_eq!(block, text("header_block_fragment"), "{name}");
            }
            Frame::Ping(opaque) => assert_eq!(&opaque[..], text("opaque_data"), "{name}"),
            Frame::GoAway { last, code, debug } => {
                assert_eq!((last, code.0), (number("last_stream_id"), number("error_code")), "{name}");
                assert_eq!(debug, text("additional_debug_data"), "{name}");
            }
            Frame::WindowUpdate(increment) => {
                assert_eq!(increment, number("window_size_increment"), "{name}");
            }
            Frame::Continuation(block) => assert_eq!(block, text("header_block_fragment"), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        good += 1;
    }
    println!("{good} good frames, {bad} bad ones");
    assert_eq!((good + bad, bad), (34, 22));
}
