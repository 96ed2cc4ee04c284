//! The list of chapters on the first page of each backend.

/// The chapters, for the documentation of a backend: `#![doc = sessio_driver::chapters!()]`. Its root
/// has the names that [`backend!`](crate::backend) writes.
#[doc(hidden)]
#[macro_export]
macro_rules! chapters {
    () => {
        "
# Where to start

[`Session`] has the settings, cookies and connections. Its methods begin a [`RequestBuilder`], and
`send` returns a [`Response`].

| task | chapter |
|---|---|
| the first program | [First steps](sessio::first_steps) |
| defaults, and what one request changes | [Settings and merging](sessio::settings), [`SessionBuilder`], [`Settings`] |
| cookies, and files of them | [Cookies](cookie), [`Session::cookies`](sessio_driver::Session::cookies) |
| uploads, downloads, forms, lines, events | [Bodies](sessio_driver::bodies), [`upload`], [`multipart`], [`body`] |
| failures, time limits, and sending again | [Errors and time limits](sessio::errors), [Retries](sessio::retries), [`retry`], [`pace`] |
| hooks, tokens, logins | [`hook`], [`Login`], [`auth`], and the chapter of the crate `sessio-tokio` |
| addresses, sockets, proxies | [Routes](sessio::connections), [Proxies](sessio::proxies), [`route`], [`proxy`] |
| certificates | [`tls`], [`Tls`], and the chapter of the crate `sessio-rustls` |
| limits on connections | [The pool](sessio::pooling), [`pool`] |
| tests of an application | the module `mock` (feature `mock`), and the chapter of the crate `sessio-tokio` |
| coming from another client | [requests](sessio::from_requests), [reqwest](sessio::from_reqwest), [ureq](sessio::from_ureq), [differences](sessio::differences) |
| what it costs | [Speed](sessio::speed), [Features](sessio::features) |
| another runtime, or no runtime | [Embedding](sessio::embedding), [Writing a backend](sessio_driver::writing_a_backend) |
"
    };
}
