//! Bodies as iterators.

use std::ops::Deref;

use sessio_driver::sessio::sse::Event;
use sessio_driver::sessio::{Bytes, Result};

use crate::runtime::Blocking;
use crate::session::Response;
use crate::wait::wait;

/// The pieces of a body, as they come. An error is the last of them.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// let mut length = 0;
/// for piece in sessio_blocking::get(url("/bytes/100000"))?.chunks() {
///     length += piece?.len();
/// }
/// assert_eq!(length, 100_000);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Chunks {
    response: Response,
    is_over: bool,
}

/// The lines of a body. An error is the last of them.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// let lines: Vec<String> = sessio_blocking::get(url("/stream/3"))?.lines().collect::<Result<_, _>>()?;
/// assert!(lines.len() == 3 && lines[2].ends_with('}'));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lines {
    lines: sessio_driver::Lines<Blocking>,
    is_over: bool,
}

/// The server-sent events of a body. An error is the last of them. How to ask for the stream
/// once more is told at [`sessio_driver::Response::events`].
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut events = sessio_blocking::get("http://localhost:8080/events")?.events();
/// for event in &mut events {
///     println!("{}", event?.data);
/// }
/// println!("to be asked for again with {:?}", events.last_event_id());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Events {
    events: sessio_driver::Events<Blocking>,
    is_over: bool,
}

impl Chunks {
    pub(crate) fn of(response: Response) -> Self {
        Self { response, is_over: false }
    }
}

impl Lines {
    pub(crate) fn of(lines: sessio_driver::Lines<Blocking>) -> Self {
        Self { lines, is_over: false }
    }
}

impl Events {
    pub(crate) fn of(events: sessio_driver::Events<Blocking>) -> Self {
        Self { events, is_over: false }
    }
}

impl Iterator for Chunks {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        next(self.response.chunk(), &mut self.is_over)
    }
}

impl Iterator for Lines {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        next(wait(self.lines.next()), &mut self.is_over)
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        next(wait(self.events.next()), &mut self.is_over)
    }
}

/// An iterator that said an error again and again would never end for whoever passes errors over.
fn next<T>(item: Result<Option<T>>, is_over: &mut bool) -> Option<Result<T>> {
    if *is_over {
        return None;
    }
    *is_over = item.is_err();
    item.transpose()
}

/// What is known beside the pieces: the response.
impl Deref for Chunks {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.response
    }
}

/// What is known beside the lines: the response.
impl Deref for Lines {
    type Target = sessio_driver::Lines<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.lines
    }
}

/// What is known beside the events: the last id, when to ask again, the response.
impl Deref for Events {
    type Target = sessio_driver::Events<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.events
    }
}
