//! Clients on tokio.

use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::async_run::{self, Client, Tasks};

/// Runs the plan of the command line, and prints the reading.
///
/// # Errors
///
/// Any failure. Then nothing is printed.
pub fn run<C: Client>() -> Outcome {
    async_run::run::<C, _>(&Tokio(Builder::new_current_thread().enable_all().build()?))
}

struct Tokio(Runtime);

impl Tasks for Tokio {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Outcome<T>> {
        let task = self.0.spawn(future);
        async { Ok(task.await?) }
    }
}
