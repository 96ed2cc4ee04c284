//! Progress callbacks: the number of body bytes that have moved.

use std::future::poll_fn;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use flate2::Compression;
use flate2::write::GzEncoder;
use sessio::{Body, BodyProgress};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    upload_progress_is_reported_to_the_last_byte
    upload_progress_restarts_with_a_body_that_is_sent_again
    download_progress_is_reported_to_the_last_byte
    download_progress_counts_coded_bytes
    a_progress_callback_that_panics_leaves_the_session_usable
}

/// The recorded progress.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<BodyProgress>>>);

impl Reports {
    fn by(&self) -> impl Fn(BodyProgress) + Send + Sync + 'static {
        let told = self.clone();
        move |transfer| told.0.lock().unwrap().push(transfer)
    }

    fn take(&self) -> Vec<(u64, Option<u64>)> {
        std::mem::take(&mut *self.0.lock().unwrap()).into_iter().map(|one| (one.bytes, one.total)).collect()
    }
}

/// Checks that the counts ascend to `bytes` and have the same total. Without a byte there is no
/// count.
#[track_caller]
fn check(told: &[(u64, Option<u64>)], bytes: usize, total: Option<usize>) {
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
    assert!(told.iter().all(|one| one.1 == total.map(|total| total as u64)), "{told:?}");
    assert_eq!(told.last().map(|one| one.0), (bytes > 0).then_some(bytes as u64), "{told:?}");
}

async fn upload_progress_is_reported_to_the_last_byte<R: Runtime>(world: &World<R>) {
    let (server, session, told) = (Server::start(), world.session(), Reports::default());
    for size in [0, 1, 5000, 300_000] {
        let request =
            session.post(server.url("/status/200")).body(pattern(size)).on_upload_progress(told.by());
        request.send().await.unwrap().bytes().await.unwrap();
        check(&told.take(), size, Some(size));
        for length in [None, Some(size as u64)] {
            let source = Pieces::of(pattern(size).chunks(999));
            let request = session.post(server.url("/status/200")).source(source, length, false);
            request.on_upload_progress(told.by()).send().await.unwrap().bytes().await.unwrap();
            check(&told.take(), size, length.map(|_| size));
        }
    }
    // Bytes in chunks, because the caller asks for it.
    let request =
        session.post(server.url("/status/200")).header("Transfer-Encoding", "chunked").body(pattern(5000));
    request.on_upload_progress(told.by()).send().await.unwrap().bytes().await.unwrap();
    check(&told.take(), 5000, Some(5000));
    let request = session.get(server.url("/get")).on_upload_progress(told.by());
    request.send().await.unwrap().bytes().await.unwrap();
    check(&told.take(), 0, None);
}

async fn upload_progress_restarts_with_a_body_that_is_sent_again<R: Runtime>(world: &World<R>) {
    let (server, session, told) = (Server::start(), world.session(), Reports::default());
    let bodies: [fn() -> Option<Body>; 2] = [|| Some(pattern(20_000).into()), || None];
    for (body, total) in bodies.into_iter().zip([Some(20_000), None]) {
        let request = session.put(server.url("/redirect-to?status_code=307&url=/status/200"));
        let request = match body() {
            Some(body) => request.body(body),
            None => request.source(Pieces::of(pattern(20_000).chunks(999)), None, true),
        };
        request.on_upload_progress(told.by()).send().await.unwrap().bytes().await.unwrap();
        let told = told.take();
        let again = told.iter().position(|one| one.0 == 0).expect("it starts again");
        check(&told[..again], 20_000, total);
        check(&told[again..], 20_000, total);
    }
}

async fn download_progress_is_reported_to_the_last_byte<R: Runtime>(world: &World<R>) {
    let (server, session, told) = (Server::start(), world.session(), Reports::default());
    for size in [0, 1, 5000, 300_000] {
        for (path, is_known) in [("bytes", true), ("chunked", false), ("close", false)] {
            let to = format!("/{path}/{size}");
            for url in [server.url(&to), server.url(&format!("/redirect-to?url={to}"))] {
                let response = session.get(url).on_download_progress(told.by()).send().await.unwrap();
                assert_eq!(told.take(), [], "nobody has read anything");
                assert_eq!(response.bytes().await.unwrap().len(), size);
                check(&told.take(), size, is_known.then_some(size));
            }
        }
    }
}

async fn download_progress_counts_coded_bytes<R: Runtime>(world: &World<R>) {
    let (session, told) = (world.session(), Reports::default());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&pattern(100_000)).unwrap();
    let coded = encoder.finish().unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", coded.len());
    let server =
        Server::scripted(Connection::new().expect_request().send([head.as_bytes(), &coded].concat()));
    let response = session.get(server.url("/")).on_download_progress(told.by()).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap().len(), 100_000);
    check(&told.take(), coded.len(), Some(coded.len()));
}

async fn a_progress_callback_that_panics_leaves_the_session_usable<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for after in 0..4 {
        for is_up in [true, false] {
            let left = Mutex::new(after);
            let tell = move |_: BodyProgress| {
                let mut left = left.lock().unwrap();
                if *left == 0 {
                    drop(left);
                    resume_unwind(Box::new("a mistake of the caller's own"));
                }
                *left -= 1;
            };
            let request = session.put(server.url("/bytes/1")).source(Pieces::of(["one", "two"]), None, true);
            let request =
                if is_up { request.on_upload_progress(tell) } else { request.on_download_progress(tell) };
            let mut future = pin!(async { request.send().await?.bytes().await });
            let _ = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
                Ok(Poll::Pending) => Poll::Pending,
                Err(_) => Poll::Ready(None),
            })
            .await;
        }
    }
    assert_eq!(session.stats().in_use, 0);
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
}
