//! Apache httpd.

use std::process::Command;

use md5::{Digest as _, Md5};

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// Apache with these `Protocols`, with TLS if there is a certificate, and with one second of keep-alive.
/// It has five folders:
///
/// - `files`: without compression.
/// - `coded`: compressed by DEFLATE.
/// - `lasting`: behind Digest (user `ada`, password `engine`).
/// - `private`: behind Digest with nonces of one second.
/// - `store`: accepts PUT and DELETE.
///
/// # Panics
///
/// If Apache is missing, or does not listen after a minute.
#[must_use]
pub fn apache(pem: Option<&Pem>, protocols: &str, text: &[u8]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    let mut tls = "";
    if let Some(pem) = pem {
        write(&folder, "cert.pem", &pem.certificate);
        write(&folder, "key.pem", &pem.key);
        tls = "SSLEngine on\nSSLCertificateFile {folder}/cert.pem\nSSLCertificateKeyFile {folder}/key.pem\n";
    }
    for name in ["files", "store"] {
        std::fs::create_dir(folder.file(name)).expect("a folder of our own");
    }
    write(&folder, "files/text", text);
    let user = |realm: &str| {
        let proof = Md5::digest(format!("ada:{realm}:engine"));
        let proof: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("ada:{realm}:{proof}\n")
    };
    write(&folder, "users", user("members") + &user("lasting"));
    let modules = [
        ("mpm_event", "mpm_event"),
        ("authn_core", "authn_core"),
        ("authn_file", "authn_file"),
        ("authz_core", "authz_core"),
        ("authz_user", "authz_user"),
        ("auth_digest", "auth_digest"),
        ("alias", "alias"),
        ("dav", "dav"),
        ("dav_fs", "dav_fs"),
        ("deflate", "deflate"),
        ("filter", "filter"),
        ("http2", "http2"),
        ("mime", "mime"),
        ("socache_shmcb", "socache_shmcb"),
        ("ssl", "ssl"),
    ];
    let modules: String = modules
        .map(|(name, file)| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{file}.so\n"))
        .concat();
    let text = format!(
        "{modules}\
         ServerName localhost\nListen {address}\nServerRoot {{folder}}\nDefaultRuntimeDir {{folder}}\nPidFile {{folder}}/pid\n\
         ErrorLog {{folder}}/errors\nUser www-data\nGroup www-data\nTypesConfig /dev/null\nDAVLockDB {{folder}}/locks\n\
         KeepAlive On\nKeepAliveTimeout 1\nMaxKeepAliveRequests 0\n\
         {tls}Protocols {protocols}\n\
         DocumentRoot {{folder}}/files\nAlias /coded {{folder}}/files\nAlias /private {{folder}}/files\nAlias /lasting {{folder}}/files\nAlias /store {{folder}}/store\n\
         <Directory {{folder}}>\nRequire all granted\n</Directory>\n\
         <Location /coded>\nForceType text/plain\nSetOutputFilter DEFLATE\n</Location>\n\
         <Location /private>\nAuthType Digest\nAuthName members\nAuthDigestProvider file\nAuthUserFile {{folder}}/users\n\
         AuthDigestNonceLifetime 1\nRequire valid-user\n</Location>\n\
         <Location /lasting>\nAuthType Digest\nAuthName lasting\nAuthDigestProvider file\nAuthUserFile {{folder}}/users\n\
         Require valid-user\n</Location>\n\
         <Location /store>\nDav On\n</Location>\n"
    );
    let text = text.replace("{folder}", text_of(&folder.file("")));
    let configuration = write(&folder, "apache.conf", text);
    // A single process, which does not run as root.
    let mut own = Command::new("chmod");
    assert!(own.args(["-R", "a+rwX"]).arg(folder.file("")).status().expect("chmod").success());
    let mut command = Command::new(program("apache2"));
    command.arg("-X").arg("-f").arg(configuration).arg("-d").arg(folder.file(""));
    Program::start(command, address, folder)
}
