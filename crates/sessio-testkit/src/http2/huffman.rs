//! Huffman codes (RFC 7541 section 5.2 and appendix B), bit by bit.

use std::sync::OnceLock;

/// The end-of-string symbol, which no text contains.
const END: usize = 256;

/// The length of each symbol's code in bits. The codes follow from it: shorter ones first, then by
/// symbol.
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

#[derive(Debug)]
struct Codes {
    /// The code of each symbol.
    of: Vec<u32>,
    /// A tree: the next node for each node and bit.
    nodes: Vec<[Next; 2]>,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Nothing,
    Node(usize),
    Symbol(usize),
}

fn codes() -> &'static Codes {
    static CODES: OnceLock<Codes> = OnceLock::new();
    CODES.get_or_init(|| {
        let mut order: Vec<usize> = (0..=END).collect();
        order.sort_by_key(|&symbol| (LENGTHS[symbol], symbol));
        let mut codes = Codes { of: vec![0; END + 1], nodes: vec![[Next::Nothing; 2]] };
        let (mut code, mut length) = (0_u32, LENGTHS[order[0]]);
        for symbol in order {
            code <<= LENGTHS[symbol] - length;
            length = LENGTHS[symbol];
            codes.of[symbol] = code;
            codes.plant(symbol);
            code += 1;
        }
        codes
    })
}

impl Codes {
    /// The bits of a symbol's code, the first bit first.
    fn bits(&self, symbol: usize) -> impl Iterator<Item = usize> + use<> {
        let code = self.of[symbol];
        (0..LENGTHS[symbol]).rev().map(move |at| (code >> at & 1) as usize)
    }

    fn plant(&mut self, symbol: usize) {
        let mut at = 0;
        let bits: Vec<usize> = self.bits(symbol).collect();
        for &bit in &bits[..bits.len() - 1] {
            at = match self.nodes[at][bit] {
                Next::Node(next) => next,
                _ => {
                    self.nodes.push([Next::Nothing; 2]);
                    self.nodes[at][bit] = Next::Node(self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
        }
        self.nodes[at][bits[bits.len() - 1]] = Next::Symbol(symbol);
    }
}

pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let mut bits: Vec<usize> = text.iter().flat_map(|&byte| codes().bits(byte.into())).collect();
    // Padding is ones.
    bits.resize(bits.len().next_multiple_of(8), 1);
    bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | bit as u8)).collect()
}

/// Decodes text. `None` if the code is invalid.
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let codes = codes();
    let mut text = Vec::new();
    let mut at = 0;
    // The number of bits after the last symbol, and whether all of them are ones.
    let (mut length, mut is_padding) = (0, true);
    for bit in coded.iter().flat_map(|byte| (0..8).rev().map(move |at| usize::from(byte >> at & 1))) {
        match codes.nodes[at][bit] {
            Next::Nothing => return None,
            Next::Node(next) => {
                at = next;
                length += 1;
                is_padding &= bit == 1;
            }
            Next::Symbol(symbol) => {
                text.push(u8::try_from(symbol).ok()?);
                (at, length, is_padding) = (0, 0, true);
            }
        }
    }
    (length < 8 && is_padding).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541 sections C.4.1 and C.6.1.
    #[test]
    fn the_examples_of_the_rfc() {
        let table: [(&[u8], &[u8]); 2] = [
            (b"www.example.com", &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff]),
            (b"private", &[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
        ];
        for (text, coded) in table {
            assert_eq!(encode(text), coded);
            assert_eq!(decode(coded), Some(text.to_vec()));
        }
    }

    #[test]
    fn each_byte_comes_back_and_the_end_is_refused() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!(codes().of[END], 0x3fff_ffff);
        for coded in [&[0xff; 4][..], &[0xff], &[0x00], &[0xf1, 0xff]] {
            assert_eq!(decode(coded), None, "{coded:x?}");
        }
    }
}
