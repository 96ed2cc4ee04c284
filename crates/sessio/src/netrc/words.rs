//! The words of a netrc file.

/// A word, its quotes and backslashes undone.
pub(super) struct Word {
    pub(super) bytes: Vec<u8>,
    /// The line on which it ends, from 1.
    pub(super) line: usize,
    /// Where the text goes on.
    end: usize,
}

/// Cuts a text into words.
pub(super) struct Words<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    /// A word that was given back.
    held: Option<Word>,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1, held: None }
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
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if is_quoted => {
                    self.step();
                    break;
                }
                byte if !is_quoted && byte.is_ascii_whitespace() => break,
                b'\\' => {
                    self.step();
                    bytes.extend(self.peek());
                    self.step();
                }
                byte => {
                    bytes.push(byte);
                    self.step();
                }
            }
        }
        Some(Word { bytes, line: self.line, end: self.at })
    }

    /// The word comes again.
    pub(super) fn back(&mut self, word: Word) {
        self.held = Some(word);
    }

    /// What is left of the line on which this word, the last one, ended.
    pub(super) fn skip_line(&mut self, word: &Word) {
        self.at = word.end;
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.step();
        }
    }

    /// All lines up to an empty one.
    pub(super) fn skip_macro(&mut self) {
        loop {
            while self.peek().is_some_and(|byte| byte != b'\n') {
                self.step();
            }
            self.step();
            let rest = &self.text[self.at.min(self.text.len())..];
            if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                return;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn step(&mut self) {
        if let Some(byte) = self.peek() {
            self.line += usize::from(byte == b'\n');
            self.at += 1;
        }
    }
}
