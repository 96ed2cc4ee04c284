//! The rules of a list of public suffixes, and the lookup of a name in them.

use std::borrow::Cow;
use std::fmt;

use url::Host;

use crate::host::MAX_NAME;

/// `co.uk`: the name is a public suffix.
const SUFFIX: u8 = 1;
/// `*.ck`: each name one label below is a public suffix.
const WILDCARD: u8 = 2;
/// `!www.ck`: the name is not a public suffix, although a wildcard matches it.
const EXCEPTION: u8 = 4;
/// There is a rule below the name. A lookup ends at a name without this mark.
const PARENT: u8 = 8;

/// A hash table of rules. Its keys are slices of one text, so a name needs no allocation.
pub(super) struct Rules {
    /// One rule a line, in ASCII and lower case.
    text: Cow<'static, str>,
    /// Open addressing. The length is a power of two.
    slots: Box<[Slot]>,
}

/// A name of a rule, or a parent of such a name. A slot with `kinds` 0 is empty.
#[derive(Clone, Copy, Default)]
struct Slot {
    start: u32,
    len: u8,
    kinds: u8,
    /// The upper half of the hash. Most other names differ in it, so their text is not compared.
    tag: u16,
}

/// The hash of a name, from its last byte to its first (FNV-1a). So the hashes of all parents of a
/// name are intermediate results.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    const EMPTY: Self = Self(0x811c_9dc5);

    fn push(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }

    fn tag(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

/// The longest text: an index into it has 32 bits.
const MAX_TEXT: usize = u32::MAX as usize;

impl Rules {
    /// Parses a text in the format of publicsuffix.org.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidSuffixList> {
        let mut rules = String::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            // A rule ends at the first space.
            let Some(rule) = line.split_whitespace().next().filter(|rule| !rule.starts_with("//")) else {
                continue;
            };
            let invalid = || InvalidSuffixList { line: index + 1, rule: rule.chars().take(80).collect() };
            push_rule(&mut rules, rule).ok_or_else(invalid)?;
            if rules.len() > MAX_TEXT {
                return Err(invalid());
            }
        }
        if rules.is_empty() {
            return Err(InvalidSuffixList { line: 0, rule: Box::default() });
        }
        Ok(Self::index(rules.into()))
    }

    /// Makes the index of a text that [`push_rule`] wrote.
    pub(super) fn index(text: Cow<'static, str>) -> Self {
        // A rule needs one slot, and so does each parent that is not a rule itself. Names fill at
        // most 3/4 of the table. A list with more parents doubles it.
        let mut slots = text.lines().count() * 3 / 2;
        loop {
            slots = slots.next_power_of_two();
            let mut rules = Self { text: Cow::Borrowed(""), slots: vec![Slot::default(); slots].into() };
            if rules.fill(&text) {
                rules.text = text;
                return rules;
            }
            slots += 1;
        }
    }

    /// Adds all rules. Returns false if a quarter of the slots would not stay empty.
    fn fill(&mut self, text: &str) -> bool {
        let mut room = self.slots.len() * 3 / 4;
        let mut line_start = 0;
        for line in text.lines() {
            let (name, kind) = match line.as_bytes() {
                [b'*', b'.', ..] => (&line[2..], WILDCARD),
                [b'!', ..] => (&line[1..], EXCEPTION),
                _ => (line, SUFFIX),
            };
            let end = line_start + line.len();
            let mut hash = Hash::EMPTY;
            for (start, byte) in name.bytes().enumerate().rev() {
                hash.push(byte);
                let is_parent = start > 0 && name.as_bytes()[start - 1] == b'.';
                if start == 0 || is_parent {
                    let len = name.len() - start;
                    let kind = if is_parent { PARENT } else { kind };
                    if !self.mark(text, end - len, len, hash, kind, &mut room) {
                        return false;
                    }
                }
            }
            line_start = end + 1;
        }
        true
    }

    fn mark(&mut self, text: &str, start: usize, len: usize, hash: Hash, kind: u8, room: &mut usize) -> bool {
        let slot =
            &mut self.slots[find(&self.slots, text.as_bytes(), hash, &text.as_bytes()[start..start + len])];
        if slot.kinds == 0 {
            let Some(left) = room.checked_sub(1) else { return false };
            *room = left;
            // Neither cast truncates: `parse` limits the text, and `push_rule` limits the name.
            *slot = Slot { start: start as u32, len: len as u8, kinds: 0, tag: hash.tag() };
        }
        slot.kinds |= kind;
        true
    }

    /// The length of the public suffix of a name without a dot at its end. If no rule matches, it
    /// is that of the last label.
    pub(super) fn suffix_len(&self, name: &str) -> usize {
        let name = name.as_bytes();
        let mut hash = Hash::EMPTY;
        let (mut start, mut suffix, mut above, mut is_below_wildcard) = (name.len(), 0, 0, false);
        loop {
            while start > 0 && name[start - 1] != b'.' {
                start -= 1;
                hash.push(name[start]);
            }
            let len = name.len() - start;
            let kinds = self.slots[find(&self.slots, self.text.as_bytes(), hash, &name[start..])].kinds;
            if kinds & EXCEPTION != 0 {
                return above;
            }
            if kinds & SUFFIX != 0 || is_below_wildcard || above == 0 {
                suffix = len;
            }
            if kinds == 0 || start == 0 {
                return suffix;
            }
            is_below_wildcard = kinds & WILDCARD != 0;
            above = len;
            start -= 1;
            hash.push(b'.');
        }
    }

    /// The rules, one a line.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The index of the slot that has the name, or of the empty slot where it would be.
fn find(slots: &[Slot], text: &[u8], hash: Hash, name: &[u8]) -> usize {
    let mask = slots.len() - 1;
    let mut index = hash.0 as usize & mask;
    loop {
        let slot = slots[index];
        let start = slot.start as usize;
        let is_it = slot.tag == hash.tag() && text[start..start + usize::from(slot.len)] == *name;
        if slot.kinds == 0 || is_it {
            return index;
        }
        index = (index + 1) & mask;
    }
}

/// Adds a rule and a line end. Its name is written as in a URL. `None` if it is not a rule.
fn push_rule(rules: &mut String, rule: &str) -> Option<()> {
    let (mark, name) = match rule.as_bytes() {
        [b'*', b'.', ..] => rule.split_at(2),
        [b'!', ..] => rule.split_at(1),
        _ => ("", rule),
    };
    let Ok(Host::Domain(name)) = Host::parse(name) else { return None };
    let has_empty_label = name.split('.').any(str::is_empty);
    if name.len() > MAX_NAME || has_empty_label || name.contains(['*', '!']) {
        return None;
    }
    // An exception needs a parent, to which the wildcard belongs.
    if mark == "!" && !name.contains('.') {
        return None;
    }
    rules.push_str(mark);
    rules.push_str(&name);
    rules.push('\n');
    Some(())
}

/// The error for a text that is not a list of public suffixes: it has no rule, or a line that is
/// none.
///
/// ```
/// use sessio_cookie::PublicSuffixes;
///
/// let error = PublicSuffixes::parse("com\n<title>Not found</title>").unwrap_err();
/// assert_eq!(error.line(), Some(2));
/// assert_eq!(error.to_string(), "invalid list of public suffixes: line 2 is no rule: \"<title>Not\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSuffixList {
    /// 0 if the text has no rule.
    line: usize,
    rule: Box<str>,
}

impl InvalidSuffixList {
    /// The number of the line, from 1. `None` if the text has no rule.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }
}

impl fmt::Display for InvalidSuffixList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid list of public suffixes: ")?;
        match self.line() {
            Some(line) => write!(f, "line {line} is no rule: {:?}", self.rule),
            None => f.write_str("it has no rule"),
        }
    }
}

impl std::error::Error for InvalidSuffixList {}
