//! The session as a `tower_service::Service`.

use std::task::{Context, Poll};

use sessio::{Error, Result, http};
use tower_service::Service;

use crate::interop::ResponseBody;
use crate::runtime::Runtime;
use crate::session::Session;

/// A runtime whose sessions are services, for requests with bodies of type `B`.
///
/// [`backend!`](crate::backend) implements it. A service must name the type of its future, and only
/// a known runtime can name one that is [`Send`].
pub trait Serve<B>: Runtime {
    /// The future of a call.
    type Future: Future<Output = Result<http::Response<ResponseBody<Self>>>>;

    /// Sends a request: [`Session::send_http`].
    fn serve(session: Session<Self>, request: http::Request<B>) -> Self::Future;
}

/// `poll_ready` is always ready: requests over the limits of the pool queue inside `call`, first
/// come, first served. A clone of the session is the same service.
impl<R: Serve<B>, B> Service<http::Request<B>> for Session<R> {
    type Response = http::Response<ResponseBody<R>>;
    type Error = Error;
    type Future = R::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> R::Future {
        R::serve(self.clone(), request)
    }
}

impl<R: Serve<B>, B> Service<http::Request<B>> for &Session<R> {
    type Response = http::Response<ResponseBody<R>>;
    type Error = Error;
    type Future = R::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> R::Future {
        R::serve((*self).clone(), request)
    }
}
