//! Routes that echo and set cookies.

use super::route_input::{RouteInput, fits_in_header};
use crate::form;
use crate::json::Json;
use crate::response::Response;

/// The cookies of a request, and under `raw` the fields that contained them.
pub(super) fn show(input: RouteInput<'_>) -> Response {
    let raw = input.request.header_all("cookie").into_iter().map(Json::Text).collect();
    Response::json(200, &Json::map([("cookies", received(input)), ("raw", Json::List(raw))]))
}

pub(super) fn received(input: RouteInput<'_>) -> Json {
    let mut entries: Vec<(String, Json)> = Vec::new();
    for (name, value) in pairs(input) {
        // The first cookie of a name counts: a client sends the most specific one first.
        if !entries.iter().any(|(n, _)| *n == name) {
            entries.push((name, Json::Text(value)));
        }
    }
    Json::Map(entries)
}

/// The value of one cookie of a request.
pub(super) fn value(input: RouteInput<'_>, name: &str) -> Option<String> {
    pairs(input).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

fn pairs(input: RouteInput<'_>) -> Vec<(String, String)> {
    let lines = input.request.header_all("cookie");
    let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn set(input: RouteInput<'_>) -> Response {
    setting(form::pairs(input.request.query().unwrap_or_default().as_bytes()))
}

pub(super) fn set_one(name: &str, value: &str) -> Response {
    setting(vec![(form::decode(name.as_bytes(), false), form::decode(value.as_bytes(), false))])
}

fn setting(pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Response {
    let mut response = Response::redirect(302, "/cookies");
    for (mut cookie, value) in pairs {
        cookie.push(b'=');
        cookie.extend_from_slice(&value);
        cookie.extend_from_slice(b"; Path=/");
        if !fits_in_header(&cookie) {
            return Response::text(400, "This cannot be a cookie.\n");
        }
        response = response.with("Set-Cookie", cookie);
    }
    response
}

pub(super) fn delete(input: RouteInput<'_>) -> Response {
    let mut response = Response::redirect(302, "/cookies");
    for (mut cookie, _) in form::pairs(input.request.query().unwrap_or_default().as_bytes()) {
        cookie.extend_from_slice(b"=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
        if !fits_in_header(&cookie) {
            return Response::text(400, "This cannot be a cookie.\n");
        }
        response = response.with("Set-Cookie", cookie);
    }
    response
}
