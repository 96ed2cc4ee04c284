//! Routes with a status of choice, and with a delay of choice.

use std::time::Duration;

use super::echo;
use super::route_input::RouteInput;
use crate::json::Json;
use crate::response::Response;

/// One status, or several in turn. httpbin picks one at random, but a test has to know it.
pub(super) fn status(input: RouteInput<'_>, codes: &str) -> Response {
    let codes: Option<Vec<u16>> =
        codes.split(',').map(|code| code.parse().ok().filter(|code| (200..600).contains(code))).collect();
    let Some(codes) = codes else {
        return Response::text(400, "A status is a number from 200 to 599.\n");
    };
    let turn = input.site.turn(input.request.path());
    match codes[turn % codes.len()] {
        code @ (301 | 302 | 303 | 305 | 307 | 308) => Response::redirect(code, "/redirect/1"),
        401 => Response::empty(401).with("WWW-Authenticate", "Basic realm=\"Fake Realm\""),
        407 => Response::empty(407).with("Proxy-Authenticate", "Basic realm=\"Fake Realm\""),
        418 => Response::text(418, "I'm a teapot, short and stout.\n"),
        code => Response::empty(code),
    }
}

pub(super) fn delay(input: RouteInput<'_>, seconds: &str) -> Option<Response> {
    let delay = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())?;
    let mut response = Response::json(200, &Json::Map(echo::head(input)));
    response.delay = delay.min(Duration::from_secs(3600));
    Some(response)
}
