//! Credentials of the Authorization field.

use super::asked::Asked;
use crate::answer::Answer;
use crate::base64;
use crate::form::decode_segment;
use crate::json::Json;

/// Checks Basic credentials. `refusal` is the status without them.
pub(super) fn basic(asked: Asked<'_>, user: &str, password: &str, refusal: u16) -> Answer {
    let (user, password) = (decode_segment(user), decode_segment(password));
    let wanted = base64::encode(format!("{user}:{password}").as_bytes());
    match credentials(asked, "basic") {
        Some(given) if given == wanted => {
            Answer::json(200, &Json::map([("authenticated", Json::Bool(true)), ("user", Json::text(user))]))
        }
        _ if refusal == 401 => Answer::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\""),
        _ => Answer::empty(refusal),
    }
}

pub(super) fn bearer(asked: Asked<'_>) -> Answer {
    match credentials(asked, "bearer").filter(|token| !token.is_empty()) {
        Some(token) => {
            Answer::json(200, &Json::map([("authenticated", Json::Bool(true)), ("token", Json::text(token))]))
        }
        None => Answer::empty(401).with("WWW-Authenticate", "Bearer"),
    }
}

/// The text after the name of the scheme.
pub(super) fn credentials(asked: Asked<'_>, scheme: &str) -> Option<String> {
    let field = asked.request.header("authorization")?;
    let (name, rest) = field.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
}
