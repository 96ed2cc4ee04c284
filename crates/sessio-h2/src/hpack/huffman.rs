//! The Huffman code of RFC 7541, appendix B.
//!
//! The code is canonical: its lengths alone determine it. The compiler computes all tables from
//! them.

/// The code is invalid: a symbol for the end of the string, or wrong padding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid;

/// The symbol that marks the end. It never occurs in a string.
const END: usize = 256;
const LONGEST: usize = 30;
/// Codes up to this length are found in one step.
const SHORT: u32 = 8;

/// Length of the code of each symbol, in bits.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5,
    6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11,
    14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23,
    23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25,
    26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20,
    24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];

struct Tables {
    codes: [u32; 257],
    /// The symbols in the order of their codes.
    sorted: [u16; 257],
    /// By length: the first code, and the index of its symbol among the sorted ones.
    first: [(u32, u16); LONGEST + 2],
    /// By the next eight bits: symbol and length; length 0 if the code is longer.
    short: [(u8, u8); 1 << SHORT],
}

static TABLES: Tables = Tables::new();

impl Tables {
    const fn new() -> Self {
        let mut tables = Self {
            codes: [0; 257],
            sorted: [0; 257],
            first: [(0, 0); LONGEST + 2],
            short: [(0, 0); 1 << SHORT],
        };
        let (mut code, mut place, mut length) = (0_u32, 0_usize, 1_usize);
        while length <= LONGEST {
            tables.first[length] = (code, place as u16);
            let mut symbol = 0;
            while symbol <= END {
                if LENGTHS[symbol] as usize == length {
                    tables.codes[symbol] = code;
                    tables.sorted[place] = symbol as u16;
                    if length as u32 <= SHORT {
                        let spare = SHORT - length as u32;
                        let mut rest = 0;
                        while rest < 1 << spare {
                            tables.short[((code as usize) << spare) + rest] = (symbol as u8, length as u8);
                            rest += 1;
                        }
                    }
                    code += 1;
                    place += 1;
                }
                symbol += 1;
            }
            // For a length without codes, the next length starts at the same code.
            code <<= 1;
            length += 1;
        }
        tables.first[LONGEST + 1] = (code, place as u16);
        tables
    }
}

/// Length of the coded `text` in bytes.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|&byte| usize::from(LENGTHS[usize::from(byte)])).sum();
    bits.div_ceil(8)
}

pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u64, 0_u32);
    for &byte in text {
        let length = u32::from(LENGTHS[usize::from(byte)]);
        bits = bits << length | u64::from(TABLES.codes[usize::from(byte)]);
        count += length;
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&((bits >> count) as u32).to_be_bytes());
        }
    }
    while count >= 8 {
        count -= 8;
        out.push((bits >> count) as u8);
    }
    if count > 0 {
        out.push((bits << (8 - count)) as u8 | 0xff >> count);
    }
}

/// Appends the text to `out`. After an error `out` may hold a part of it.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
    // The shortest code has five bits.
    out.reserve(coded.len() * 8 / 5);
    // The next bits are at the top, followed by zeros.
    let (mut bits, mut count) = (0_u64, 0_u32);
    let mut rest = coded.iter();
    loop {
        while count <= 56 {
            let Some(&byte) = rest.next() else { break };
            bits |= u64::from(byte) << (56 - count);
            count += 8;
        }
        let (symbol, length) = TABLES.short[(bits >> (64 - SHORT)) as usize];
        let length = u32::from(length);
        if length != 0 && length <= count {
            out.push(symbol);
            bits <<= length;
            count -= length;
            continue;
        }
        match if length == 0 { long(bits, count) } else { None } {
            Some((symbol, length)) => {
                out.push(symbol);
                bits <<= length;
                count -= length;
            }
            // Padding: fewer than eight bits, all of them ones.
            None if count < 8 && bits >> 56 == u64::from(!(0xff_u8.checked_shr(count).unwrap_or(0))) => {
                return Ok(());
            }
            None => return Err(Invalid),
        }
    }
}

/// Finds a symbol whose code is longer than [`SHORT`].
fn long(bits: u64, count: u32) -> Option<(u8, u32)> {
    for length in SHORT + 1..=LONGEST as u32 {
        let code = (bits >> (64 - length)) as u32;
        let (first, place) = TABLES.first[length as usize];
        let symbols = u32::from(TABLES.first[length as usize + 1].1 - place);
        if code >= first && code - first < symbols {
            let symbol = usize::from(TABLES.sorted[usize::from(place) + (code - first) as usize]);
            return if length <= count && symbol != END { Some((symbol as u8, length)) } else { None };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_comes_back() {
        for byte in 0..=255 {
            let text = [byte, b'a', byte];
            let mut coded = Vec::new();
            encode(&text, &mut coded);
            assert_eq!(coded.len(), encoded_len(&text));
            let mut back = Vec::new();
            assert_eq!(decode(&coded, &mut back), Ok(()), "{byte}");
            assert_eq!(back, text);
        }
    }

    /// RFC 7541 section C.4.1.
    #[test]
    fn the_example_of_the_rfc() {
        let mut coded = Vec::new();
        encode(b"www.example.com", &mut coded);
        assert_eq!(coded, [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff]);
    }

    #[test]
    fn wrong_padding_and_the_end_are_refused() {
        let refused: [&[u8]; 5] =
            [&[0x00], &[0xff], &[0xf1, 0xff], &[0xff, 0xff, 0xff, 0xff], &[0x1c, 0x64, 0x00]];
        for coded in refused {
            assert_eq!(decode(coded, &mut Vec::new()), Err(Invalid), "{coded:x?}");
        }
        assert_eq!(decode(&[], &mut Vec::new()), Ok(()));
    }
}
