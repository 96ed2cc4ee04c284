//! What the clients of sessio share, whatever they run on.

use sessio_tokio::pool::Policy;
use sessio_tokio::{Result, Settings};

use crate::plan::Plan;

/// A pool that keeps a connection for each task and each host.
pub fn policy(plan: &Plan) -> Policy {
    let mut policy = Policy::default();
    policy.max_idle = policy.max_idle.max(plan.hosts);
    policy.max_idle_per_host = policy.max_idle;
    policy
}

/// Sets the plan's headers, which are those of a new session but for the name in `User-Agent`.
///
/// # Errors
/// A header that is none.
pub fn set_headers(settings: &mut Settings, plan: &Plan) -> Result<()> {
    plan.headers().into_iter().try_for_each(|(name, value)| settings.headers.insert(name, value))
}
