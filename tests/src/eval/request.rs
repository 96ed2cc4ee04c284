//! Reads the request of a case.

use sessio::{Body, Request};

use super::Failure;
use super::case::{Case, scalars, text_or_null};
use super::session::credentials;

/// A request with `method` (default: `GET`), `url`, `headers`, `params`, `cookies`, `auth`, and one
/// of `form`, `json` and `body_b64`. A value of `null` removes it, also from the session. A `null`
/// `auth` counts as missing, as in requests (rule M-02).
pub(super) fn read(case: &Case<'_>) -> Result<Request, Failure> {
    let method = case.text("method")?.unwrap_or("GET");
    let mut request = Request::new(method, case.text("url")?.unwrap_or_default());
    for (name, value) in case.pairs("headers")? {
        request = match text_or_null(name, value)? {
            Some(value) => request.header(name, value),
            None => request.remove_header(name),
        };
    }
    for (key, value) in case.pairs("params")? {
        let values = scalars(key, value)?;
        if values.is_empty() {
            request = request.remove_param(key);
        }
        for value in values {
            request = request.param(key, value);
        }
    }
    for (name, value) in case.inner("cookies")?.entries() {
        match text_or_null(name, value)? {
            Some(value) => request = request.cookie(name, value),
            None => request.cookies.remove(name),
        }
    }
    if let Some((user, password)) = credentials(case)? {
        request = request.basic_auth(user, password);
    }
    let bodies = ["form", "json", "body_b64"].iter().filter(|field| case.value(field).is_some());
    if bodies.count() > 1 {
        return Err(Failure::Input("more than one of form, json and body_b64".to_owned()));
    }
    if case.value("form").is_some() {
        let mut pairs = Vec::new();
        for (key, value) in case.pairs("form")? {
            pairs.extend(scalars(key, value)?.into_iter().map(|value| (key, value)));
        }
        request = request.form(pairs);
    }
    if let Some(value) = case.value("json") {
        request = request.json(value);
    }
    if let Some(bytes) = case.bytes("body_b64")? {
        request = request.body(Body::from(bytes));
    }
    Ok(request)
}
