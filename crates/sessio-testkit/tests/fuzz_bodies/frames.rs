//! The body of `h2_frames`: reads frames, and writes the frames that were read.

use sessio_h2::frame::{Frame, Header, Kind, MAX_WINDOW, encode};

/// No input causes a panic. A frame that is read and written reads as the same frame. Without
/// padding, priority and undefined bits it has the same bytes.
pub(crate) fn frames(mut data: &[u8]) {
    while let Some((head, rest)) = data.split_first_chunk::<{ Header::LEN }>() {
        let header = Header::parse(head);
        let mut expected = *head;
        expected[5] &= 0x7f;
        assert_eq!(header.encode(), expected);
        let (payload, behind) = rest.split_at(rest.len().min(header.length as usize));
        data = behind;
        let parsed = Frame::parse(&header, payload);
        if payload.len() < header.length as usize {
            assert!(parsed.is_err(), "a frame that is not whole was read");
            return;
        }
        let Ok(frame) = parsed else { continue };
        let Some((written, is_same)) = write(&header, frame, payload) else { continue };
        if is_same {
            assert_eq!(written, [&expected, payload].concat());
        }
        let (head, payload) = written.split_first_chunk().expect("a header");
        let again = Header::parse(head);
        assert_eq!((again.kind, again.stream), (header.kind, header.stream));
        assert_eq!(again.is_end_stream(), header.is_end_stream());
        assert_eq!(again.is_ack(), header.is_ack());
        assert_eq!(again.length as usize, payload.len());
        let expected = match frame {
            Frame::Headers { block, .. } => Frame::Headers { priority: None, block },
            frame => frame,
        };
        assert_eq!(Frame::parse(&again, payload), Ok(expected));
    }
}

/// The bytes of a frame, and whether they have to equal the original ones.
fn write(header: &Header, frame: Frame<'_>, payload: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let Header { stream, flags, .. } = *header;
    let is_high = payload.first().is_some_and(|first| first & 0x80 != 0);
    let is_same = match frame {
        Frame::Data(bytes) => {
            encode::data(stream, bytes, header.is_end_stream(), &mut out);
            flags & !Header::END_STREAM == 0
        }
        Frame::Headers { block, .. } => {
            encode::headers(stream, block, header.is_end_stream(), usize::MAX, &mut out);
            flags & !Header::END_STREAM == Header::END_HEADERS
        }
        Frame::Reset(code) => {
            encode::reset(stream, code, &mut out);
            flags == 0
        }
        Frame::Settings(_) if header.is_ack() => {
            encode::settings_ack(&mut out);
            flags == Header::ACK
        }
        Frame::Settings(pairs) => {
            let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
            let pairs = pairs.chunks(6).map(|pair| (number(&pair[..2]) as u16, number(&pair[2..])));
            encode::settings(&pairs.collect::<Vec<_>>(), &mut out);
            flags == 0
        }
        Frame::Ping(opaque) => {
            encode::ping(opaque, header.is_ack(), &mut out);
            flags & !Header::ACK == 0
        }
        Frame::GoAway { last, code, debug } => {
            encode::goaway(last, code, debug, &mut out);
            flags == 0 && !is_high
        }
        Frame::WindowUpdate(increment) => {
            assert!(increment <= MAX_WINDOW);
            encode::window_update(stream, increment, &mut out);
            flags == 0 && !is_high
        }
        Frame::Continuation(bytes) | Frame::Unknown(bytes) => {
            encode::frame(header.kind, flags, stream, bytes, &mut out);
            true
        }
        Frame::PushPromise { promised, block } => {
            assert!(promised != 0 && promised % 2 == 0 && block.len() < payload.len());
            return None;
        }
        Frame::Priority(priority) => {
            assert_eq!((header.kind, priority.weight), (Kind::PRIORITY, payload[4]));
            return None;
        }
        other => panic!("{other:?}"),
    };
    Some((out, is_same))
}
