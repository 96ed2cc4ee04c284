//! Clients on tokio: all of them on one thread.

use std::rc::Rc;
use std::sync::Arc;

use tokio::task::LocalSet;

use crate::Outcome;
use crate::answer::Answer;
use crate::meter::Meter;
use crate::plan::{Plan, Workload};

/// A client.
pub trait Client: Sized + 'static {
    /// What one task sends its requests with: a handle on the client, or a connection of its own.
    type Worker: Worker;

    /// A client for a plan.
    fn start(plan: &Plan) -> impl Future<Output = Outcome<Self>>;

    /// What a further task works with.
    fn worker(&self, plan: &Plan) -> impl Future<Output = Outcome<Self::Worker>>;
}

/// What one task sends its requests with.
pub trait Worker: 'static {
    /// Sends the plan's request, and reads its answer to the end.
    fn get(&mut self, plan: &Plan) -> impl Future<Output = Outcome<Answer>>;
}

/// Runs the plan of the command line, and prints the reading.
///
/// # Errors
/// Whatever goes wrong; there is no reading then.
pub fn run<C: Client>() -> Outcome {
    let plan = Arc::new(Plan::of_program()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    if plan.workload == Workload::Idle {
        return local.block_on(&runtime, idle::<C>(plan));
    }
    if plan.tasks == 1 {
        return runtime.block_on(one::<C>(&plan));
    }
    local.block_on(&runtime, many::<C>(plan))
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

async fn many<C: Client>(plan: Arc<Plan>) -> Outcome {
    let client = Rc::new(C::start(&plan).await?);
    let mut workers = Vec::new();
    for _ in 0..plan.tasks {
        workers.push(client.worker(&plan).await?);
    }
    workers = rounds(workers, &plan, |_| plan.warm).await?;
    let meter = Meter::start(&plan);
    workers = rounds(workers, &plan, |task| plan.share(task)).await?;
    println!("{}", meter.read());
    drop(workers);
    Ok(())
}

/// Lets each worker make so many requests, all at once.
async fn rounds<W: Worker>(
    workers: Vec<W>,
    plan: &Arc<Plan>,
    requests: impl Fn(usize) -> usize,
) -> Outcome<Vec<W>> {
    let spawned: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(task, mut worker)| {
            let (plan, requests) = (Arc::clone(plan), requests(task));
            tokio::task::spawn_local(async move {
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

/// Opens as many connections as there are requests, and reads the meter once all of them idle.
///
/// The server answers none before all have asked, so there is a connection for each.
async fn idle<C: Client>(plan: Arc<Plan>) -> Outcome {
    let client = Rc::new(C::start(&plan).await?);
    // What there is once for all connections is not counted.
    let alone = Plan { requests: 1, ..Plan::clone(&plan) };
    client.worker(&alone).await?.get(&alone).await?.check(&alone)?;
    let meter = Meter::start(&plan);
    let mut workers = Vec::with_capacity(plan.requests);
    for _ in 0..plan.requests {
        workers.push(client.worker(&plan).await?);
    }
    let workers = rounds(workers, &plan, |_| 1).await?;
    // Connections that are driven by tasks of their own settle.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    println!("{}", meter.read());
    drop(workers);
    Ok(())
}
