//! microsocks, a SOCKS5 server.

use std::process::Command;

use super::{Program, free_address, program};
use crate::folder::Folder;

/// A SOCKS 5 server. It accepts only `user`, if there is one.
///
/// # Panics
///
/// If microsocks is missing, or does not listen after a minute.
#[must_use]
pub fn socks(user: Option<(&str, &str)>) -> Program {
    let address = free_address();
    let mut command = Command::new(program("microsocks"));
    command.args(["-i", "127.0.0.1", "-p"]).arg(address.port().to_string());
    if let Some((name, password)) = user {
        command.args(["-u", name, "-P", password]);
    }
    Program::start(command, address, Folder::new())
}
