//! The state that the threads of a server share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::adapter::AdapterFactory;
use crate::memory_client::MemoryClient;
use crate::recorder::Recorder;
use crate::route_state::RouteState;
use crate::script_queue::ScriptQueue;
use crate::socket::Socket;

/// The state that the threads of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) site: Arc<RouteState>,
    pub(crate) script_queue: Arc<ScriptQueue>,
    /// The connections without a socket.
    pub(crate) memory_clients: Arc<Mutex<Vec<MemoryClient>>>,
    /// The adapters of its connections.
    pub(crate) adapters: Option<AdapterFactory>,
}

impl Shared {
    pub(crate) fn adapt(&self, socket: Socket) -> Arc<Socket> {
        Arc::new(match &self.adapters {
            Some(adapters) => adapters.adapt(socket),
            None => socket,
        })
    }

    pub(crate) fn memory_clients(&self) -> MutexGuard<'_, Vec<MemoryClient>> {
        self.memory_clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
