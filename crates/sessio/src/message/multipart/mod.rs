//! Multipart forms, `multipart/form-data` (RFC 7578): fields and files in one body.
//!
//! A [`Form`] consists of [`Part`]s. It becomes a body by
//! [`Request::multipart`](crate::Request::multipart) or
//! [`Body::multipart`](crate::Body::multipart). If all of its parts are bytes, so is the body. If
//! some are sources, whose bytes the driver supplies, the body is never held in memory. An
//! [`Assembly`] names the next piece then: bytes of the form itself, or of a source. The boundary
//! is drawn from the session's [`Seed`](crate::Seed).
//!
//! ```
//! use sessio::multipart::{Form, Part};
//! use sessio::{Body, Jar, Now, Request, Seed, Settings, UnixTime, merge, prepare};
//!
//! # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
//! let photo = Part::bytes(&b"\x89PNG.."[..]).file_name("cat.png").content_type("image/png");
//! let form = Form::new().text("title", "A \"cat\"").part("photo", photo);
//! let request = Request::post("http://example.org/").multipart(form, &mut Seed::new(7));
//! let prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?.request;
//!
//! let kind = prepared.headers().get("Content-Type").unwrap();
//! let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
//! assert_eq!(
//!     String::from_utf8_lossy(prepared.body().as_bytes().unwrap()),
//!     format!(
//!         "--{boundary}\r\n\
//!          Content-Disposition: form-data; name=\"title\"\r\n\
//!          \r\n\
//!          A \"cat\"\r\n\
//!          --{boundary}\r\n\
//!          Content-Disposition: form-data; name=\"photo\"; filename=\"cat.png\"\r\n\
//!          Content-Type: image/png\r\n\
//!          \r\n\
//!          \u{fffd}PNG..\r\n\
//!          --{boundary}--\r\n"
//!     )
//! );
//! # Ok::<(), sessio::Error>(())
//! ```

mod assembly;
mod boundary;
mod form;
mod layout;
mod part;

pub use assembly::{Assembly, Wanted};
pub use form::Form;
pub use part::Part;

pub(crate) use boundary::Declared;
pub(crate) use layout::Layout;

#[cfg(test)]
mod tests;
