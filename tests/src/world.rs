//! What a scenario has at hand.

use std::convert::Infallible;
use std::time::Duration;

use sessio_driver::{Runtime, Session};

use crate::rig::Rig;

/// One backend, and sessions on it. The sockets go through a [`Rig`], which does nothing unless a scenario
/// tells it to.
#[derive(Debug)]
pub struct World<R> {
    runtime: R,
}

impl<R: Runtime> World<R> {
    /// A world on this backend.
    pub fn new(runtime: R) -> Self {
        Self { runtime }
    }

    /// A new session, straight on the backend's sockets.
    pub fn session(&self) -> Session<Rig<R>> {
        let session = Session::on(self.rig());
        // Whether a connection is kept must not depend on how busy the machine is.
        let set: Result<(), Infallible> = session.update(|settings| {
            settings.limits.drain_time = Duration::from_secs(20);
            Ok(())
        });
        let Ok(()) = set;
        session
    }

    /// The backend with handles to turn, for [`Session::on`].
    pub fn rig(&self) -> Rig<R> {
        Rig::new(self.runtime.clone())
    }
}
