//! A site with a login form, as a servlet container would serve it.

use super::cookies;
use super::route_input::RouteInput;
use crate::form;
use crate::json::Json;
use crate::login::Refusal;
use crate::response::Response;

const COOKIE: &str = "JSESSIONID";

pub(super) fn login(input: RouteInput<'_>) -> Response {
    match input.request.method() {
        "GET" | "HEAD" => page(input),
        "POST" => submit(input),
        _ => Response::text(405, "This route does not serve this method.\n").with("Allow", "GET, HEAD, POST"),
    }
}

fn page(input: RouteInput<'_>) -> Response {
    let token = input.site.logins().issue_token();
    Response::html(
        200,
        &format!(
            "<!doctype html>\n<html>\n<head><title>Log in</title></head>\n<body>\n\
             <form method=\"post\" action=\"/login\">\n\
             <input type=\"hidden\" name=\"csrf\" value=\"{token}\">\n\
             <input type=\"text\" name=\"user\">\n\
             <input type=\"password\" name=\"password\">\n\
             <button>Log in</button>\n</form>\n</body>\n</html>\n"
        ),
    )
}

fn submit(input: RouteInput<'_>) -> Response {
    let fields = form::text_pairs(&input.request.body);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    match input.site.logins().log_in(field("user"), field("password"), field("csrf")) {
        Ok(id) => {
            Response::redirect(302, "/private").with("Set-Cookie", format!("{COOKIE}={id}; Path=/; HttpOnly"))
        }
        Err(Refusal::Token) => {
            refuse(403, "the csrf field is not one that this site handed out with its form")
        }
        Err(Refusal::Credentials) => refuse(401, "no such user, or not this password"),
    }
}

pub(super) fn private(input: RouteInput<'_>) -> Response {
    let Some(id) = cookies::value(input, COOKIE) else {
        return refuse(401, "not logged in: the request has no JSESSIONID cookie");
    };
    match input.site.logins().user(&id) {
        Some(user) => Response::json(
            200,
            &Json::map([
                ("user", Json::text(user)),
                ("method", Json::text(input.request.method())),
                ("json", Json::recognise(&input.request.body)),
            ]),
        ),
        None => refuse(401, "not logged in: this JSESSIONID is unknown or has expired"),
    }
}

pub(super) fn logout(input: RouteInput<'_>) -> Response {
    if let Some(id) = cookies::value(input, COOKIE) {
        input.site.logins().log_out(&id);
    }
    Response::redirect(302, "/login").with("Set-Cookie", format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly"))
}

pub(super) fn expire(input: RouteInput<'_>) -> Response {
    let count = input.site.logins().expire();
    Response::json(200, &Json::map([("expired", Json::Number(count as u64))]))
}

fn refuse(status: u16, why: &str) -> Response {
    Response::json(status, &Json::map([("error", Json::text(why))]))
}
