//! The error of a tunnel handshake that the proxy did not finish.

use crate::base::fault::Fault;
use crate::base::kind::Kind;

/// The connection ended during the tunnel handshake.
pub(super) fn ended(received: u64) -> Fault {
    let kind = if received == 0 { Kind::ClosedBeforeResponse } else { Kind::IncompleteHead };
    Fault::new(kind).with_detail("within the conversation with the proxy")
}
