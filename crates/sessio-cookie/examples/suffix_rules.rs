//! Prints the rules of a list of public suffixes as this crate compiles them in: one a line, sorted,
//! in ASCII and without comments. The list comes from standard input.
//!
//! `curl https://publicsuffix.org/list/public_suffix_list.dat | cargo run --example suffix_rules`

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};

use sessio_cookie::PublicSuffixes;

fn main() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    let list = PublicSuffixes::parse(&text)?;
    let mut rules: Vec<&str> = list.rules().unwrap_or_default().lines().collect();
    rules.sort_unstable();
    rules.dedup();
    stdout().write_all((rules.join("\n") + "\n").as_bytes())?;
    Ok(())
}
