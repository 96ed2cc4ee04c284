//! A timer of compio.

use std::pin::Pin;
use std::task::{Context, Poll};

use sessio_driver::sessio::Instant;
use sessio_driver::{Sleep, clock};

/// A timer, which is made again when it is moved.
pub struct Timer(Pin<Box<dyn Future<Output = ()>>>);

impl Timer {
    pub fn new(at: Instant) -> Self {
        Self(Box::pin(compio::time::sleep_until(clock::to_std(at))))
    }
}

impl Sleep for Timer {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }

    fn reset(&mut self, at: Instant) {
        *self = Self::new(at);
    }
}
