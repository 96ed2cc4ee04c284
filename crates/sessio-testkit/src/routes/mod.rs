//! The routes: one function for each path.

mod auth;
mod bodies;
mod cookies;
mod echo;
mod login;
mod oauth;
mod redirects;
mod route_input;
mod status;

use std::net::IpAddr;

use crate::request::Request;
use crate::response::Response;
use crate::route_state::RouteState;

use route_input::RouteInput;

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
pub(crate) fn response(request: &Request, origin: IpAddr, site: &RouteState) -> Response {
    let input = RouteInput { request, origin, site };
    let path = request.path();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let found = match segments.as_slice() {
        [""] => Some(Response::text(200, ROUTES)),
        ["get"] => Some(only(request, "GET", || echo::without_body(input))),
        ["post"] => Some(only(request, "POST", || echo::with_body(input))),
        ["put"] => Some(only(request, "PUT", || echo::with_body(input))),
        ["patch"] => Some(only(request, "PATCH", || echo::with_body(input))),
        ["delete"] => Some(only(request, "DELETE", || echo::with_body(input))),
        ["anything", ..] => Some(echo::anything(input)),
        ["headers"] => Some(echo::headers(input)),
        ["user-agent"] => Some(echo::user_agent(input)),
        ["ip"] => Some(echo::ip(input)),
        ["response-headers"] => Some(echo::response_headers(input)),
        ["cookies"] => Some(cookies::show(input)),
        ["cookies", "set"] => Some(cookies::set(input)),
        ["cookies", "set", name, value] => Some(cookies::set_one(name, value)),
        ["cookies", "delete"] => Some(cookies::delete(input)),
        ["redirect", n] => redirects::chain(input, "redirect", n, input.query_flag("absolute")),
        ["relative-redirect", n] => redirects::chain(input, "relative-redirect", n, false),
        ["absolute-redirect", n] => redirects::chain(input, "absolute-redirect", n, true),
        ["redirect-to"] => Some(redirects::to(input)),
        ["status", codes] => Some(status::status(input, codes)),
        ["basic-auth", user, password] => Some(auth::basic(input, user, password, 401)),
        ["hidden-basic-auth", user, password] => Some(auth::basic(input, user, password, 404)),
        ["bearer"] => Some(auth::bearer(input)),
        ["delay", seconds] => status::delay(input, seconds),
        ["bytes", n] => bodies::bytes(n),
        ["chunked" | "stream-bytes", n] => bodies::chunked(input, n),
        ["close", n] => bodies::until_close(n),
        ["stream", n] => bodies::lines(input, n),
        ["html"] => Some(bodies::html()),
        ["encoding", "utf8"] => Some(bodies::utf8()),
        ["login"] => Some(login::login(input)),
        ["private"] => Some(login::private(input)),
        ["logout"] => Some(login::logout(input)),
        ["oauth", "token"] => Some(only(request, "POST", || oauth::token(input))),
        ["oauth", "api"] => Some(oauth::api(input)),
        ["oauth", "revoke"] => Some(oauth::revoke(input)),
        ["expire"] => Some(login::expire(input)),
        _ => None,
    };
    found.unwrap_or_else(|| Response::text(404, "There is nothing here. See / for the routes.\n"))
}

/// The response of a route that serves one method. A route for GET serves HEAD too.
fn only(request: &Request, method: &str, response: impl FnOnce() -> Response) -> Response {
    match request.method() {
        m if m == method || (m == "HEAD" && method == "GET") => response(),
        "OPTIONS" => Response::empty(200).with("Allow", allowed(method)),
        _ => Response::text(405, "This route does not serve this method.\n").with("Allow", allowed(method)),
    }
}

fn allowed(method: &str) -> String {
    if method == "GET" { "GET, HEAD, OPTIONS".to_owned() } else { format!("{method}, OPTIONS") }
}
