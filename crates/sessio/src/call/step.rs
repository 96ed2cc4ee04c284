//! What a call wants now.

use std::time::Instant;

use url::Url;

/// The one thing that a call wants now. Asking again gives the same answer until it is given what it wants.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// A connection: [`connected`](super::Call::connected) or [`unreachable`](super::Call::unreachable).
    Connect(Connect<'a>),
    /// Bytes to move, in both directions at once: [`sent`](super::Call::sent),
    /// [`received`](super::Call::received), [`supply`](super::Call::supply) and
    /// [`broken`](super::Call::broken).
    Io(Io<'a>),
    /// The connection is not needed any more: [`release`](super::Call::release).
    Release,
    /// The response asks for a decision: [`turn`](super::Call::turn), with the session's jar.
    Turn,
    /// The source of the request's body must start over: [`rewound`](super::Call::rewound).
    Rewind,
    /// The head of the answer is there: [`take_head`](super::Call::take_head).
    Head,
    /// Bytes of the answer's body: [`consume`](super::Call::consume).
    Body(&'a [u8]),
    /// Nothing any more.
    Done,
}

/// A connection that is wanted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Connect<'a> {
    /// Where to.
    pub url: &'a Url,
    /// Whether it must be a new one: a pooled one has just failed.
    pub fresh: bool,
    /// When to give up what is being done, resolving or connecting, and ask again.
    pub deadline: Option<Instant>,
}

/// Bytes to move. Each field is a wish, and empty where there is none.
#[derive(Debug)]
#[non_exhaustive]
pub struct Io<'a> {
    /// Bytes for the peer.
    pub send: &'a [u8],
    /// Where bytes of the peer go; empty while the caller has not read what came before.
    pub recv: &'a mut [u8],
    /// How many bytes the request's body may be supplied with now.
    pub body: usize,
    /// When to stop waiting and ask again.
    pub deadline: Option<Instant>,
}
