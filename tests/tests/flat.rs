//! However long a body is, the memory that it takes on its way stays the same: down by length, in chunks and coded, and
//! up by length. The most that the process had in memory is what the system says of it, client and server
//! together; it is printed for each. Not on the simulation: its network writes down every packet.
//!
//! 64 MiB each way; `SESSIO_FLAT_MIB=1024` makes it a GiB, but for the coded one: what is not optimised decodes too slowly.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{self, Write as _};
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
use sessio_tokio::Tokio;

/// What a body is made of, eight to a MiB.
const BLOCK: usize = 128 << 10;
/// By how much memory may grow while it goes by, KiB: far less than a body, and more than allocators are tidy.
const MOST: u64 = 6 * 1024;

/// A way that a body goes.
#[derive(Clone, Copy, Debug)]
enum Way {
    Length,
    Chunked,
    Gzip,
    Up,
}

#[test]
fn memory_is_flat_whichever_way_a_body_goes_and_however_long_it_is() {
    let mib: usize = std::env::var("SESSIO_FLAT_MIB").map_or(64, |mib| mib.parse().unwrap());
    let blocks = mib * 8;
    for way in [Way::Length, Way::Chunked, Way::Gzip, Way::Up] {
        let blocks = if matches!(way, Way::Gzip) { blocks.min(64 * 8) } else { blocks };
        TokioCurrentThread::run(grows(Session::<Tokio>::new(), way, blocks, "tokio, one thread"));
        TokioMultiThread::run(grows(Session::<Tokio>::new(), way, blocks, "tokio, worker threads"));
        SmolCurrentThread::run(grows(Session::<Smol>::new(), way, blocks, "smol"));
        BlockingThread::run(grows(Session::<Blocking>::new(), way, blocks, "blocking"));
    }
}

/// Lets two blocks go that way first, so that what there is once for all bodies is there; then all of them.
async fn grows<R: Runtime>(session: Session<R>, way: Way, blocks: usize, name: &'static str) {
    go(&session, way, 2).await;
    // The most that was in memory is what is in memory now, from here on.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = most_in_memory();
    go(&session, way, blocks).await;
    // The system adds up what its cores have counted now and then.
    let grown = most_in_memory().saturating_sub(before);
    println!("{way:?} {} MiB, {name}: {before} KiB, and {grown} KiB more", blocks / 8);
    assert!(grown < MOST, "{grown} KiB more on {name}");
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
        // Block by block: a server that read all of it at once would have it in memory.
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
    while response.read_with(|bytes| count += bytes.len()).await.unwrap() {}
    assert_eq!(count, if matches!(way, Way::Up) { 3 } else { body });
}

/// A block as a member of gzip: half of it is noise.
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

/// So many bytes that there never are at once.
struct Letters(usize);

impl Source for Letters {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let n = room.len().min(self.0);
        room[..n].fill(b'x');
        self.0 -= n;
        Poll::Ready(Ok(n))
    }
}

/// KiB, since the last reset.
fn most_in_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}
