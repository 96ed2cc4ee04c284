//! Routes with a status of choice, and with a delay of choice.

use std::time::Duration;

use super::asked::Asked;
use super::echo;
use crate::answer::Answer;
use crate::json::Json;

/// One status, or several in turn. httpbin picks one at random, but a test has to know it.
pub(super) fn status(asked: Asked<'_>, codes: &str) -> Answer {
    let codes: Option<Vec<u16>> =
        codes.split(',').map(|code| code.parse().ok().filter(|code| (200..600).contains(code))).collect();
    let Some(codes) = codes else {
        return Answer::text(400, "A status is a number from 200 to 599.\n");
    };
    let turn = asked.site.turn(asked.request.path());
    match codes[turn % codes.len()] {
        code @ (301 | 302 | 303 | 305 | 307 | 308) => Answer::redirect(code, "/redirect/1"),
        401 => Answer::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\""),
        407 => Answer::empty(407).with("Proxy-Authenticate", "Basic realm=\"Fake Realm\""),
        418 => Answer::text(418, "I'm a teapot, short and stout.\n"),
        code => Answer::empty(code),
    }
}

pub(super) fn delay(asked: Asked<'_>, seconds: &str) -> Option<Answer> {
    let delay = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())?;
    let mut answer = Answer::json(200, &Json::Map(echo::head(asked)));
    answer.delay = delay.min(Duration::from_secs(3600));
    Some(answer)
}
