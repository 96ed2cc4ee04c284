//! A body in a file, over several requests.

use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use sessio::http::{Method, StatusCode};
use sessio::range::{self, Validator, Verdict};
use sessio::{Error, Kind};

use crate::builder::RequestBuilder;
use crate::download::failure;
use crate::partial::Partial;
use crate::response::Response;
use crate::runtime::Runtime;

impl<R: Runtime> RequestBuilder<R> {
    /// Sends the request and writes the answer's whole body to a file, going on where an earlier try has stopped, in
    /// this process or another. Says how many bytes the file has; it is there whole or not at all.
    ///
    /// What has come is kept beside it, in `.name.part`, and with it, in `.name.part-of`, a mark of the URL (none of its
    /// text) and what the server said of its version: a strong `ETag`, or a `Last-Modified` that has settled
    /// ([`Validator::of`]). The next try asks for the rest if it is still the same (`Range`, `If-Range`: RFC 9110 section
    /// 14). Whatever else comes, or came from another URL, is begun anew; without a validator so is everything. Codings
    /// are off. One try at a time: nobody else may write to that file meanwhile.
    ///
    /// A try is one call: who wants more than one says how often and how soon. The calling thread waits for the file
    /// system, as it comes.
    ///
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
    /// # Errors
    /// What the file system says, with the path; or as an [`io::Error`] that holds the [`Error`]:
    /// [`Kind::IncompleteBody`] and its like if there is still more of it; [`Kind::BadRange`] for an answer that does not
    /// fit ([`range::decide`]); [`Kind::Status`]; [`Kind::InvalidMethod`] if it is no GET. All leave what has come,
    /// and the file that was there before.
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection, and leaves what has come.
    pub async fn resume(self, path: impl AsRef<Path>) -> io::Result<u64> {
        let path = path.as_ref();
        let (session, request) = self.into_parts();
        if request.method != Method::GET {
            let detail = "what is not got cannot be resumed";
            return Err(Error::new(Kind::InvalidMethod).with_detail(detail).into());
        }
        let mut request = session.prepare(range::plain(request))?;
        let failed = |error| failure(path, error);
        let partial = Partial::of(path, range::mark(request.url())).map_err(failed)?;
        let held = partial.held().map_err(failed)?;
        if let Some(held) = &held {
            held.ask(&mut request)?;
        }
        let response = session.execute(request).await?;
        let response = match response.status() {
            StatusCode::RANGE_NOT_SATISFIABLE if held.is_some() => response,
            _ => response.error_for_status().map_err(Error::from)?,
        };
        let verdict = range::decide(held.as_ref(), response.head());
        let saved = match verdict.map_err(|error| error.with_url(response.url()))? {
            Verdict::StartOver => {
                let file = partial.start_over(Validator::of(response.headers()).as_ref()).map_err(failed)?;
                response.write_to(file, None, failed).await?
            }
            Verdict::Append { at, end, length } => {
                let url = response.url().clone();
                let file = partial.go_on(at).map_err(failed)?;
                response.write_to(file, Some(at..end), failed).await?;
                if end < length {
                    let detail = format!("the server has sent {end} of {length} bytes");
                    return Err(Error::new(Kind::IncompleteBody).with_detail(detail).with_url(&url).into());
                }
                length
            }
            _ => held.map_or(0, |held| held.length),
        };
        partial.publish().map_err(failed)?;
        Ok(saved)
    }
}

impl<R: Runtime> Response<R> {
    /// Writes the body to a file: these places of it, or as many as come.
    async fn write_to(
        mut self,
        mut file: std::fs::File,
        places: Option<Range<u64>>,
        failed: impl Fn(io::Error) -> io::Error,
    ) -> io::Result<u64> {
        let (mut count, expected) = (0, places.as_ref().map(|places| places.end - places.start));
        loop {
            let bytes = self.fill_buf().await?;
            let n = bytes.len();
            if n == 0 {
                break;
            }
            if let (Some(places), Some(expected)) = (&places, expected)
                && n as u64 > expected - count
            {
                // What it has sent so far is no better than the rest.
                file.set_len(places.start).map_err(&failed)?;
                return Err(self.says_otherwise(Kind::BadRange, "more came than its Content-Range says"));
            }
            file.write_all(bytes).map_err(&failed)?;
            self.consume(n);
            count += n as u64;
        }
        match expected {
            Some(expected) if count < expected => {
                Err(self.says_otherwise(Kind::IncompleteBody, "less came than its Content-Range says"))
            }
            _ => Ok(count),
        }
    }

    #[cold]
    fn says_otherwise(&self, kind: Kind, detail: &'static str) -> io::Error {
        Error::new(kind).with_detail(detail).with_url(self.url()).into()
    }
}
