//! The state that the threads of a server share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::coat::Wardrobe;
use crate::memory_client::MemoryClient;
use crate::recorder::Recorder;
use crate::script_queue::ScriptQueue;
use crate::site::Site;
use crate::socket::Socket;

/// The state that the threads of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) site: Arc<Site>,
    pub(crate) script_queue: Arc<ScriptQueue>,
    /// The connections without a socket.
    pub(crate) guests: Arc<Mutex<Vec<MemoryClient>>>,
    /// The adapters of its connections.
    pub(crate) wardrobe: Option<Wardrobe>,
}

impl Shared {
    pub(crate) fn dress(&self, socket: Socket) -> Arc<Socket> {
        Arc::new(match &self.wardrobe {
            Some(wardrobe) => wardrobe.dress(socket),
            None => socket,
        })
    }

    pub(crate) fn guests(&self) -> MutexGuard<'_, Vec<MemoryClient>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
