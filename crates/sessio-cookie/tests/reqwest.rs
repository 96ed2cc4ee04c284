//! Runs the example for reqwest twice, against a server with one page.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test of files and sockets, which fails by a panic"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

#[allow(dead_code, reason = "its `main` reads the command line")]
#[path = "../examples/reqwest_jar.rs"]
mod reqwest_jar;

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=31d4; Path=/; HttpOnly\r\n\
    Set-Cookie: all=1; Domain=com\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";

/// Serves two responses and returns the `Cookie` fields of their requests.
fn serve(listener: &TcpListener) -> [Option<String>; 2] {
    [(); 2].map(|()| {
        let (mut socket, _) = listener.accept().unwrap();
        let lines = BufReader::new(&socket).lines().map(|line| line.unwrap().to_ascii_lowercase());
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        socket.write_all(PAGE).unwrap();
        head.iter().find_map(|line| line.strip_prefix("cookie: ").map(str::to_owned))
    })
}

#[test]
fn the_second_run_sends_what_the_first_has_kept() {
    let folder = std::env::temp_dir().join(format!("sessio-cookie-reqwest-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("cookies.txt");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = std::thread::scope(|scope| {
        let server = scope.spawn(|| serve(&listener));
        for _ in 0..2 {
            assert_eq!(reqwest_jar::visit(&file, &url).unwrap(), "hello");
        }
        server.join().unwrap()
    });
    assert_eq!(seen, [None, Some("sid=31d4".to_owned())]);

    // There is one file, and its owner alone can read it.
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["cookies.txt"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
