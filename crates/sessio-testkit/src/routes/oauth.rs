//! An authorization server, and a resource for its tokens.

use super::asked::Asked;
use super::auth::credentials;
use crate::answer::Answer;
use crate::base64;
use crate::form;
use crate::json::Json;
use crate::tokens::{TOKEN_CLIENT, TOKEN_SECRET};

pub(super) fn token(asked: Asked<'_>) -> Answer {
    let wanted = base64::encode(format!("{TOKEN_CLIENT}:{TOKEN_SECRET}").as_bytes());
    if credentials(asked, "basic").as_deref() != Some(&*wanted) {
        return refuse(401, "invalid_client", "no such client, or not this secret");
    }
    let fields = form::text_pairs(&asked.request.body);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let mut tokens = asked.site.tokens();
    let is_granted = match field("grant_type") {
        "client_credentials" => true,
        "refresh_token" => tokens.renews(field("refresh_token")),
        _ => return refuse(400, "unsupported_grant_type", "see /"),
    };
    if !is_granted {
        return refuse(400, "invalid_grant", "this refresh token was used before");
    }
    let number = tokens.issue();
    let life = asked.query_value("life").and_then(|life| life.parse().ok());
    let token = Json::map([
        ("access_token", Json::text(format!("token-{number}"))),
        ("token_type", Json::text("Bearer")),
        ("expires_in", Json::Number(life.unwrap_or(3600))),
        ("refresh_token", Json::text(format!("refresh-{number}"))),
    ]);
    Answer::json(200, &token).with("Cache-Control", "no-store")
}

pub(super) fn api(asked: Asked<'_>) -> Answer {
    match credentials(asked, "bearer").filter(|token| asked.site.tokens().accepts(token)) {
        Some(token) => Answer::json(200, &Json::map([("token", Json::text(token))])),
        None => Answer::empty(401).with("WWW-Authenticate", "Bearer error=\"invalid_token\""),
    }
}

pub(super) fn revoke(asked: Asked<'_>) -> Answer {
    asked.site.tokens().revoke();
    Answer::empty(200)
}

fn refuse(status: u16, error: &str, why: &str) -> Answer {
    Answer::json(status, &Json::map([("error", Json::text(error)), ("error_description", Json::text(why))]))
}
