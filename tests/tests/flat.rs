//! Memory stays constant for a body of any length: down by length, in chunks and coded, and up by
//! length. The same holds for lines and events over every carrier.
//!
//! The figure is the peak memory of the process by the system, with client and server in it. The
//! tests print it for each body. They do not use the simulation, because its network keeps every
//! packet.
//!
//! Bodies have 64 MiB. `SESSIO_FLAT_MIB=1024` makes that a GiB, except for the coded body: without
//! optimisation its decoder is too slow.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{self, Write as _};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};

use flate2::Compression;
use flate2::write::GzEncoder;
use sessio_blocking::Blocking;
use sessio_driver::{Runtime, Session, Source};
use sessio_smol::Smol;
use sessio_testkit::{Connection, Server};
use sessio_tests::backend::{
    Backend, BlockingThread, SmolCurrentThread, TokioCurrentThread, TokioMultiThread,
};
use sessio_tests::carrier::Carrier;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::trace::Trace;
use sessio_tests::world::World;
use sessio_tokio::Tokio;

/// The block that bodies consist of. Eight make a MiB.
const BLOCK: usize = 128 << 10;
/// The largest growth of memory during a body, in KiB. It is far below the body, and above the
/// noise of allocators.
const MOST: u64 = 6 * 1024;

/// A line and an event. A block consists of either.
static LINE: LazyLock<String> = LazyLock::new(|| "x".repeat(511) + "\n");
static EVENT: LazyLock<String> =
    LazyLock::new(|| format!("id: 7\ndata: {}\ndata: {}\n\n", "x".repeat(300), "y".repeat(191)));

/// The direction and form of a body.
#[derive(Clone, Copy, Debug)]
enum Way {
    Length,
    Chunked,
    Gzip,
    Up,
    Lines,
    Events,
}

/// Two tests at the same time would count each other's memory.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn memory_is_flat_whichever_way_a_body_goes_and_however_long_it_is() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = blocks();
    for way in [Way::Length, Way::Chunked, Way::Gzip, Way::Up] {
        let blocks = if matches!(way, Way::Gzip) { blocks.min(64 * 8) } else { blocks };
        let clear = Carrier::Clear;
        TokioCurrentThread::run(grows(
            session(Tokio::default(), clear),
            way,
            clear,
            blocks,
            "tokio, one thread",
        ));
        TokioMultiThread::run(grows(
            session(Tokio::default(), clear),
            way,
            clear,
            blocks,
            "tokio, worker threads",
        ));
        SmolCurrentThread::run(grows(session(Smol::default(), clear), way, clear, blocks, "smol"));
        BlockingThread::run(grows(session(Blocking::default(), clear), way, clear, blocks, "blocking"));
    }
}

#[test]
fn memory_is_flat_while_lines_and_events_are_read_over_every_carrier() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let everything = sessio_tests::matrix::is_everything_wanted();
    for (at, carrier) in Carrier::ALL.into_iter().enumerate() {
        for (more, way) in [Way::Lines, Way::Events].into_iter().enumerate() {
            // Each pair has one backend, so each backend has both directions and all kinds of
            // carriers.
            let has = |number: usize| everything || (at + at / 3 + more) % 3 == number;
            let blocks = blocks();
            carrier.carry(|| {
                if has(0) {
                    let session = session(Tokio::default(), carrier);
                    TokioCurrentThread::run(grows(session, way, carrier, blocks, "tokio"));
                }
                if has(1) {
                    let session = session(Smol::default(), carrier);
                    SmolCurrentThread::run(grows(session, way, carrier, blocks, "smol"));
                }
                if has(2) {
                    let session = session(Blocking::default(), carrier);
                    BlockingThread::run(grows(session, way, carrier, blocks, "blocking"));
                }
            });
        }
    }
}

/// A session for servers with this carrier.
fn session<R: Runtime>(runtime: R, carrier: Carrier) -> Session<FaultyRuntime<R>> {
    World::carried(runtime, Trace::default(), carrier).session()
}

fn blocks() -> usize {
    std::env::var("SESSIO_FLAT_MIB").map_or(64, |mib| mib.parse::<usize>().unwrap()) * 8
}

/// Moves two blocks first, so that fixed allocations are made. Then moves all blocks.
async fn grows<R: Runtime>(
    session: Session<R>,
    way: Way,
    carrier: Carrier,
    blocks: usize,
    name: &'static str,
) {
    go(&session, way, 2).await;
    // Resets the peak memory to the current memory.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = most_in_memory();
    go(&session, way, blocks).await;
    // The kernel adds up the counters of its cores only now and then.
    let grown = most_in_memory().saturating_sub(before);
    let (mib, carrier) = (blocks / 8, carrier.name());
    println!("{way:?} {mib} MiB over {carrier}, {name}: {before} KiB, and {grown} KiB more");
    assert!(grown < MOST, "{way:?}: {grown} KiB more on {name} over {carrier}");
}

async fn go<R: Runtime>(session: &Session<R>, way: Way, blocks: usize) {
    let body = blocks * BLOCK;
    let times = blocks as u64;
    let coded = gzip();
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
    let script = Connection::new();
    let script = match way {
        Way::Length => script
            .expect_request()
            .send(head(&format!("Content-Length: {body}")))
            .send(vec![b'x'; BLOCK])
            .times(times),
        Way::Chunked => script
            .expect_request()
            .send(head("Transfer-Encoding: chunked"))
            .send([&b"400\r\n"[..], &[b'x'; 1024], b"\r\n"].concat().repeat(BLOCK / 1024))
            .times(times)
            .send("0\r\n\r\n"),
        Way::Gzip => script
            .expect_request()
            .send(head(&format!("Content-Encoding: gzip\r\nContent-Length: {}", coded.len() * blocks)))
            .send(coded)
            .times(times),
        Way::Lines => script
            .expect_request()
            .send(head(&format!("Content-Length: {body}")))
            .send(LINE.repeat(BLOCK / LINE.len()))
            .times(times),
        Way::Events => script
            .expect_request()
            .send(head(&format!("Content-Type: text/event-stream\r\nContent-Length: {body}")))
            .send(EVENT.repeat(BLOCK / EVENT.len()))
            .times(times),
        // Block by block: a server that reads the whole body at once would have it in memory.
        Way::Up => (0..blocks).fold(script.read_head(), |script, _| script.read(BLOCK)).ok("all"),
    };
    let server = Server::scripted(script);
    server.record_bytes(false);
    let url = server.url("/");
    let request = match way {
        Way::Up => session.put(url).source(Letters(body), Some(body as u64), false),
        _ => session.get(url),
    };
    let mut response = request.send().await.unwrap();
    let mut count = 0;
    if matches!(way, Way::Lines) {
        let mut lines = response.lines();
        while let Some(line) = lines.next().await.unwrap() {
            assert_eq!(line.len(), LINE.len() - 1);
            count += LINE.len();
        }
        assert_eq!(count, body);
        return;
    }
    if matches!(way, Way::Events) {
        let mut events = response.events();
        while let Some(event) = events.next().await.unwrap() {
            assert_eq!((event.data.len(), event.id.len()), (EVENT.len() - 20, 1));
            count += EVENT.len();
        }
        assert_eq!(count, body);
        return;
    }
    while response.read_with(|bytes| count += bytes.len()).await.unwrap() {}
    assert_eq!(count, if matches!(way, Way::Up) { 3 } else { body });
}

/// A block as a gzip member. Half of it is noise.
fn gzip() -> Vec<u8> {
    let mut state = 1u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let half: Vec<u8> = (0..BLOCK / 16).flat_map(|_| noise()).collect();
    let mut coder = GzEncoder::new(Vec::new(), Compression::fast());
    for part in half.chunks(1024) {
        coder.write_all(part).unwrap();
        coder.write_all(part).unwrap();
    }
    coder.finish().unwrap()
}

/// A source of so many bytes, which are never in memory at once.
struct Letters(usize);

impl Source for Letters {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let n = room.len().min(self.0);
        room[..n].fill(b'x');
        self.0 -= n;
        Poll::Ready(Ok(n))
    }
}

/// The peak since the last reset, in KiB.
fn most_in_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}
