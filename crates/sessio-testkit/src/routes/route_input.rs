//! The request that a route receives.

use std::net::IpAddr;

use crate::form;
use crate::request::Request;
use crate::route_state::RouteState;

/// A request, with the state of the site, as a route receives it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RouteInput<'a> {
    pub(super) request: &'a Request,
    pub(super) origin: IpAddr,
    pub(super) site: &'a RouteState,
}

impl RouteInput<'_> {
    /// The fields of the query.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        form::text_pairs(self.request.query().unwrap_or_default().as_bytes())
    }

    pub(super) fn query_value(&self, name: &str) -> Option<String> {
        self.query().into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Whether a query field is present and is neither `0` nor `false`, in any case.
    pub(super) fn query_flag(&self, name: &str) -> bool {
        self.query_value(name)
            .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "0" | "false"))
    }

    /// The requested URL, with the host that the client named.
    pub(super) fn url(&self) -> String {
        if self.request.target().contains("://") {
            return self.request.target().to_owned();
        }
        self.url_of(self.request.target())
    }

    pub(super) fn url_of(&self, target: &str) -> String {
        format!("http://{}{target}", self.request.header("host").unwrap_or_default())
    }
}

/// Whether bytes can be part of a header field without ending it.
pub(super) fn fits_in_header(value: &[u8]) -> bool {
    !value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0))
}
