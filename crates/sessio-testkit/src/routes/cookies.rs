//! Routes that echo and set cookies.

use super::asked::{Asked, fits_in_header};
use crate::answer::Answer;
use crate::form;
use crate::json::Json;

/// The cookies of a request, and under `raw` the fields that contained them.
pub(super) fn show(asked: Asked<'_>) -> Answer {
    let raw = asked.request.header_all("cookie").into_iter().map(Json::Text).collect();
    Answer::json(200, &Json::map([("cookies", received(asked)), ("raw", Json::List(raw))]))
}

pub(super) fn received(asked: Asked<'_>) -> Json {
    let mut entries: Vec<(String, Json)> = Vec::new();
    for (name, value) in pairs(asked) {
        // The first cookie of a name counts: a client sends the most specific one first.
        if !entries.iter().any(|(n, _)| *n == name) {
            entries.push((name, Json::Text(value)));
        }
    }
    Json::Map(entries)
}

/// The value of one cookie of a request.
pub(super) fn value(asked: Asked<'_>, name: &str) -> Option<String> {
    pairs(asked).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

fn pairs(asked: Asked<'_>) -> Vec<(String, String)> {
    let lines = asked.request.header_all("cookie");
    let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn set(asked: Asked<'_>) -> Answer {
    setting(form::pairs(asked.request.query().unwrap_or_default().as_bytes()))
}

pub(super) fn set_one(name: &str, value: &str) -> Answer {
    setting(vec![(form::decode(name.as_bytes(), false), form::decode(value.as_bytes(), false))])
}

fn setting(pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Answer {
    let mut answer = Answer::redirect(302, "/cookies");
    for (mut cookie, value) in pairs {
        cookie.push(b'=');
        cookie.extend_from_slice(&value);
        cookie.extend_from_slice(b"; Path=/");
        if !fits_in_header(&cookie) {
            return Answer::text(400, "This cannot be a cookie.\n");
        }
        answer = answer.with("Set-Cookie", cookie);
    }
    answer
}

pub(super) fn delete(asked: Asked<'_>) -> Answer {
    let mut answer = Answer::redirect(302, "/cookies");
    for (mut cookie, _) in form::pairs(asked.request.query().unwrap_or_default().as_bytes()) {
        cookie.extend_from_slice(b"=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
        if !fits_in_header(&cookie) {
            return Answer::text(400, "This cannot be a cookie.\n");
        }
        answer = answer.with("Set-Cookie", cookie);
    }
    answer
}
