//! Routes that echo the request.

use super::cookies;
use super::route_input::{RouteInput, fits_in_header};
use crate::field::{is_token, latin1};
use crate::json::Json;
use crate::response::Response;
use crate::{base64, form, multipart};

pub(super) fn without_body(input: RouteInput<'_>) -> Response {
    Response::json(200, &Json::Map(head(input)))
}

pub(super) fn with_body(input: RouteInput<'_>) -> Response {
    let mut entries = head(input);
    entries.extend(body(input));
    Response::json(200, &Json::Map(entries))
}

pub(super) fn anything(input: RouteInput<'_>) -> Response {
    let mut entries = head(input);
    entries.extend(body(input));
    entries.push(("method".to_owned(), Json::text(input.request.method())));
    entries.push(("cookies".to_owned(), cookies::received(input)));
    Response::json(200, &Json::Map(entries))
}

pub(super) fn headers(input: RouteInput<'_>) -> Response {
    let raw = input.request.headers.iter();
    let raw = raw
        .map(|(name, value)| Json::List(vec![Json::text(latin1(name)), Json::text(latin1(value))]))
        .collect();
    Response::json(200, &Json::map([("headers", joined(input)), ("raw", Json::List(raw))]))
}

pub(super) fn user_agent(input: RouteInput<'_>) -> Response {
    let agent = input.request.header("user-agent").map_or(Json::Null, Json::Text);
    Response::json(200, &Json::map([("user-agent", agent)]))
}

pub(super) fn ip(input: RouteInput<'_>) -> Response {
    Response::json(200, &Json::map([("origin", Json::text(input.origin.to_string()))]))
}

/// The query as header fields. Fields that frame the response are refused. Scripts can send wrong
/// framing.
pub(super) fn response_headers(input: RouteInput<'_>) -> Response {
    let pairs = form::pairs(input.request.query().unwrap_or_default().as_bytes());
    let framing = |name: &[u8]| {
        ["content-length", "transfer-encoding"].iter().any(|f| name.eq_ignore_ascii_case(f.as_bytes()))
    };
    let fits = |(name, value): &(Vec<u8>, Vec<u8>)| {
        !name.is_empty() && name.iter().all(is_token) && !framing(name) && fits_in_header(value)
    };
    if !pairs.iter().all(fits) {
        return Response::text(400, "These cannot be header fields.\n");
    }
    let texts: Vec<_> = pairs.iter().map(|(name, value)| (latin1(name), latin1(value))).collect();
    let mut response = Response::json(200, &Json::multimap(&texts));
    if texts.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        response.headers.clear();
    }
    pairs.into_iter().fold(response, |response, (name, value)| response.with(&latin1(&name), value))
}

/// The members that every echo has.
pub(super) fn head(input: RouteInput<'_>) -> Vec<(String, Json)> {
    let Json::Map(entries) = Json::map([
        ("args", Json::multimap(&input.query())),
        ("headers", joined(input)),
        ("origin", Json::text(input.origin.to_string())),
        ("url", Json::text(input.url())),
    ]) else {
        return Vec::new();
    };
    entries
}

/// The header fields by name. Values of one name are joined by commas.
fn joined(input: RouteInput<'_>) -> Json {
    let mut entries: Vec<(String, String)> = Vec::new();
    for (name, value) in &input.request.headers {
        let (name, value) = (latin1(name), latin1(value));
        match entries.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(&name)) {
            Some((_, first)) => *first = format!("{first},{value}"),
            None => entries.push((name, value)),
        }
    }
    Json::multimap(&entries)
}

/// The body: as a form if its type says so, otherwise as data, and as JSON if it is JSON.
fn body(input: RouteInput<'_>) -> Vec<(String, Json)> {
    let request = input.request;
    let kind = request.header("content-type").unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (mut data, mut fields, mut files) = (request.body.as_slice(), Vec::new(), Vec::new());
    match essence.as_str() {
        "application/x-www-form-urlencoded" => (data, fields) = (&[], form::text_pairs(data)),
        "multipart/form-data" => {
            for part in multipart::parts(&kind, data) {
                let content = as_text(&part.content);
                if part.filename.is_some() { &mut files } else { &mut fields }.push((part.name, content));
            }
            data = &[];
        }
        _ => {}
    }
    let Json::Map(entries) = Json::map([
        ("data", Json::text(as_text(data))),
        ("files", Json::multimap(&files)),
        ("form", Json::multimap(&fields)),
        ("json", Json::recognise(data)),
    ]) else {
        return Vec::new();
    };
    entries
}

/// Bytes as a JSON string, as httpbin does it: bytes that are not UTF-8 become a data URL.
fn as_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("data:application/octet-stream;base64,{}", base64::encode(bytes)),
    }
}
