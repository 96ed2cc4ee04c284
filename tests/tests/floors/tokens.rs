//! Rust source as tokens: names, `::` and single marks, without comments and literals.

/// One token of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or a keyword. A raw identifier keeps its `r#`.
    Name(String),
    /// `::`.
    PathSep,
    /// Any other mark.
    Mark(char),
}

impl Token {
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// Splits `text` into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| literal(rest));
        if let Some(length) = skipped {
            rest = &rest[length..];
        } else if is_of_name(first) {
            let raw = usize::from(rest.starts_with("r#")) * 2;
            let length = raw + rest[raw..].find(|it| !is_of_name(it)).unwrap_or(rest.len() - raw);
            tokens.push(Token::Name(rest[..length].to_owned()));
            rest = &rest[length..];
        } else if let Some(after) = rest.strip_prefix("::") {
            tokens.push(Token::PathSep);
            rest = after;
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn is_of_name(it: char) -> bool {
    it == '_' || it.is_alphanumeric()
}

/// The length of a comment that `text` begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let step = &text.as_bytes()[at..];
        if step.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if step.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    Some(at)
}

/// The length of a literal at the start of `text`: a string, a character, or a lifetime, which
/// looks like one.
fn literal(text: &str) -> Option<usize> {
    let unprefixed = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - unprefixed.len();
    if prefix > 2 {
        return None;
    }
    if text[..prefix].contains('r') {
        let hashes = unprefixed.len() - unprefixed.trim_start_matches('#').len();
        let body = unprefixed[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len()));
    }
    if unprefixed.starts_with('"') {
        return Some(prefix + quoted(unprefixed, b'"'));
    }
    let after = unprefixed.strip_prefix('\'')?;
    let mut of_quoted = after.chars();
    match (of_quoted.next(), of_quoted.next()) {
        (Some('\\'), _) => Some(prefix + quoted(unprefixed, b'\'')),
        (Some(it), Some('\'')) => Some(prefix + 2 + it.len_utf8()),
        // A lifetime: its quote and its name.
        _ => Some(prefix + 1 + after.find(|it| !is_of_name(it)).unwrap_or(after.len())),
    }
}

/// The length of a quoted text, with both quotes.
fn quoted(text: &str, quote: u8) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if byte == b'\\' {
            is_escaped = true;
        } else if byte == quote {
            return at + 1;
        }
    }
    text.len()
}
