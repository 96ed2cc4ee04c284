//! HAProxy over TLS.

use std::net::SocketAddr;
use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::authority::Papers;
use crate::folder::Folder;

/// HAProxy with TLS, gzip for plain text, and one second of keep-alive, in front of `upstream`.
///
/// # Panics
/// If HAProxy is missing, or does not listen after a minute.
#[must_use]
pub fn haproxy(papers: &Papers, upstream: SocketAddr) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    write(&folder, "both.pem", format!("{}{}", papers.certificate, papers.key));
    let text = format!(
        "defaults\n  mode http\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n  timeout http-keep-alive 1s\n\
         frontend tls\n  bind {address} ssl crt {{folder}}/both.pem alpn http/1.1\n  http-request set-header X-Forwarded-Proto https\n\
         filter compression\n  compression algo gzip\n  compression type text/plain\n  default_backend site\n\
         backend site\n  server one {upstream}\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "haproxy.cfg", text);
    let mut command = Command::new(program("haproxy"));
    command.arg("-db").arg("-f").arg(configuration);
    Program::start(command, address, folder)
}
