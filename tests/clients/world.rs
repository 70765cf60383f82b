//! A mail host for example.org in a namespace: DNS, web server, mailsetup, IMAP, POP3 and
//! submission, all on one address, with certificates of a throw-away authority.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use crate::account::{self, AccountServer};
use crate::certificates;
use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, Sandbox, command, install_hint, run, source, wait_until, write};
use crate::dns::{self, HERE};
use nix::unistd::User;

pub const PASSWORD: &str = "correct-horse-7";

const SOCKET: &str = "/run/mailsetup.sock";
const CERTIFICATE: &str = "/etc/ssl/certs/mailsetup.pem";
const KEY: &str = "/etc/ssl/private/mailsetup.key";
const DOVECOT_LOG: &str = "/var/log/dovecot.log";
const POSTFIX_LOG: &str = "/var/log/postfix.log";

/// The servers that `mailsetup show` prints for the address.
fn shown(config: &Path, address: &str) -> Vec<AccountServer> {
    let mut show = mailsetup(config);
    account::servers(&run(show.args(["show", "--client", "thunderbird", address])), address)
}

fn mailsetup(config: &Path) -> std::process::Command {
    let mut command = command(PROGRAM);
    command.arg("--config").arg(config);
    command
}

//------------ World ---------------------------------------------------------

/// The settings of a mail host.
pub struct Setup {
    /// The user's address.
    pub address: &'static str,
    /// mailsetup's configuration.
    pub config: &'static str,
    /// Whether the web server supports https in addition to http.
    pub https: bool,
    /// The hosts of the web server; all others have no address.
    pub web: &'static [&'static str],
    /// The login that only Dovecot knows, if the user has one of their own.
    pub login: Option<&'static str>,
}

/// https and all names.
pub const USUAL: Setup = Setup {
    address: "ann@example.org",
    config: "",
    https: true,
    web: &["autoconfig.example.org", "autodiscover.example.org", "example.org"],
    login: None,
};

/// No host and no port has its default.
pub const UNUSUAL_HOSTS: Setup = Setup {
    config: r#"
[domain."example.org"]
imap.host = "imap.example.org"
imap.port = 143
pop3.host = "pop.example.org"
pop3.port = 110
smtp.host = "smtp.example.org"
smtp.port = 465
"#,
    ..USUAL
};

/// In addition, the login is not the default.
pub const UNUSUAL: Setup = Setup {
    config: r#"
[domain."example.org"]
imap.host = "imap.example.org"
imap.port = 143
imap.username = "%EMAILLOCALPART%"
pop3.host = "pop.example.org"
pop3.port = 110
pop3.username = "%EMAILLOCALPART%"
smtp.host = "smtp.example.org"
smtp.port = 465
smtp.username = "%EMAILLOCALPART%"
"#,
    ..USUAL
};

/// Only PACC, for which submission must be on port 465.
pub const PACC: Setup = Setup {
    config: "pacc.enabled = true\nsmtp.security = 'tls'\n",
    web: &["ua-auto-config.example.org"],
    ..USUAL
};

/// A customer's domain with only an MX record in the DNS.
pub const HOSTED: Setup = Setup {
    address: "ann@example.net",
    config: r#"
[domain."example.org"]
imap.host = "imap.example.org"
[domain."example.net"]
alias_of = "example.org"
"#,
    ..USUAL
};

/// The login is neither the address nor a part of it: Dovecot is asked for it.
pub const OWN_LOGIN: Setup = Setup {
    address: "anna.smith@example.org",
    config: "login.userdb = '/run/dovecot/mailsetup-userdb'\n[domain.'example.org']\n",
    login: Some("asmith"),
    ..USUAL
};

/// The mail host, running.
pub struct World<'a> {
    pub sandbox: &'a Sandbox,
    pub address: &'static str,
    /// The servers that `mailsetup show` prints, which every client must find.
    pub servers: Vec<AccountServer>,
    processes: Vec<Process>,
}

impl World<'_> {
    /// Runs `test` with its own mail host.
    pub fn run(setup: &Setup, test: impl FnOnce(&World) + Send) {
        Namespace::run(|namespace| test(&World::start(namespace, setup)));
    }

    fn start<'a>(namespace: &'a Namespace, setup: &Setup) -> World<'a> {
        run(command("ip").args(["address", "add", &format!("{HERE}/32"), "dev", "lo"]));
        let sandbox = namespace.sandbox;
        let config = sandbox.write("config.toml", setup.config);
        // Dovecot does not run yet: these are the logins of the settings.
        let mut servers = shown(&config, setup.address);
        if let Some(login) = setup.login {
            servers.iter_mut().for_each(|server| login.clone_into(&mut server.username));
        }
        let mut world = World { sandbox, address: setup.address, servers, processes: Vec::new() };
        certificates::authority();
        certificates::certificate(
            &["mail.example.org", "example.org", "*.example.org"],
            KEY,
            CERTIFICATE,
        );
        world.dns(&config, setup);
        let listen = format!("unix:{SOCKET},mode=0660,group=www-data");
        world.add(mailsetup(&config).args(["serve", "--listen", &listen]), || {
            UnixStream::connect(SOCKET).is_ok()
        });
        world.nginx(setup);
        world.dovecot(setup);
        assert_eq!(shown(&config, setup.address), world.servers);
        postfix(setup.address);
        world
    }

    /// The server of one kind.
    pub fn server(&self, kind: &str) -> &AccountServer {
        self.servers.iter().find(|server| server.kind == kind).expect("no such server")
    }

    /// Waits until a client has logged in as configured; panics if none does.
    pub fn expect_login(&self, kind: &str) {
        let server = self.server(kind);
        if kind != "smtp" {
            let done = if is_dovecot_2_3() { "Login" } else { "Logged in" };
            let login = format!("{kind}-login: Info: {done}: user=<{}>, ", server.username);
            expect(
                Path::new(DOVECOT_LOG),
                &[&login, &format!(", lport={}, ", server.port), ", TLS"],
            );
        } else if server.security == "SSL" {
            expect(Path::new(POSTFIX_LOG), &["postfix/submissions/smtpd[", " auth=1 "]);
        } else {
            expect(Path::new(POSTFIX_LOG), &["postfix/submission/smtpd[", " starttls=1 auth=1 "]);
        }
    }

    /// Waits until a message was accepted from the user and delivered to the user.
    pub fn expect_message(&self) {
        let login = format!(", sasl_username={}", self.server("smtp").username);
        expect(Path::new(POSTFIX_LOG), &["/smtpd[", &login]);
        expect(Path::new(POSTFIX_LOG), &[&format!(" to=<{}>", self.address), " status=sent "]);
    }

    fn add(&mut self, command: &mut std::process::Command, ready: impl FnMut() -> bool) {
        self.processes.push(Process::start(self.sandbox, command).wait_until(ready));
    }

    /// The records that `mailsetup dns` prints, and the addresses.
    fn dns(&mut self, config: &Path, setup: &Setup) {
        let mut hosts: BTreeSet<&str> = self.servers.iter().map(|server| &*server.host).collect();
        hosts.insert("mail.example.org");
        if setup.web.contains(&"example.org") {
            hosts.insert("example.org");
        }
        let records = run(mailsetup(config).args(["dns", "--json", "example.org"]));
        let mut zone = dns::hosts(&["example.org", "example.net"], "mail.example.org", hosts);
        zone.push_str(&dns::records(&records, |name| setup.web.contains(&name)));
        self.add(&mut dns::server(&zone), || listens(53));
    }

    /// contrib/nginx/vhost.conf unchanged, and example.org itself with
    /// contrib/nginx/mailsetup.conf.
    fn nginx(&mut self, setup: &Setup) {
        let mut vhost = contrib("nginx/vhost.conf");
        let mut https = "listen 443 ssl;\nssl_certificate /etc/ssl/certs/mailsetup.pem;\n\
                         ssl_certificate_key /etc/ssl/private/mailsetup.key;"
            .to_owned();
        if !setup.https {
            // As described in its comment.
            let of_https = |line: &&str| line.contains("443") || line.contains("ssl_certificate");
            vhost = vhost.lines().filter(|line| !of_https(line)).fold(
                String::new(),
                |mut text, line| {
                    text.push_str(line);
                    text.push('\n');
                    text
                },
            );
            https.clear();
        }
        let _ = fs::remove_dir_all("/etc/nginx/sites-enabled");
        let _ = fs::remove_dir_all("/etc/nginx/conf.d");
        write(Path::new("/etc/nginx/sites-enabled/mailsetup.conf"), vhost);
        write(Path::new("/etc/nginx/snippets/mailsetup.conf"), contrib("nginx/mailsetup.conf"));
        write(Path::new("/var/www/html/index.html"), "<html><body>Example</body></html>\n");
        let site = format!(
            "server {{
    listen 80 default_server;
    {https}
    server_name example.org ua-auto-config.example.org;
    root /var/www/html;
    include snippets/mailsetup.conf;
}}
"
        );
        write(Path::new("/etc/nginx/sites-enabled/example.org"), site);
        let main = "\
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {
    worker_connections 768;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    gzip on;
    include /etc/nginx/sites-enabled/*;
}
";
        write(Path::new("/etc/nginx/nginx.conf"), main);
        directory("/var/log/nginx", "www-data");
        run(command("nginx").arg("-t"));
        let port = if setup.https { 443 } else { 80 };
        self.add(command("nginx").args(["-g", "daemon off;"]), || listens(port));
    }

    /// Debian's Dovecot with one user, who can log in only with the configured names.
    fn dovecot(&mut self, setup: &Setup) {
        for program in ["/usr/lib/dovecot/imap", "/usr/lib/dovecot/pop3"] {
            let hint = install_hint(program);
            assert!(Path::new(program).exists(), "{program} is missing; {hint}");
        }
        let config = if is_dovecot_2_3() { dovecot_2_3() } else { dovecot_2_4() };
        write(Path::new("/etc/dovecot/dovecot.conf"), config);
        let logins: BTreeSet<&str> = self.servers.iter().map(|server| &*server.username).collect();
        let users: String = logins.iter().map(|login| format!("{login}:{PASSWORD}\n")).collect();
        write(Path::new("/etc/dovecot/users"), users);
        // Their home, and of the address the login.
        let home = format!("::{0}:{0}::/var/mail/ann::", user("mail"));
        let mut mailboxes: String = logins.iter().map(|login| format!("{login}{home}\n")).collect();
        if let Some(login) = setup.login {
            writeln!(mailboxes, "{}{home}userdb_user={login}", setup.address).expect("text");
        }
        write(Path::new("/etc/dovecot/mailboxes"), mailboxes);
        run(command("groupadd").args(["--force", "--system", "mailsetup-logins"]));
        let listener = contrib("dovecot/90-mailsetup-userdb.conf");
        write(Path::new("/etc/dovecot/conf.d/90-mailsetup-userdb.conf"), listener);
        directory("/var/mail/ann", "mail");
        self.add(command("dovecot").arg("-F"), || [143, 993, 110, 995].into_iter().all(listens));
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            for path in [DOVECOT_LOG, POSTFIX_LOG, "/var/log/nginx/access.log"] {
                let log = fs::read(path).unwrap_or_default();
                println!("{path}:\n{}", String::from_utf8_lossy(&log));
            }
        }
    }
}

/// Waits until a line of the log contains all of these.
pub fn expect(log: &Path, words: &[&str]) {
    let found = wait_until(|| {
        let log = fs::read(log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().any(|line| words.iter().all(|word| line.contains(word)))
    });
    assert!(found, "no line of {} has {words:?}", log.display());
}

/// Whether Dovecot takes the configuration of 2.3, as on Debian 12; that of 2.4 has other keys.
fn is_dovecot_2_3() -> bool {
    run(command("dovecot").arg("--version")).starts_with("2.3.")
}

fn dovecot_2_3() -> String {
    format!(
        "{DOVECOT}
log_path = {DOVECOT_LOG}
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l lport=%{{lport}} %c session=<%{{session}}>
ssl_cert = <{CERTIFICATE}
ssl_key = <{KEY}
mail_location = maildir:/var/mail/ann
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u /etc/dovecot/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u /etc/dovecot/mailboxes
}}
"
    )
}

fn dovecot_2_4() -> String {
    format!(
        "dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
{DOVECOT}
log_path = {DOVECOT_LOG}
login_log_format_elements = user=<%{{user}}> method=%{{mechanism}} rip=%{{remote_ip}} lip=%{{local_ip}} lport=%{{local_port}} %{{secured}} session=<%{{session}}>
ssl_server_cert_file = {CERTIFICATE}
ssl_server_key_file = {KEY}
mail_driver = maildir
mail_path = /var/mail/ann
passdb passwd-file {{
  default_password_scheme = PLAIN
  auth_username_format = %{{user}}
  passwd_file_path = /etc/dovecot/users
}}
userdb passwd-file {{
  auth_username_format = %{{user}}
  passwd_file_path = /etc/dovecot/mailboxes
}}
"
    )
}

/// What both versions take.
const DOVECOT: &str = "protocols = imap pop3
ssl = required
auth_mechanisms = plain login
first_valid_uid = 1
service auth {
  unix_listener postfix {
    mode = 0600
    user = postfix
  }
}
!include /etc/dovecot/conf.d/90-mailsetup-userdb.conf";

/// Debian's Postfix, for submission only. The namespace ends it.
fn postfix(address: &str) {
    let main = format!(
        "compatibility_level = 3.6
myhostname = mail.example.org
mydestination =
alias_maps =
inet_protocols = ipv4
queue_directory = /run/postfix
data_directory = /run/postfix-data
maillog_file = {POSTFIX_LOG}
virtual_mailbox_domains = example.org, example.net
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = inline:{{{address}=ann/}}
virtual_uid_maps = static:{mail}
virtual_gid_maps = static:{mail}
virtual_minimum_uid = 1
smtpd_tls_cert_file = {CERTIFICATE}
smtpd_tls_key_file = {KEY}
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/dovecot/postfix
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
",
        mail = user("mail")
    );
    let services = "\
submission inet n - n - - smtpd
  -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt
submissions inet n - n - - smtpd
  -o syslog_name=postfix/submissions -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";
    write(Path::new("/etc/postfix/main.cf"), main);
    write(Path::new("/etc/postfix/master.cf"), services);
    directory("/run/postfix", "root");
    directory("/run/postfix-data", "postfix");
    run(command("postfix").arg("start"));
    assert!(wait_until(|| listens(587) && listens(465)), "postfix does not listen");
}

/// Whether a program listens on the port.
pub fn listens(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
}

/// A file of contrib.
fn contrib(name: &str) -> String {
    fs::read_to_string(source("contrib").join(name)).expect("a file of contrib")
}

/// Creates an empty directory that belongs to the user. One that is there is not removed as a
/// whole: it could not be created again in a user namespace.
fn directory(path: &str, owner: &str) {
    fs::create_dir_all(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    chown(path, Some(user(owner)), None).expect("chown");
}

fn user(name: &str) -> u32 {
    let user = User::from_name(name).ok().flatten();
    user.unwrap_or_else(|| panic!("there is no user {name}")).uid.as_raw()
}
