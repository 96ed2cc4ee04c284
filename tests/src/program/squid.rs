//! squid, a proxy: over plain HTTP, over HTTPS, and with interception of TLS.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::{Program, free_address, program, text_of, write};
use crate::authority::Papers;
use crate::folder::Folder;

/// squid with three ports.
#[derive(Debug)]
pub struct Squid {
    /// The process. Its address is the port for plain HTTP.
    pub program: Program,
    /// The port that speaks TLS itself.
    pub https: SocketAddr,
    /// The port that ends the TLS of its tunnels, with certificates that it makes.
    pub bump: SocketAddr,
    name: String,
}

impl Drop for Squid {
    fn drop(&mut self) {
        // It is killed, so it cannot remove its shared memory.
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&self.name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// squid that accepts only `user`, if there is one, and refuses requests to `forbidden.test`.
/// `server` is the certificate for its own clients. `authority` signs the certificates that it
/// makes, and is the authority that it trusts.
///
/// # Panics
///
/// If squid or one of its helpers is missing, or it does not listen after a minute.
#[must_use]
pub fn squid(user: Option<(&str, &str)>, server: &Papers, authority: &Papers) -> Squid {
    let (folder, address) = (Folder::new(), free_address());
    let (https, bump) = (free_address(), free_address());
    // It does not run as root.
    fs::set_permissions(folder.file(""), Permissions::from_mode(0o777)).expect("a folder of our own");
    for (name, text) in [
        ("server.pem", &server.certificate),
        ("server.key", &server.key),
        ("authority.pem", &authority.certificate),
        ("authority.key", &authority.key),
    ] {
        write(&folder, name, text);
    }
    let mut text = format!(
        "http_port {address}\n\
         https_port {https} tls-cert={{folder}}/server.pem tls-key={{folder}}/server.key\n\
         http_port {bump} ssl-bump tls-cert={{folder}}/authority.pem tls-key={{folder}}/authority.key \
         generate-host-certificates=on\n\
         sslcrtd_program /usr/lib/squid/security_file_certgen -s {{folder}}/made -M 4MB\n\
         sslcrtd_children 1 startup=1\n\
         ssl_bump bump all\n\
         tls_outgoing_options cafile={{folder}}/authority.pem\n\
         acl forbidden dstdomain forbidden.test\n\
         http_access deny forbidden\n"
    );
    if let Some((name, password)) = user {
        let hashed = Command::new(program("openssl")).args(["passwd", "-apr1", password]).output();
        let hashed = String::from_utf8(hashed.expect("openssl").stdout).expect("text");
        write(&folder, "users", format!("{name}:{hashed}"));
        text += "auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users\n\
                 auth_param basic children 1 startup=1\n\
                 acl known proxy_auth REQUIRED\n\
                 http_access allow known\nhttp_access deny all\n";
    } else {
        text += "http_access allow all\n";
    }
    let _ = write!(
        text,
        "cache deny all\ncache_effective_user nobody\npid_filename none\naccess_log none\nnetdb_filename none\n\
         cache_log {{folder}}/log\ncoredump_dir {{folder}}\nshutdown_lifetime 0 seconds\n\
         hosts_file /etc/hosts\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "squid.conf", text);
    let made = Command::new("/usr/lib/squid/security_file_certgen")
        .args(["-c", "-s"])
        .arg(folder.file("made"))
        .args(["-M", "4MB"])
        .stdout(Stdio::null())
        .status();
    assert!(made.expect("squid's own program for certificates").success());
    let mut own = Command::new("chmod");
    assert!(own.args(["-R", "a+rwX"]).arg(folder.file("")).status().expect("chmod").success());
    let mut command = Command::new(program("squid"));
    // The name of its shared memory.
    let name = format!("sessio{}-", address.port());
    command.args(["-N", "-n", name.trim_end_matches('-'), "-f"]).arg(configuration);
    Squid { program: Program::start(command, address, folder), https, bump, name }
}
