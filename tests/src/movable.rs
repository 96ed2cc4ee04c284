//! Runtimes whose connections move between threads.

use std::pin::Pin;

use sessio_blocking::Blocking;
use sessio_driver::{RequestBuilder, Runtime};
use sessio_smol::Smol;
use sessio_tokio::Tokio;

use crate::rig::Rig;
use crate::simulation::network::Network;
use crate::whole::{Whole, whole};

/// A runtime whose connections and futures move between threads. That holds for all but
/// single-threaded ones.
///
/// The compiler can prove `Send` for its futures only if the runtime is a known type. So each
/// runtime boxes them itself.
pub trait Movable: Runtime<Stream: Send, Sleep: Send> + Send + Sync {
    /// Sends a request, and reads all of the response.
    fn whole(request: RequestBuilder<Rig<Self>>) -> Pin<Box<dyn Future<Output = Whole> + Send>>;
}

macro_rules! movable {
    ($($runtime:ident)*) => {
        $(
            impl Movable for $runtime {
                fn whole(request: RequestBuilder<Rig<Self>>) -> Pin<Box<dyn Future<Output = Whole> + Send>> {
                    Box::pin(whole(request))
                }
            }

            sessio_driver::service!(Rig<$runtime>);
        )*
    };
}

movable! { Tokio Smol Blocking Network }
