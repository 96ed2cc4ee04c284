//! squid, a proxy: over plain HTTP, over HTTPS, and with interception of TLS.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
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

/// The users of a squid.
#[derive(Clone, Copy, Debug)]
pub enum User<'a> {
    /// Anyone.
    Any,
    /// One user with a password, by Basic.
    Basic(&'a str, &'a str),
    /// One user with a password, by Digest. A nonce is used so many times.
    Digest(&'a str, &'a str, u32),
}

/// squid that accepts only `user`, and refuses requests to `forbidden.test`.
/// `server` is the certificate for its own clients. `authority` signs the certificates that it
/// makes, and is the authority that it trusts.
///
/// # Panics
///
/// If squid or one of its helpers is missing, or it does not listen after a minute.
#[must_use]
pub fn squid(user: User<'_>, server: &Pem, authority: &Pem) -> Squid {
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
    text += &match user {
        User::Any => "http_access allow all\n".to_owned(),
        User::Basic(name, password) => {
            let hashed = Command::new(program("openssl")).args(["passwd", "-apr1", password]).output();
            let hashed = String::from_utf8(hashed.expect("openssl").stdout).expect("text");
            write(&folder, "users", format!("{name}:{hashed}"));
            "auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users\n\
             auth_param basic children 1 startup=1\n"
                .to_owned()
        }
        User::Digest(name, password, uses) => {
            write(&folder, "users", format!("{name}:{password}\n"));
            format!(
                "auth_param digest program /usr/lib/squid/digest_file_auth {{folder}}/users\n\
                 auth_param digest children 1 startup=1\n\
                 auth_param digest realm the lions\n\
                 auth_param digest nonce_max_count {uses}\n\
                 auth_param digest check_nonce_count on\n"
            )
        }
    };
    if !matches!(user, User::Any) {
        text += "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n";
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
