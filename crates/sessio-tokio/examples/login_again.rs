//! A login form that is filled in again when the site's session has ended.

use sessio_tokio::auth::SubRequest;
use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Auth, Error, Kind, Login, Mount, Result, Session};

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::new();
    let login = Login::new(|| SubRequest::get("https://shop.example/login"))
        .then(|page| {
            let text = page.text();
            let token =
                token(&text).ok_or_else(|| Error::new(Kind::Authentication).with_detail("no form"))?;
            let form = [("user", "ada"), ("password", "secret"), ("csrf", token)];
            Ok(SubRequest::post("https://shop.example/login").form(form))
        })
        // This site redirects to its form.
        .logged_out(|head, _| head.headers.get("Location").is_some_and(|to| to.starts_with("/login")));
    session.try_update(|s| {
        s.mounts.add("https://shop.example/", Mount::new().transport(shop()))?;
        s.auth = Auth::flow(login.clone()).only("https://shop.example");
        Ok(())
    })?;

    for logins in [1, 1, 2, 2] {
        if login.count() < logins {
            // The session of the site ends.
            session.cookies(|jar| jar.clear());
        }
        let orders = session.get("https://shop.example/orders").send().await?.error_for_status()?;
        assert_eq!(orders.text().await?, "the orders of ada");
        assert_eq!(login.count(), logins);
    }
    Ok(())
}

fn token(html: &str) -> Option<&str> {
    html.split_once(r#"name="csrf" value=""#)?.1.split('"').next()
}

/// A server without sockets, for this example.
fn shop() -> Mock {
    Mock::new()
        .on("GET", "/login", Reply::ok(r#"<input type="hidden" name="csrf" value="t0k3n">"#))
        .on("POST", "/login", |request: &Received| match request.text() {
            "user=ada&password=secret&csrf=t0k3n" => Reply::new(204).header("Set-Cookie", "login=7; Secure"),
            _ => Reply::new(403),
        })
        .on("GET", "/orders", |request: &Received| match request.header("Cookie") {
            Some(cookies) if cookies.contains("login=7") => Reply::ok("the orders of ada"),
            _ => Reply::new(302).header("Location", "/login"),
        })
}

#[test]
fn runs() {
    main().unwrap();
}
