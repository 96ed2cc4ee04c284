//! The routes: one function for each path.

mod asked;
mod auth;
mod bodies;
mod cookies;
mod echo;
mod login;
mod oauth;
mod redirects;
mod status;

use std::net::IpAddr;

use crate::answer::Answer;
use crate::request::Request;
use crate::site::Site;

use asked::Asked;

pub use bodies::pattern;

/// The routes, as `/` shows them.
pub const ROUTES: &str = "\
sessio-testkit: a loopback server with routes like httpbin's

/get /post /put /patch /delete        the request as JSON; one method each
/anything[/..]                        the request as JSON, with its method and cookies; every method
/headers                              its header fields, joined by name; under `raw` as received, in order
/user-agent /ip                       one detail of it
/cookies                              its cookies; under `raw` the fields they came in
/cookies/set?name=value&..            302 to /cookies, setting them; also /cookies/set/name/value
/cookies/delete?name&..               302 to /cookies, deleting them
/redirect/n[?cookies=1][&absolute=1]  n redirects, then /get; with cookies=1 the hop of number n sets hop{n}=set
/relative-redirect/n                  the same with paths in Location
/absolute-redirect/n                  the same with absolute URLs in Location
/redirect-to?url=..[&status_code=..]  one redirect to any URL; its bytes are sent as they are
/status/n[,m..]                       a status; of several each in turn
/basic-auth/user/password             401, or 200 with these credentials
/hidden-basic-auth/user/password      404, or 200 with these credentials
/bearer                               401, or 200 with any token
/delay/seconds                        the request as JSON, late; fractions are fine
/bytes/n                              n bytes, byte i being i mod 251
/stream-bytes/n /chunked/n            the same in chunks of ?chunk=size; trailers=1 adds trailer fields
/close/n                              the same, ended by the end of the connection
/stream/n                             n lines of JSON, each a chunk
/html /encoding/utf8                  text
/response-headers?name=value&..       these header fields
/login                                GET: a form; POST user, password, csrf: 302 to /private, setting JSESSIONID
/private                              200 when logged in, otherwise 401
/logout                               ends the login
/oauth/token[?life=seconds]           POST with the client's credentials: a token, which ends the one before
/oauth/api                            200 with the last token, otherwise 401
/oauth/revoke                         ends the last token
/expire                               ends all logins
";

/// The response to a request.
pub(crate) fn answer(request: &Request, origin: IpAddr, site: &Site) -> Answer {
    let asked = Asked { request, origin, site };
    let path = request.path();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let found = match segments.as_slice() {
        [""] => Some(Answer::text(200, ROUTES)),
        ["get"] => Some(only(request, "GET", || echo::without_body(asked))),
        ["post"] => Some(only(request, "POST", || echo::with_body(asked))),
        ["put"] => Some(only(request, "PUT", || echo::with_body(asked))),
        ["patch"] => Some(only(request, "PATCH", || echo::with_body(asked))),
        ["delete"] => Some(only(request, "DELETE", || echo::with_body(asked))),
        ["anything", ..] => Some(echo::anything(asked)),
        ["headers"] => Some(echo::headers(asked)),
        ["user-agent"] => Some(echo::user_agent(asked)),
        ["ip"] => Some(echo::ip(asked)),
        ["response-headers"] => Some(echo::response_headers(asked)),
        ["cookies"] => Some(cookies::show(asked)),
        ["cookies", "set"] => Some(cookies::set(asked)),
        ["cookies", "set", name, value] => Some(cookies::set_one(name, value)),
        ["cookies", "delete"] => Some(cookies::delete(asked)),
        ["redirect", n] => redirects::chain(asked, "redirect", n, asked.query_flag("absolute")),
        ["relative-redirect", n] => redirects::chain(asked, "relative-redirect", n, false),
        ["absolute-redirect", n] => redirects::chain(asked, "absolute-redirect", n, true),
        ["redirect-to"] => Some(redirects::to(asked)),
        ["status", codes] => Some(status::status(asked, codes)),
        ["basic-auth", user, password] => Some(auth::basic(asked, user, password, 401)),
        ["hidden-basic-auth", user, password] => Some(auth::basic(asked, user, password, 404)),
        ["bearer"] => Some(auth::bearer(asked)),
        ["delay", seconds] => status::delay(asked, seconds),
        ["bytes", n] => bodies::bytes(n),
        ["chunked" | "stream-bytes", n] => bodies::chunked(asked, n),
        ["close", n] => bodies::until_close(n),
        ["stream", n] => bodies::lines(asked, n),
        ["html"] => Some(bodies::html()),
        ["encoding", "utf8"] => Some(bodies::utf8()),
        ["login"] => Some(login::login(asked)),
        ["private"] => Some(login::private(asked)),
        ["logout"] => Some(login::logout(asked)),
        ["oauth", "token"] => Some(only(request, "POST", || oauth::token(asked))),
        ["oauth", "api"] => Some(oauth::api(asked)),
        ["oauth", "revoke"] => Some(oauth::revoke(asked)),
        ["expire"] => Some(login::expire(asked)),
        _ => None,
    };
    found.unwrap_or_else(|| Answer::text(404, "There is nothing here. See / for the routes.\n"))
}

/// The response of a route that serves one method. A route for GET serves HEAD too.
fn only(request: &Request, method: &str, answer: impl FnOnce() -> Answer) -> Answer {
    match request.method() {
        m if m == method || (m == "HEAD" && method == "GET") => answer(),
        "OPTIONS" => Answer::empty(200).with("Allow", allowed(method)),
        _ => Answer::text(405, "This route does not serve this method.\n").with("Allow", allowed(method)),
    }
}

fn allowed(method: &str) -> String {
    if method == "GET" { "GET, HEAD, OPTIONS".to_owned() } else { format!("{method}, OPTIONS") }
}
