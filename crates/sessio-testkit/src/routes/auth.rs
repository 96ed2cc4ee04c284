//! Credentials of the Authorization field.

use super::route_input::RouteInput;
use crate::base64;
use crate::form::decode_segment;
use crate::json::Json;
use crate::response::Response;

/// Checks Basic credentials. `refusal` is the status without them.
pub(super) fn basic(input: RouteInput<'_>, user: &str, password: &str, refusal: u16) -> Response {
    let (user, password) = (decode_segment(user), decode_segment(password));
    let wanted = base64::encode(format!("{user}:{password}").as_bytes());
    match credentials(input, "basic") {
        Some(given) if given == wanted => {
            Response::json(200, &Json::map([("authenticated", Json::Bool(true)), ("user", Json::text(user))]))
        }
        _ if refusal == 401 => Response::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\""),
        _ => Response::empty(refusal),
    }
}

pub(super) fn bearer(input: RouteInput<'_>) -> Response {
    match credentials(input, "bearer").filter(|token| !token.is_empty()) {
        Some(token) => Response::json(
            200,
            &Json::map([("authenticated", Json::Bool(true)), ("token", Json::text(token))]),
        ),
        None => Response::empty(401).with("WWW-Authenticate", "Bearer"),
    }
}

/// The text after the name of the scheme.
pub(super) fn credentials(input: RouteInput<'_>, scheme: &str) -> Option<String> {
    let field = input.request.header("authorization")?;
    let (name, rest) = field.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
}
