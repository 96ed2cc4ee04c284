//! The end of a response's body.

use std::time::Duration;

use http::{StatusCode, Version};

use super::request_context::RequestContext;
use super::reuse::{NoReuse, Reuse};
use crate::base::decimal;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::list::elements;

/// The framing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, in spite of any field.
    None,
    /// This many bytes.
    Length(u64),
    /// Chunks, a last chunk and trailers.
    Chunked,
    /// Everything up to the end of the connection.
    UntilClose,
}

/// The framing of a response, and the reuse of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The framing of the body.
    pub framing: Framing,
    /// Whether the connection may carry another request once the body has been read.
    pub reuse: Reuse,
    /// A field that must be corrected before others read it.
    pub(super) tidy: Tidy,
}

/// A correction of the fields before others read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tidy {
    Nothing,
    /// Remove a Content-Length that is overridden by a Transfer-Encoding (RFC 9112 section 6.3).
    HideLength,
    /// Replace a repeated Content-Length by one (RFC 9110 section 8.6).
    CollapseLength(u64),
}

impl Framing {
    /// Decides the framing of the body and the persistence of the connection (RFC 9112 sections 6.3
    /// and 9.3). The decision depends on the status, version and fields of the response, and on the
    /// request.
    ///
    /// It is stricter than RFC 9112: Content-Length and Transfer-Encoding must be valid even if
    /// they have no effect. The exception is an accepted CONNECT (RFC 9110 section 9.3.6).
    ///
    /// ```
    /// use sessio::h1::{RequestContext, Framing, NoReuse, Reuse};
    /// use sessio::http::{Method, StatusCode, Version};
    ///
    /// let asked = RequestContext::new(&Method::GET);
    /// let fields: [(&[u8], &[u8]); 2] = [(b"Content-Length", b"5"), (b"Connection", b"close")];
    /// let decision = Framing::decide(StatusCode::OK, asked, Version::HTTP_11, fields)?;
    /// assert_eq!(decision.framing, Framing::Length(5));
    /// assert_eq!(decision.reuse, Reuse::No(NoReuse::ClosedByResponse));
    /// # Ok::<(), sessio::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Kind::BadLength`] and [`Kind::ConflictingLength`] for a Content-Length that cannot be
    ///   used.
    /// - [`Kind::UnsupportedTransferCoding`] for a Transfer-Encoding other than exactly `chunked`,
    ///   or one in HTTP/1.0.
    /// - [`Kind::UnexpectedUpgrade`] for a 101 without an `Upgrade` in the request.
    pub fn decide<'a>(
        status: StatusCode,
        asked: RequestContext,
        version: Version,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Decision> {
        if asked.connect && status.is_success() {
            // RFC 9110 section 9.3.6, row Q03: both fields are ignored, the tunnel starts at once.
            return Ok(Decision::without_body(Reuse::No(NoReuse::Upgraded)));
        }
        let facts = Facts::gather(fields)?;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            if !asked.upgrade {
                return Err(Fault::new(Kind::UnexpectedUpgrade)); // row Q01
            }
            return Ok(Decision::without_body(Reuse::No(NoReuse::Upgraded)));
        }
        if facts.chunked && version < Version::HTTP_11 {
            // RFC 9112 section 6.1, row P031: such framing is faulty.
            return Err(Fault::new(Kind::UnsupportedTransferCoding).with_detail("in HTTP/1.0"));
        }
        let framing = facts.framing(status, asked);
        let deviation = facts.deviation(status);
        let tidy = match facts.length {
            Some(_) if facts.chunked => Tidy::HideLength,
            Some(length) if facts.repeated => Tidy::CollapseLength(length),
            _ => Tidy::Nothing,
        };
        let why = deviation
            .or_else(|| facts.closes(asked, version))
            .or_else(|| (framing == Self::UntilClose).then_some(NoReuse::UntilClose));
        let reuse = why.map_or(Reuse::Yes { idle_for: facts.idle_for, max: facts.max }, Reuse::No);
        Ok(Decision { framing, reuse, tidy })
    }
}

impl Decision {
    const fn without_body(reuse: Reuse) -> Self {
        Self { framing: Framing::None, reuse, tidy: Tidy::Nothing }
    }
}

/// The framing fields of a message, gathered in one pass.
#[derive(Default)]
struct Facts {
    length: Option<u64>,
    /// Content-Length was repeated, or was a list.
    repeated: bool,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    idle_for: Option<Duration>,
    max: Option<u32>,
}

impl Facts {
    fn gather<'a>(fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Self> {
        let mut facts = Self::default();
        for (name, value) in fields {
            // The length of the name excludes nearly every other field.
            match name.len() {
                14 if name.eq_ignore_ascii_case(b"content-length") => facts.content_length(value)?,
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => facts.transfer_encoding(value)?,
                10 if name.eq_ignore_ascii_case(b"connection") => facts.connection(value),
                10 if name.eq_ignore_ascii_case(b"keep-alive") => facts.keep_alive(value),
                _ => {}
            }
        }
        Ok(facts)
    }

    /// RFC 9110 section 8.6: `1*DIGIT`; a list of equal values counts as one.
    fn content_length(&mut self, value: &[u8]) -> Result<()> {
        if self.length.is_none()
            && let Some(length) = parse_number(value)
        {
            self.length = Some(length);
            return Ok(());
        }
        for element in elements(value) {
            let Some(length) = parse_number(element) else {
                return Err(Fault::new(Kind::BadLength).with_detail(format!("\"{}\"", escape(value))));
            };
            if let Some(known) = self.length {
                if known != length {
                    let detail = format!("{known} and {length}");
                    return Err(Fault::new(Kind::ConflictingLength).with_detail(detail));
                }
                self.repeated = true;
            }
            self.length = Some(length);
        }
        Ok(())
    }

    /// Exactly `chunked`, once: parsers disagree about every other coding and every list.
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<()> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            let detail = format!("\"{}\"", escape(value));
            return Err(Fault::new(Kind::UnsupportedTransferCoding).with_detail(detail));
        }
        self.chunked = true;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// `Keep-Alive: timeout=5, max=100`; unknown values are ignored.
    fn keep_alive(&mut self, value: &[u8]) {
        for parameter in elements(value) {
            let Some(equals) = memchr::memchr(b'=', parameter) else { continue };
            let (name, value) = (parameter[..equals].trim_ascii_end(), parameter[equals + 1..].trim_ascii());
            let Some(number) = parse_number(value) else { continue };
            if name.eq_ignore_ascii_case(b"timeout") {
                // Half of a short time is margin enough, and a stale connection is replaced anyway
                // (row FN12).
                let timeout = Duration::from_secs(number);
                let idle_for = timeout - (timeout / 2).min(Duration::from_secs(1));
                self.idle_for = Some(self.idle_for.map_or(idle_for, |known| known.min(idle_for)));
            } else if name.eq_ignore_ascii_case(b"max") {
                let max = u32::try_from(number).unwrap_or(u32::MAX);
                self.max = Some(self.max.map_or(max, |known| known.min(max)));
            }
        }
    }

    /// RFC 9112 section 6.3, rules 1 to 8.
    fn framing(&self, status: StatusCode, asked: RequestContext) -> Framing {
        let bodiless = status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        match self.length {
            _ if bodiless || asked.head => Framing::None,
            _ if self.chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        }
    }

    fn deviation(&self, status: StatusCode) -> Option<NoReuse> {
        // Servers must send neither field there (RFC 9110 section 8.6, RFC 9112 section 6.1). A
        // length of 0 in a 204 is common and harmless.
        let never = status.is_informational() || status == StatusCode::NO_CONTENT;
        match self.length {
            Some(_) if self.chunked => Some(NoReuse::LengthAndCoding),
            Some(_) if self.repeated => Some(NoReuse::RepeatedLength),
            Some(length) if never && length > 0 => Some(NoReuse::BodyWhereNone),
            _ if never && self.chunked => Some(NoReuse::BodyWhereNone),
            _ => None,
        }
    }

    /// RFC 9112 section 9.3.
    fn closes(&self, asked: RequestContext, version: Version) -> Option<NoReuse> {
        if self.close {
            Some(NoReuse::ClosedByResponse)
        } else if version < Version::HTTP_11 && !self.keep_alive {
            Some(NoReuse::OldVersion)
        } else if asked.close {
            Some(NoReuse::ClosedByRequest)
        } else if self.max == Some(0) {
            Some(NoReuse::Spent)
        } else {
            None
        }
    }
}

/// `1*DIGIT` up to 2^63-1; larger values overflow in some implementations (rows P013, P014).
fn parse_number(digits: &[u8]) -> Option<u64> {
    decimal::parse(digits).filter(|number| i64::try_from(*number).is_ok())
}
