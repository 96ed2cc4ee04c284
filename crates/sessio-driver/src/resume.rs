//! Saves a body to a file, over several requests.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use sessio::http::{Method, StatusCode};
use sessio::range::{self, PartialFile, Validator, Verdict};
use sessio::{Error, Kind, PreparedCall, Result, Url};

use crate::builder::RequestBuilder;
use crate::file_failure::failure;
use crate::partial_download::PartialDownload;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::session::Session;

in_both_modes! { RequestBuilder:
    /// Sends the request and saves the response's whole body to a file. It continues an earlier try
    /// of this or another process. Returns the length of the file in bytes. The file is complete or
    /// absent.
    ///
    /// The received bytes are kept in `.name.part` beside the file. `.name.part-of` contains a mark
    /// of the URL (none of its text) and the validator of the server. That is a strong `ETag`, or a
    /// `Last-Modified` that has settled ([`Validator::of`]). The next try requests the rest of the
    /// same version (`Range`, `If-Range`: RFC 9110 section 14). It starts over if the server sends
    /// anything else, if the part is of another URL, or if there is no validator. Decoders are off.
    /// [`restart`](Self::restart) always starts over, and
    /// [`Session::discard`](crate::Session::discard) removes the part.
    ///
    /// On Unix only the owner of these two files may read them (mode 0600). They are used only if
    /// this user has written them and no other user may write them. The complete file has the
    /// permissions of the one that it replaces, or of a new one. On a file system with locks only
    /// one try runs at a time, and a second one fails with
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy).
    ///
    /// A try is one call, and the caller decides about further tries. It is two calls if the server
    /// refuses the rest or sends a range that does not fit ([`Verdict::RequestWhole`]): the second one
    /// requests the whole file. Each call has the time limits of the request. The calling thread
    /// waits for the file system.
    ///
    /// Progress ([`on_download_progress`](Self::on_download_progress)) starts at the bytes of
    /// earlier tries, and its total is the whole length.
    ///
    /// # Errors
    /// All errors leave the part, and the file that was there before.
    ///
    /// - [`Kind::File`]: an error of the file system, with the path. [`Error::io_kind`] is its kind.
    /// - [`Kind::IncompleteBody`]: more of the body is missing.
    /// - [`Kind::BadRange`]: the response does not fit the request ([`range::decide`]).
    /// - [`Kind::Status`]: the response has an error status.
    /// - [`Kind::InvalidMethod`]: the method is not GET.
    /// - The reason why there is no response.
    async {
        /// ```no_run
        /// # async fn load<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
        /// while let Err(error) = session.get("http://localhost:8080/archive").resume("archive").await {
        ///     if error.kind() != sessio::Kind::IncompleteBody {
        ///         return Err(error);
        ///     }
        /// }
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Cancel safety
        /// Dropping the future closes its connection, and leaves the part.
    }
    pub fn resume[](self, path: impl AsRef<Path>) -> Result<u64> {
        self.load(path.as_ref(), true).await
    }

    /// Downloads like [`resume`](Self::resume), but requests the whole file, whatever was received
    /// before. An existing part is replaced as soon as the server sends the whole file. A later
    /// [`resume`](Self::resume) continues the part of this one.
    ///
    /// # Errors
    /// Those of [`resume`](Self::resume).
    async {
        /// # Cancel safety
        /// The same as for [`resume`](Self::resume).
    }
    pub fn restart[](self, path: impl AsRef<Path>) -> Result<u64> {
        self.load(path.as_ref(), false).await
    }
}

impl<R: Runtime, M> RequestBuilder<R, M> {
    async fn load(self, path: &Path, goes_on: bool) -> Result<u64> {
        let (session, request) = self.into_parts();
        if request.method != Method::GET {
            let detail = format!("only a GET can be resumed, and this is a {}", request.method);
            return Err(Error::new(Kind::InvalidMethod).with_detail(detail));
        }
        let whole = session.prepare(request.for_download())?;
        let failed = |error| failure("write the body to", path, error);
        let mut partial =
            PartialDownload::of(path, range::resource_id(whole.request.url())).map_err(failed)?;
        let held = if goes_on { partial.held().map_err(failed)? } else { None };
        if let Some(held) = held {
            let mut rest = whole.clone();
            held.ask(&mut rest)?;
            if let Some(length) = go_on(&session, rest, &held, &mut partial, &failed).await? {
                partial.commit().map_err(failed)?;
                return Ok(length);
            }
        }
        let response = session.respond(whole).await?.error_for_status()?;
        match range::decide(None, response.head()) {
            Ok(Verdict::StartOver) => {}
            Ok(_) => return Err(response.unexpected(Kind::BadRange, "all of it was asked for")),
            Err(error) => return Err(Error::from(error).with_url(response.url())),
        }
        let length = start_over(response, &mut partial, &failed).await?;
        partial.commit().map_err(failed)?;
        Ok(length)
    }
}

/// Requests the rest of the file. Returns the length of the complete file, or `None` if the whole
/// file must be requested.
async fn go_on<R: Runtime, M>(
    session: &Session<R, M>,
    request: PreparedCall,
    held: &PartialFile,
    partial: &mut PartialDownload,
    failed: &impl Fn(io::Error) -> io::Error,
) -> Result<Option<u64>> {
    let response = session.respond(request).await?;
    let response = match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => response,
        _ => response.error_for_status()?,
    };
    let verdict = range::decide(Some(held), response.head());
    match verdict.map_err(|fault| Error::from(fault).with_url(response.url()))? {
        Verdict::StartOver => start_over(response, partial, failed).await.map(Some),
        Verdict::Complete => Ok(Some(held.length)),
        Verdict::Append { at, end, length } => {
            let url = response.url().clone();
            let mut file = partial.go_on(at).map_err(failed)?;
            match response.write_to(file, Some(end - at), failed).await? {
                Received::Whole(_) => {}
                Received::Less => {
                    return Err(incomplete("less came than its Content-Range says".into(), &url));
                }
                Received::More => {
                    // The bytes so far are no more reliable than the rest.
                    file.set_len(at).and_then(|()| file.seek(SeekFrom::Start(at))).map_err(failed)?;
                    return Ok(None);
                }
            }
            if end < length {
                return Err(incomplete(format!("the server has sent {end} of {length} bytes"), &url));
            }
            Ok(Some(length))
        }
        _ => Ok(None),
    }
}

/// Writes the whole body, and returns its length.
async fn start_over<R: Runtime, M>(
    response: Response<R, M>,
    partial: &mut PartialDownload,
    failed: &impl Fn(io::Error) -> io::Error,
) -> Result<u64> {
    let file = partial.start_over(Validator::of(response.headers()).as_ref()).map_err(failed)?;
    match response.write_to(file, None, failed).await? {
        Received::Whole(length) => Ok(length),
        Received::Less | Received::More => Ok(0),
    }
}

#[cold]
fn incomplete(detail: String, url: &Url) -> Error {
    Error::new(Kind::IncompleteBody).with_detail(detail).with_url(url)
}

impl<R: Runtime, M> Session<R, M> {
    /// Removes the part of a download to this path and its note, which tries to
    /// [`resume`](RequestBuilder::resume) it have left. Returns `false` if there was neither. The
    /// file at the path stays.
    ///
    /// # Errors
    /// [`Kind::File`]: an error of the file system, with the path. If a try is running,
    /// [`Error::io_kind`] is [`ResourceBusy`](io::ErrorKind::ResourceBusy).
    pub fn discard(&self, path: impl AsRef<Path>) -> Result<bool> {
        let path = path.as_ref();
        let discarded = PartialDownload::of(path, String::new()).and_then(PartialDownload::discard);
        Ok(discarded.map_err(|error| failure("discard the part of", path, error))?)
    }
}

/// The number of received bytes, compared with the expected number.
enum Received {
    /// As many as expected: this number of bytes.
    Whole(u64),
    Less,
    More,
}

impl<R: Runtime, M> Response<R, M> {
    /// Writes the body to a file: `expected` bytes, or all bytes.
    async fn write_to(
        mut self,
        mut file: &File,
        expected: Option<u64>,
        failed: &impl Fn(io::Error) -> io::Error,
    ) -> Result<Received> {
        let mut count = 0;
        loop {
            let bytes = self.next_bytes().await?;
            let n = bytes.len();
            if n == 0 {
                break;
            }
            if expected.is_some_and(|expected| n as u64 > expected - count) {
                return Ok(Received::More);
            }
            file.write_all(bytes).map_err(failed)?;
            self.take(n);
            count += n as u64;
        }
        Ok(if expected.is_some_and(|expected| count < expected) {
            Received::Less
        } else {
            Received::Whole(count)
        })
    }

    #[cold]
    fn unexpected(&self, kind: Kind, detail: &'static str) -> Error {
        Error::new(kind).with_detail(detail).with_url(self.url())
    }
}
