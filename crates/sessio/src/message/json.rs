//! JSON in the format of Python's `json.dumps` (rule P-32): `", "` and `": "` between parts, all
//! non-ASCII characters escaped. Servers receive the same bytes as from requests.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::base::decimal::float;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    value
        .serialize(&mut Serializer::with_formatter(&mut out, Python))
        .map_err(|error| Fault::new(Kind::InvalidBody).with_source(error))?;
    Ok(out)
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // DEL is the only further ASCII character that is escaped.
        let is_escaped = |c: char| !c.is_ascii() || c == '\x7f';
        for part in fragment.split_inclusive(is_escaped) {
            let mut chars = part.chars();
            match chars.next_back() {
                Some(last) if is_escaped(last) => {
                    out.write_all(chars.as_str().as_bytes())?;
                    for unit in last.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}")?;
                    }
                }
                _ => out.write_all(part.as_bytes())?,
            }
        }
        Ok(())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(float(value).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p32_json_is_pythons_to_the_byte() {
        let value: serde_json::Value = serde_json::from_str(
            "{\"a\": [1, 2.5, null, true], \"b\": \"\u{e9}\u{1f600}\\n\\\"\u{7f}/\", \"c\": {}}",
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(write(&value).unwrap()).unwrap(),
            "{\"a\": [1, 2.5, null, true], \"b\": \"\\u00e9\\ud83d\\ude00\\n\\\"\\u007f/\", \"c\": {}}"
        );
        for (number, text) in [
            (1.0, "1.0"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (-2.5e-7, "-2.5e-07"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
        ] {
            assert_eq!(float(number), text);
        }
    }
}
