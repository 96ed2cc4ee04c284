//! JSON: a writer of values, and a check whether a body that is echoed is JSON.

use std::fmt::Write;

/// Deeper nesting than this is not recognised as JSON.
const DEPTH: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    /// Text that is JSON already.
    Raw(String),
}

impl Json {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Pairs whose names may repeat, as httpbin shows them: one value is a string, several are a
    /// list.
    pub(crate) fn multimap(pairs: &[(String, String)]) -> Self {
        let mut entries: Vec<(String, Self)> = Vec::new();
        for (name, value) in pairs {
            let value = Self::text(value);
            match entries.iter_mut().find(|(n, _)| n == name) {
                None => entries.push((name.clone(), value)),
                Some((_, Self::List(list))) => list.push(value),
                Some((_, first)) => *first = Self::List(vec![first.clone(), value]),
            }
        }
        Self::Map(entries)
    }

    /// A body that is JSON, unchanged. Anything else is null.
    pub(crate) fn recognise(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).ok();
        text.filter(|text| is_json(text.as_bytes()))
            .map_or(Self::Null, |text| Self::Raw(text.trim().to_owned()))
    }

    /// Renders over several lines with a final line end, as httpbin does.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out.push('\n');
        out
    }

    /// Renders on one line.
    pub(crate) fn render_line(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    fn write(&self, out: &mut String, depth: Option<usize>) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => write_text(out, text),
            Self::Raw(raw) => out.push_str(raw),
            Self::List(list) => {
                write_group(out, depth, '[', list, ']', |out, value, depth| value.write(out, depth))
            }
            Self::Map(map) => write_group(out, depth, '{', map, '}', |out, (key, value), depth| {
                write_text(out, key);
                out.push_str(": ");
                value.write(out, depth);
            }),
        }
    }
}

fn write_group<T>(
    out: &mut String,
    depth: Option<usize>,
    open: char,
    items: &[T],
    close: char,
    write: impl Fn(&mut String, &T, Option<usize>),
) {
    let inner = depth.map(|depth| depth + 1);
    let new_line = |out: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if depth.is_some() { "," } else { ", " });
        }
        new_line(out, inner);
        write(out, item, inner);
    }
    if !items.is_empty() {
        new_line(out, depth);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\x7f' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn is_json(text: &[u8]) -> bool {
    value(text, DEPTH).is_some_and(|rest| space(rest).is_empty())
}

fn space(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| !b" \t\r\n".contains(b)).unwrap_or(text.len());
    &text[end..]
}

/// The text after the value at the start of `text`. `None` if there is no value.
fn value(text: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let text = space(text);
    match text.first()? {
        b'{' => group(&text[1..], b'}', |entry| {
            let rest = space(string(space(entry))?).strip_prefix(b":")?;
            value(rest, depth)
        }),
        b'[' => group(&text[1..], b']', |item| value(item, depth)),
        b'"' => string(text),
        b'-' | b'0'..=b'9' => number(text),
        _ => [&b"true"[..], b"false", b"null"].iter().find_map(|word| text.strip_prefix(*word)),
    }
}

fn group(text: &[u8], close: u8, item: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<&[u8]> {
    let mut rest = space(text);
    if rest.first() == Some(&close) {
        return Some(&rest[1..]);
    }
    loop {
        rest = space(item(rest)?);
        match rest.split_first()? {
            (b',', next) => rest = next,
            (end, next) if *end == close => return Some(next),
            _ => return None,
        }
    }
}

fn string(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'u', hex @ ..] if hex.len() >= 4 && hex[..4].iter().all(u8::is_ascii_hexdigit) => {
                &hex[4..]
            }
            [b'\\', escaped, rest @ ..] if b"\"\\/bfnrt".contains(escaped) => rest,
            [b'\\' | 0..=0x1f, ..] | [] => return None,
            [_, rest @ ..] => rest,
        };
    }
}

fn number(text: &[u8]) -> Option<&[u8]> {
    let digits = |text| -> Option<&[u8]> {
        let text: &[u8] = text;
        let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
        (end > 0).then(|| &text[end..])
    };
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match text {
        [b'0', rest @ ..] => rest,
        _ => digits(text)?,
    };
    if let [b'.', fraction @ ..] = rest {
        rest = digits(fraction)?;
    }
    match rest {
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => digits(exponent),
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_what_is_not() {
        let json = ["{}", " [1, -0.5e+3, \"\\u00e9\\n\"] ", "null", "{\"a\": {\"b\": []}}", "0", "\"é\""];
        for text in json {
            assert!(is_json(text.as_bytes()), "{text}");
        }
        let not =
            ["", "{", "{a: 1}", "[1,]", "01", "1 2", "\"\n\"", "tru", "{\"a\" 1}", "\"\\x\"", "-", "1."];
        for text in not {
            assert!(!is_json(text.as_bytes()), "{text}");
        }
        assert!(!is_json("[".repeat(100_000).as_bytes()));
    }

    #[test]
    fn repeated_names_become_lists() {
        let pairs = [("a", "1"), ("b", "2"), ("a", "3\"")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(Json::multimap(&pairs).render_line(), r#"{"a": ["1", "3\""], "b": "2"}"#);
        assert_eq!(
            Json::map([("x", Json::List(vec![Json::Number(1)]))]).render(),
            "{\n  \"x\": [\n    1\n  ]\n}\n"
        );
    }
}
