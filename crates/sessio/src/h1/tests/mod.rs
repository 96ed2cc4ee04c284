//! The framing against tables, a slow parser and chance.
