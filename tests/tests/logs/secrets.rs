//! No record contains a secret.

use sessio::Auth;
use sessio::cookie::NewCookie;
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::scenarios;
use sessio_tests::world::World;

use crate::receiver::Receiver;

scenarios! {
    s21_no_record_contains_a_secret
}

const SECRET: &str = "hunter2";
/// `user:hunter2` as Basic credentials.
const BASIC: &str = "dXNlcjpodW50ZXIy";

async fn s21_no_record_contains_a_secret<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (Server::start(), world.session());
    let now = session.runtime().now();
    session
        .update(|settings| {
            settings.auth = Auth::basic("user", SECRET);
            settings.headers.insert("X-Marked", SECRET)?;
            settings.headers.mark_sensitive("X-Marked");
            settings.headers.insert("X-Listed", SECRET)?;
            settings.sensitive_headers = ["x-listed".into()].into();
            settings.headers.insert("X-Api-Key", SECRET)?;
            settings.headers.insert("Proxy-Authorization", SECRET)
        })
        .unwrap();
    session.cookies(|jar| jar.insert(NewCookie::new("sid", SECRET).unwrap(), now.wall)).unwrap();
    server.script_path("/moved", {
        let head = format!(
            "HTTP/1.1 307 X\r\nLocation: /anything?access_token={SECRET}&page=2#code={SECRET}\r\n\
             Set-Cookie: sid={SECRET}\r\nX-Auth-Token: {SECRET}\r\n\
             Link: </a?token={SECRET}>; rel=next, <//me:{SECRET}@h/>\r\nRefresh: 9; url=/?key={SECRET}\r\n\
             Content-Location: /b?sig={SECRET}\r\nX-Request-URI: /c?pwd={SECRET}\r\n\
             WWW-Authenticate: Bearer realm=\"https://h/?code={SECRET}\"\r\n\
             Authentication-Info: rspauth=\"{SECRET}\"\r\nContent-Length: 0\r\n\r\n"
        );
        Connection::new().expect_request().send(head)
    });
    let url = server.url("/moved?key=hunter2").replace("//", "//user:hunter2@");
    let request = session.post(url).cookie("own", SECRET).form([("password", SECRET)]);
    request.send().await.unwrap().bytes().await.unwrap();
    // A redirect whose target is none is an error that names it.
    server.script_path("/lost", {
        let head = format!("HTTP/1.1 307 X\r\nLocation: ftp://h/?sig={SECRET}\r\nContent-Length: 0\r\n\r\n");
        Connection::new().expect_request().send(head)
    });
    let error = session.get(server.url("/lost?sig=hunter2")).send().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    let records = format!("{:?}{:?}{:?}", receiver.logged(), receiver.traced(), receiver.spans());
    for shown in ["</a?token=REDACTED>; rel=next", "url=/?key=REDACTED", "Authentication-Info: ***"] {
        assert!(records.contains(shown), "{shown}");
    }
    for shown in ["page=2", "X-Listed: ***", "X-Auth-Token: ***", "Set-Cookie: ***", "/lost?sig=REDACTED"] {
        assert!(records.contains(shown), "{shown}");
    }
    for line in receiver.logged().iter().chain(&receiver.traced()) {
        assert!(!line.text.contains(SECRET) && !line.text.contains(BASIC), "{line:?}");
    }
    for span in receiver.spans() {
        assert!(!format!("{span:?}").contains(SECRET), "{span:?}");
    }
}
