//! Requests for the rest of a download.

use crate::call::options::PreparedCall;
use crate::error::Result;
use crate::policy::range::PartialFile;
use crate::session::request::Request;

impl PartialFile {
    /// Makes a request [for a download](Request::for_download) ask for the rest, with `Range` and
    /// `If-Range`. Progress of the download is counted from the length of the partial file.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`](crate::Kind::InvalidHeader): a header cannot contain the
    ///   validator.
    pub fn ask(&self, call: &mut PreparedCall) -> Result<()> {
        let headers = call.request.headers_mut();
        headers.insert("Range", format!("bytes={}-", self.length))?;
        headers.insert("If-Range", self.validator.as_bytes())?;
        call.options.meters.count_from(self.length);
        Ok(())
    }
}

impl Request {
    /// Asks for the whole resource without content codings, since ranges count bytes as they are
    /// sent.
    pub fn for_download(self) -> Self {
        let request = self.remove_header("Range").remove_header("If-Range");
        request.header("Accept-Encoding", "identity").decode(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::range::Validator;

    #[test]
    fn what_is_held_asks_for_the_rest_of_it_as_it_is() {
        let mut settings = crate::Settings::default();
        settings.headers.insert("Range", "bytes=1-2").unwrap();
        let request = Request::get("http://example.org/").header("If-Range", "\"old\"");
        let merged = crate::merge(&settings, request.for_download());
        let mut request = crate::prepare(merged, &mut crate::Jar::new(), crate::testing::at(0)).unwrap();
        let asked = |call: &PreparedCall| {
            ["Accept-Encoding", "Range", "If-Range"]
                .map(|name| call.request.headers().get(name).map(str::to_owned))
        };
        assert_eq!(asked(&request), [Some("identity".to_owned()), None, None]);
        let held = PartialFile { length: 500, validator: Validator::read(b"\"v1\"").unwrap() };
        held.ask(&mut request).unwrap();
        let [_, range, validator] = asked(&request);
        assert_eq!((range.as_deref(), validator.as_deref()), (Some("bytes=500-"), Some("\"v1\"")));
        assert_eq!(format!("{:?}", held.validator), "Validator(\\\"v1\\\")");
    }
}
