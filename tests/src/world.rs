//! The environment of a scenario.

use std::time::Duration;

use sessio::pool::Policy;
use sessio::{Mount, Settings};
use sessio_driver::{Runtime, Session, SessionBuilder};

use crate::carrier::Carrier;
use crate::faulty_runtime::FaultyRuntime;
use crate::messages::AnyTransport;
use crate::trace::Trace;

/// One backend, with sessions whose calls are recorded. The sockets go through a [`FaultyRuntime`], which
/// changes nothing by default.
#[derive(Debug)]
pub struct World<R> {
    runtime: R,
    trace: Trace,
    carrier: Carrier,
    transport: Option<MakeTransport<R>>,
}

/// Makes the transport of one session from its runtime.
pub type MakeTransport<R> = fn(&FaultyRuntime<R>) -> AnyTransport;

impl<R: Runtime> World<R> {
    /// A world on this backend.
    pub fn new(runtime: R, trace: Trace) -> Self {
        Self::carried(runtime, trace, Carrier::Clear)
    }

    /// A world whose servers use this carrier. Call it within [`Carrier::carry`].
    pub fn carried(runtime: R, trace: Trace, carrier: Carrier) -> Self {
        Self { runtime, trace, carrier, transport: None }
    }

    /// Carries all `http` requests of each session over a transport of its own.
    #[must_use]
    pub fn with_transport(self, transport: MakeTransport<R>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// The carrier of its servers.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// A URL that a scenario wrote for clear text, with the scheme of this world's carrier.
    pub fn url(&self, url: &str) -> String {
        url.replacen("http://", &format!("{}://", self.carrier.scheme()), 1)
    }

    /// A new session directly on the backend's sockets. A scenario that starts one server after
    /// another needs a session for each, because a later server may have the address of an earlier
    /// one.
    pub fn session(&self) -> Session<FaultyRuntime<R>> {
        let session = self.session_on(self.runtime());
        // The reuse of a connection must not depend on the load of the machine.
        set(&session, |settings| settings.limits.drain_time = Duration::from_secs(20));
        session
    }

    /// A new session on this runtime.
    pub fn session_on(&self, runtime: FaultyRuntime<R>) -> Session<FaultyRuntime<R>> {
        self.session_with_pool(runtime, Policy::default())
    }

    /// A new session on this runtime whose pool has this policy.
    pub fn session_with_pool(&self, runtime: FaultyRuntime<R>, policy: Policy) -> Session<FaultyRuntime<R>> {
        let transport = self.transport.map(|make| make(&runtime));
        let session = SessionBuilder::new(runtime).pool(policy).build().expect("valid settings");
        set(&session, |settings| {
            settings.observer = self.trace.observer();
            self.carrier.set_up(settings);
            if transport.is_some() {
                let mut mount = Mount::new();
                mount.transport = transport;
                settings.mounts.add("http://", mount).expect("a pattern");
            }
        });
        session
    }

    /// A runtime around the backend, for [`session_on`](Self::session_on).
    pub fn runtime(&self) -> FaultyRuntime<R> {
        FaultyRuntime::new(self.runtime.clone())
    }
}

fn set<R: Runtime>(session: &Session<R>, change: impl FnOnce(&mut Settings)) {
    session.update(|settings| change(settings));
}
