//! The session as a `tower_service::Service`.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::Body;
use sessio::{Error, Result, http};
use tower_service::Service;

use crate::interop::ResponseBody;
use crate::runtime::Runtime;
use crate::session::Session;

/// What a call of the service comes to.
type Answer<R> = Pin<Box<dyn Future<Output = Result<http::Response<ResponseBody<R>>>> + Send>>;

/// It is always ready: whom the pool has no place for waits in its line, first come, first served, and not
/// before it. A clone of the session is the same service.
impl<R: Runtime, B> Service<http::Request<B>> for Session<R>
where
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    type Response = http::Response<ResponseBody<R>>;
    type Error = Error;
    type Future = Answer<R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Service::<http::Request<B>>::poll_ready(&mut &*self, cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Answer<R> {
        (&*self).call(request)
    }
}

impl<R: Runtime, B> Service<http::Request<B>> for &Session<R>
where
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    type Response = http::Response<ResponseBody<R>>;
    type Error = Error;
    type Future = Answer<R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Answer<R> {
        let session = (*self).clone();
        Box::pin(async move { session.send_http(request).await })
    }
}
