//! `--name value` pairs of a command line.

use std::str::FromStr;

use crate::Outcome;

/// The options of a program.
pub struct Options(Vec<(String, String)>);

impl Options {
    /// The command line of this program.
    ///
    /// # Errors
    ///
    /// If an argument is not `--name value`.
    pub fn of_program() -> Outcome<Self> {
        let mut arguments = std::env::args().skip(1);
        let mut pairs = Vec::new();
        while let Some(argument) = arguments.next() {
            let name = argument.strip_prefix("--").ok_or_else(|| format!("what is {argument}?"))?;
            let value = arguments.next().ok_or_else(|| format!("--{name} needs a value"))?;
            pairs.push((name.to_owned(), value));
        }
        Ok(Self(pairs))
    }

    /// The value of an option as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The value of an option, or the default.
    ///
    /// # Errors
    ///
    /// If the value is invalid.
    pub fn get<T: FromStr>(&self, name: &str, default: T) -> Outcome<T> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse().map_err(|_| format!("--{name} cannot be {text}").into())
    }

    /// The values of an option with a list. Default: `all`.
    pub fn list<'a>(&'a self, name: &str, all: &[&'a str]) -> Vec<&'a str> {
        self.text(name).map_or_else(|| all.to_vec(), |text| text.split(',').collect())
    }
}
