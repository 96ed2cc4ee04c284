//! Sessions against six real servers over TLS.
//!
//! The checks are login, use, expiry and another login, large bodies in both directions, ranges,
//! HEAD, 304, and requests around the server's keep-alive limit.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use sessio::auth::SubRequest;
use sessio::{Auth, Error, Kind};
use sessio_driver::{Digest, Login, Runtime, Session, Sleep as _};
use sessio_testkit::pattern;
use sessio_tests::authority::{Authority, Pem};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::folder::Folder;
use sessio_tests::program::{Script, apache, caddy, haproxy, tomcat};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    programs:
    apache_with_digest_deflate_and_ranges
    caddy_with_gzip_in_front_of_django
    django_with_a_login_that_is_repeated
    express_by_itself
    haproxy_in_front_of_express
    tomcat_with_a_form_login
    tomcat_with_a_login_that_is_repeated
}

/// The time for which the servers keep an idle connection, and the sites an unused login.
const SECOND: Duration = Duration::from_secs(1);

/// More than socket buffers hold, in bytes.
const LARGE: usize = 1_200_000;

/// A file of a site. It is text, so that servers compress it.
fn text() -> Vec<u8> {
    (0..).map(|n| format!("line {n}\n")).take(LARGE / 12).collect::<String>().into_bytes()
}

/// A server with TLS, seen by one client.
struct Place<'w, R: Runtime> {
    world: &'w World<R>,
    session: Session<FaultyRuntime<R>>,
    authority: Authority,
    port: u16,
}

/// A certificate for the server, with its authority.
fn pem() -> (Authority, Pem) {
    let authority = Authority::ecdsa("an authority");
    let pem = authority.issue_ecdsa().pem();
    (authority, pem)
}

impl<'w, R: Runtime> Place<'w, R> {
    fn new(world: &'w World<R>, authority: Authority, address: SocketAddr) -> Self {
        let session = trusting(world, &authority);
        Self { world, session, authority, port: address.port() }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The final URL of a GET after redirects, and its page.
    async fn get(&self, path: &str) -> (String, String) {
        let response = self.session.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        (response.url().path().to_owned(), response.text().await.unwrap())
    }

    /// Waits in real time, because the server uses the clock of the system.
    async fn wait_until(&self, time: Instant) {
        let mut timer = self.world.runtime().sleep_until(sessio_driver::clock::from_std(time));
        poll_fn(|cx| timer.poll_elapsed(cx)).await;
    }

    /// Waits until an unused login has expired.
    async fn expire(&self) {
        self.wait_until(Instant::now() + SECOND + SECOND / 2).await;
    }

    /// Sends bodies of megabytes, by length and in chunks, and compares the echo.
    async fn echo(&self, path: &str, headers: &[(&str, &str)]) {
        let body = pattern(LARGE);
        let pieces = || Pieces::of(body.chunks(70_000));
        let post = || {
            let request =
                self.session.post(self.url(path)).header("Content-Type", "application/octet-stream");
            headers.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        for request in [
            post().body(body.clone()),
            post().source(pieces(), Some(LARGE as u64), true),
            post().source(pieces(), None, true),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(response.bytes().await.unwrap() == body, "{path}");
        }
    }

    /// Reads a file: complete, coded if the server codes it, in ranges, by HEAD, and unchanged
    /// (304).
    async fn file(&self, path: &str, coding: Option<&str>) {
        let (url, text) = (self.url(path), text());
        for _ in 0..2 {
            let whole = self.session.get(&url).send().await.unwrap();
            assert_eq!((whole.status().as_u16(), whole.headers().get("content-encoding")), (200, coding));
            assert!(whole.bytes().await.unwrap() == text, "{path}");
        }
        let part = self.session.get(&url).header("Range", "bytes=900000-900999").send().await.unwrap();
        let expected = format!("bytes 900000-900999/{}", text.len());
        assert_eq!((part.status().as_u16(), part.headers().get("content-range")), (206, Some(&*expected)));
        assert!(part.bytes().await.unwrap() == text[900_000..901_000]);
        let head = self.session.head(&url).header("Accept-Encoding", "identity").send().await.unwrap();
        assert_eq!(head.status(), 200);
        let tag = head.headers().get("etag").map(str::to_owned);
        assert_eq!(head.bytes().await.unwrap().len(), 0);
        let request = self.session.get(&url).header("Accept-Encoding", "identity");
        let same = request.header("If-None-Match", tag.expect("a tag")).send().await.unwrap();
        assert_eq!((same.status().as_u16(), same.bytes().await.unwrap().len()), (304, 0));
    }

    /// Requests over an idle connection, from 60 ms before to 60 ms after the server closes it.
    /// Each has its own session. A connection that the server has closed, or is closing, loses no
    /// response.
    async fn around_the_keep_alive_limit(&self, path: &str) {
        let url = self.url(path);
        let mut idle = Vec::new();
        for offset in (-60..=60_i64).step_by(10) {
            let session = trusting(self.world, &self.authority);
            assert_eq!(session.head(&url).send().await.unwrap().status(), 200);
            let limit = Duration::from_millis(u64::try_from(1000 + offset).unwrap());
            idle.push((session, Instant::now() + limit));
        }
        idle.sort_by_key(|(_, time)| *time);
        let (mut opened, mut late) = (0, Duration::ZERO);
        for (session, time) in idle {
            self.wait_until(time).await;
            late = late.max(time.elapsed());
            let response = session.head(&url).send().await.unwrap_or_else(|error| panic!("{error}: {path}"));
            assert_eq!(response.status(), 200);
            opened += session.stats().dialled;
        }
        println!("{path}: {opened} connections for 26 requests of 13 sessions, at most {late:?} late");
    }
}

fn trusting<R: Runtime>(world: &World<R>, authority: &Authority) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = settings.tls.clone().roots(authority.certificates()));
    session
}

async fn apache_with_digest_deflate_and_ranges<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let apache = apache(Some(&pem), "http/1.1", &text());
    let place = Place::new(world, authority, apache.address());
    let session = &place.session;
    let private = || session.get(place.url("/private/text"));
    let lasting = || session.get(place.url("/lasting/text"));
    assert_eq!(private().send().await.unwrap().status(), 401);
    let wrong = private().auth(Auth::flow(Digest::new("ada", "difference"))).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    drop(wrong);
    // One challenge. The next request authenticates in advance.
    let auth = Auth::flow(Digest::new("ada", "engine"));
    for challenges in [1, 0] {
        let response = lasting().auth(auth.clone()).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, challenges));
        assert!(response.bytes().await.unwrap() == text());
    }
    // The nonce has expired. The server reports it as stale, and the same login uses the next
    // nonce.
    let auth = Auth::flow(Digest::new("ada", "engine"));
    assert_eq!(private().auth(auth.clone()).send().await.unwrap().status(), 200);
    place.expire().await;
    let response = private().auth(auth.clone()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (200, 1));
    let challenge = response.history()[0].head.headers.get("www-authenticate").unwrap();
    assert!(challenge.contains("stale=true"), "{challenge}");
    assert!(response.bytes().await.unwrap() == text());
    place.file("/text", None).await;
    place.file("/coded/text", Some("gzip")).await;
    for (name, length) in [("length", Some(LARGE as u64)), ("chunks", None)] {
        let url = place.url(&format!("/store/{name}"));
        let body = pattern(LARGE);
        let stored =
            session.put(&url).source(Pieces::of(body.chunks(70_000)), length, true).send().await.unwrap();
        assert_eq!(stored.status(), 201, "{name}");
        drop(stored);
        assert!(session.get(&url).send().await.unwrap().bytes().await.unwrap() == body, "{name}");
        assert_eq!(session.delete(&url).send().await.unwrap().status(), 204);
    }
    place.around_the_keep_alive_limit("/coded/text").await;
}

/// A site whose form asks for a name and a password: login, use, expiry, another login.
async fn form_login<R: Runtime>(place: &Place<'_, R>, has_token: bool) {
    let session = &place.session;
    let login = async |password: &str| {
        let page = session.get(place.url("/login/")).send().await.unwrap().text().await.unwrap();
        let token =
            page.split_once("csrfmiddlewaretoken\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        assert_eq!(token.is_some(), has_token);
        let token = token.map(|token| ("csrfmiddlewaretoken", token));
        let form = [("name", "ada"), ("password", password)].into_iter().chain(token);
        let url = place.url("/login/");
        session.post(&url).header("Referer", &url).form(form).send().await.unwrap()
    };
    assert_eq!(place.get("/private/").await.0, "/login/");
    assert_eq!(login("difference").await.status(), 403);
    for round in 0..2 {
        let response = login("engine").await;
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/private/"), "{round}");
        assert_eq!(response.request().method().as_str(), "GET");
        assert_eq!(response.text().await.unwrap(), "hello ada");
        assert_eq!(place.get("/private/").await, ("/private/".to_owned(), "hello ada".to_owned()));
        place.expire().await;
        assert_eq!(place.get("/private/").await.0, "/login/");
    }
    // Another session is not logged in.
    let other = trusting(place.world, &place.authority);
    assert_eq!(other.get(place.url("/private/")).send().await.unwrap().url().path(), "/login/");
}

async fn caddy_with_gzip_in_front_of_django<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let site = Script::python("sites/accounts.py");
    let caddy = caddy(&pem, &text(), site.address(0));
    let place = Place::new(world, authority, caddy.address());
    form_login(&place, true).await;
    let url = place.session.get(place.url("/login/")).prepare().unwrap().request.url().clone();
    let token = place.session.cookies(|jar| {
        let found = jar.iter().find(|cookie| cookie.name() == b"csrftoken");
        String::from_utf8(found.expect("the token").value().to_vec()).unwrap()
    });
    // Without its token the form is refused, and the refusal is a normal response.
    assert_eq!(place.session.post(url.as_str()).body("name=ada").send().await.unwrap().status(), 403);
    place.echo("/echo/", &[("X-CSRFToken", &token), ("Referer", url.as_str())]).await;
    place.file("/text.txt", Some("gzip")).await;
    place.around_the_keep_alive_limit("/text.txt").await;
}

async fn django_with_a_login_that_is_repeated<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let site = Script::python("sites/accounts.py");
    let caddy = caddy(&pem, &text(), site.address(0));
    let place = Place::new(world, authority, caddy.address());
    let url = place.url("/login/");
    let login = |password: &'static str| {
        let url = url.clone();
        Login::new(|| SubRequest::get("/login/"))
            .then(move |page| {
                let text = page.text();
                let found = text.split_once("csrfmiddlewaretoken\" value=\"");
                let token = found.and_then(|(_, rest)| rest.split('"').next());
                let token = token.ok_or_else(|| Error::new(Kind::Authentication).with_detail("no token"))?;
                let form = [("csrfmiddlewaretoken", token), ("name", "ada"), ("password", password)];
                // Over TLS, Django wants to know the page of the form.
                Ok(SubRequest::post(&*url).header("Referer", &url).form(form))
            })
            .logged_out(|head, _| head.headers.get("Location") == Some("/login/"))
    };
    let good = login("engine");
    place.session.update(|settings| settings.auth = Auth::flow(good.clone()));
    // The cookie expires by whole seconds.
    let expire = async || place.wait_until(Instant::now() + 2 * SECOND + SECOND / 4).await;
    for logins in [1, 1, 2] {
        if logins > good.count() && logins > 1 {
            expire().await;
        }
        let page = ("/private/".to_owned(), "hello ada".to_owned());
        assert_eq!(place.get("/private/").await, page);
        assert_eq!(good.count(), logins);
    }
    expire().await;
    let wrong = Auth::flow(login("difference"));
    let error = place.session.get(place.url("/private/")).auth(wrong).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert!(error.to_string().contains("refused with status 403"), "{error}");
}

async fn express_by_itself<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let express = Express::start(&pem);
    let place = Place::new(world, authority, express.script.address(0));
    form_login(&place, false).await;
    place.echo("/echo/", &[]).await;
    place.file("/file", None).await;
    place.around_the_keep_alive_limit("/file").await;
}

async fn haproxy_in_front_of_express<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let express = Express::start(&pem);
    let haproxy = haproxy(Some(&pem), "http/1.1", express.script.address(1));
    let place = Place::new(world, authority, haproxy.address());
    form_login(&place, false).await;
    place.echo("/echo/", &[]).await;
    place.file("/file", Some("gzip")).await;
    place.around_the_keep_alive_limit("/file").await;
}

/// The site of `tests/interop/sites/accounts.js` with its files.
struct Express {
    script: Script,
    _folder: Folder,
}

impl Express {
    fn start(pem: &Pem) -> Self {
        let folder = Folder::new();
        let file = |name: &str, text: &[u8]| {
            let path = folder.file(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let certificate = file("cert.pem", pem.certificate.as_bytes());
        let (key, text) = (file("key.pem", pem.key.as_bytes()), file("text", &text()));
        let files: [&Path; 3] = [&certificate, &key, &text];
        Self { script: Script::node("sites/accounts.js", &files), _folder: folder }
    }
}

async fn tomcat_with_a_form_login<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let tomcat = tomcat(&pem, &text());
    let place = Place::new(world, authority, tomcat.address());
    let session = &place.session;
    let login = |password: &str| {
        let form = [("j_username", "ada"), ("j_password", password)];
        session.post(place.url("/private/j_security_check")).form(form).send()
    };
    // The form is at the URL of the requested page, and the login leads back there.
    for _ in 0..2 {
        assert!(place.get("/private/").await.1.contains("j_username"));
        assert!(login("difference").await.unwrap().text().await.unwrap().contains("wrong password"));
        assert!(place.get("/private/").await.1.contains("j_username"));
        let response = login("engine").await.unwrap();
        assert_eq!((response.url().path(), response.history().len()), ("/private/", 1));
        assert_eq!(response.text().await.unwrap(), "hello ada");
        let once = session.cookies(|jar| jar.iter().filter(|cookie| cookie.name() == b"JSESSIONID").count());
        assert_eq!(once, 1, "the identifier was changed by the login, not added");
        assert_eq!(place.get("/private/").await.1, "hello ada");
        place.expire().await;
    }
    assert!(place.get("/private/").await.1.contains("j_username"));
    // A login without a requested page is refused: the server has no target for it.
    let lost = trusting(world, &place.authority).post(place.url("/private/j_security_check"));
    let lost = lost.form([("j_username", "ada"), ("j_password", "engine")]).send().await.unwrap();
    assert!(lost.status().is_client_error(), "{}", lost.status());
    drop(lost);
    place.echo("/echo.jsp", &[]).await;
    place.file("/text.txt", Some("gzip")).await;
    place.around_the_keep_alive_limit("/text.txt").await;
    // A client that does not trust the authority sends no request.
    let error = world.session().get(place.url("/text.txt")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateUnknownRoot);
}

async fn tomcat_with_a_login_that_is_repeated<R: Runtime>(world: &World<R>) {
    let (authority, pem) = pem();
    let tomcat = tomcat(&pem, &text());
    let place = Place::new(world, authority, tomcat.address());
    let login = |password: &'static str| {
        // Addresses are relative to the URL of the call.
        Login::new(|| SubRequest::get("/private/"))
            .then(move |_| {
                let form = [("j_username", "ada"), ("j_password", password)];
                Ok(SubRequest::post("/private/j_security_check").form(form))
            })
            // The form is a file, and the page is not.
            .logged_out(|head, _| head.headers.contains("ETag"))
            .check(|page| match page.text().contains("hello ada") {
                true => Ok(()),
                false => Err(Error::new(Kind::Authentication).with_detail("the form again")),
            })
    };
    let good = login("engine");
    place.session.update(|settings| settings.auth = Auth::flow(good.clone()));
    for logins in [1, 1, 2] {
        if good.count() < logins && logins > 1 {
            place.expire().await;
        }
        assert_eq!(place.get("/private/").await.1, "hello ada");
        assert_eq!(good.count(), logins);
    }
    place.expire().await;
    let wrong = Auth::flow(login("difference"));
    let error = place.session.get(place.url("/private/")).auth(wrong).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert!(error.to_string().contains("the form again"), "{error}");
}
