//! Clients on smol.

use smol::Executor;

use crate::Outcome;
use crate::async_run::{self, Client, Tasks};

/// Runs the plan of the command line, and prints the reading.
///
/// # Errors
///
/// Any failure. Then nothing is printed.
pub fn run<C: Client>() -> Outcome {
    async_run::run::<C, _>(&Smol(Executor::new()))
}

struct Smol(Executor<'static>);

impl Tasks for Smol {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        smol::block_on(self.0.run(future))
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Outcome<T>> {
        let task = self.0.spawn(future);
        async { Ok(task.await) }
    }
}
