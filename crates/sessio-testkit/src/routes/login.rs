//! A site with a login form, as a servlet container would serve it.

use super::asked::Asked;
use super::cookies;
use crate::answer::Answer;
use crate::form;
use crate::json::Json;
use crate::login::Refusal;

const COOKIE: &str = "JSESSIONID";

pub(super) fn login(asked: Asked<'_>) -> Answer {
    match asked.request.method() {
        "GET" | "HEAD" => page(asked),
        "POST" => submit(asked),
        _ => Answer::text(405, "This route does not serve this method.\n").with("Allow", "GET, HEAD, POST"),
    }
}

fn page(asked: Asked<'_>) -> Answer {
    let token = asked.site.logins().issue_token();
    Answer::html(
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

fn submit(asked: Asked<'_>) -> Answer {
    let fields = form::text_pairs(&asked.request.body);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    match asked.site.logins().log_in(field("user"), field("password"), field("csrf")) {
        Ok(id) => {
            Answer::redirect(302, "/private").with("Set-Cookie", format!("{COOKIE}={id}; Path=/; HttpOnly"))
        }
        Err(Refusal::Token) => {
            refuse(403, "the csrf field is not one that this site handed out with its form")
        }
        Err(Refusal::Credentials) => refuse(401, "no such user, or not this password"),
    }
}

pub(super) fn private(asked: Asked<'_>) -> Answer {
    let Some(id) = cookies::value(asked, COOKIE) else {
        return refuse(401, "not logged in: the request has no JSESSIONID cookie");
    };
    match asked.site.logins().user(&id) {
        Some(user) => Answer::json(
            200,
            &Json::map([
                ("user", Json::text(user)),
                ("method", Json::text(asked.request.method())),
                ("json", Json::recognise(&asked.request.body)),
            ]),
        ),
        None => refuse(401, "not logged in: this JSESSIONID is unknown or has expired"),
    }
}

pub(super) fn logout(asked: Asked<'_>) -> Answer {
    if let Some(id) = cookies::value(asked, COOKIE) {
        asked.site.logins().log_out(&id);
    }
    Answer::redirect(302, "/login").with("Set-Cookie", format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly"))
}

pub(super) fn expire(asked: Asked<'_>) -> Answer {
    let count = asked.site.logins().expire();
    Answer::json(200, &Json::map([("expired", Json::Number(count as u64))]))
}

fn refuse(status: u16, why: &str) -> Answer {
    Answer::json(status, &Json::map([("error", Json::text(why))]))
}
