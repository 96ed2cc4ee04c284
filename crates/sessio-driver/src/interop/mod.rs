//! Bodies as types of other crates. Each module is behind a feature, which adds API and one crate
//! of traits.

#[cfg(feature = "tower")]
mod in_process;
#[cfg(feature = "futures-io")]
mod reader;
#[cfg(feature = "http-body")]
mod response_body;
#[cfg(feature = "tower")]
mod service;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "http-body")]
mod upload_body;

#[cfg(feature = "tower")]
pub use in_process::{InProcess, InProcessBody};
#[cfg(feature = "http-body")]
pub use response_body::ResponseBody;
#[cfg(feature = "tower")]
pub use service::Serve;
#[cfg(feature = "stream")]
pub use stream::{BytesStream, StreamSource};
#[cfg(feature = "http-body")]
pub use upload_body::BodySource;
