//! Requests as command lines of curl.

mod shell;

use std::fmt::Write as _;

use http::Method;
use url::Position;

use crate::message::body::Content;
use crate::message::headers::Field;
use crate::prepared::Prepared;
use crate::uri::address::without_userinfo;
use crate::uri::redacted::{RedactedPairs, RedactedReference, RedactedUrl};

/// Whether a text shows secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "secrets are shown or they are not")]
pub enum Secrets {
    /// Secrets are masked. The text can be shared, but it does not send the same request.
    Masked,
    /// Secrets are shown.
    Shown,
}

/// The length in bytes from which curl waits for `100 Continue`. Newer versions wait from 1 MiB.
const EXPECT_FROM: usize = 1024;
/// The length in bytes of a body that one argument can hold. Linux allows 128 KiB.
const LONGEST_ARGUMENT: usize = 64 * 1024;

impl Prepared {
    /// A command line that sends the same request by curl, for a POSIX shell.
    ///
    /// Method, URL or target, header fields and body are the same. Header fields that curl adds by
    /// itself are switched off. Host, User-Agent and Accept may have another position. The way is
    /// curl's own: proxies, TLS settings and routes are not part of a request.
    ///
    /// A body with bytes that an argument cannot hold is piped from `printf`. A body from a source
    /// cannot be repeated: a comment at the end names it, and curl reads it from standard input. A
    /// `HEAD` request with a body makes curl wait for the body of the response.
    ///
    /// With [`Secrets::Masked`], secret header fields are `***` and secret values of the query are
    /// `REDACTED`, by the rules of [`Observer::dump`](crate::Observer::dump) and
    /// [`RedactedUrl`]. So are secret values of a form in the body. Other bodies are shown.
    ///
    /// ```
    /// use sessio::{Jar, Now, Request, Secrets, Settings, UnixTime, merge, prepare};
    ///
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.headers.clear();
    /// let request = Request::post("https://example.org/users").bearer_auth("s3cr3t").form([("name", "Ada L.")]);
    /// let call = prepare(merge(&settings, request), &mut Jar::new(), now)?;
    /// assert_eq!(
    ///     call.request.to_curl(Secrets::Masked),
    ///     "curl --http1.1 https://example.org/users -H 'User-Agent:' -H 'Accept:' \
    ///      -H 'Content-Type: application/x-www-form-urlencoded' -H 'Authorization: ***' \
    ///      --data-binary name=Ada+L."
    /// );
    /// # Ok::<(), sessio::Error>(())
    /// ```
    #[must_use]
    pub fn to_curl(&self, secrets: Secrets) -> String {
        let body = self.curl_body(secrets);
        let mut line = String::new();
        if let Some(Data::Piped(bytes)) = &body {
            let _ = write!(line, "printf '{}' | ", shell::Format(bytes));
        }
        line.push_str("curl");
        self.push_url(secrets, &mut line);
        self.push_method(body.is_some(), &mut line);
        self.push_fields(secrets, body.as_ref(), &mut line);
        match body {
            None => {}
            Some(Data::Argument(bytes)) => {
                let _ = write!(line, " --data-binary {}", shell::Word(&bytes));
            }
            Some(Data::Piped(_)) => line.push_str(" --data-binary @-"),
            Some(Data::Source { length, coding }) => {
                line.push_str(" --data-binary @- # body: a source of ");
                let _ = match length {
                    Some(length) => write!(line, "{length} bytes"),
                    None => write!(line, "unknown length"),
                };
                if let Some(coding) = coding {
                    let _ = write!(line, " after the coding {coding}");
                }
                line.push_str(", from standard input");
            }
        }
        line
    }

    fn push_url(&self, secrets: Secrets, line: &mut String) {
        let mut url = without_userinfo(&self.url);
        url.set_fragment(None);
        if url.scheme() == "https" {
            line.push_str(" --http1.1");
        }
        // The URL has no dot segments, and no brackets or braces outside of its host: curl has nothing
        // to resolve or to expand.
        let shown = match secrets {
            Secrets::Masked => RedactedUrl::new(&url).to_string(),
            Secrets::Shown => url.to_string(),
        };
        let _ = write!(line, " {}", shell::Word(shown.as_bytes()));
        if let Some(target) = self.target.as_deref() {
            let shown = match secrets {
                Secrets::Masked => RedactedReference(target).to_string(),
                Secrets::Shown => target.to_owned(),
            };
            let _ = write!(line, " --request-target {}", shell::Word(shown.as_bytes()));
        }
    }

    fn push_method(&self, has_data: bool, line: &mut String) {
        match (&self.method, has_data) {
            (&Method::GET, false) | (&Method::POST, true) => {}
            (&Method::HEAD, false) => line.push_str(" --head"),
            (method, _) => {
                let _ = write!(line, " -X {}", shell::Word(method.as_str().as_bytes()));
            }
        }
    }

    fn push_fields(&self, secrets: Secrets, body: Option<&Data>, line: &mut String) {
        let mut removed = vec!["User-Agent", "Accept"];
        if let Some(data) = body {
            removed.push("Content-Type");
            if data.length().is_none_or(|length| length >= EXPECT_FROM) {
                removed.push("Expect");
            }
        }
        for name in removed.into_iter().filter(|name| !self.headers.contains(name)) {
            let _ = write!(line, " -H '{name}:'");
        }
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        for field in self.headers.iter() {
            let is_curls_own = field.name.eq_ignore_ascii_case("Content-Length")
                || (field.name == "Host" && field.value == host.as_bytes());
            if !is_curls_own {
                let _ = write!(line, " -H {}", shell::Word(&argument(field, secrets)));
            }
        }
    }

    /// The body, if there is any to announce.
    fn curl_body(&self, secrets: Secrets) -> Option<Data> {
        match &self.body.content {
            Content::Source { length, .. } => Some(Data::Source {
                length: *length,
                coding: self.body.coding.as_ref().map(|coding| coding.0.name()),
            }),
            // A form that cannot be read cannot be masked.
            Content::Bytes(bytes)
                if secrets == Secrets::Masked
                    && self.is_form()
                    && (self.headers.contains("Content-Encoding") || std::str::from_utf8(bytes).is_err()) =>
            {
                Some(Data::Source {
                    length: Some(bytes.len() as u64),
                    coding: self.body.coding.as_ref().map(|coding| coding.0.name()),
                })
            }
            Content::Bytes(bytes) => {
                let bytes = match std::str::from_utf8(bytes) {
                    Ok(form) if secrets == Secrets::Masked && self.is_form() => {
                        RedactedPairs(form).to_string().into_bytes()
                    }
                    _ => bytes.to_vec(),
                };
                let fits =
                    bytes.len() <= LONGEST_ARGUMENT && shell::is_text(&bytes) && bytes.first() != Some(&b'@');
                Some(if fits { Data::Argument(bytes) } else { Data::Piped(bytes) })
            }
            // Without data curl announces no length.
            Content::None => self.headers.contains("Content-Length").then(|| Data::Argument(Vec::new())),
        }
    }

    fn is_form(&self) -> bool {
        let form = "application/x-www-form-urlencoded";
        let kind = self.headers.get("Content-Type").unwrap_or_default();
        kind.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
    }
}

/// The body of a command line.
enum Data {
    /// Text that an argument can hold.
    Argument(Vec<u8>),
    /// Bytes for standard input.
    Piped(Vec<u8>),
    /// Bytes that are not known.
    Source { length: Option<u64>, coding: Option<&'static str> },
}

impl Data {
    fn length(&self) -> Option<usize> {
        match self {
            Self::Argument(bytes) | Self::Piped(bytes) => Some(bytes.len()),
            Self::Source { .. } => None,
        }
    }
}

/// A field as an argument of `-H`.
fn argument(field: Field<'_>, secrets: Secrets) -> Vec<u8> {
    if field.value.is_empty() {
        // curl removes a field that ends with its colon.
        return format!("{};", field.name).into_bytes();
    }
    match secrets {
        Secrets::Masked => field.to_string().into_bytes(),
        Secrets::Shown => [field.name.as_bytes(), b": ", field.value].concat(),
    }
}

#[cfg(test)]
mod tests;
