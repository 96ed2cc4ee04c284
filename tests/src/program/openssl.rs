//! `openssl s_server`, for versions and ciphers that other servers no longer support.

use std::process::Command;

use super::{Program, free_address, program, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// A server that responds to every `GET` with a page about the connection. `options` are those of
/// `s_server`, such as `-tls1_2`.
///
/// # Panics
///
/// If openssl is missing, or does not listen after a minute.
#[must_use]
pub fn openssl(pem: &Pem, options: &[&str]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    let mut command = Command::new(program("openssl"));
    command.args(["s_server", "-quiet", "-www", "-accept"]).arg(address.to_string());
    command.arg("-cert").arg(write(&folder, "cert.pem", &pem.certificate));
    command.arg("-cert_chain").arg(folder.file("cert.pem"));
    command.arg("-key").arg(write(&folder, "key.pem", &pem.key)).args(options);
    Program::start(command, address, folder)
}
