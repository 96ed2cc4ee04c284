//! Reports the progress of the bodies.

use http::StatusCode;

use super::machine::{Call, Phase};
use crate::base::progress::{BodyProgress, Way};
use crate::message::head::Head;
use crate::policy::range;

impl Call {
    /// Reports the sent bytes of the request's body, if there are new ones.
    #[cold]
    pub(super) fn report_upload(&mut self) {
        if !self.is_sending() {
            return;
        }
        let total = self.prepared.request.announced();
        let bytes = self.sender.body_sent().min(total.unwrap_or(u64::MAX));
        self.measure(Way::Up, BodyProgress { bytes, total });
    }

    /// Reports the received bytes of the response's body, if there are new ones.
    #[cold]
    pub(super) fn report_download(&mut self) {
        if matches!(self.phase, Phase::Body(_)) {
            let (mut bytes, mut total) = (self.receiver.body_received(), self.receiver.announced());
            if let Some((held, length)) = self.rare.as_ref().and_then(|rare| rare.resumed) {
                bytes += held;
                total = length;
            }
            self.measure(Way::Down, BodyProgress { bytes, total });
        }
    }

    /// If the response continues a partial file, counts bytes and the total from the start of that
    /// file.
    #[cold]
    pub(super) fn resume_meters(&mut self, head: &Head) {
        let held = self.prepared.options.meters.held().filter(|_| head.status == StatusCode::PARTIAL_CONTENT);
        let resumed = held.filter(|held| range::first_of(head) == Some(*held));
        let rare = self.rare_mut();
        rare.resumed = resumed.map(|held| (held, range::length_of(head)));
        if let Some(held) = resumed {
            // These bytes are not new.
            rare.reported[Way::Down as usize] = held;
        }
    }

    /// Restarts the count of the request's body for a new exchange.
    #[cold]
    pub(super) fn restart_meters(&mut self) {
        let was_reported = std::mem::take(&mut self.rare_mut().reported[Way::Up as usize]) > 0;
        let is_told = self
            .prepared
            .options
            .meters
            .of(Way::Up)
            .filter(|_| was_reported && !self.prepared.request.body.is_empty());
        if let Some(tell) = is_told {
            tell(BodyProgress { bytes: 0, total: self.prepared.request.announced() });
        }
    }

    fn measure(&mut self, way: Way, transfer: BodyProgress) {
        let Some(tell) = self.prepared.options.meters.of(way) else { return };
        let reported = &mut self.rare_mut().reported[way as usize];
        if *reported < transfer.bytes {
            *reported = transfer.bytes;
            tell(transfer);
        }
    }
}
