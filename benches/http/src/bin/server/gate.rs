//! Holds connections until there are enough of them.

use mio::Token;

/// Connections that wait until enough of them have arrived.
#[derive(Default)]
pub struct Gate {
    waiting: Vec<Token>,
}

impl Gate {
    /// Adds a connection that waits until `many` have arrived. Returns those that may continue now.
    pub fn arrive(&mut self, token: Token, many: usize) -> Vec<Token> {
        self.waiting.push(token);
        if self.waiting.len() < many { Vec::new() } else { std::mem::take(&mut self.waiting) }
    }
}
