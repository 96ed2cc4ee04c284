//! Runtimes whose connections move between threads.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use sessio::coding::Decoders;
use sessio::{Headers, Settings, Tcp};
use sessio_blocking::Blocking;
use sessio_driver::{InProcess, RequestBuilder, Runtime, Session};
use sessio_smol::Smol;
use sessio_tokio::Tokio;

use crate::faulty_runtime::FaultyRuntime;
use crate::fetch::{Fetched, fetch};
use crate::messages::AnyTransport;
use crate::simulation::network::Network;

/// A runtime whose connections and futures move between threads. That holds for all but
/// single-threaded ones.
///
/// The compiler can prove `Send` for its futures only if the runtime is a known type. So each
/// runtime boxes them itself.
pub trait Movable: Runtime<Stream: Send, Sleep: Send> + Send + Sync {
    /// Sends a request, and reads all of the response.
    fn fetch(request: RequestBuilder<FaultyRuntime<Self>>) -> Pin<Box<dyn Future<Output = Fetched> + Send>>;

    /// A second session on this runtime, as a service of this process.
    fn in_process(runtime: &FaultyRuntime<Self>) -> AnyTransport;

    /// Opens a connection to a host, at the first of its addresses.
    fn dial(runtime: &FaultyRuntime<Self>, host: String, port: u16) -> Dialling<Self>;
}

/// An attempt to connect.
pub type Dialling<R> =
    Pin<Box<dyn Future<Output = io::Result<<FaultyRuntime<R> as Runtime>::Stream>> + Send>>;

macro_rules! movable {
    ($($runtime:ident)*) => {
        $(
            impl Movable for $runtime {
                fn fetch(request: RequestBuilder<FaultyRuntime<Self>>) -> Pin<Box<dyn Future<Output = Fetched> + Send>> {
                    Box::pin(fetch(request))
                }

                fn in_process(runtime: &FaultyRuntime<Self>) -> AnyTransport {
                    let session = Session::with_runtime(runtime.clone());
                    session.update(pass_on);
                    Arc::new(InProcess::new(session))
                }

                fn dial(runtime: &FaultyRuntime<Self>, host: String, port: u16) -> Dialling<Self> {
                    let runtime = runtime.clone();
                    Box::pin(async move {
                        let first = match host.parse() {
                            Ok(address) => Some(SocketAddr::new(address, port)),
                            Err(_) => runtime.resolve(&host, port).await?.into_iter().next(),
                        };
                        let first = first.ok_or(io::ErrorKind::NotFound)?;
                        runtime.connect(first, Tcp::default(), None).await
                    })
                }
            }

            sessio_driver::service!(FaultyRuntime<$runtime>);
        )*
    };
}

/// Makes the settings of a session that changes nothing of a request and its response.
fn pass_on(settings: &mut Settings) {
    settings.headers = Headers::new();
    settings.codings = Decoders::none();
    (settings.cookies, settings.follow_redirects, settings.trust_env) = (false, false, false);
}

movable! { Tokio Smol Blocking Network }
