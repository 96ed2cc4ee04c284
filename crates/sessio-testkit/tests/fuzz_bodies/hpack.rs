//! The body of `h2_hpack`: compares header compression with a simple implementation.

use sessio_h2::hpack::{DecodeError, Decoder, Encoder, FIELD_OVERHEAD, FieldBlock, Indexing, ListLimits};
use sessio_testkit::http2::{Field, HpackDecoder};

const SIZES: [usize; 8] = [4096, 0, 64, 100, 256, 1000, 8192, 40];
const CUTS: [usize; 4] = [65_536, 100, 1000, 0];

/// The first byte selects between decoding blocks and encoding fields.
pub(crate) fn hpack(data: &[u8]) {
    match data.split_first() {
        Some((first, rest)) if first & 1 == 0 => decoder(usize::from(first >> 1), rest),
        Some((first, rest)) => encoder(usize::from(first >> 1), rest),
        None => {}
    }
}

/// Both decoders return the same fields, or both refuse.
fn decoder(choice: usize, mut rest: &[u8]) {
    let size = SIZES[choice % 8];
    let limits = ListLimits::new(CUTS[choice / 8 % 4]);
    let (mut naive, mut decoder) = (HpackDecoder::new(size), Decoder::new(size));
    let mut block = FieldBlock::new();
    while let Some((&op, behind)) = rest.split_first() {
        if op == 0xff {
            let size = SIZES[usize::from(behind.first().copied().unwrap_or(0)) % 8];
            naive.allow(size);
            decoder.set_max_table_size(size);
            rest = behind.get(1..).unwrap_or_default();
            continue;
        }
        let (bytes, behind) = behind.split_at(behind.len().min(op.into()));
        rest = behind;
        let result = decoder.decode(bytes, limits, &mut block);
        let Ok(expected) = naive.decode(bytes) else {
            assert!(result.is_err(), "{bytes:x?} is refused by the naive decoder alone");
            return;
        };
        let cost = |field: &Field| field.name.len() + field.value.len() + FIELD_OVERHEAD;
        let total: usize = expected.iter().map(cost).sum();
        if total > limits.fail {
            assert_eq!(result, Err(DecodeError::ListTooLarge));
            return;
        }
        assert_eq!(result, Ok(()), "{bytes:x?}");
        assert_eq!(block.is_cut(), total > limits.cut);
        let mut list = 0;
        let kept = expected.iter().take_while(|field| {
            list += cost(field);
            list <= limits.cut
        });
        let fields = block.fields();
        let told = fields.iter().enumerate().map(|(at, (name, value))| Field {
            name: name.to_vec(),
            value: value.to_vec(),
            is_never_indexed: fields.is_sensitive(at),
        });
        assert_eq!(told.collect::<Vec<_>>(), kept.cloned().collect::<Vec<_>>());
    }
}

/// The simple decoder restores the fields that were encoded. Secrets are marked as never indexed.
fn encoder(choice: usize, rest: &[u8]) {
    const NAMES: [&[u8]; 8] =
        [b":path", b"accept", b"cookie", b"x-a", b"x-b", b"x-long-name", b":status", b""];
    let mut encoder = Encoder::new(SIZES[choice % 8]);
    let mut naive = HpackDecoder::new(4096);
    let mut block = Vec::new();
    encoder.begin(&mut block);
    let mut fields = Vec::new();
    let mut bytes = rest.iter().copied();
    while let Some(op) = bytes.next() {
        match op {
            0..0xe0 => {
                let indexing = [Indexing::Incremental, Indexing::Without, Indexing::Never];
                let indexing = indexing[usize::from(op >> 3) % 3];
                let mut value: Vec<u8> = bytes.by_ref().take_while(|&byte| byte != b'\n').collect();
                if op & 0x80 != 0 {
                    value = value.repeat(usize::from(op >> 3 & 0xf) + 1);
                }
                let name = NAMES[usize::from(op) % 8].to_vec();
                encoder.encode(&name, &value, indexing, &mut block);
                fields.push(Field { name, value, is_never_indexed: indexing == Indexing::Never });
            }
            _ => {
                let decoded = naive.decode(&block).expect("a block that can be decoded");
                assert_eq!(decoded, std::mem::take(&mut fields));
                match op {
                    0xe0..0xf0 => {
                        let size = SIZES[usize::from(op) % 8];
                        encoder.set_max_table_size(size);
                        naive.allow(size);
                    }
                    0xf0..0xf4 => encoder.shrink(SIZES[usize::from(op) % 4 + 1]),
                    _ => {}
                }
                // The size may change several times before a block begins.
                for _ in 0..op & 3 {
                    let size = SIZES[usize::from(bytes.next().unwrap_or(0)) % 8];
                    encoder.set_max_table_size(size);
                    naive.allow(size);
                }
                block.clear();
                encoder.begin(&mut block);
            }
        }
    }
}
