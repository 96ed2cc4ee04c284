//! Against nginx: codings, ranges, uploads that it refuses, and the ways in which it ends
//! connections.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use sessio::Request;
use sessio_driver::{Response, Runtime, Session};
use sessio_testkit::pattern;
use sessio_tests::program::{Program, nginx};
use sessio_tests::scenarios;
use sessio_tests::source::{Endless, Pieces};
use sessio_tests::world::World;

scenarios! {
    programs:
    nginx_codes_and_the_body_is_as_its_file
    nginx_serves_ranges
    nginx_returns_304_for_a_validator
    q07_nginx_refuses_an_upload_and_the_response_is_read
    q14_nginx_closes_after_a_number_of_requests
    nginx_stores_an_upload_and_returns_it
    nginx_redirects
    nginx_finds_a_head_too_large
}

/// The size of its file in bytes: more than socket buffers hold.
const LARGE: usize = 3_000_000;

fn text() -> Vec<u8> {
    (0..).map(|n| format!("line {n}\n")).take(LARGE / 12).collect::<String>().into_bytes()
}

fn start() -> Program {
    let module = std::path::Path::new("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so");
    assert!(module.exists(), "nginx lacks its brotli module: run tests/interop/install");
    let server = "
        root {folder}/files;
        location /gzip/ { alias {folder}/files/; gzip on; gzip_min_length 1; gzip_types *; }
        location /brotli/ { alias {folder}/files/; brotli on; brotli_min_length 1; brotli_types *; }
        location /small/ { alias {folder}/store/; dav_methods PUT; client_max_body_size 100k; }
        location /store/ { alias {folder}/store/; dav_methods PUT DELETE; client_max_body_size 0; }
        location /few/ { alias {folder}/files/; keepalive_requests 3; }
        location = /moved { return 301 /text; }
        location = /see { return 303 /text; }
        location = /same { return 307 /store/same; }";
    nginx("", server, |folder| {
        fs::create_dir(folder.join("store")).unwrap();
        fs::create_dir_all(folder.join("files/folder")).unwrap();
        fs::write(folder.join("files/text"), text()).unwrap();
        fs::write(folder.join("files/noise"), pattern(LARGE)).unwrap();
        fs::write(folder.join("files/folder/index.html"), "here").unwrap();
    })
}

async fn get<R: Runtime>(session: &Session<R>, url: String) -> Response<R> {
    session.get(url).send().await.unwrap()
}

async fn nginx_codes_and_the_body_is_as_its_file<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let session = world.session();
    for (path, accepted, coding) in [
        ("/text", "gzip", None),
        ("/gzip/text", "gzip", Some("gzip")),
        ("/gzip/text", "br", None),
        ("/brotli/text", "gzip, br", Some("br")),
    ] {
        let url = nginx.url(path);
        let request = || Request::get(&*url).header("Accept-Encoding", accepted);
        let response = session.build(request().decode(true)).send().await.unwrap();
        let named = response.headers().get("content-encoding");
        assert_eq!(named, coding, "{path} for {accepted}");
        assert!(response.bytes().await.unwrap() == text(), "{path}");
        // The same body as it was on the wire.
        let coded = session.build(request().decode(false)).send().await.unwrap().bytes().await.unwrap();
        if coding == Some("gzip") {
            let mut plain = Vec::new();
            GzDecoder::new(&*coded).read_to_end(&mut plain).unwrap();
            assert!(plain == text());
        }
        assert_eq!(coded.len() == text().len(), coding.is_none());
    }
    // By default a session asks for the codings that it can decode. A HEAD has no body to decode.
    let response = get(&session, nginx.url("/gzip/text")).await;
    assert_eq!(response.headers().get("content-encoding"), Some("gzip"));
    assert!(response.bytes().await.unwrap() == text());
    let head = session.head(nginx.url("/gzip/text")).send().await.unwrap();
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    assert_eq!(
        sessio_tests::fetch::connection(&get(&session, nginx.url("/text")).await),
        (1, true),
        "one connection for all"
    );
}

async fn nginx_serves_ranges<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let (session, noise, url) = (world.session(), pattern(LARGE), nginx.url("/noise"));
    let whole = session.head(&url).send().await.unwrap();
    let (etag, length) = (whole.headers().get("etag").unwrap().to_owned(), LARGE);
    drop(whole);
    for (range, expected, said) in [
        ("bytes=0-9", &noise[..10], format!("bytes 0-9/{length}")),
        ("bytes=-5", &noise[length - 5..], format!("bytes {}-{}/{length}", length - 5, length - 1)),
        ("bytes=1000000-", &noise[1_000_000..], format!("bytes 1000000-{}/{length}", length - 1)),
    ] {
        let part = session.get(&url).header("Range", range).header("If-Range", &etag).send().await.unwrap();
        assert_eq!((part.status().as_u16(), part.headers().get("content-range")), (206, Some(&*said)));
        assert_eq!(part.content_length(), Some(expected.len() as u64));
        assert!(part.bytes().await.unwrap() == expected, "{range}");
    }
    // Another version of the file: the complete body.
    let other =
        session.get(&url).header("Range", "bytes=0-9").header("If-Range", "\"x\"").send().await.unwrap();
    assert_eq!(other.status(), 200);
    assert!(other.bytes().await.unwrap() == noise);
    // A body of two ranges stays undecoded: it has its own media type.
    let two = session.get(&url).header("Range", "bytes=0-1,5-6").send().await.unwrap();
    assert!(two.headers().get("content-type").unwrap().starts_with("multipart/byteranges; boundary="));
    assert_eq!(two.status(), 206);
    assert!(!two.bytes().await.unwrap().is_empty());
    let none = session.get(&url).header("Range", "bytes=3000000-").send().await.unwrap();
    assert_eq!((none.status().as_u16(), none.headers().get("content-range")), (416, Some("bytes */3000000")));
}

async fn nginx_returns_304_for_a_validator<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let (session, url) = (world.session(), nginx.url("/text"));
    let first = session.get(&url).send().await.unwrap();
    let etag = first.headers().get("etag").unwrap().to_owned();
    assert!(first.bytes().await.unwrap() == text());
    let same = session.get(&url).header("If-None-Match", etag).send().await.unwrap();
    assert_eq!(same.status(), 304);
    assert!(same.bytes().await.unwrap().is_empty());
    assert_eq!(sessio_tests::fetch::connection(&get(&session, url).await), (1, true));
}

async fn q07_nginx_refuses_an_upload_and_the_response_is_read<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let (session, url) = (world.session(), nginx.url("/small/file"));
    let refused = |response: Response<_>| async {
        assert_eq!(response.status(), 413);
        assert!(response.text().await.unwrap().contains("Request Entity Too Large"));
    };
    // nginx refuses by the length, or in the middle of endless chunks.
    refused(session.put(&url).body(pattern(LARGE)).send().await.unwrap()).await;
    refused(session.put(&url).source(Endless, Some(1 << 40), false).send().await.unwrap()).await;
    refused(session.put(&url).source(Endless, None, false).send().await.unwrap()).await;
    assert!(!nginx.folder().file("store/file").exists());
    let stored = session.put(&url).body("small").send().await.unwrap();
    assert_eq!((stored.status().as_u16(), sessio_tests::fetch::connection(&stored)), (201, (4, false)));
}

async fn q14_nginx_closes_after_a_number_of_requests<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let session = world.session();
    for n in 0..20 {
        let response = get(&session, nginx.url("/few/text")).await;
        assert_eq!(sessio_tests::fetch::connection(&response), (n / 3 + 1, n % 3 > 0));
        assert!(response.bytes().await.unwrap() == text());
    }
}

async fn nginx_stores_an_upload_and_returns_it<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let (session, noise) = (world.session(), pattern(LARGE));
    let pieces = || Pieces::of(noise.chunks(70_000));
    for (name, request) in [
        ("bytes", session.put(nginx.url("/store/bytes")).body(noise.clone())),
        ("length", session.put(nginx.url("/store/length")).source(pieces(), Some(LARGE as u64), true)),
        ("chunks", session.put(nginx.url("/store/chunks")).source(pieces(), None, true)),
        ("same", session.put(nginx.url("/same")).source(pieces(), None, true)),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 201, "{name}");
        let back = get(&session, nginx.url(&format!("/store/{name}"))).await;
        assert!(back.bytes().await.unwrap() == noise, "{name}");
        assert!(fs::read(nginx.folder().file(format!("store/{name}"))).unwrap() == noise, "{name}");
    }
    let empty =
        session.put(nginx.url("/store/empty")).source(Pieces::of([""; 0]), None, false).send().await.unwrap();
    assert_eq!(empty.status(), 201);
    assert_eq!(fs::read(nginx.folder().file("store/empty")).unwrap(), b"");
    let gone = session.delete(nginx.url("/store/bytes")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
}

async fn nginx_redirects<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let session = world.session();
    for (path, end) in [("/moved", "/text"), ("/see", "/text"), ("/folder", "/folder/")] {
        let response = session.post(nginx.url(path)).body("x").send().await;
        // A folder is static and accepts no POST.
        let response = match path {
            "/folder" => get(&session, nginx.url(path)).await,
            _ => response.unwrap(),
        };
        assert_eq!((response.status().as_u16(), response.url().path()), (200, end));
        assert_eq!((response.history().len(), response.request().method().as_str()), (1, "GET"));
    }
}

async fn nginx_finds_a_head_too_large<R: Runtime>(world: &World<R>) {
    let nginx = start();
    let session = world.session();
    let long = "a".repeat(200_000);
    let response = session.get(nginx.url("/text")).header("x-long", &long).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("Request Header Or Cookie Too Large"));
    let response = session.get(nginx.url(&format!("/{long}"))).send().await.unwrap();
    assert_eq!(response.status(), 414);
    drop(response);
    assert_eq!(get(&session, nginx.url("/text")).await.status(), 200);
}
