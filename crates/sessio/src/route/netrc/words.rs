//! The words of a netrc file.

use crate::base::byte_order_mark::without_mark;

/// A word, its quotes and backslashes undone.
pub(super) struct Word {
    pub(super) bytes: Vec<u8>,
    /// The line on which it stands, from 1.
    pub(super) line: usize,
    /// It began with a quote, and its line ended before another one came.
    pub(super) is_open: bool,
    is_quoted: bool,
    /// Where the text goes on.
    end: usize,
}

/// Cuts a text into words. A word ends with its line, whatever quotes there are. Lines end with LF, CRLF or CR, and a byte
/// order mark in front is no part of the text.
pub(super) struct Words<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    /// A word that was given back.
    held: Option<Word>,
}

impl Word {
    /// Whether it is one that an entry begins with. In quotes it is a value.
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
                        // As in `CORP\me`.
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

    /// The word comes again.
    pub(super) fn back(&mut self, word: Word) {
        self.held = Some(word);
    }

    /// What is left of the line on which this word, the last one, ended.
    pub(super) fn skip_line(&mut self, word: &Word) {
        self.at = word.end;
        self.skip_to_line_end();
    }

    /// All lines up to an empty one.
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

    /// Goes on by one byte, or over a whole CRLF.
    fn step(&mut self) {
        match self.text[self.at.min(self.text.len())..] {
            [b'\r', b'\n', ..] => (self.at, self.line) = (self.at + 2, self.line + 1),
            [b'\n' | b'\r', ..] => (self.at, self.line) = (self.at + 1, self.line + 1),
            [_, ..] => self.at += 1,
            [] => {}
        }
    }
}

/// What means something by itself: a backslash before it takes the meaning away. Before anything else, and at the end of a
/// line, a backslash is a letter.
const fn is_escapable(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\\' | b'#')
}
