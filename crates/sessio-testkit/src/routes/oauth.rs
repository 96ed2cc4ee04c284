//! An authorization server, and a resource for its tokens.

use super::auth::credentials;
use super::route_input::RouteInput;
use crate::base64;
use crate::form;
use crate::json::Json;
use crate::response::Response;
use crate::tokens::{TOKEN_CLIENT, TOKEN_SECRET};

pub(super) fn token(input: RouteInput<'_>) -> Response {
    let wanted = base64::encode(format!("{TOKEN_CLIENT}:{TOKEN_SECRET}").as_bytes());
    if credentials(input, "basic").as_deref() != Some(&*wanted) {
        return refuse(401, "invalid_client", "no such client, or not this secret");
    }
    let fields = form::text_pairs(&input.request.body);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let mut tokens = input.site.tokens();
    let is_granted = match field("grant_type") {
        "client_credentials" => true,
        "refresh_token" => tokens.renews(field("refresh_token")),
        _ => return refuse(400, "unsupported_grant_type", "see /"),
    };
    if !is_granted {
        return refuse(400, "invalid_grant", "this refresh token was used before");
    }
    let number = tokens.issue();
    let life = input.query_value("life").and_then(|life| life.parse().ok());
    let token = Json::map([
        ("access_token", Json::text(format!("token-{number}"))),
        ("token_type", Json::text("Bearer")),
        ("expires_in", Json::Number(life.unwrap_or(3600))),
        ("refresh_token", Json::text(format!("refresh-{number}"))),
    ]);
    Response::json(200, &token).with("Cache-Control", "no-store")
}

pub(super) fn api(input: RouteInput<'_>) -> Response {
    match credentials(input, "bearer").filter(|token| input.site.tokens().accepts(token)) {
        Some(token) => Response::json(200, &Json::map([("token", Json::text(token))])),
        None => Response::empty(401).with("WWW-Authenticate", "Bearer error=\"invalid_token\""),
    }
}

pub(super) fn revoke(input: RouteInput<'_>) -> Response {
    input.site.tokens().revoke();
    Response::empty(200)
}

fn refuse(status: u16, error: &str, why: &str) -> Response {
    Response::json(status, &Json::map([("error", Json::text(error)), ("error_description", Json::text(why))]))
}
