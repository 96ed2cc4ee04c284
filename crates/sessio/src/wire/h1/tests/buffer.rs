//! The buffer against a queue of bytes.

use proptest::prelude::*;

use super::super::buffer::{Buffer, KEPT};

const FRESH: usize = 8 << 10;
const FULL: usize = 256 << 10;

/// Fills the first `n` bytes of the room with the numbers from `next` on.
fn fill(buffer: &mut Buffer, n: usize, next: &mut u32) -> Vec<u8> {
    let room = buffer.room(FULL);
    let n = n.min(room.len());
    for byte in &mut room[..n] {
        *byte = (*next % 251) as u8;
        *next += 1;
    }
    let bytes = room[..n].to_vec();
    buffer.received(n);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_come_out_as_they_went_in(
        steps in prop::collection::vec((any::<bool>(), prop_oneof![0..50_usize, 0..20_000_usize, Just(2 * FULL)]), 1..60)
    ) {
        let (mut buffer, mut model, mut next) = (Buffer::new(Vec::new()), Vec::new(), 0);
        for (receives, n) in steps {
            if receives {
                let bytes = fill(&mut buffer, n, &mut next);
                prop_assert!(!bytes.is_empty() || n == 0 || model.len() >= FULL);
                model.extend_from_slice(&bytes);
            } else {
                let at = buffer.advance(n);
                let parsed: Vec<u8> = model.drain(..n.min(model.len())).collect();
                prop_assert_eq!(buffer.read(&(at..at + parsed.len())), &parsed);
            }
            prop_assert_eq!(buffer.unread(), &model);
            prop_assert_eq!(buffer.is_empty(), model.is_empty());
        }
    }
}

#[test]
fn only_a_read_that_fills_the_buffer_makes_it_grow() {
    let (mut buffer, mut next) = (Buffer::new(Vec::new()), 0);
    for (n, room) in [
        (FRESH - 1, FRESH),
        (FRESH, FRESH),
        (4 * FRESH - 1, 4 * FRESH),
        (4 * FRESH, 4 * FRESH),
        (16 * FRESH, 16 * FRESH),
        (FULL, FULL),
        (FULL, FULL),
    ] {
        assert_eq!(buffer.room(FULL).len(), room);
        assert_eq!(buffer.room(FULL).len(), room, "second call");
        fill(&mut buffer, n, &mut next);
        buffer.advance(n);
    }
}

#[test]
fn unread_bytes_move_to_the_front_before_it_grows() {
    let (mut buffer, mut next) = (Buffer::new(Vec::new()), 0);
    let bytes = fill(&mut buffer, FRESH, &mut next);
    buffer.advance(FRESH - 100);
    assert_eq!(buffer.room(FULL).len(), FRESH - 100);
    assert_eq!(buffer.unread(), &bytes[FRESH - 100..]);
    fill(&mut buffer, FRESH - 100, &mut next);
    assert_eq!(buffer.room(FULL).len(), FRESH, "full, with the unread bytes in front");
    assert_eq!(buffer.unread().len(), FRESH);
    assert!(buffer.unread().windows(2).all(|pair| (u32::from(pair[0]) + 1) % 251 == u32::from(pair[1])));
}

#[test]
fn unread_bytes_are_limited() {
    let (mut buffer, mut next) = (Buffer::new(Vec::new()), 0);
    for room in [FRESH, 2000, 0, 0] {
        assert_eq!(buffer.room(FRESH + 2000).len(), room);
        fill_to(&mut buffer, FRESH + 2000, &mut next);
    }
    assert_eq!(buffer.unread().len(), FRESH + 2000);
}

fn fill_to(buffer: &mut Buffer, most: usize, next: &mut u32) {
    let n = buffer.room(most).len();
    *next += 1;
    buffer.received(n);
}

#[test]
fn memory_is_reused_and_the_excess_is_released() {
    for capacity in [FRESH, FRESH + 1, KEPT] {
        let memory = Vec::with_capacity(capacity);
        let at = memory.as_ptr();
        let mut buffer = Buffer::new(memory);
        assert_eq!((buffer.room(FULL).as_ptr(), buffer.room(FULL).len()), (at, capacity), "{capacity}");
        let memory = buffer.into_bytes();
        assert_eq!(memory.as_ptr(), at, "{capacity}");
    }
    let mut short = Buffer::new(Vec::with_capacity(FRESH - 1));
    assert_eq!(short.room(FULL).len(), FRESH);
    let mut large = Buffer::new(Vec::with_capacity(FULL));
    assert_eq!(large.room(FULL).len(), KEPT);
    let (mut buffer, mut next) = (Buffer::new(vec![0; KEPT]), 0);
    for _ in 0..2 {
        fill(&mut buffer, usize::MAX, &mut next);
        buffer.advance(usize::MAX / 2);
    }
    assert_eq!(buffer.room(FULL).len(), FULL);
    assert!(buffer.into_bytes().capacity() <= KEPT);
}
