//! HAProxy.

use std::net::SocketAddr;
use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// HAProxy for one protocol (`http/1.1` or `h2`) in front of `upstream`, with TLS if there is
/// a certificate. It compresses plain text by gzip, and keeps HTTP/1.1 connections for one second.
///
/// # Panics
///
/// If HAProxy is missing, or does not listen after a minute.
#[must_use]
pub fn haproxy(pem: Option<&Pem>, protocol: &str, upstream: SocketAddr) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    let bind = match pem {
        None => format!("proto {protocol}"),
        Some(pem) => {
            write(&folder, "both.pem", format!("{}{}", pem.certificate, pem.key));
            format!("ssl crt {{folder}}/both.pem alpn {protocol}")
        }
    };
    let idle = if protocol == "h2" { "60s" } else { "1s" };
    let text = format!(
        "defaults\n  mode http\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n  timeout http-keep-alive {idle}\n\
         frontend tls\n  bind {address} {bind}\n  http-request set-header X-Forwarded-Proto https\n\
         filter compression\n  compression algo gzip\n  compression type text/plain\n  default_backend site\n\
         backend site\n  server one {upstream}\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "haproxy.cfg", text);
    let mut command = Command::new(program("haproxy"));
    command.arg("-db").arg("-f").arg(configuration);
    Program::start(command, address, folder)
}
