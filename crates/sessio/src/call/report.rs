//! How a call tells its observer of events.

use super::event::Event;
use super::machine::Call;

impl Call {
    /// Tells an event.
    #[inline]
    pub(super) fn report(&mut self, event: Event<'_>) {
        if self.is_watched() {
            self.report_all(&event);
        }
    }

    /// Tells an event that lends something of the call's own.
    #[inline]
    pub(super) fn report_own(&mut self, event: fn(&Self) -> Option<Event<'_>>) {
        if self.is_watched() {
            self.report_lent(event);
        }
    }

    #[cold]
    fn report_all(&mut self, event: &Event<'_>) {
        // It is out of the call meanwhile: an observer that panics is not put back.
        let Some(mut watch) = self.take_watch() else { return };
        watch(self, event);
        self.rare_mut().watch = Some(watch);
    }

    #[cold]
    fn report_lent(&mut self, event: fn(&Self) -> Option<Event<'_>>) {
        let Some(mut watch) = self.take_watch() else { return };
        if let Some(event) = event(self) {
            watch(self, &event);
        }
        self.rare_mut().watch = Some(watch);
    }
}
