//! One session for several threads: they share its connections, its settings and its cookies.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sessio_blocking::Session;
use sessio_blocking::pool::Policy;

static ACCEPTED: AtomicUsize = AtomicUsize::new(0);

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|socket| drop(thread::spawn(|| serve(socket))))
    });

    // A thread waits while four connections are in use.
    let mut policy = Policy::default();
    policy.max_per_host = Some(4);
    let session = Session::with_pool(policy);
    assert_eq!(session.get(&*url).send()?.text()?, ""); // and a cookie
    let visit = || -> sessio_blocking::Result<()> {
        for _ in 0..25 {
            assert_eq!(session.get(&*url).send()?.error_for_status()?.text()?, "Cookie: id=7");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(visit)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    println!("201 responses in 9 threads over {} connections", ACCEPTED.load(Ordering::Relaxed));
    assert!(ACCEPTED.load(Ordering::Relaxed) <= 4);
    Ok(())
}

/// Serves one connection, for this example. It responds with the cookies of the request.
fn serve(mut socket: TcpStream) -> std::io::Result<()> {
    ACCEPTED.fetch_add(1, Ordering::Relaxed);
    let mut cookies = String::new();
    for line in BufReader::new(socket.try_clone()?).lines().map_while(Result::ok) {
        if line.is_empty() {
            let head = format!("HTTP/1.1 200 OK\r\nSet-Cookie: id=7\r\nContent-Length: {}", cookies.len());
            socket.write_all(format!("{head}\r\n\r\n{}", std::mem::take(&mut cookies)).as_bytes())?;
        } else if line.starts_with("Cookie:") {
            cookies = line;
        }
    }
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
