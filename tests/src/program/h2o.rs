//! H2O.

use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// H2O with these files. Without a certificate it speaks HTTP/2 by prior knowledge.
///
/// # Panics
/// If H2O is missing, or does not listen after a minute.
#[must_use]
pub fn h2o(pem: Option<&Pem>, files: &[(&str, &[u8])]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    std::fs::create_dir(folder.file("files")).expect("a folder of our own");
    for (name, bytes) in files {
        write(&folder, &format!("files/{name}"), bytes);
    }
    let tls = match pem {
        None => String::new(),
        Some(pem) => {
            write(&folder, "key.pem", &pem.key);
            write(&folder, "cert.pem", &pem.certificate);
            "  ssl:\n    certificate-file: {folder}/cert.pem\n    key-file: {folder}/key.pem\n".to_owned()
        }
    };
    let text = format!(
        "listen:\n  host: 127.0.0.1\n  port: {}\n{tls}user: root\nnum-threads: 1\nerror-log: {{folder}}/errors\n\
         pid-file: {{folder}}/pid\nhosts:\n  default:\n    paths:\n      /:\n        file.dir: {{folder}}/files\n",
        address.port()
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "h2o.yaml", text);
    let mut command = Command::new(program("h2o"));
    command.arg("-m").arg("worker").arg("-c").arg(configuration);
    Program::start(command, address, folder)
}
