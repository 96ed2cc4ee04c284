//! Emits events to the observer of a call.

use super::event::Event;
use super::machine::Call;

impl Call {
    /// Emits an event.
    #[inline]
    pub(super) fn report(&mut self, event: Event<'_>) {
        if self.is_watched() {
            self.report_all(&event);
        }
    }

    /// Emits an event that borrows from the call.
    #[inline]
    pub(super) fn report_own(&mut self, event: fn(&Self) -> Option<Event<'_>>) {
        if self.is_watched() {
            self.report_lent(event);
        }
    }

    #[cold]
    fn report_all(&mut self, event: &Event<'_>) {
        // The observer is out of the call while it runs: one that panics is not put back.
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
