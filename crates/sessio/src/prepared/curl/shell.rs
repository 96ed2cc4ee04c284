//! Words of a POSIX shell.

use std::fmt;

/// Bytes as one word. The bytes must not contain NUL, and must not end with a line break.
pub(super) struct Word<'a>(pub(super) &'a [u8]);

/// Bytes as the format of `printf`, to be put between single quotes.
pub(super) struct Format<'a>(pub(super) &'a [u8]);

/// Whether single quotes can hold these bytes: UTF-8, without control characters except tabs and
/// line feeds.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.chars().any(|char| char.is_control() && !matches!(char, '\t' | '\n')))
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(byte);
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.is_empty() && self.0.iter().all(is_plain) => f.write_str(text),
            Ok(text) if is_text(self.0) => write!(f, "'{}'", text.replace('\'', r"'\''")),
            // The output of a command is bytes of any kind, but for NUL and line breaks at the end.
            _ => write!(f, "\"$(printf '{}')\"", Format(self.0)),
        }
    }
}

impl fmt::Display for Format<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &byte) in self.0.iter().enumerate() {
            match byte {
                // It would begin an option.
                b'-' if at == 0 => f.write_str("\\055")?,
                b'%' => f.write_str("%%")?,
                // An exclamation mark can stand for an earlier command.
                b'\\' | b'\'' | b'!' => write!(f, "\\{byte:03o}")?,
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\{byte:03o}")?,
            }
        }
        Ok(())
    }
}
