//! The request of a response that is being read.

use http::Method;

/// The properties of a request that affect the framing of its response.
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
    /// The method was HEAD: the response has no body.
    pub head: bool,
    /// The method was CONNECT: after a 2xx the connection is a tunnel.
    pub connect: bool,
    /// The request offered an `Upgrade`: a 101 is valid, otherwise it is an error.
    pub upgrade: bool,
    /// The request contained `Connection: close`: the connection carries no further request.
    pub close: bool,
}

impl RequestContext {
    /// A request of this method that offers no upgrade and keeps the connection.
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
