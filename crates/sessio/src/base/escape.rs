//! Bytes of a peer as text.

/// Formats bytes of a peer as safe text (row V99). Printable ASCII is kept, and all other bytes are
/// escaped. It uses at most 128 bytes of the input.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    const MOST: usize = 128;
    let cut = bytes.len().min(MOST);
    let mut text = bytes[..cut].escape_ascii().to_string();
    if cut < bytes.len() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v99_peer_bytes_are_escaped_and_capped() {
        assert_eq!(escape(b"a\r\n\x00\xff"), r"a\r\n\x00\xff");
        assert!(escape(&[b'a'; 1000]).len() < 140);
    }
}
