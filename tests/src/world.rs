//! What a scenario has at hand.

use std::convert::Infallible;
use std::time::Duration;

use sessio::Settings;
use sessio::pool::Policy;
use sessio_driver::{Runtime, Session};

use crate::carrier::Carrier;
use crate::rig::Rig;
use crate::trace::Trace;

/// One backend, and sessions on it whose calls are written down. The sockets go through a [`Rig`], which does
/// nothing unless a scenario tells it to.
#[derive(Debug)]
pub struct World<R> {
    runtime: R,
    trace: Trace,
    carrier: Carrier,
}

impl<R: Runtime> World<R> {
    /// A world on this backend.
    pub fn new(runtime: R, trace: Trace) -> Self {
        Self::carried(runtime, trace, Carrier::Clear)
    }

    /// A world whose servers are reached like this. It is made within [`Carrier::carry`].
    pub fn carried(runtime: R, trace: Trace, carrier: Carrier) -> Self {
        Self { runtime, trace, carrier }
    }

    /// How its servers are reached.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// A URL that a scenario wrote for clear text, as this world has it.
    pub fn url(&self, url: &str) -> String {
        url.replacen("http://", &format!("{}://", self.carrier.scheme()), 1)
    }

    /// A new session, straight on the backend's sockets. Whoever starts one server after another takes one for
    /// each, as the next may have the address of one that is gone.
    pub fn session(&self) -> Session<Rig<R>> {
        let session = self.session_on(self.rig());
        // Whether a connection is kept must not depend on how busy the machine is.
        set(&session, |settings| settings.limits.drain_time = Duration::from_secs(20));
        session
    }

    /// A new session on this rig.
    pub fn session_on(&self, rig: Rig<R>) -> Session<Rig<R>> {
        self.session_with_pool(rig, Policy::default())
    }

    /// A new session on this rig that keeps its idle connections by these rules.
    pub fn session_with_pool(&self, rig: Rig<R>, policy: Policy) -> Session<Rig<R>> {
        let session = Session::with_runtime(rig, policy);
        set(&session, |settings| {
            settings.observer = self.trace.observer();
            self.carrier.set_up(settings);
        });
        session
    }

    /// The backend with handles to turn, for [`session_on`](Self::session_on).
    pub fn rig(&self) -> Rig<R> {
        Rig::new(self.runtime.clone())
    }
}

fn set<R: Runtime>(session: &Session<R>, change: impl FnOnce(&mut Settings)) {
    let set: Result<(), Infallible> = session.update(|settings| {
        change(settings);
        Ok(())
    });
    let Ok(()) = set;
}
