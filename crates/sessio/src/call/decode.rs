//! Content codings of the response.

use http::StatusCode;

use super::machine::Call;
use super::options::PreparedCall;
use crate::base::kind::Kind;
use crate::error::{Error, Result};
use crate::message::coding::BodyDecoder;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::message::list::elements;

impl Call {
    /// The decoder for the response's content codings, as far as the options ask for one.
    pub(super) fn decoding_of(&self, head: &Head) -> Result<Option<Box<BodyDecoder>>> {
        let PreparedCall { request, options } = &*self.prepared;
        if options.decode == Some(false) || !head.headers.contains("Content-Encoding") {
            return Ok(None);
        }
        // A response without a body names the coding that it would have: that is no error.
        if self.receiver.left() == Some(0) {
            return Ok(None);
        }
        let lines = || head.headers.get_all("Content-Encoding");
        // A part of a coded body cannot be decoded by itself (row FB4).
        if options.decode.is_none() && head.status == StatusCode::PARTIAL_CONTENT {
            return Ok(None);
        }
        let is_wanted = options.decode == Some(true) || lines().all(|line| accepts(&request.headers, line));
        if !is_wanted {
            return Ok(None);
        }
        let decoding = BodyDecoder::of(&options.codings, lines())?;
        Ok(decoding.map(|decoding| Box::new(decoding.with_most_growth(options.limits.growth))))
    }

    /// Decodes received bytes until the caller has bytes to read. A connection that has carried the
    /// whole response is returned first: a decoding error says nothing about the connection.
    pub(super) fn decode(&mut self) {
        if self.conn.is_some() && self.has_carried() {
            return;
        }
        if let Err(error) = self.try_decode() {
            self.fail(error);
        }
    }

    fn try_decode(&mut self) -> Result<()> {
        let Some(decoding) = &mut self.decoding else { return Ok(()) };
        loop {
            self.receiver.advance();
            let coded = self.receiver.unread();
            let taken = decoding.push(coded)?;
            let is_all = taken == coded.len();
            self.receiver.consume(taken);
            if let Some(most) = self.prepared.options.limits.body_bytes.filter(|most| decoding.made() > *most)
            {
                // The caller reads the allowed bytes before the error, however the bytes were
                // split.
                decoding.drop_beyond(most);
                if decoding.ready().is_empty() {
                    return Err(Error::new(Kind::BodyTooLarge));
                }
            }
            if !decoding.ready().is_empty() || is_all && taken == 0 {
                return Ok(());
            }
        }
    }
}

/// Whether a request with these headers accepts every coding of this line (RFC 9110 section
/// 12.5.3).
fn accepts(headers: &Headers, line: &[u8]) -> bool {
    if !headers.contains("Accept-Encoding") {
        return true;
    }
    let named = |coding: &[u8]| {
        let accepted = headers.get_all("Accept-Encoding").flat_map(elements);
        let mut any = false;
        for item in accepted {
            let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let is_refused = parts.any(is_zero);
            if same(name, coding) {
                return !is_refused;
            }
            any |= name == b"*" && !is_refused;
        }
        any
    };
    elements(line).filter(|coding| !coding.is_empty() && !same(coding, b"identity")).all(named)
}

/// Compares names of codings: without case, and `x-gzip` equals `gzip`.
fn same(one: &[u8], other: &[u8]) -> bool {
    plain(one).eq_ignore_ascii_case(plain(other))
}

fn plain(name: &[u8]) -> &[u8] {
    if name.eq_ignore_ascii_case(b"x-gzip") { b"gzip" } else { name }
}

/// Whether the parameter is a weight of zero: `q=0`, `q=0.000`.
fn is_zero(parameter: &[u8]) -> bool {
    let weight = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="));
    weight.is_some_and(|weight| !weight.is_empty() && weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_what_is_undone() {
        for (accepted, coding, is_undone) in [
            (&["gzip, deflate"][..], "gzip", true),
            (&["gzip, deflate"], "X-Gzip", true),
            (&["gzip, deflate"], "br", false),
            (&["gzip, deflate"], "deflate, GZIP", true),
            (&["gzip, deflate"], "gzip, br", false),
            (&["gzip", "br;q=0.5"], "br", true),
            (&["identity"], "gzip", false),
            (&[""], "gzip", false),
            (&["gzip;q=0, *"], "gzip", false),
            (&["gzip; q=0.00, *"], "br", true),
            (&["*;q=0, gzip"], "br", false),
            (&["*"], "identity, zstd", true),
            (&["gzip"], "identity", true),
            (&[], "anything", true),
        ] {
            let mut headers = Headers::new();
            for line in accepted {
                headers.append("accept-encoding", line).unwrap();
            }
            assert_eq!(accepts(&headers, coding.as_bytes()), is_undone, "{accepted:?} {coding}");
        }
    }
}
