//! Tomcat over TLS.

use std::path::Path;
use std::process::Command;

use super::{Program, free_address, program, text_of, write};
use crate::authority::Pem;
use crate::folder::Folder;

/// The folder of Debian's Tomcat.
const HOME: &str = "/usr/share/tomcat10";

/// Tomcat with TLS, compression, one second of keep-alive, and the site
/// `tests/interop/sites/tomcat`. The site has a FORM login (user `ada`, password `engine`),
/// sessions of one second, an echo, and the file `text`.
///
/// # Panics
///
/// If Tomcat is missing, or does not listen after a minute.
#[must_use]
pub fn tomcat(pem: &Pem, text: &[u8]) -> Program {
    let (folder, address) = (Folder::new(), free_address());
    for name in ["conf", "logs", "temp", "work", "webapps"] {
        std::fs::create_dir(folder.file(name)).expect("a folder of our own");
    }
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/sites/tomcat");
    let copied = Command::new("cp").arg("-r").arg(site).arg(folder.file("webapps/ROOT")).status();
    assert!(copied.expect("cp").success());
    write(&folder, "webapps/ROOT/text.txt", text);
    std::fs::copy("/usr/share/tomcat10/etc/web.xml", folder.file("conf/web.xml"))
        .expect("tests/interop/install installs what this talks to");
    write(&folder, "cert.pem", &pem.certificate);
    write(&folder, "key.pem", &pem.key);
    write(
        &folder,
        "conf/tomcat-users.xml",
        "<tomcat-users xmlns=\"http://tomcat.apache.org/xml\">\n\
         <user username=\"ada\" password=\"engine\" roles=\"member\"/>\n</tomcat-users>\n",
    );
    let server = format!(
        "<Server port=\"-1\">\n\
         <GlobalNamingResources><Resource name=\"users\" auth=\"Container\" type=\"org.apache.catalina.UserDatabase\" \
         factory=\"org.apache.catalina.users.MemoryUserDatabaseFactory\" pathname=\"conf/tomcat-users.xml\"/></GlobalNamingResources>\n\
         <Service name=\"Catalina\">\n\
         <Connector port=\"{port}\" address=\"127.0.0.1\" SSLEnabled=\"true\" scheme=\"https\" secure=\"true\" \
         keepAliveTimeout=\"1000\" compression=\"on\" useSendfile=\"false\" maxPostSize=\"-1\" maxSwallowSize=\"-1\">\n\
         <SSLHostConfig><Certificate type=\"EC\" certificateFile=\"{{folder}}/cert.pem\" \
         certificateKeyFile=\"{{folder}}/key.pem\"/></SSLHostConfig>\n</Connector>\n\
         <Engine name=\"Catalina\" defaultHost=\"localhost\">\n\
         <Realm className=\"org.apache.catalina.realm.UserDatabaseRealm\" resourceName=\"users\"/>\n\
         <Host name=\"localhost\" appBase=\"webapps\" autoDeploy=\"false\"/>\n</Engine>\n</Service>\n</Server>\n",
        port = address.port()
    );
    write(&folder, "conf/server.xml", server.replace("{folder}", text_of(&folder.file(""))));
    let mut command = Command::new(program("java"));
    command.arg("-cp").arg(format!("{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar"));
    command.arg(format!("-Dcatalina.home={HOME}"));
    command.arg(format!("-Dcatalina.base={}", text_of(&folder.file(""))));
    command.arg(format!("-Djava.io.tmpdir={}", text_of(&folder.file("temp"))));
    command.args(["-XX:TieredStopAtLevel=1", "org.apache.catalina.startup.Bootstrap", "start"]);
    Program::start(command, address, folder)
}
