//! Cookies that survive the process: cookie files and their formats.

use std::fs;
use std::io::ErrorKind;

use sessio::cookie::{Format, Keep};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    a_login_is_saved_and_lasts_in_another_session
    session_cookies_are_kept_on_request
    a_broken_line_of_a_cookie_file_loses_no_other_line
    a_file_that_cannot_be_written_leaves_the_old_one
}

const FORMATS: [Format; 4] = [Format::CookiesTxt, Format::Lwp, Format::Json, Format::StorageState];

async fn log_in<R: Runtime>(session: &Session<FaultyRuntime<R>>, server: &Server) {
    let page = session.get(server.url("/login")).send().await.unwrap().text().await.unwrap();
    let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("user", LOGIN_USER), ("password", LOGIN_PASSWORD), ("csrf", token)];
    assert_eq!(fetch(session.post(server.url("/login")).form(form)).await.status, 200);
}

async fn a_login_is_saved_and_lasts_in_another_session<R: Runtime>(world: &World<R>) {
    let (server, session, folder) = (Server::start(), world.session(), Folder::new());
    log_in(&session, &server).await;
    for format in FORMATS {
        let path = folder.file("jar");
        let saved = session.save_cookies(&path, format, Keep::All).unwrap();
        assert_eq!((saved.written, saved.unfit.len()), (session.cookies(|jar| jar.len()), 0));
        assert_eq!(folder.names(), ["jar"]);
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );

        let other = world.session();
        assert_eq!(fetch(other.get(server.url("/private"))).await.status, 401);
        let loaded = other.load_cookies(&path).unwrap();
        assert_eq!((loaded.stored, loaded.problems.len()), (saved.written, 0), "{format:?}");
        assert_eq!(fetch(other.get(server.url("/private"))).await.status, 200, "{format:?}");
    }
}

async fn session_cookies_are_kept_on_request<R: Runtime>(world: &World<R>) {
    let (server, session, folder) = (Server::start(), world.session(), Folder::new());
    session.get(server.url("/cookies/set?brief=1")).send().await.unwrap().bytes().await.unwrap();
    let now = session.runtime().now();
    let url = server.url("/").parse().unwrap();
    session.cookies(|jar| jar.insert_str("lasting=2; Path=/; Max-Age=60", &url, now.wall)).unwrap();
    for format in FORMATS {
        for (keep, names) in [(Keep::Persistent, "lasting"), (Keep::All, "brief lasting")] {
            let path = folder.file(format!("{format:?}"));
            session.save_cookies(&path, format, keep).unwrap();
            let other = world.session();
            other.load_cookies(&path).unwrap();
            let loaded = other.cookies(|jar| {
                let mut names: Vec<_> =
                    jar.iter().map(|cookie| cookie.name().escape_ascii().to_string()).collect();
                names.sort();
                names.join(" ")
            });
            assert_eq!(loaded, names, "{format:?}");
        }
    }
}

async fn a_broken_line_of_a_cookie_file_loses_no_other_line<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let path = folder.file("cookies.txt");
    let text = "example.org\tFALSE\t/\tFALSE\t0\ta\t1\n\
        oops\n\
        .co.uk\tTRUE\t/\tFALSE\t0\tsuper\t1\n\
        example.org\tFALSE\t/\tFALSE\t1\tlong-gone\t1\n\
        example.org\tFALSE\t/\tFALSE\t0\tb\t2\n";
    fs::write(&path, text).unwrap();
    let loaded = session.load_cookies(&path).unwrap();
    let lines: Vec<usize> = loaded.problems.iter().map(|problem| problem.line).collect();
    assert_eq!((loaded.stored, loaded.expired, lines), (2, 1, vec![2, 3]));
    assert!(session.cookies(|jar| jar.get("a").is_some() && jar.get("b").is_some()));
}

async fn a_file_that_cannot_be_written_leaves_the_old_one<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let missing = folder.file("missing/jar");
    for error in [
        session.save_cookies(&missing, Format::CookiesTxt, Keep::All).unwrap_err(),
        session.load_cookies(&missing).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.io_kind()), (sessio::Kind::File, Some(ErrorKind::NotFound)));
        assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    }
    let taken = folder.file("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "old").unwrap();
    session.save_cookies(&taken, Format::CookiesTxt, Keep::All).unwrap_err();
    assert_eq!(folder.names(), ["taken"]);
    assert_eq!(fs::read(taken.join("inside")).unwrap(), b"old");
}
