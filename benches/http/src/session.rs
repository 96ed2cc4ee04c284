//! The code that the clients of sessio share on every runtime.

use sessio_tokio::pool::Policy;
use sessio_tokio::tls::{Certificates, Roots};
use sessio_tokio::{Mount, Result, Settings, Tls};

use crate::plan::{Plan, Workload};

/// The number of mounts of the workload with mounts.
const MOUNTS: usize = 100;

/// A pool that keeps a connection for each task and each host, or none if each request has its own.
pub fn policy(plan: &Plan) -> Policy {
    let mut policy = Policy::default();
    policy.max_idle = policy.max_idle.max(plan.hosts);
    if plan.workload.is_fresh() {
        policy.max_idle = 0;
    }
    policy.max_idle_per_host = policy.max_idle;
    policy
}

/// Sets the plan's headers and its TLS. The headers are those of a new session, except for the name
/// in `User-Agent`.
///
/// # Errors
///
/// If a header or the root is invalid.
pub fn set_up(settings: &mut Settings, plan: &Plan) -> Result<()> {
    if plan.workload.is_tls() {
        let tickets = plan.workload != Workload::Handshakes;
        settings.tls =
            Tls::default().roots(Roots::Only(Certificates::from_der([&plan.root])?)).tickets(tickets);
    }
    if plan.workload == Workload::Mounts {
        // Half are of other hosts, half of other paths of the server.
        for number in 0..MOUNTS / 2 {
            let mount = || Mount::new().header("x-mounted", "1");
            settings.mounts.add(&format!("https://host-{number}.example.org/v1/"), mount())?;
            settings.mounts.add(&format!("http://{}/service-{number}/", plan.authority), mount())?;
        }
    }
    for (name, value) in plan.headers() {
        settings.headers.insert(name, value)?;
    }
    Ok(())
}
