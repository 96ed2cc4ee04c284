//! Evaluates the request that a session prepares.

use serde_json::{Value, json};
use sessio::{Headers, merge, prepare};

use super::case::{Case, encode, shown};
use super::{Failure, Object, clock, object, request, session};

/// In: `session` and `request`, of which every part may be missing. Out: `method`, `url`, `target`,
/// `headers` in the order in which they are sent, `body_b64`.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let now = clock::now(case)?;
    let (settings, mut jar) = session::read(&case.inner("session")?, now)?;
    let request = request::read(&case.inner("request")?)?;
    let prepared = prepare(merge(&settings, request), &mut jar, now)?.request;
    Ok(object([
        ("method", prepared.method().as_str().into()),
        ("url", prepared.url().as_str().into()),
        ("target", prepared.target().into()),
        ("headers", lines(prepared.headers())),
        ("body_b64", encode(prepared.body().as_bytes().unwrap_or_default())),
    ]))
}

/// Header fields as `[name, value]`.
pub(super) fn lines(headers: &Headers) -> Value {
    headers.iter().map(|field| json!([field.name, shown(field.value)])).collect()
}
