//! Evaluates the decision about a redirect.

use serde_json::Value;
use sessio::http::{Method, StatusCode};
use sessio::redirect::{Decision, Follow, Hop, RedirectRules, Replay, decide};
use sessio::{Address, Head, Headers, Kind};

use super::case::{Case, text_or_null};
use super::prepare::lines;
use super::{Failure, Object, object};

/// In: the request (`method`, `url`, `headers`, `body`), its response (`status`, `location_b64`),
/// the number of redirects before (`hops`), and `rules`. Out: `decision` with its `reason`. For
/// `follow` also the next request and the names of the dropped headers.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let method = case.text("method")?.unwrap_or("GET").to_ascii_uppercase();
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|_| sessio::Error::new(Kind::InvalidMethod))?;
    let address = Address::from(case.text("url")?.unwrap_or_default());
    let url = address.url().ok_or(Kind::InvalidUrl)?;
    let mut headers = Headers::new();
    for (name, value) in case.pairs("headers")? {
        if let Some(value) = text_or_null(name, value)? {
            headers.append(name, value)?;
        }
    }
    let body = match case.text("body")?.unwrap_or("none") {
        "none" => Replay::None,
        "replayable" => Replay::Possible,
        "consumed" => Replay::Impossible,
        _ => return Err(Failure::Input("body is none of none, replayable and consumed".to_owned())),
    };
    let taken = case.count("hops")?.unwrap_or(0);
    let hop = Hop { method: &method, url: &url, headers: &headers, body, taken };
    let decision = decide(&hop, &head(case)?, &rules(&case.inner("rules")?)?);
    let next = match &decision {
        Decision::Follow(next) => Some(next),
        _ => None,
    };
    let (decision, reason) = match &decision {
        Decision::Stop(why) => ("stop", Some(why.name())),
        Decision::Fail(why) => ("fail", Some(why.kind.name())),
        Decision::Follow(_) => ("follow", None),
    };
    Ok(object([
        ("decision", decision.into()),
        ("reason", reason.into()),
        ("method", next.map(|next| next.method.as_str()).into()),
        ("url", next.map(|next| next.url.as_str()).into()),
        ("headers", next.map(|next| lines(&next.headers)).into()),
        ("body", next.map(|next| if next.keeps_body { "keep" } else { "drop" }).into()),
        ("dropped", next.map(dropped).into()),
    ]))
}

/// The names of the headers that the next request lacks.
fn dropped(next: &Follow) -> Value {
    next.dropped.iter().map(|(name, _)| name.to_string()).collect()
}

fn head(case: &Case<'_>) -> Result<Head, Failure> {
    let status = case.count("status")?.unwrap_or(302);
    let status =
        StatusCode::from_u16(status).map_err(|_| Failure::Input("status is no status".to_owned()))?;
    let mut headers = Headers::new();
    if let Some(location) = case.bytes("location_b64")? {
        // Whitespace around a value is not part of it (RFC 9110 section 5.5).
        let blank = |byte: &u8| !matches!(byte, b' ' | b'\t');
        let start = location.iter().position(blank).unwrap_or(location.len());
        let end = location.iter().rposition(blank).map_or(start, |last| last + 1);
        headers.append("Location", &location[start..end])?;
    }
    Ok(Head::new(status, headers))
}

fn rules(case: &Case<'_>) -> Result<RedirectRules, Failure> {
    let mut rules = RedirectRules::default();
    if let Some(most) = case.count("max")? {
        rules.max = most;
    }
    rules.sensitive = case.texts("sensitive")?.into_iter().map(Box::from).collect();
    rules.keep_on_upgrade = case.flag("keep_on_upgrade")?.unwrap_or(rules.keep_on_upgrade);
    Ok(rules)
}
