//! Sockets of the operating system with the options of a session.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sessio::{KeepAlive, Tcp};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// A TCP socket for a connection to `address`: with the options of `tcp`, bound to its local
/// address, and not yet connected.
///
/// # Errors
/// - [`Unsupported`](io::ErrorKind::Unsupported): the system does not support an option.
/// - Any error of the system.
pub fn tcp_socket(address: SocketAddr, tcp: &Tcp) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if tcp.nodelay {
        socket.set_tcp_nodelay(true)?;
    }
    if let Some(keep) = &tcp.keep_alive {
        socket.set_tcp_keepalive(&keepalive(keep)?)?;
    }
    if let Some(span) = tcp.user_timeout {
        set_user_timeout(&socket, span)?;
    }
    if let Some(local) = tcp.local_address {
        socket.bind(&SocketAddr::new(local, 0).into())?;
    }
    Ok(socket)
}

/// A timeout of 0 would select the system's own limit, so it becomes 1 ms.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn set_user_timeout(socket: &Socket, span: Duration) -> io::Result<()> {
    let part = u64::from(!span.subsec_nanos().is_multiple_of(1_000_000));
    let span = span.saturating_add(Duration::from_millis(part)).max(Duration::from_millis(1));
    // The largest value that the system accepts: 24 days.
    socket.set_tcp_user_timeout(Some(span.min(Duration::from_millis(i32::MAX as u64))))
}

#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn set_user_timeout(_: &Socket, _: Duration) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no TCP_USER_TIMEOUT"))
}

#[cfg(any(
    target_vendor = "apple",
    windows,
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux"
))]
fn keepalive(keep: &KeepAlive) -> io::Result<TcpKeepalive> {
    let mut options = TcpKeepalive::new().with_time(in_seconds(keep.time));
    if let Some(interval) = keep.interval {
        options = options.with_interval(in_seconds(interval));
    }
    if let Some(retries) = keep.retries {
        options = options.with_retries(retries);
    }
    Ok(options)
}

#[cfg(not(any(
    target_vendor = "apple",
    windows,
    target_os = "android",
    target_os = "freebsd",
    target_os = "linux"
)))]
fn keepalive(keep: &KeepAlive) -> io::Result<TcpKeepalive> {
    match keep {
        KeepAlive { interval: None, retries: None, .. } => {
            Ok(TcpKeepalive::new().with_time(in_seconds(keep.time)))
        }
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Systems accept whole seconds, at least one, so fractions are rounded up.
fn in_seconds(span: Duration) -> Duration {
    let part = u64::from(span.subsec_nanos() > 0);
    Duration::from_secs(span.as_secs().saturating_add(part).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(change: impl FnOnce(&mut Tcp)) -> io::Result<Socket> {
        let mut tcp = Tcp::default();
        change(&mut tcp);
        tcp_socket("127.0.0.1:9".parse().unwrap(), &tcp)
    }

    #[test]
    fn a_socket_is_as_it_was_asked_for() {
        let plain = options(|_| {}).unwrap();
        assert!(plain.tcp_nodelay().unwrap() && !plain.keepalive().unwrap());
        assert_eq!(plain.local_addr().unwrap().as_socket().unwrap().port(), 0, "bound by nobody");
        let slow = options(|tcp| tcp.nodelay = false).unwrap();
        assert!(!slow.tcp_nodelay().unwrap());
        let local = options(|tcp| tcp.local_address = Some([127, 0, 0, 1].into())).unwrap();
        let bound = local.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(bound.ip().to_string(), "127.0.0.1");
        assert_ne!(bound.port(), 0);
    }

    #[test]
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    fn keep_alive_is_set_in_whole_seconds() {
        for (time, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (90_000, 90)] {
            let mut keep = KeepAlive::after(Duration::from_millis(time));
            let socket = options(|tcp| tcp.keep_alive = Some(keep)).unwrap();
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(seconds));
            keep.interval = Some(Duration::from_millis(time));
            keep.retries = Some(3);
            let socket = options(|tcp| tcp.keep_alive = Some(keep)).unwrap();
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(seconds));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn fs10_the_user_timeout_is_set_in_whole_milliseconds() {
        let of =
            |tcp: Option<Duration>| options(|to| to.user_timeout = tcp).unwrap().tcp_user_timeout().unwrap();
        assert_eq!(of(None), None);
        let (micro, milli) = (Duration::from_micros, Duration::from_millis);
        for (asked, set) in [
            (Duration::ZERO, milli(1)),
            (micro(1), milli(1)),
            (micro(1001), milli(2)),
            (milli(90_000), milli(90_000)),
            (Duration::MAX, milli(i32::MAX as u64)),
        ] {
            assert_eq!(of(Some(asked)), Some(set), "{asked:?}");
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_an_error() {
        // TEST-NET-1 is assigned to no host (RFC 5737).
        let error = options(|tcp| tcp.local_address = Some([192, 0, 2, 1].into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
