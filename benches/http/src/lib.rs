//! The code that the clients of these benches share: their task, the measurement, and the check of
//! every response.

pub mod answer;
pub mod async_run;
pub mod blocking_run;
pub mod clients;
pub mod heap;
pub mod marks;
pub mod meter;
pub mod options;
pub mod plan;
pub mod raw;
pub mod session;
pub mod smol_run;
pub mod stream;
pub mod table;
pub mod text;
pub mod tls;
pub mod tokio_run;
pub mod zeros;

/// The result of a program of the benches.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
