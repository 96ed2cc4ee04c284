//! Bodies in every coding, over every carrier, on every backend: all triples, with framings, sizes
//! and ways to read in turn.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use sessio_driver::{Response, Runtime};
use sessio_testkit::{Connection, Server};
use sessio_tests::backend::{Backend, BlockingThread, Simulation, SmolCurrentThread, TokioCurrentThread};
use sessio_tests::carrier::Carrier;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::folder::Folder;
use sessio_tests::trace::Trace;
use sessio_tests::world::World;

use crate::coded::{Coding, Framing};

/// The time limit of one backend for all of its rows.
const PATIENCE: Duration = Duration::from_secs(300);

const BACKENDS: [&str; 4] = ["tokio", "smol", "blocking", "simulation"];
const SIZES: [usize; 5] = [0, 1, 20_000, 300_000, 5_000_000];

/// The way to read a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Bytes,
    Text,
    Chunk,
    Read,
    Copy,
    Save,
    Lines,
}

const READINGS: [Reading; 7] = [
    Reading::Bytes,
    Reading::Text,
    Reading::Chunk,
    Reading::Read,
    Reading::Copy,
    Reading::Save,
    Reading::Lines,
];

/// One call.
#[derive(Clone, Copy, Debug)]
struct Row {
    backend: &'static str,
    carrier: Carrier,
    coding: Coding,
    size: usize,
    framing: Framing,
    reading: Reading,
}

/// The rows. Bodies up to 300 KB have all triples of backend, carrier and coding. Bodies of 5 MB
/// have each pair of carrier and coding once. Framings and ways to read take turns, so that each is
/// combined with each of the others.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (b, backend) in BACKENDS.into_iter().enumerate() {
        for (c, carrier) in Carrier::ALL.into_iter().enumerate() {
            for (k, coding) in Coding::ALL.into_iter().enumerate() {
                for (s, size) in SIZES.into_iter().enumerate() {
                    if size > 300_000 && (c + k) % BACKENDS.len() != b {
                        continue;
                    }
                    let framing = Framing::ALL[(b + c + k + s) % Framing::ALL.len()];
                    let reading = READINGS[(b + 2 * c + 3 * k + s) % READINGS.len()];
                    rows.push(Row { backend, carrier, coding, size, framing, reading });
                }
            }
        }
    }
    rows
}

#[test]
fn the_list_has_all_triples() {
    let rows = rows();
    for row in &rows {
        let Row { backend, carrier, coding, size, framing, reading } = row;
        println!("{backend} {} {} {size} by {framing:?}, {reading:?}", carrier.name(), coding.name());
    }
    println!("{} rows", rows.len());
    let triples: BTreeSet<_> = rows.iter().map(|row| (row.backend, row.carrier, row.coding)).collect();
    assert_eq!(triples.len(), BACKENDS.len() * Carrier::ALL.len() * Coding::ALL.len());
    // Each way to read meets each carrier, coding, framing and size.
    let pairs = |other: fn(&Row) -> String| {
        rows.iter().map(|row| (format!("{:?}", row.reading), other(row))).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(pairs(|row| row.carrier.name().to_owned()), READINGS.len() * Carrier::ALL.len());
    assert_eq!(pairs(|row| row.coding.name().to_owned()), READINGS.len() * Coding::ALL.len());
    assert_eq!(pairs(|row| format!("{:?}", row.framing)), READINGS.len() * Framing::ALL.len());
    assert_eq!(pairs(|row| row.size.to_string()), READINGS.len() * SIZES.len());
}

/// Text of this length, in lines that differ.
fn text(size: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 64);
    let mut number: u64 = 1;
    while text.len() < size {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(format!("line {:04x} of a body\n", number >> 48).as_bytes());
    }
    text.truncate(size);
    text
}

/// A body with its coded forms.
type Sample = (Arc<Vec<u8>>, [Arc<Vec<u8>>; 4]);

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let sample = |size| {
        let body = text(size);
        let coded = Coding::ALL.map(|coding| Arc::new(coding.encode(&body)));
        (Arc::new(body), coded)
    };
    SIZES.into_iter().map(sample).collect()
});

async fn run<R: Runtime>(world: &World<R>, row: Row) {
    let at = SIZES.iter().position(|size| *size == row.size).unwrap();
    let (body, coded) = &SAMPLES[at];
    let coded = &coded[Coding::ALL.iter().position(|coding| *coding == row.coding).unwrap()];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{}", row.coding.field());
    let said = row.framing.response(&head, coded, if row.size > 300_000 { 10_007 } else { 997 });
    let script = Connection::new().expect_request().send(said);
    let server = Server::scripted(match row.framing {
        Framing::Close => [script.close(), Connection::new().routes()],
        _ => [script.routes(), Connection::new().routes()],
    });
    let session = world.session();
    session.update(|settings| settings.timeouts.total = Some(Duration::from_secs(60)));
    let request = session.get(server.url("/body")).header("Accept-Encoding", "gzip, br, zstd");
    let response = request.send().await.expect("a response");
    let mut expected = body.to_vec();
    // Lines do not show whether the last one had a line end.
    if row.reading == Reading::Lines && !expected.is_empty() && !expected.ends_with(b"\n") {
        expected.push(b'\n');
    }
    assert!(read(response, row.reading).await == expected, "the body is another");
    // Leftover bytes would be taken for the next response.
    assert_eq!(fetch(session.get(server.url("/get"))).await.status, 200);
    assert_eq!(server.accepted(), if row.framing == Framing::Close { 2 } else { 1 });
}

async fn read<R: Runtime>(mut response: Response<FaultyRuntime<R>>, reading: Reading) -> Vec<u8> {
    let mut body = Vec::new();
    match reading {
        Reading::Bytes => body.extend_from_slice(&response.bytes().await.expect("bytes")),
        Reading::Text => body.extend_from_slice(response.text().await.expect("text").as_bytes()),
        Reading::Chunk => {
            while let Some(chunk) = response.chunk().await.expect("a chunk") {
                body.extend_from_slice(&chunk);
            }
        }
        Reading::Read => {
            let mut room = [0; 1013];
            loop {
                match response.read(&mut room).await.expect("a part") {
                    0 => break,
                    n => body.extend_from_slice(&room[..n]),
                }
            }
        }
        Reading::Copy => {
            let write = |_: &mut std::task::Context<'_>, bytes: &[u8]| {
                let n = bytes.len().min(3001);
                body.extend_from_slice(&bytes[..n]);
                Poll::Ready(Ok(n))
            };
            response.copy_with(write).await.expect("a copy");
        }
        Reading::Save => {
            let folder = Folder::new();
            response.save(folder.file("body")).await.expect("a file");
            body = std::fs::read(folder.file("body")).unwrap();
        }
        Reading::Lines => {
            let mut lines = response.lines();
            while let Some(line) = lines.next().await.expect("a line") {
                body.extend_from_slice(line.as_bytes());
                body.push(b'\n');
            }
        }
    }
    body
}

/// The world of one row. It is made within the run, because a simulation knows its network only
/// there.
fn world<B: Backend>(row: Row) -> World<B::Runtime> {
    World::carried(B::Runtime::default(), Trace::default(), row.carrier)
}

/// A row that is running.
type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs the rows of one backend, each with its own world. `start` boxes the future of a row: a
/// future is known to be `Send` only if the runtime is a known type.
fn all<B: Backend>(backend: &'static str, start: fn(Row) -> Running) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for row in rows().into_iter().filter(|row| row.backend == backend) {
            let done = std::panic::catch_unwind(|| {
                row.carrier.carry(|| {
                    B::run(start(row));
                })
            });
            let is_carried =
                done.as_ref().is_ok_and(|(_, carried)| *carried > 0 || row.carrier == Carrier::Clear);
            let _ = tell.send(Some((row, is_carried)));
        }
        let _ = tell.send(None);
    });
    let mut failed = Vec::new();
    let mut count = 0;
    while let Some((row, is_right)) = told.recv_timeout(PATIENCE).expect("a row that hangs") {
        count += 1;
        if !is_right {
            failed.push(row);
        }
    }
    assert!(failed.is_empty(), "{} of {count} rows fail: {failed:#?}", failed.len());
    println!("{count} rows");
}

#[test]
fn fn1_coded_bodies_come_over_every_carrier_on_tokio() {
    all::<TokioCurrentThread>("tokio", |row| {
        Box::pin(async move { run(&world::<TokioCurrentThread>(row), row).await })
    });
}

#[test]
fn fn1_coded_bodies_come_over_every_carrier_on_smol() {
    all::<SmolCurrentThread>("smol", |row| {
        Box::pin(async move { run(&world::<SmolCurrentThread>(row), row).await })
    });
}

#[test]
fn fn1_coded_bodies_come_over_every_carrier_on_plain_sockets() {
    all::<BlockingThread>("blocking", |row| {
        Box::pin(async move { run(&world::<BlockingThread>(row), row).await })
    });
}

#[test]
fn fn1_coded_bodies_come_over_every_carrier_in_simulation() {
    all::<Simulation>("simulation", |row| Box::pin(async move { run(&world::<Simulation>(row), row).await }));
}
