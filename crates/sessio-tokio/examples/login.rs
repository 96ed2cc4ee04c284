//! A login form with a CSRF token: read the token, log in, use the session, log out.

use std::error::Error;

use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Mount, Session};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let session = Session::new();
    session.update(|s| s.mounts.add("https://shop.example/", Mount::new().transport(shop())))?;

    // The form has a hidden field, and its response sets a cookie.
    let form = session.get("https://shop.example/login").send().await?.error_for_status()?.text().await?;
    let token = token(&form).ok_or("the login form has no token")?;
    println!("the token of the form: {token}");

    // The session sends the cookie, follows the redirect, and stores the cookie of the login.
    let login = [("user", "ada"), ("password", "secret"), ("csrf", token)];
    let page = session.post("https://shop.example/login").form(login).send().await?.error_for_status()?;
    println!("logged in, now at {}", page.url());
    assert_eq!(page.text().await?, "the orders of ada");

    // The cookie of the login is sent until the server deletes it.
    let orders = || session.get("https://shop.example/orders").send();
    assert_eq!(orders().await?.status(), 200);
    session.post("https://shop.example/logout").send().await?.error_for_status()?;
    assert_eq!(orders().await?.status(), 401);
    println!("logged out");
    Ok(())
}

fn token(html: &str) -> Option<&str> {
    let (_, rest) = html.split_once(r#"name="csrf" value=""#)?;
    Some(rest.split_once('"')?.0)
}

/// A server without sockets, for this example.
fn shop() -> Mock {
    let form = Reply::ok(r#"<form method="post"><input type="hidden" name="csrf" value="t0k3n"></form>"#);
    Mock::new()
        .on("GET", "/login", form.header("Set-Cookie", "visit=1; Secure; HttpOnly"))
        .on("POST", "/login", |request: &Received| match (request.header("Cookie"), request.text()) {
            (Some("visit=1"), "user=ada&password=secret&csrf=t0k3n") => Reply::new(303)
                .header("Location", "/orders")
                .header("Set-Cookie", "login=7; Secure; HttpOnly"),
            _ => Reply::new(403),
        })
        .on("GET", "/orders", |request: &Received| match request.header("Cookie") {
            Some(cookies) if cookies.contains("login=7") => Reply::ok("the orders of ada"),
            _ => Reply::new(401),
        })
        .on("POST", "/logout", Reply::new(204).header("Set-Cookie", "login=; Secure; Max-Age=0"))
}

#[test]
fn runs() {
    main().unwrap();
}
