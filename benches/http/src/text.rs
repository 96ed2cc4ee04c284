//! Text by a fixed rule, for coded bodies. It is as repetitive as the prose of a page.

/// The number of bytes made at once.
const BLOCK: usize = 64 << 10;
/// The number of words. The first of them occur most often.
const WORDS: usize = 6000;
const ONSETS: [&str; 16] = ["b", "br", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "st", "t", "w"];
const NUCLEI: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "ou", "io"];
const CODAS: [&str; 8] = ["", "n", "r", "s", "t", "nd", "ng", "ll"];

/// The text, block by block. It never ends.
pub struct Text {
    state: u64,
    words: Vec<String>,
    /// The bytes made beyond the last block.
    over: Vec<u8>,
}

impl Default for Text {
    fn default() -> Self {
        let mut text = Self { state: 0x9e37_79b9_7f4a_7c15, words: Vec::new(), over: Vec::new() };
        text.words = (0..WORDS).map(|_| text.word()).collect();
        text
    }
}

impl Text {
    /// The next block.
    fn block(&mut self) -> Vec<u8> {
        let mut block = std::mem::take(&mut self.over);
        while block.len() < BLOCK {
            self.paragraph(&mut block);
        }
        self.over = block.split_off(BLOCK);
        block
    }

    /// The first `bytes` bytes of the text, as blocks.
    pub fn blocks(bytes: usize) -> impl Iterator<Item = Vec<u8>> {
        let (mut text, mut left) = (Self::default(), bytes);
        std::iter::from_fn(move || {
            (left > 0).then(|| {
                let mut block = text.block();
                block.truncate(left);
                left -= block.len();
                block
            })
        })
    }

    fn paragraph(&mut self, out: &mut Vec<u8>) {
        let number = self.chance() % 100_000;
        out.extend_from_slice(format!("<p id=\"p{number}\" class=\"text\">").as_bytes());
        for _ in 0..3 + self.chance() % 6 {
            let length = 5 + self.chance() % 14;
            for at in 0..length {
                if at > 0 {
                    out.push(b' ');
                }
                let word = self.rank();
                let from = out.len();
                out.extend_from_slice(self.words[word].as_bytes());
                if at == 0 {
                    out[from].make_ascii_uppercase();
                }
            }
            out.extend_from_slice(b". ");
        }
        out.extend_from_slice(b"</p>\n");
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        for _ in 0..1 + self.chance() % 3 {
            for parts in [&ONSETS[..], &NUCLEI, &CODAS] {
                word += parts[self.chance() % parts.len()];
            }
        }
        word
    }

    /// The index of the next word. Half of all are among the first 80 or so, as in any language.
    fn rank(&mut self) -> usize {
        let chance = (self.chance() % (1 << 20)) as f64 / f64::from(1 << 20);
        ((WORDS as f64).powf(chance) as usize - 1).min(WORDS - 1)
    }

    /// Marsaglia's xorshift.
    fn chance(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 20) as usize
    }
}

/// The sum of the bytes. It proves that a client has read all of them, and takes very little time.
pub fn sum(bytes: &[u8]) -> u64 {
    // The sum of a short run fits into 16 bits, so a vector register has twice as many lanes.
    bytes.chunks(256).map(|run| u64::from(run.iter().map(|&byte| u16::from(byte)).sum::<u16>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_same_however_much_of_it_is_made() {
        let all: Vec<u8> = Text::blocks(3 * BLOCK + 7).flatten().collect();
        let part: Vec<u8> = Text::blocks(BLOCK + 9).flatten().collect();
        assert_eq!(all.len(), 3 * BLOCK + 7);
        assert_eq!(part, all[..BLOCK + 9]);
        assert!(all.starts_with(b"<p id="));
    }

    #[test]
    fn a_sum_is_that_of_all_bytes() {
        assert_eq!(sum(&[255; 1000]), 255_000);
        assert_eq!(sum(b"ab"), 195);
    }
}
