//! The backends that every scenario runs on.

use std::pin::Pin;
use std::time::Duration;

use sessio_blocking::Blocking;
use sessio_smol::Smol;
use sessio_tokio::Tokio;

use crate::carrier::Carrier;
use crate::messages::Http1;
use crate::movable::Movable;
use crate::simulation::{
    self,
    network::{Link, Network},
};
use crate::trace::Trace;
use crate::trace_equality::check_equal;
use crate::world::World;

/// The time after which a scenario counts as hanging. None takes a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime, and how it runs a scenario.
pub trait Backend {
    /// Its sockets and its time.
    type Runtime: Movable + Default;

    /// Runs a scenario to its end.
    fn run(scenario: impl Future<Output = ()> + Send + 'static);
}

/// Tokio, with everything on the thread of the test.
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

/// Tokio with worker threads. The scenario is a task, and may wake up on another thread after every
/// await.
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

/// Smol, with everything but its reactor on the thread of the test.
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

/// Plain sockets: the thread of the test blocks in them.
#[derive(Debug)]
pub struct BlockingThread;

impl Backend for BlockingThread {
    type Runtime = Blocking;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        sessio_blocking::wait(scenario);
    }
}

/// A network in memory without any delay.
#[derive(Debug)]
pub struct Simulation;

impl Backend for Simulation {
    type Runtime = Network;

    fn run(scenario: impl Future<Output = ()> + Send + 'static) {
        simulation::run(Link::default(), scenario);
    }
}

/// A slow and uneven network in memory. It cuts bytes into small packets by a seed.
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

/// A scenario on one kind of sockets. All scenarios have one type, so the code that runs them is
/// compiled once.
pub type Scenario<R> = for<'w> fn(&'w World<R>) -> Pin<Box<dyn Future<Output = ()> + Send + 'w>>;

/// Runs a scenario on a backend, over this carrier.
pub fn run<B: Backend>(scenario: Scenario<B::Runtime>, carrier: Carrier, trace: Trace) {
    B::run(async move {
        let world = World::carried(B::Runtime::default(), trace, carrier);
        let world = match carrier {
            Carrier::Messages => world.with_transport(Http1::transport),
            Carrier::InProcess => world.with_transport(B::Runtime::in_process),
            _ => world,
        };
        scenario(&world).await;
    });
}

/// Runs a scenario on a backend and compares its trace with those of the other backends.
pub fn check<B: Backend>(module: &str, name: &str, backend: &str, scenario: Scenario<B::Runtime>) {
    let trace = Trace::default();
    run::<B>(scenario, Carrier::Clear, trace.clone());
    check_equal(module, name, backend, &trace);
}

/// Runs a property of scenarios in virtual time.
pub fn hold(law: fn(&dyn Fn() -> Boxed), scenario: Scenario<Network>) {
    law(&|| {
        Box::pin(async move {
            let world = World::new(Network::default(), Trace::default());
            scenario(&world).await;
        })
    });
}

/// A future of any scenario.
pub type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a test of each scenario on each backend, with equal traces, and over each carrier. A
/// scenario is an `async fn name<R: Runtime>(world: &World<R>)`. A further backend is one line
/// here.
#[macro_export]
macro_rules! scenarios {
    (@on $module:ident: $backend:ident => $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::backend::check::<$crate::backend::$backend>(
                        module_path!(),
                        stringify!($name),
                        stringify!($backend),
                        |world| Box::pin(super::$name(world)),
                    );
                }
            )*
        }
    };
    (@program $module:ident: $backend:ident => $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                #[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
                fn $name() {
                    $crate::backend::check::<$crate::backend::$backend>(
                        module_path!(),
                        stringify!($name),
                        stringify!($backend),
                        |world| Box::pin(super::$name(world)),
                    );
                }
            )*
        }
    };
    // The properties that every scenario has in virtual time.
    (@laws $($name:ident)*) => {
        $crate::scenarios! { @law repeated: repeat => $($name)* }
        $crate::scenarios! { @law dropped: drop_everywhere => $($name)* }
    };
    (@law $module:ident: $law:ident => $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    $crate::backend::hold($crate::simulation::$law, |world| Box::pin(super::$name(world)));
                }
            )*
        }
    };
    // Every scenario over every carrier: in simulation, and on one real backend.
    (@carried [$($backend:ident)*] $($name:ident)*) => {
        mod carried {
            $(
                #[test]
                fn $name() {
                    $crate::matrix::simulated(stringify!($name), |world| Box::pin(super::$name(world)));
                }
            )*
        }
        mod carried_for_real {
            $crate::scenarios! { @each_for_real [$($backend)*] $($name)* }
        }
    };
    (@each_for_real $backends:tt $($name:ident)*) => {
        $( $crate::scenarios! { @one_for_real $backends $name } )*
    };
    (@one_for_real [$($backend:ident)*] $name:ident) => {
        #[test]
        fn $name() {
            $crate::matrix::real(stringify!($name), &[
                $((stringify!($backend), |carrier, trace| {
                    let scenario: $crate::backend::Scenario<_> = |world| Box::pin(super::$name(world));
                    $crate::backend::run::<$crate::backend::$backend>(scenario, carrier, trace);
                }),)*
            ]);
        }
    };
    // Scenarios in which a small response comes together with its head. A network that cuts bytes
    // would separate them.
    (together: $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on simulation: Simulation => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
        $crate::scenarios! { @carried [TokioCurrentThread SmolCurrentThread BlockingThread] $($name)* }
    };
    // Scenarios that need the system: socket files, children.
    (system: $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
    // Scenarios with real programs, which must be installed. They are ignored by default.
    (programs: $($name:ident)*) => {
        $crate::scenarios! { @program tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @program tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @program smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @program blocking: BlockingThread => $($name)* }
    };
    // Scenarios over TLS, which draws its own randomness. No two runs have the same bytes.
    (sealed: $($name:ident)*) => {
        $crate::scenarios! { @waiting $($name)* }
        $crate::scenarios! { @law dropped: drop_everywhere => $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
        $crate::scenarios! { @carried [TokioCurrentThread SmolCurrentThread BlockingThread] $($name)* }
    };
    // Scenarios without a connection: nothing differs over another carrier.
    (unconnected: $($name:ident)*) => {
        $crate::scenarios! { @waiting $($name)* }
        $crate::scenarios! { @laws $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
    };
    // Scenarios whose own proxies would replace those of a carrier.
    (uncarried: $($name:ident)*) => {
        $crate::scenarios! { unconnected: $($name)* }
    };
    // Scenarios about waiting, for backends whose futures return `Pending`.
    (waiting: $($name:ident)*) => {
        $crate::scenarios! { @waiting $($name)* }
        $crate::scenarios! { @carried [TokioCurrentThread SmolCurrentThread] $($name)* }
    };
    (@waiting $($name:ident)*) => {
        $crate::scenarios! { @on tokio_current_thread: TokioCurrentThread => $($name)* }
        $crate::scenarios! { @on tokio_multi_thread: TokioMultiThread => $($name)* }
        $crate::scenarios! { @on smol: SmolCurrentThread => $($name)* }
        $crate::scenarios! { @on simulation: Simulation => $($name)* }
        $crate::scenarios! { @on rough_simulation: RoughSimulation => $($name)* }
    };
    ($($name:ident)*) => {
        $crate::scenarios! { @waiting $($name)* }
        $crate::scenarios! { @laws $($name)* }
        $crate::scenarios! { @on blocking: BlockingThread => $($name)* }
        $crate::scenarios! { @carried [TokioCurrentThread SmolCurrentThread BlockingThread] $($name)* }
    };
}
