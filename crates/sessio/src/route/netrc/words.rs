//! The words of a netrc file.

use crate::base::byte_order_mark::without_mark;

/// A word without its quotes and backslashes.
pub(super) struct Word {
    pub(super) bytes: Vec<u8>,
    /// The line number, from 1.
    pub(super) line: usize,
    /// The word began with a quote, and its line ended before the closing one.
    pub(super) is_open: bool,
    is_quoted: bool,
    /// The offset after the word.
    end: usize,
}

/// Splits a text into words. A word ends with its line, also inside quotes. Lines end with LF, CRLF
/// or CR. A byte order mark at the start is skipped.
pub(super) struct Words<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    /// A word that was put back.
    held: Option<Word>,
}

impl Word {
    /// Returns `true` for a word that begins an entry. In quotes it is a value.
    pub(super) fn begins_entry(&self) -> bool {
        !self.is_quoted && matches!(&*self.bytes, b"machine" | b"default" | b"macdef")
    }

    pub(super) fn is_comment(&self) -> bool {
        !self.is_quoted && self.bytes.first() == Some(&b'#')
    }
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { text: without_mark(text), at: 0, line: 1, held: None }
    }

    pub(super) fn next(&mut self) -> Option<Word> {
        if let Some(word) = self.held.take() {
            return Some(word);
        }
        while self.peek()?.is_ascii_whitespace() {
            self.step();
        }
        let is_quoted = self.peek() == Some(b'"');
        if is_quoted {
            self.step();
        }
        let mut is_open = is_quoted;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' | b'\r' => break,
                b'"' if is_quoted => {
                    self.step();
                    is_open = false;
                    break;
                }
                byte if !is_quoted && byte.is_ascii_whitespace() => break,
                b'\\' => {
                    self.step();
                    match self.peek() {
                        Some(next) if is_escapable(next) => {
                            bytes.push(next);
                            self.step();
                        }
                        // Literal, as in `CORP\me`.
                        _ => bytes.push(b'\\'),
                    }
                }
                byte => {
                    bytes.push(byte);
                    self.step();
                }
            }
        }
        Some(Word { bytes, line: self.line, is_open, is_quoted, end: self.at })
    }

    /// Puts the word back, to be returned again.
    pub(super) fn back(&mut self, word: Word) {
        self.held = Some(word);
    }

    /// Skips the rest of the line on which this word, the last one, ended.
    pub(super) fn skip_line(&mut self, word: &Word) {
        self.at = word.end;
        self.skip_to_line_end();
    }

    /// Skips all lines up to an empty one.
    pub(super) fn skip_macro(&mut self) {
        loop {
            self.skip_to_line_end();
            self.step();
            if self.peek().is_none_or(|byte| matches!(byte, b'\n' | b'\r')) {
                return;
            }
        }
    }

    fn skip_to_line_end(&mut self) {
        while self.peek().is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.step();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Advances by one byte, or by a whole CRLF.
    fn step(&mut self) {
        match self.text[self.at.min(self.text.len())..] {
            [b'\r', b'\n', ..] => (self.at, self.line) = (self.at + 2, self.line + 1),
            [b'\n' | b'\r', ..] => (self.at, self.line) = (self.at + 1, self.line + 1),
            [_, ..] => self.at += 1,
            [] => {}
        }
    }
}

/// Characters that a backslash escapes. Before any other character, and at the end of a line, a
/// backslash is literal.
const fn is_escapable(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\\' | b'#')
}
