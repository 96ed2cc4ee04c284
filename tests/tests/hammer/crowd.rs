//! The concurrent tasks of each backend, on threads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use sessio_blocking::Blocking;
use sessio_driver::Runtime;
use sessio_smol::Smol;
use sessio_tokio::Tokio;

/// The time after which a crowd counts as stuck. Under a sanitizer it is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// The work of one member of a crowd.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A backend, and how it runs many tasks at once.
pub(crate) trait Crowd {
    type Runtime: Runtime + Default;
    /// The number of tasks.
    const SIZE: usize;

    /// Runs all tasks to their end, on several threads.
    fn run(tasks: Vec<Task>);
}

pub(crate) struct TokioTasks;

impl Crowd for TokioTasks {
    type Runtime = Tokio;
    const SIZE: usize = 64;

    fn run(tasks: Vec<Task>) {
        within_patience(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
            runtime.unwrap().block_on(async {
                let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    }
}

pub(crate) struct SmolTasks;

impl Crowd for SmolTasks {
    type Runtime = Smol;
    const SIZE: usize = 64;

    fn run(tasks: Vec<Task>) {
        within_patience(|| {
            let executor = smol::Executor::new();
            let (ended, is_ended) = smol::channel::unbounded::<()>();
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| smol::block_on(executor.run(is_ended.recv())));
                }
                // Dropped at the end, also by a panic. Then the threads end.
                let _ended = ended;
                let tasks: Vec<_> = tasks.into_iter().map(|task| executor.spawn(task)).collect();
                smol::block_on(async {
                    for task in tasks {
                        task.await;
                    }
                });
            });
        });
    }
}

pub(crate) struct Threads;

impl Crowd for Threads {
    type Runtime = Blocking;
    const SIZE: usize = 16;

    fn run(tasks: Vec<Task>) {
        within_patience(|| {
            thread::scope(|scope| {
                for task in tasks {
                    scope.spawn(|| sessio_blocking::wait(task));
                }
            });
        });
    }
}

/// Runs `run` in its own thread, so that a crowd that is stuck fails the test.
fn within_patience(run: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let runner = thread::spawn(move || {
        run();
        done.send(())
    });
    match is_done.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the crowd is stuck"),
        _ => drop(runner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
    }
}

/// Yields once, so that other tasks run.
pub(crate) async fn give_way() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        thread::yield_now();
        Poll::Pending
    })
    .await;
}
