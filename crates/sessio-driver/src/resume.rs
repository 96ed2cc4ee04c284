//! A body in a file, over several requests.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use sessio::http::{Method, StatusCode};
use sessio::range::{self, PartialFile, Validator, Verdict};
use sessio::{Error, Kind, PreparedCall, Url};

use crate::builder::RequestBuilder;
use crate::download::failure;
use crate::partial::Partial;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::session::Session;

in_both_modes! { RequestBuilder:
    /// Sends the request and writes the answer's whole body to a file, going on where an earlier try has stopped, in
    /// this process or another. Says how many bytes the file has; it is there whole or not at all.
    ///
    /// What has come is kept beside it, in `.name.part`, and with it, in `.name.part-of`, a mark of the URL (none of its
    /// text) and what the server said of its version: a strong `ETag`, or a `Last-Modified` that has settled
    /// ([`Validator::of`]). The next try asks for the rest if it is still the same (`Range`, `If-Range`: RFC 9110 section
    /// 14). Whatever else comes, or came from another URL, is begun anew; without a validator so is everything. Decoders
    /// are off. [`restart`](Self::restart) begins anew in any case, [`Session::discard`](crate::Session::discard) removes
    /// what has come.
    ///
    /// On Unix only the owner of these two files may read them (mode 0600), and they are used only if this user has written
    /// them and nobody else may. The whole file has the permissions of the one that it replaces, or of a new one.
    /// One try at a time, where the file system has locks; a second one is
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy).
    ///
    /// A try is one call: who wants more than one says how often and how soon. It is two calls if the server refuses the
    /// rest or sends what does not fit ([`Verdict::AskAnew`]): the second one asks for all of it. Each has the time limits
    /// of the request. The calling thread waits for the file system, as it comes.
    ///
    /// Progress ([`on_download_progress`](Self::on_download_progress)) is counted from what has come before, out of the
    /// whole length.
    ///
    /// # Errors
    /// What the file system says, with the path; or as an [`io::Error`] that holds the [`Error`]:
    /// [`Kind::IncompleteBody`] and its like if there is still more of it; [`Kind::BadRange`] for an answer that does not
    /// fit ([`range::decide`]); [`Kind::Status`]; [`Kind::InvalidMethod`] if it is no GET. All leave what has come,
    /// and the file that was there before.
    async {
        /// ```no_run
        /// # async fn load<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> std::io::Result<()> {
        /// while let Err(error) = session.get("http://localhost:8080/archive").resume("archive").await {
        ///     let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<sessio::Error>());
        ///     if cause.is_none_or(|cause| cause.kind() != sessio::Kind::IncompleteBody) {
        ///         return Err(error);
        ///     }
        /// }
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Cancel safety
        /// Dropping the future closes its connection, and leaves what has come.
    }
    pub fn resume[](self, path: impl AsRef<Path>) -> io::Result<u64> {
        self.load(path.as_ref(), true).await
    }

    /// As [`resume`](Self::resume), but asks for all of it, whatever has come before. What has come is replaced as soon as
    /// the server sends all of it. A later [`resume`](Self::resume) goes on with what this one leaves.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    async {
        /// # Cancel safety
        /// As [`resume`](Self::resume).
    }
    pub fn restart[](self, path: impl AsRef<Path>) -> io::Result<u64> {
        self.load(path.as_ref(), false).await
    }
}

impl<R: Runtime, M> RequestBuilder<R, M> {
    async fn load(self, path: &Path, goes_on: bool) -> io::Result<u64> {
        let (session, request) = self.into_parts();
        if request.method != Method::GET {
            let detail = "what is not got cannot be resumed";
            return Err(Error::new(Kind::InvalidMethod).with_detail(detail).into());
        }
        let whole = session.prepare(request.for_download())?;
        let failed = |error| failure(path, error);
        let mut partial = Partial::of(path, range::resource_id(whole.request.url())).map_err(failed)?;
        let held = if goes_on { partial.held().map_err(failed)? } else { None };
        if let Some(held) = held {
            let mut rest = whole.clone();
            held.ask(&mut rest)?;
            if let Some(length) = go_on(&session, rest, &held, &mut partial, &failed).await? {
                partial.publish().map_err(failed)?;
                return Ok(length);
            }
        }
        let response = session.respond(whole).await?.error_for_status().map_err(Error::from)?;
        match range::decide(None, response.head()) {
            Ok(Verdict::StartOver) => {}
            Ok(_) => return Err(response.says_otherwise(Kind::BadRange, "all of it was asked for")),
            Err(error) => return Err(Error::from(error).with_url(response.url()).into()),
        }
        let length = start_over(response, &mut partial, &failed).await?;
        partial.publish().map_err(failed)?;
        Ok(length)
    }
}

/// Asks for the rest of what is held. Says how long the whole is, now that it is there; nothing if all of it is to be
/// asked for.
async fn go_on<R: Runtime, M>(
    session: &Session<R, M>,
    request: PreparedCall,
    held: &PartialFile,
    partial: &mut Partial,
    failed: &impl Fn(io::Error) -> io::Error,
) -> io::Result<Option<u64>> {
    let response = session.respond(request).await?;
    let response = match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => response,
        _ => response.error_for_status().map_err(Error::from)?,
    };
    let verdict = range::decide(Some(held), response.head());
    match verdict.map_err(|fault| Error::from(fault).with_url(response.url()))? {
        Verdict::StartOver => start_over(response, partial, failed).await.map(Some),
        Verdict::Complete => Ok(Some(held.length)),
        Verdict::Append { at, end, length } => {
            let url = response.url().clone();
            let mut file = partial.go_on(at).map_err(failed)?;
            match response.write_to(file, Some(end - at), failed).await? {
                Came::Whole(_) => {}
                Came::Less => return Err(incomplete("less came than its Content-Range says".into(), &url)),
                Came::More => {
                    // What it has sent so far is no better than the rest.
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

/// Writes all of it, and says how much that is.
async fn start_over<R: Runtime, M>(
    response: Response<R, M>,
    partial: &mut Partial,
    failed: &impl Fn(io::Error) -> io::Error,
) -> io::Result<u64> {
    let file = partial.start_over(Validator::of(response.headers()).as_ref()).map_err(failed)?;
    match response.write_to(file, None, failed).await? {
        Came::Whole(length) => Ok(length),
        Came::Less | Came::More => Ok(0),
    }
}

#[cold]
fn incomplete(detail: String, url: &Url) -> io::Error {
    Error::new(Kind::IncompleteBody).with_detail(detail).with_url(url).into()
}

impl<R: Runtime, M> Session<R, M> {
    /// Removes what tries to [`resume`](RequestBuilder::resume) a download to this path have left: the part and its note.
    /// Says whether there was anything. The file at the path stays.
    ///
    /// # Errors
    /// What the file system says, with the path; [`ResourceBusy`](io::ErrorKind::ResourceBusy) while a try is under way.
    pub fn discard(&self, path: impl AsRef<Path>) -> io::Result<bool> {
        let path = path.as_ref();
        Partial::of(path, String::new()).and_then(Partial::discard).map_err(|error| failure(path, error))
    }
}

/// How much of a body came.
enum Came {
    /// All that was expected: so many bytes.
    Whole(u64),
    Less,
    More,
}

impl<R: Runtime, M> Response<R, M> {
    /// Writes the body to a file: so many bytes, or as many as come.
    async fn write_to(
        mut self,
        mut file: &File,
        expected: Option<u64>,
        failed: &impl Fn(io::Error) -> io::Error,
    ) -> io::Result<Came> {
        let mut count = 0;
        loop {
            let bytes = self.next_bytes().await?;
            let n = bytes.len();
            if n == 0 {
                break;
            }
            if expected.is_some_and(|expected| n as u64 > expected - count) {
                return Ok(Came::More);
            }
            file.write_all(bytes).map_err(failed)?;
            self.take(n);
            count += n as u64;
        }
        Ok(if expected.is_some_and(|expected| count < expected) { Came::Less } else { Came::Whole(count) })
    }

    #[cold]
    fn says_otherwise(&self, kind: Kind, detail: &'static str) -> io::Error {
        Error::new(kind).with_detail(detail).with_url(self.url()).into()
    }
}
