//! nghttpd, the server of nghttp2.

use std::process::Command;

use super::{Program, free_address, program, write};
use crate::authority::Papers;
use crate::folder::Folder;

/// nghttpd with these files. It echoes uploads, and sends a trailer after each response. Without
/// papers it speaks HTTP/2 by prior knowledge.
///
/// # Panics
///
/// If nghttpd is missing, or does not listen after a minute.
#[must_use]
pub fn nghttpd(papers: Option<&Papers>, files: &[(&str, &[u8])]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    for (name, bytes) in files {
        write(&folder, name, bytes);
    }
    let mut command = Command::new(program("nghttpd"));
    command.args(["-a", "127.0.0.1", "--echo-upload", "--trailer=x-end: yes", "-d"]).arg(folder.file(""));
    match papers {
        None => {
            command.arg("--no-tls").arg(address.port().to_string());
        }
        Some(papers) => {
            command.arg(address.port().to_string());
            command.arg(write(&folder, "key.pem", &papers.key));
            command.arg(write(&folder, "cert.pem", &papers.certificate));
        }
    }
    Program::start(command, address, folder)
}
