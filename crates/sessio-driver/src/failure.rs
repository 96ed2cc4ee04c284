//! The reason why there is no connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sessio::happy_eyeballs::Outcome;

/// The result of each connection attempt to a host, in the planned order. It is the source of
/// [`Kind::Connect`](sessio::Kind::Connect), and of the error of a time limit that ran out
/// meanwhile. Then some addresses may not have responded, and others may not have been tried.
#[derive(Debug)]
pub struct ConnectFailure {
    attempts: Vec<Attempt>,
}

/// One address and the result of its attempt.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The target of the attempt.
    pub to: Endpoint,
    /// The result of the attempt.
    pub outcome: Outcome<io::Error>,
}

/// The target of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// An address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl ConnectFailure {
    /// The outcomes of a race, and the addresses that were left out because the local address is of
    /// the other family.
    pub(crate) fn of(race: Vec<(SocketAddr, Outcome<io::Error>)>, others: Vec<SocketAddr>) -> Self {
        let unfit = |to| (to, Outcome::Failed(io::Error::other("the local address is of the other family")));
        let all = race.into_iter().chain(others.into_iter().map(unfit));
        Self { attempts: all.map(|(to, outcome)| Attempt { to: Endpoint::Tcp(to), outcome }).collect() }
    }

    pub(crate) fn unix(path: &Path, outcome: Outcome<io::Error>) -> Self {
        Self { attempts: vec![Attempt { to: Endpoint::Unix(path.to_owned()), outcome }] }
    }

    /// The addresses and the result of each.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl Attempt {
    /// The error of the attempt, if it has failed.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        match &self.outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attempt) in self.attempts.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}: ", attempt.to)?;
            match &attempt.outcome {
                Outcome::Failed(error) => write!(f, "{error}")?,
                Outcome::Open => f.write_str("no answer yet")?,
                _ => f.write_str("not tried yet")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => fmt::Display::fmt(address, f),
            // Quoted and escaped: a path may contain any byte.
            Self::Unix(path) => fmt::Debug::fmt(path, f),
        }
    }
}

impl std::error::Error for ConnectFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.attempts.iter().rev().find_map(Attempt::error).map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f02_it_says_what_came_of_each() {
        let address = |number: u8| SocketAddr::from(([192, 0, 2, number], 80));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let race = vec![
            (address(1), Outcome::Failed(refused)),
            (address(2), Outcome::Open),
            (address(3), Outcome::Untried),
        ];
        let failure = ConnectFailure::of(race, vec!["[::1]:80".parse().unwrap()]);
        assert_eq!(
            failure.to_string(),
            "192.0.2.1:80: connection refused, 192.0.2.2:80: no answer yet, 192.0.2.3:80: not tried yet, \
             [::1]:80: the local address is of the other family"
        );
        let cause = std::error::Error::source(&failure).unwrap().to_string();
        assert_eq!(cause, "the local address is of the other family");
        let failure = ConnectFailure::unix(Path::new("/a\n"), Outcome::Open);
        assert_eq!(failure.to_string(), "\"/a\\n\": no answer yet");
        assert!(std::error::Error::source(&failure).is_none());
    }
}
