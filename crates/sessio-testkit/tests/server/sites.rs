//! The routes with state: cookies, credentials, logins.

use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER, Server};

use crate::client::{Client, Response};

#[test]
fn cookies_are_set_shown_and_deleted() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let response = client.get("/cookies/set?a=1&b=x%20y");
    assert_eq!((response.status, response.header("location")), (302, Some("/cookies")));
    assert!(response.head.contains("\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=x y; Path=/\r\n"));
    assert_eq!(client.get("/cookies/set/a/b%2Bc").header("set-cookie"), Some("a=b+c; Path=/"));
    let deleted = client.get("/cookies/delete?a");
    assert!(deleted.header("set-cookie").is_some_and(|c| c.starts_with("a=; Expires=Thu, 01 Jan 1970")));
    assert_eq!(client.get("/cookies/set?a=%0a").status, 400);

    let text = client.ask("GET", "/cookies", "Cookie: a=1; b=2=3\r\nCookie: a=4; c\r\n").text();
    let flat: String = text.split_whitespace().collect();
    assert_eq!(flat, r#"{"cookies":{"a":"1","b":"2=3"},"raw":["a=1;b=2=3","a=4;c"]}"#);
}

#[test]
fn credentials_are_compared() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let mut basic = |target: &str, credentials: &str| {
        client.ask("GET", target, &format!("Authorization: {credentials}\r\n"))
    };
    // "Aladdin:open sesame" and "user:"
    let good = basic("/basic-auth/Aladdin/open%20sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(good.status, 200);
    assert!(good.text().contains(r#""user": "Aladdin""#));
    assert_eq!(basic("/basic-auth/user/", "basic dXNlcjo=").status, 200);
    let bad = basic("/basic-auth/Aladdin/x", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!((bad.status, bad.header("www-authenticate")), (401, Some("Basic realm=\"Fake Realm\"")));
    assert_eq!(basic("/hidden-basic-auth/a/b", "Basic x").status, 404);
    assert!(basic("/bearer", "Bearer t.1").text().contains(r#""token": "t.1""#));
    assert_eq!(basic("/bearer", "Basic t").header("www-authenticate"), Some("Bearer"));
}

fn csrf(client: &mut Client) -> String {
    let form = client.get("/login").text();
    let (_, rest) = form.split_once("name=\"csrf\" value=\"").expect("a token in the form");
    rest.split('"').next().expect("a quoted token").to_owned()
}

fn submit(client: &mut Client, user: &str, password: &str, csrf: &str) -> Response {
    let form = format!("user={user}&password={password}&csrf={csrf}");
    client.send("POST", "/login", "application/x-www-form-urlencoded", &form)
}

#[test]
fn a_login_opens_what_is_private_until_it_ends() {
    let server = Server::start();
    let mut client = Client::connect(&server);
    let refused = client.get("/private");
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("no JSESSIONID"));

    assert_eq!(submit(&mut client, LOGIN_USER, LOGIN_PASSWORD, "made-up").status, 403);
    let token = csrf(&mut client);
    assert_eq!(submit(&mut client, LOGIN_USER, "wrong", &token).status, 401);
    assert_eq!(submit(&mut client, LOGIN_USER, LOGIN_PASSWORD, &token).status, 403, "a token serves once");

    let log_in = |client: &mut Client| {
        let token = csrf(client);
        let response = submit(client, LOGIN_USER, LOGIN_PASSWORD, &token);
        assert_eq!((response.status, response.header("location")), (302, Some("/private")));
        let cookie = response.header("set-cookie").unwrap_or_default();
        assert!(cookie.starts_with("JSESSIONID=") && cookie.ends_with("; Path=/; HttpOnly"), "{cookie}");
        format!("Cookie: {}\r\n", cookie.split(';').next().unwrap_or_default())
    };
    let cookie = log_in(&mut client);
    let private = client.ask("GET", "/private", &cookie);
    assert_eq!(private.status, 200);
    assert!(private.text().contains(r#""user": "user""#));

    assert!(client.get("/expire").text().contains(r#""expired": 1"#));
    let expired = client.ask("GET", "/private", &cookie);
    assert_eq!(expired.status, 401);
    assert!(expired.text().contains("expired"));

    let cookie = log_in(&mut client);
    let out = client.ask("GET", "/logout", &cookie);
    assert_eq!((out.status, out.header("location")), (302, Some("/login")));
    assert_eq!(client.ask("GET", "/private", &cookie).status, 401);

    log_in(&mut client);
    assert_eq!((server.expire_logins(), server.expire_logins()), (1, 0));
}
