//! A socket that one thread rings to end the wait of another.

use std::io;
#[cfg(not(unix))]
use std::net::{Ipv4Addr, UdpSocket as Half};
#[cfg(unix)]
use std::os::unix::net::UnixStream as Half;

/// Two ends that are connected: one is readable after the other was written to.
#[derive(Debug)]
pub(crate) struct Bell {
    hears: Half,
    rings: Half,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (hears, rings) = pair()?;
        hears.set_nonblocking(true)?;
        rings.set_nonblocking(true)?;
        Ok(Self { hears, rings })
    }

    /// What is readable once it has rung.
    pub(crate) fn socket(&self) -> &Half {
        &self.hears
    }

    /// If it cannot take any more, it has rung already.
    pub(crate) fn ring(&self) {
        let _ = send(&self.rings);
    }

    /// It has been heard.
    pub(crate) fn silence(&self) {
        while receive(&self.hears).is_ok_and(|n| n > 0) {}
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

/// A system without pairs of sockets: datagrams within this machine, of which others' are refused.
#[cfg(not(unix))]
fn pair() -> io::Result<(Half, Half)> {
    let (hears, rings) = (Half::bind((Ipv4Addr::LOCALHOST, 0))?, Half::bind((Ipv4Addr::LOCALHOST, 0))?);
    hears.connect(rings.local_addr()?)?;
    rings.connect(hears.local_addr()?)?;
    Ok((hears, rings))
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
