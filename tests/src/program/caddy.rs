//! Caddy over TLS.

use std::net::SocketAddr;
use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// Caddy with TLS, gzip, and one second of keep-alive. It serves `/text.txt` itself and forwards
/// all other requests to `upstream`.
///
/// # Panics
///
/// If Caddy is missing, or does not listen after a minute.
#[must_use]
pub fn caddy(pem: &Pem, text: &[u8], upstream: SocketAddr) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    write(&folder, "cert.pem", &pem.certificate);
    write(&folder, "key.pem", &pem.key);
    std::fs::create_dir(folder.file("files")).expect("a folder of our own");
    write(&folder, "files/text.txt", text);
    let port = address.port();
    let text = format!(
        "{{\n  admin off\n  auto_https off\n  log {{\n    output file {{folder}}/errors\n  }}\n\
         servers {{\n    protocols h1\n    timeouts {{\n      idle 1s\n    }}\n  }}\n}}\n\
         https://localhost:{port} {{\n  bind 127.0.0.1\n  tls {{folder}}/cert.pem {{folder}}/key.pem\n  encode gzip\n\
         handle /text.txt {{\n    root * {{folder}}/files\n    file_server\n  }}\n\
         handle {{\n    reverse_proxy {upstream}\n  }}\n}}\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "Caddyfile", text);
    let mut command = Command::new(program("caddy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(configuration);
    command
        .env("HOME", folder.file(""))
        .env("XDG_DATA_HOME", folder.file(""))
        .env("XDG_CONFIG_HOME", folder.file(""));
    Program::start(command, address, folder)
}
