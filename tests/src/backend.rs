//! The backends that every scenario runs on.

use std::time::Duration;

use sessio_blocking::Blocking;
use sessio_driver::Runtime;
use sessio_smol::Smol;
use sessio_tokio::Tokio;

use crate::simulation::{
    self,
    network::{Link, Network},
};

/// How long a scenario may take before it counts as hanging. None takes a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime, and how a scenario is run to its end on it.
pub trait Backend {
    /// Its sockets and its time.
    type Runtime: Runtime + Default;

    /// Runs a scenario to its end.
    fn run(scenario: impl Future<Output = ()> + Send + 'static);
}

/// Tokio, everything on the test's own thread.
#[derive(Debug)]
pub struct TokioCurrentThread;

impl Backend for TokioCurrentThread {
    type Runtime = Tokio;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime of tokio");
        runtime.block_on(within_patience(scenario));
    }
}

/// Tokio with worker threads: the scenario is a task, and may wake up on another thread after every await.
#[derive(Debug)]
pub struct TokioMultiThread;

impl Backend for TokioMultiThread {
    type Runtime = Tokio;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime of tokio");
        if let Err(failed) = runtime.block_on(runtime.spawn(within_patience(scenario))) {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

/// Smol, everything on the test's own thread but for its reactor.
#[derive(Debug)]
pub struct SmolCurrentThread;

impl Backend for SmolCurrentThread {
    type Runtime = Smol;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        smol::block_on(async {
            let patience = async {
                smol::Timer::after(PATIENCE).await;
                panic!("the scenario hangs");
            };
            smol::future::or(scenario, patience).await;
        });
    }
}

/// Plain sockets: the test's own thread waits in them.
#[derive(Debug)]
pub struct BlockingThread;

impl Backend for BlockingThread {
    type Runtime = Blocking;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        sessio_blocking::wait(scenario);
    }
}

/// A network in memory on which nothing takes any time.
#[derive(Debug)]
pub struct Simulation;

impl Backend for Simulation {
    type Runtime = Network;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        simulation::run(Link::default(), scenario);
    }
}

/// A network in memory that is slow, uneven, and cuts everything into small packets, drawn from a seed.
#[derive(Debug)]
pub struct RoughSimulation;

impl Backend for RoughSimulation {
    type Runtime = Network;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        simulation::run(simulation::ROUGH, scenario);
    }
}

async fn within_patience(scenario: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, scenario).await.expect("the scenario hangs");
}

/// Makes a test of each scenario on each backend, where its calls must tell the same. A scenario is an
/// `async fn name<R: Runtime>(world: &World<R>)`; a further backend is one line here.
#[macro_export]
macro_rules! scenarios {
    (@on $module:ident: $backend:ident => $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    use $crate::backend::{$backend, Backend};
                    let trace = $crate::trace::Trace::default();
                    let observed = trace.clone();
                    $backend::run(async move {
                        let runtime = <$backend as Backend>::Runtime::default();
                        let world = $crate::world::World::new(runtime, observed);
                        super::$name(&world).await;
                    });
                    $crate::agreement::agree(module_path!(), stringify!($name), stringify!($backend), &trace);
                }
            )*
        }
    };
    // What can be known of every scenario where it runs in virtual time.
    (@laws $($name:ident)*) => {
        $crate::scenarios! { @law repeated: repeat => $($name)* }
        $crate::scenarios! { @law dropped: drop_everywhere => $($name)* }
    };
    (@law $module:ident: $law:ident => $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    use $crate::simulation::{$law, network::Network};
                    $law(|| async {
                        let world = $crate::world::World::new(Network::default(), $crate::trace::Trace::default());
                        super::$name(&world).await;
                    });
                }
            )*
        }
    };
    // Scenarios in which a small answer comes together with its head: a network that cuts it up parts them.
    (together: $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on simulation: Simulation => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
    // Scenarios about what the system alone can make: socket files, other programs.
    (system: $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
    // Scenarios behind TLS, which draws chance of its own: no two runs are the same to the byte.
    (sealed: $($name:ident)*) => {
        $crate::scenarios! { waiting: $($name)* }
        $crate::scenarios! { @law dropped: drop_everywhere => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
    // Scenarios about waiting are for backends whose futures wait.
    (waiting: $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on simulation: Simulation => $($name)* }
        $crate::scenarios! { @on rough_simulation: RoughSimulation => $($name)* }
    };
    ($($name:ident)*) => {
        $crate::scenarios! { waiting: $($name)* }
        $crate::scenarios! { @laws $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
}
