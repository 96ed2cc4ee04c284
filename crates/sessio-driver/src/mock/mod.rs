//! A mock: a transport with scripted responses, which records its requests.
//!
//! A test mounts it on the URLs of a server. The session is the same as over sockets: its cookies,
//! redirects, authentication, content codings and time limits run for real.
//!
//! ```
//! # fn try_it<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio_driver::sessio::Result<()> {
//! use sessio_driver::mock::{Mock, Reply};
//! use sessio_driver::sessio::Mount;
//!
//! let mock = Mock::new()
//!     .on("GET", "/users", Reply::ok("[]"))
//!     .on("POST", "/users", |request: &sessio_driver::mock::Received| match request.text() {
//!         "" => Reply::new(400),
//!         _ => Reply::new(201).header("Location", "/users/1"),
//!     });
//! let mut settings = sessio_driver::sessio::Settings::default();
//! settings.mounts.add("https://api.example.org/", Mount::new().transport(mock.clone()))?;
//! // … after the requests of the test:
//! mock.assert_requests([""; 0]);
//! # Ok(())
//! # }
//! ```

mod received;
mod record;
mod reply;
mod transfer;

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::transport::{Transfer, Transport};
use sessio::{Error, Kind, Now, Prepared, Result};

pub use received::Received;
use record::Record;
pub use reply::{Reply, Respond, Sequence};
use transfer::MockTransfer;

/// A transport with scripted responses. See the [module](self).
///
/// Clones share their routes and their record: keep one for the assertions.
#[derive(Clone, Default)]
pub struct Mock {
    routes: Arc<Mutex<Vec<Route>>>,
    record: Record,
}

struct Route {
    method: String,
    path: String,
    respond: Arc<dyn Respond>,
}

impl Mock {
    /// A mock without routes. It fails every request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route. The first one that matches responds: add the special ones first.
    ///
    /// - `method`: its name, or `*` for any.
    /// - `path`: the path of the URL, such as `/users`. The query counts only if `path` has one.
    ///   A final `*` matches any rest, so that `/users/*` matches `/users/1`, and `*` matches
    ///   everything.
    /// - `respond`: a [`Reply`] for all requests, a [sequence](Reply::sequence) of replies for one
    ///   request each, or a function of the [request](Received).
    #[must_use]
    pub fn on(self, method: impl Into<String>, path: impl Into<String>, respond: impl Respond) -> Self {
        let route = Route { method: method.into(), path: path.into(), respond: Arc::new(respond) };
        self.routes().push(route);
        self
    }

    /// The requests so far, in the order in which they were complete.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.record.list().clone()
    }

    /// Takes the requests so far out of the record.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Received> {
        std::mem::take(&mut self.record.list())
    }

    /// Checks the requests so far. Each is written as method and target, such as `GET /users?page=2`.
    ///
    /// # Panics
    /// The requests are others. The message shows the difference line by line.
    #[track_caller]
    pub fn assert_requests<S: AsRef<str>>(&self, expected: impl IntoIterator<Item = S>) {
        let expected: Vec<_> = expected.into_iter().map(|line| line.as_ref().to_owned()).collect();
        let received: Vec<_> = self.record.list().iter().map(ToString::to_string).collect();
        assert!(
            received == expected,
            "the mock received other requests:\n{}",
            difference(&expected, &received)
        );
    }

    fn routes(&self) -> MutexGuard<'_, Vec<Route>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The route of a request.
    fn route(&self, method: &str, target: &str) -> Result<Arc<dyn Respond>> {
        let routes = self.routes();
        if let Some(route) = routes.iter().find(|route| route.matches(method, target)) {
            return Ok(Arc::clone(&route.respond));
        }
        let mut detail = format!("the mock has no route for {method} {target}; it has");
        match routes.is_empty() {
            true => detail.push_str(" none"),
            false => {
                for route in &*routes {
                    let _ = write!(detail, " {} {},", route.method, route.path);
                }
            }
        }
        Err(Error::new(Kind::Connect).with_detail(detail.trim_end_matches(',').to_owned()))
    }
}

impl Route {
    fn matches(&self, method: &str, target: &str) -> bool {
        let target = match self.path.contains('?') {
            true => target,
            false => target.split('?').next().unwrap_or_default(),
        };
        let is_path = match self.path.strip_suffix('*') {
            Some(start) => target.starts_with(start),
            None => target == self.path,
        };
        is_path && (self.method == "*" || self.method == method)
    }
}

impl Transport for Mock {
    fn open(&self, request: &Prepared, now: Now) -> Result<Box<dyn Transfer>> {
        let respond = self.route(request.method().as_str(), request.target())?;
        if respond.early().is_some_and(|reply| reply.is_refusal()) {
            return Err(reply::refusal());
        }
        Ok(Box::new(MockTransfer::new(self.record.clone(), respond, request, now)))
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.routes();
        let routes = all.iter().map(|route| format!("{} {}", route.method, route.path));
        f.debug_struct("Mock")
            .field("routes", &routes.collect::<Vec<_>>())
            .field("received", &self.record.list().len())
            .finish()
    }
}

/// Two lists of lines as one: `-` marks lines that are missing, `+` those that are not expected.
fn difference(expected: &[String], received: &[String]) -> String {
    // The longest common subsequence, from the ends.
    let mut common = vec![vec![0_usize; received.len() + 1]; expected.len() + 1];
    for (i, line) in expected.iter().enumerate().rev() {
        for (j, other) in received.iter().enumerate().rev() {
            common[i][j] = match line == other {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < expected.len() || j < received.len() {
        let (mark, line) = match (expected.get(i), received.get(j)) {
            (Some(line), Some(other)) if line == other => (' ', line),
            (Some(line), Some(_)) if common[i + 1][j] >= common[i][j + 1] => ('-', line),
            (Some(line), None) => ('-', line),
            (_, Some(other)) => ('+', other),
            (None, None) => break,
        };
        i += usize::from(mark != '+');
        j += usize::from(mark != '-');
        let _ = writeln!(text, "  {mark} {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_difference_names_each_line_once() {
        for (expected, received, shown) in [
            (&["a", "b", "c"][..], &["a", "c"][..], "    a\n  - b\n    c\n"),
            (&["a", "c"], &["a", "b", "c"], "    a\n  + b\n    c\n"),
            (&["a"], &["b"], "  - a\n  + b\n"),
            (&[], &["b", "b"], "  + b\n  + b\n"),
            (&["a"], &[], "  - a\n"),
        ] {
            assert_eq!(difference(&lines(expected), &lines(received)), shown);
        }
    }

    #[test]
    fn a_route_matches_a_method_and_a_path() {
        for (method, path, asked, target, matches) in [
            ("GET", "/a", "GET", "/a", true),
            ("GET", "/a", "GET", "/a?x=1", true),
            ("GET", "/a?x=1", "GET", "/a?x=1", true),
            ("GET", "/a?x=1", "GET", "/a?x=2", false),
            ("GET", "/a", "POST", "/a", false),
            ("*", "/a", "POST", "/a", true),
            ("GET", "/a", "GET", "/ab", false),
            ("GET", "/a/*", "GET", "/a/b/c?d", true),
            ("GET", "/a/*", "GET", "/a", false),
            ("*", "*", "PUT", "/x", true),
        ] {
            let route =
                Route { method: method.into(), path: path.into(), respond: Arc::new(Reply::new(200)) };
            assert_eq!(route.matches(asked, target), matches, "{method} {path} {asked} {target}");
        }
    }

    #[test]
    fn a_request_without_a_route_is_an_error_that_lists_the_routes() {
        let mock = Mock::new().on("GET", "/a", Reply::ok("")).on("*", "/b/*", Reply::ok(""));
        let error = mock.route("GET", "/c").map(drop).unwrap_err();
        assert!(error.to_string().contains("no route for GET /c; it has GET /a, * /b/*"), "{error}");
        assert!(format!("{mock:?}").contains("GET /a"));
    }
}
