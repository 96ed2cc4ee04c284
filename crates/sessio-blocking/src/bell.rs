//! A socket that one thread writes to, to end the wait of another.

use std::io;
#[cfg(not(unix))]
use std::net::{Ipv4Addr, UdpSocket as Half};
#[cfg(unix)]
use std::os::unix::net::UnixStream as Half;

/// Two connected ends: one is readable after a write to the other.
#[derive(Debug)]
pub(crate) struct Bell {
    reader: Half,
    writer: Half,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Self { reader, writer })
    }

    /// The end that is readable after `ring`.
    pub(crate) fn socket(&self) -> &Half {
        &self.reader
    }

    /// Makes the socket readable. A full buffer means that it is readable already.
    pub(crate) fn ring(&self) {
        let _ = send(&self.writer);
    }

    /// Reads all pending bytes, so that the socket is not readable any more.
    pub(crate) fn silence(&self) {
        while receive(&self.reader).is_ok_and(|n| n > 0) {}
    }
}

#[cfg(unix)]
fn pair() -> io::Result<(Half, Half)> {
    Half::pair()
}

#[cfg(unix)]
fn send(mut half: &Half) -> io::Result<usize> {
    io::Write::write(&mut half, &[0])
}

#[cfg(unix)]
fn receive(mut half: &Half) -> io::Result<usize> {
    io::Read::read(&mut half, &mut [0; 8])
}

/// Two UDP sockets on loopback, for systems without socket pairs. Both are connected, so they
/// accept no datagram of another sender.
#[cfg(not(unix))]
fn pair() -> io::Result<(Half, Half)> {
    let (reader, writer) = (Half::bind((Ipv4Addr::LOCALHOST, 0))?, Half::bind((Ipv4Addr::LOCALHOST, 0))?);
    reader.connect(writer.local_addr()?)?;
    writer.connect(reader.local_addr()?)?;
    Ok((reader, writer))
}

#[cfg(not(unix))]
fn send(half: &Half) -> io::Result<usize> {
    half.send(&[0])
}

#[cfg(not(unix))]
fn receive(half: &Half) -> io::Result<usize> {
    half.recv(&mut [0; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_heard_until_it_is_silenced() {
        let bell = Bell::new().unwrap();
        assert!(receive(bell.socket()).is_err());
        for _ in 0..20 {
            bell.ring();
        }
        bell.silence();
        assert!(receive(bell.socket()).is_err());
        bell.ring();
        assert!(receive(bell.socket()).is_ok_and(|n| n > 0));
    }
}
