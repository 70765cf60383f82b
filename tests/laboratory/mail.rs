//! The mail servers of the laboratory: Dovecot and Postfix, started once. Those with a fault have
//! addresses of their own, so that a fault is planted by a record in the DNS.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::unistd::User;

use crate::certificates::{Authorities, KEY, Make};
use crate::common::{Process, Sandbox, command, install_hint, run, wait_until, write};
use crate::net::{
    EXPIRED, IN_THE_CLEAR, MAIL, MAIL_6, OPEN, OTHER_NAME, WITHOUT_AUTH, WITHOUT_TLS,
};

/// The password of every mailbox.
pub const PASSWORD: &str = "correct-horse-7";

/// The names of the mail servers of all domains.
pub const NAMES: [&str; 8] = [
    "alias.example.org",
    "mail.example.org",
    "imap.example.org",
    "pop.example.org",
    "smtp.example.org",
    "imap.provider.example",
    "pop.provider.example",
    "smtp.provider.example",
];

/// Starts Dovecot and Postfix; they are ready once `ready` returns.
pub fn start(sandbox: &Sandbox, authorities: &mut Authorities) -> Process {
    let right = authorities.file(Make::Right, &NAMES).display().to_string();
    let expired = authorities.file(Make::Expired, &NAMES).display().to_string();
    let other = authorities.file(Make::Right, &["server.hoster.example"]).display().to_string();
    for program in
        ["/usr/lib/dovecot/imap", "/usr/lib/dovecot/pop3", "/usr/lib/dovecot/managesieve"]
    {
        let hint = install_hint(program);
        assert!(Path::new(program).exists(), "{program} is missing; {hint}");
    }
    write(Path::new("/etc/dovecot/dovecot.conf"), dovecot(&right, &expired, &other));
    write(Path::new("/etc/dovecot/users"), format!("ann:{PASSWORD}\n"));
    directory("/var/mail/ann", "mail");
    let process = Process::start(sandbox, command("dovecot").arg("-F"));
    write(Path::new("/etc/postfix/main.cf"), postfix(&right));
    write(Path::new("/etc/postfix/master.cf"), postfix_services(&expired, &other));
    directory("/run/postfix", "root");
    directory("/run/postfix-data", "postfix");
    let _ = fs::remove_file("/var/log/postfix.log");
    run(command("postfix").arg("start"));
    process
}

/// Waits until both listen.
pub fn ready(dovecot: Process) -> Process {
    let listens = |port: u16| TcpStream::connect((MAIL, port)).is_ok();
    let dovecot = dovecot.wait_until(|| [143, 993, 110, 995, 4190].into_iter().all(listens));
    assert!(wait_until(|| listens(587) && listens(465)), "postfix does not listen");
    dovecot
}

/// Whether Dovecot takes the configuration of 2.3, as on Debian 12; that of 2.4 has other keys.
fn is_dovecot_2_3() -> bool {
    run(command("dovecot").arg("--version")).starts_with("2.3.")
}

fn dovecot(right: &str, expired: &str, other: &str) -> String {
    let old = is_dovecot_2_3();
    let certificate = |path: &str| match old {
        true => format!("ssl_cert = <{path}\nssl_key = <{KEY}\n"),
        false => format!("ssl_server_cert_file = {path}\nssl_server_key_file = {KEY}\n"),
    };
    let in_the_clear = match old {
        true => "ssl = yes\ndisable_plaintext_auth = no\n",
        false => "ssl = yes\nauth_allow_cleartext = yes\n",
    };
    let mut text = String::new();
    if !old {
        text.push_str("dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n");
    }
    let addresses = [MAIL, MAIL_6, EXPIRED, OTHER_NAME, WITHOUT_TLS, IN_THE_CLEAR].join(", ");
    write!(
        text,
        "protocols = imap pop3 sieve
listen = {addresses}
ssl = required
auth_mechanisms = plain login
first_valid_uid = 1
log_path = /var/log/dovecot.log
{}service auth {{
  unix_listener postfix {{
    mode = 0600
    user = postfix
  }}
}}
local {EXPIRED} {{
{}}}
local {OTHER_NAME} {{
{}}}
local {WITHOUT_TLS} {{
ssl = no
}}
local {IN_THE_CLEAR} {{
{in_the_clear}}}
",
        certificate(right),
        certificate(expired),
        certificate(other),
    )
    .expect("text");
    text.push_str(if old { USERS_2_3 } else { USERS_2_4 });
    text
}

const USERS_2_3: &str = "mail_location = maildir:/var/mail/ann
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%n /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/var/mail/ann
}
";

const USERS_2_4: &str = "mail_driver = maildir
mail_path = /var/mail/ann
passdb passwd-file {
  default_password_scheme = PLAIN
  auth_username_format = %{user | username}
  passwd_file_path = /etc/dovecot/users
}
userdb static {
  fields {
    uid = mail
    gid = mail
    home = /var/mail/ann
  }
}
";

fn postfix(right: &str) -> String {
    format!(
        "compatibility_level = 3.6
myhostname = mail.example.org
mydestination =
alias_maps =
inet_protocols = all
queue_directory = /run/postfix
data_directory = /run/postfix-data
maillog_file = /var/log/postfix.log
virtual_mailbox_domains = example.org
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = inline:{{ann@example.org=ann/}}
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_minimum_uid = 1
smtpd_tls_cert_file = {right}
smtpd_tls_key_file = {KEY}
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/dovecot/postfix
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_peername_lookup = no
"
    )
}

/// Debian's lines for submission, at each address with other options.
fn postfix_services(expired: &str, other: &str) -> String {
    let login = "-o smtpd_client_restrictions=permit_sasl_authenticated,reject";
    let variants = [
        (MAIL, login.to_owned()),
        (MAIL_6, login.to_owned()),
        (EXPIRED, format!("{login} -o smtpd_tls_cert_file={expired}")),
        (OTHER_NAME, format!("{login} -o smtpd_tls_cert_file={other}")),
        (WITHOUT_AUTH, "-o smtpd_sasl_auth_enable=no".to_owned()),
        (
            OPEN,
            "-o mynetworks=0.0.0.0/0 -o smtpd_relay_restrictions=permit_mynetworks,reject"
                .to_owned(),
        ),
    ];
    let mut text = String::new();
    for (address, options) in variants {
        let address =
            if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        writeln!(
            text,
            "{address}:587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {options}\n\
             {address}:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {options}"
        )
        .expect("text");
    }
    write!(
        text,
        "{WITHOUT_TLS}:587 inet n - n - - smtpd -o smtpd_tls_security_level=none \
         -o smtpd_tls_auth_only=no {login}
{WITHOUT_TLS}:465 inet n - n - - smtpd -o smtpd_tls_security_level=none \
         -o smtpd_tls_auth_only=no {login}
{IN_THE_CLEAR}:587 inet n - n - - smtpd -o smtpd_tls_security_level=may \
         -o smtpd_tls_auth_only=no {login}
{}",
        "cleanup unix n - n - 0 cleanup
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
"
    )
    .expect("text");
    text
}

/// Creates an empty directory that belongs to the user. One that is there is not removed as a
/// whole: it could not be created again in a user namespace.
fn directory(path: &str, owner: &str) {
    fs::create_dir_all(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    let user = User::from_name(owner).ok().flatten();
    let user = user.unwrap_or_else(|| panic!("there is no user {owner}"));
    chown(path, Some(user.uid.as_raw()), None).expect("chown");
}
