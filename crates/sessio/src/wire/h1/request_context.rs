//! What the request was, as far as it decides how the response is read.

use http::Method;

/// What the framing of a response depends on in its request.
///
/// ```
/// use sessio::h1::RequestContext;
/// use sessio::http::Method;
///
/// let mut asked = RequestContext::new(&Method::HEAD);
/// asked.close = true; // the request says `Connection: close`
/// assert!(asked.head && !asked.connect);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext {
    /// The method was HEAD: no response has a body.
    pub head: bool,
    /// The method was CONNECT: after a 2xx the connection is a tunnel.
    pub connect: bool,
    /// The request offered an `Upgrade`: a 101 is an answer, otherwise it is an error.
    pub upgrade: bool,
    /// The request said `Connection: close`: the connection carries nothing more.
    pub close: bool,
}

impl RequestContext {
    /// A request of this method that offers no upgrade and wants the connection to stay.
    #[must_use]
    pub fn new(method: &Method) -> Self {
        Self {
            head: *method == Method::HEAD,
            connect: *method == Method::CONNECT,
            upgrade: false,
            close: false,
        }
    }
}
