//! Clients with several concurrent requests, all on one thread.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::Outcome;
use crate::answer::Answer;
use crate::meter::Meter;
use crate::plan::{Plan, Workload};

/// A client.
pub trait Client: Sized + 'static {
    /// The sender of one task: a handle on the client, or its own connection.
    type Worker: Worker;

    /// Makes a client for a plan.
    fn start(plan: &Plan) -> impl Future<Output = Outcome<Self>>;

    /// Makes the sender of a further task.
    fn worker(&self, plan: &Plan) -> impl Future<Output = Outcome<Self::Worker>>;
}

/// The sender of one task.
pub trait Worker: Send + 'static {
    /// Sends the plan's request, and reads its response to the end.
    fn get(&mut self, plan: &Plan) -> impl Future<Output = Outcome<Answer>> + Send;
}

/// A runtime that runs concurrent tasks on this thread.
pub trait Tasks {
    /// Runs a future to its end, and lets the spawned tasks run meanwhile.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;

    /// Starts a task.
    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Outcome<T>>;
}

/// Runs the plan of the command line, and prints the reading.
///
/// # Errors
///
/// Any failure. Then nothing is printed.
pub fn run<C: Client, T: Tasks>(tasks: &T) -> Outcome {
    let plan = Arc::new(Plan::of_program()?);
    match plan.workload {
        Workload::Idle => tasks.block_on(idle::<C>(tasks, plan)),
        _ if plan.tasks == 1 => tasks.block_on(one::<C>(&plan)),
        _ => tasks.block_on(many::<C>(tasks, plan)),
    }
}

async fn one<C: Client>(plan: &Plan) -> Outcome {
    let client = C::start(plan).await?;
    let mut worker = client.worker(plan).await?;
    for _ in 0..plan.warm {
        worker.get(plan).await?.check(plan)?;
    }
    let meter = Meter::start(plan);
    for _ in 0..plan.requests {
        worker.get(plan).await?.check(plan)?;
    }
    println!("{}", meter.read());
    Ok(())
}

async fn many<C: Client>(tasks: &impl Tasks, plan: Arc<Plan>) -> Outcome {
    let client = C::start(&plan).await?;
    let mut workers = Vec::new();
    for _ in 0..plan.tasks {
        workers.push(client.worker(&plan).await?);
    }
    workers = rounds(tasks, workers, &plan, |_| plan.warm).await?;
    let meter = Meter::start(&plan);
    workers = rounds(tasks, workers, &plan, |task| plan.share(task)).await?;
    println!("{}", meter.read());
    drop(workers);
    Ok(())
}

/// Lets each worker send the requests of its task. All workers run concurrently.
async fn rounds<W: Worker>(
    tasks: &impl Tasks,
    workers: Vec<W>,
    plan: &Arc<Plan>,
    requests: impl Fn(usize) -> usize,
) -> Outcome<Vec<W>> {
    let spawned: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(task, mut worker)| {
            let (plan, requests) = (Arc::clone(plan), requests(task));
            tasks.spawn(async move {
                for _ in 0..requests {
                    worker.get(&plan).await?.check(&plan)?;
                }
                Outcome::Ok(worker)
            })
        })
        .collect();
    let mut workers = Vec::with_capacity(spawned.len());
    for task in spawned {
        workers.push(task.await??);
    }
    Ok(workers)
}

/// Opens as many connections as there are requests, and reads the meter once all of them are idle.
///
/// The server responds to no request before all have arrived, so each one needs its own connection.
async fn idle<C: Client>(tasks: &impl Tasks, plan: Arc<Plan>) -> Outcome {
    let client = C::start(&plan).await?;
    // Costs that all connections share are not counted.
    let alone = Plan { requests: 1, ..Plan::clone(&plan) };
    client.worker(&alone).await?.get(&alone).await?.check(&alone)?;
    let meter = Meter::start(&plan);
    let mut workers = Vec::with_capacity(plan.requests);
    for _ in 0..plan.requests {
        workers.push(client.worker(&plan).await?);
    }
    let workers = rounds(tasks, workers, &plan, |_| 1).await?;
    // Lets the tasks of idle connections finish their work.
    for _ in 0..10 {
        give_way().await;
    }
    println!("{}", meter.read());
    drop(workers);
    Ok(())
}

/// Lets every other task run.
async fn give_way() {
    let mut is_back = false;
    poll_fn(|cx| {
        if is_back {
            return Poll::Ready(());
        }
        is_back = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
