//! Routes that redirect: chains, and one redirect to any URL.

use super::route_input::{RouteInput, fits_in_header};
use crate::form;
use crate::response::Response;

/// One hop of a chain that counts down. The query is passed on, except to the last URL.
pub(super) fn chain(input: RouteInput<'_>, route: &str, count: &str, absolute: bool) -> Option<Response> {
    let count: u32 = count.parse().ok().filter(|n| *n > 0)?;
    let target = match (count, input.request.query()) {
        (1, _) => "/get".to_owned(),
        (_, None) => format!("/{route}/{}", count - 1),
        (_, Some(query)) => format!("/{route}/{}?{query}", count - 1),
    };
    let response = Response::redirect(302, if absolute { input.url_of(&target) } else { target });
    Some(if input.query_flag("cookies") {
        response.with("Set-Cookie", format!("hop{count}=set; Path=/"))
    } else {
        response
    })
}

/// Takes the location and the status from the query or, as in httpbin, from a form.
pub(super) fn to(input: RouteInput<'_>) -> Response {
    let mut fields = form::pairs(input.request.query().unwrap_or_default().as_bytes());
    fields.extend(form::pairs(&input.request.body));
    let field = |name: &[u8]| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let Some(location) = field(b"url").filter(|url| fits_in_header(url)) else {
        return Response::text(400, "Where to? Give a url.\n");
    };
    let status = field(b"status_code").and_then(|code| String::from_utf8(code).ok()?.parse().ok());
    Response::redirect(status.filter(|code| (300..400).contains(code)).unwrap_or(302), location)
}
