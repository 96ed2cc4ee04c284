//! nginx.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::folder::Folder;

/// nginx with this text in the `server` part of its configuration. `{folder}` in it is the folder
/// of the program, where `fill` may write files. `listen` is the text after the address, such as
/// `ssl`.
///
/// # Panics
///
/// If nginx is missing, or does not listen after a minute.
#[must_use]
pub fn nginx(listen: &str, server: &str, fill: impl FnOnce(&Path)) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    fill(&folder.file(""));
    let module = Path::new("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so");
    let module = if module.exists() { format!("load_module {};", module.display()) } else { String::new() };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|of| format!("{of}_temp_path {{folder}}/{of};\n"))
        .concat();
    let text = format!(
        "{module}\nuser root;\ndaemon off;\nmaster_process off;\npid {{folder}}/pid;\nerror_log {{folder}}/errors;\n\
         events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temporary}\
         server {{\nlisten {address} {listen};\n{server}\n}}\n}}\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "nginx.conf", text);
    let mut command = Command::new(program("nginx"));
    command.args([OsStr::new("-c"), configuration.as_os_str()]);
    command.arg("-e").arg(folder.file("errors")).arg("-p").arg(folder.file(""));
    Program::start(command, address, folder)
}
