//! nghttpd, the server of nghttp2.

use std::process::Command;

use super::{Program, free_address, program, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// nghttpd with these files. It echoes uploads, and sends a trailer after each response. Without
/// a certificate it speaks HTTP/2 by prior knowledge.
///
/// # Panics
///
/// If nghttpd is missing, or does not listen after a minute.
#[must_use]
pub fn nghttpd(pem: Option<&Pem>, files: &[(&str, &[u8])]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    for (name, bytes) in files {
        write(&folder, name, bytes);
    }
    let mut command = Command::new(program("nghttpd"));
    command.args(["-a", "127.0.0.1", "--echo-upload", "--trailer=x-end: yes", "-d"]).arg(folder.file(""));
    match pem {
        None => {
            command.arg("--no-tls").arg(address.port().to_string());
        }
        Some(pem) => {
            command.arg(address.port().to_string());
            command.arg(write(&folder, "key.pem", &pem.key));
            command.arg(write(&folder, "cert.pem", &pem.certificate));
        }
    }
    Program::start(command, address, folder)
}
