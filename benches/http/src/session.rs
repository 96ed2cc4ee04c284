//! What the clients of sessio share, whatever they run on.

use sessio_tokio::pool::Policy;
use sessio_tokio::tls::{Certificates, Roots};
use sessio_tokio::{Result, Settings, Tls};

use crate::plan::{Plan, Workload};

/// A pool that keeps a connection for each task and each host, or none where each request has its own.
pub fn policy(plan: &Plan) -> Policy {
    let mut policy = Policy::default();
    policy.max_idle = policy.max_idle.max(plan.hosts);
    if plan.workload.is_fresh() {
        policy.max_idle = 0;
    }
    policy.max_idle_per_host = policy.max_idle;
    policy
}

/// Sets the plan's headers, which are those of a new session but for the name in `User-Agent`, and what it says of
/// TLS.
///
/// # Errors
/// A header that is none, or such a root.
pub fn set_up(settings: &mut Settings, plan: &Plan) -> Result<()> {
    if plan.workload.is_tls() {
        let tickets = plan.workload != Workload::Handshakes;
        settings.tls =
            Tls::default().roots(Roots::Only(Certificates::from_der([&plan.root])?)).tickets(tickets);
    }
    for (name, value) in plan.headers() {
        settings.headers.insert(name, value)?;
    }
    Ok(())
}
