//! The static table (RFC 7541, appendix A).

/// Name and value of each entry. The first one has index 1.
pub(super) const ENTRIES: [(&[u8], &[u8]); 61] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];

const LONGEST: usize = 27;
/// Maximal number of names with the same length.
const MOST: usize = 6;

/// By length of the name: the first index of each name; 0 for none.
static BY_LENGTH: [[u8; MOST]; LONGEST + 1] = by_length();

const fn by_length() -> [[u8; MOST]; LONGEST + 1] {
    let mut table = [[0; MOST]; LONGEST + 1];
    let mut at = 0;
    while at < ENTRIES.len() {
        let length = ENTRIES[at].0.len();
        // Entries of one name are adjacent: a new name begins where the previous entry has another
        // one.
        if at == 0 || !is_same(ENTRIES[at].0, ENTRIES[at - 1].0) {
            let mut place = 0;
            while table[length][place] != 0 {
                place += 1;
            }
            table[length][place] = at as u8 + 1;
        }
        at += 1;
    }
    table
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The first index of a name.
pub(super) fn find(name: &[u8]) -> Option<usize> {
    let first = *name.first()?;
    for &index in BY_LENGTH.get(name.len())? {
        let entry = ENTRIES.get(usize::from(index).wrapping_sub(1))?.0;
        if entry[0] == first && entry == name {
            return Some(usize::from(index));
        }
    }
    None
}

/// The index of a whole field, if its name is first found at `first`.
pub(super) fn find_value(first: usize, name: &[u8], value: &[u8]) -> Option<usize> {
    // Only pseudo-fields have several values, and only one other field has a value at all.
    if first > 16 {
        return None;
    }
    let same = ENTRIES[first - 1..].iter().take_while(|entry| entry.0 == name);
    same.enumerate().find(|(_, entry)| entry.1 == value).map(|(at, _)| first + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_found() {
        for (at, (name, value)) in ENTRIES.iter().enumerate() {
            let first = find(name).unwrap();
            assert_eq!(ENTRIES[first - 1].0, *name);
            if !value.is_empty() {
                assert_eq!(find_value(first, name, value), Some(at + 1));
            }
        }
        assert_eq!(find(b"x"), None);
        assert_eq!(find(b""), None);
        assert_eq!(find(b"accept-encoding-and-much-more"), None);
    }
}
