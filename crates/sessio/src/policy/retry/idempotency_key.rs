//! The header by which a server recognises a request that comes again.

use std::fmt::Write as _;

use crate::base::time::Seed;

/// The name of the header that makes a request idempotent.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A random value: a UUID (RFC 9562 section 5.4) as a string of structured fields, as
/// draft-ietf-httpapi-idempotency-key-header wants it.
pub(crate) fn draw_key(seed: &mut Seed) -> String {
    let mut bytes: [u8; 16] = seed.draw_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut key = String::with_capacity(38);
    key.push('"');
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            key.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(key, "{byte:02x}");
    }
    key.push('"');
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_random_uuid() {
        let mut seed = Seed::new(7);
        let keys: std::collections::HashSet<_> = (0..1000).map(|_| draw_key(&mut seed)).collect();
        assert_eq!(keys.len(), 1000);
        for key in keys {
            let parts: Vec<_> = key.trim_matches('"').split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{key}");
            assert!(parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{key}");
            assert_eq!(key.len(), 38);
        }
    }
}
