//! The socketmap servers of contrib, as their units start them, asked by Postfix's postmap: one with a
//! database of SQLite, one with a directory of slapd.
//!
//! `make test-logins` installs what these tests need, and runs them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::{Group, User};

use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, source, wait_until, write};

use super::{listens, local};

/// The group whose members may ask for logins.
pub const GROUP: &str = "mailsetup-logins";

/// The password of the directory's admin.
const SECRET: &str = "correct-horse-7";

//------------ Maps -----------------------------------------------------------

/// A running socketmap server of contrib.
pub struct Maps {
    socket: String,
    process: Process,
}

impl Maps {
    /// Installs `sqlite.py` or `ldap.py` with these replacements in its text, and starts it with the
    /// command of its unit, not as root.
    pub fn start(world: &Namespace, name: &str, changes: &[(&str, &str)]) -> Self {
        group();
        let mut program = contrib(&format!("socketmap/{name}.py"));
        for (from, to) in changes {
            assert!(program.contains(from), "{name}.py has no {from:?}");
            program = program.replace(from, to);
        }
        let folder = format!("/run/socketmap-{name}");
        let unit = contrib(&format!("socketmap/socketmap-{name}.service"));
        let value = |key: &str| {
            let mut lines = unit.lines();
            lines.find_map(|line| line.strip_prefix(key)).expect("a line of the unit").to_owned()
        };
        let start = value("ExecStart=");
        let words: Vec<_> = start.split(' ').collect();
        let [.., place, socket] = words.as_slice() else { panic!("{start}") };
        assert_eq!(value("RuntimeDirectory="), folder.trim_start_matches("/run/"));
        assert_eq!(value("Group="), GROUP);
        write(Path::new(place), program);
        fs::create_dir_all(&folder).expect("mkdir");
        let nobody = User::from_name("nobody").ok().flatten().expect("nobody").uid.as_raw();
        chown(&folder, Some(nobody), Some(group())).expect("chown");
        let mut server = as_user("nobody", GROUP);
        let process = Process::start(world.sandbox, server.args(&words))
            .wait_until(|| UnixStream::connect(socket).is_ok());
        Self { socket: (*socket).to_owned(), process }
    }

    /// What `postmap -q` prints, or its messages if it finds nothing or fails.
    pub fn ask(&self, map: &str, key: &str) -> Result<String, String> {
        postmap(&format!("socketmap:unix:{}:{map}", self.socket), key)
    }

    /// The bytes that the server sends for these, until it closes or is silent.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.socket).expect("connect");
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        stream.write_all(bytes).expect("write");
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        String::from_utf8(received).expect("UTF-8")
    }

    /// Its log.
    fn log(&self) -> String {
        self.process.output()
    }
}

/// What Postfix finds for a key.
pub fn postmap(map: &str, key: &str) -> Result<String, String> {
    let output = command("postmap").args(["-q", key, map]).output().expect("postmap, of postfix");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// A command as another user.
pub fn as_user(user: &str, group: &str) -> Command {
    let mut as_user = command("setpriv");
    as_user.args(["--reuid", user, "--regid", group, "--clear-groups", "--"]);
    as_user
}

/// The number of the group, which is created if it is not there.
pub fn group() -> u32 {
    let number = || Group::from_name(GROUP).ok().flatten().map(|group| group.gid.as_raw());
    number().unwrap_or_else(|| {
        run(command("groupadd").args(["--system", GROUP]));
        number().expect("a group")
    })
}

pub fn contrib(name: &str) -> String {
    fs::read_to_string(source("contrib").join(name)).expect("a file of contrib")
}

//------------ SQLite ---------------------------------------------------------

/// The database of contrib/socketmap/sqlite.py.
const DATABASE: &str = "/var/lib/mail/users.sqlite";

/// Postfix needs a configuration.
pub fn postfix() {
    write(Path::new("/etc/postfix/main.cf"), "compatibility_level = 3.6\n");
}

pub fn sqlite(path: &str, statements: &str) {
    let path = Path::new(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("mkdir");
    let _ = fs::remove_file(path);
    let script = path.with_extension("sql");
    write(&script, statements);
    let script = fs::File::open(script).expect("a file");
    run(command("sqlite3").arg(path).stdin(script));
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("chmod");
}

#[test]
#[ignore = "make test-logins installs what it needs"]
fn socketmap_of_sqlite_answers_postfix() {
    Namespace::run(|world| {
        postfix();
        sqlite(
            DATABASE,
            "CREATE TABLE users (email TEXT PRIMARY KEY, login TEXT);
             INSERT INTO users VALUES ('anna.smith@example.org', 'asmith'),
               ('büro@example.org', 'büro'), ('o''neil@example.org', 'o''neil'),
               ('none@example.org', NULL);
             CREATE TABLE domains (name TEXT);
             INSERT INTO domains VALUES ('example.org');",
        );
        let domains = r#"MAPS = {"domains": "SELECT name FROM domains WHERE name = ?","#;
        let maps = Maps::start(world, "sqlite", &[("MAPS = {", domains)]);
        let mode = fs::metadata(&maps.socket).expect("a socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o660);

        for (key, login) in [
            ("anna.smith@example.org", "asmith"),
            ("büro@example.org", "büro"),
            ("o'neil@example.org", "o'neil"),
        ] {
            assert_eq!(maps.ask("logins", key), Ok(login.to_owned()), "{key}");
        }
        assert_eq!(maps.ask("domains", "example.org"), Ok("example.org".to_owned()));
        // Not found: no message.
        for key in ["ben@example.org", "none@example.org", "x' OR '1'='1", "%@example.org", "a b"] {
            assert_eq!(maps.ask("logins", key), Err(String::new()), "{key}");
        }
        let message = maps.ask("passwords", "anna.smith@example.org").expect_err("no such map");
        assert!(message.contains("permanent error: no such map"), "{message}");

        // Several requests of a connection, in pieces or at once; and what is not a netstring.
        let ask = b"29:logins anna.smith@example.org,";
        assert_eq!(maps.send(&[&ask[..], ask].concat()), "9:OK asmith,9:OK asmith,");
        for nothing in
            ["", ":", "x", "5", "5:logins", "2:abc,", "-1:,", "99999:logins", "00029:logins"]
        {
            assert_eq!(maps.send(nothing.as_bytes()), "", "{nothing}");
        }
        assert_eq!(
            maps.send(b"0:,6:logins,7:logins ,"),
            "16:PERM no such map,9:NOTFOUND ,9:NOTFOUND ,"
        );
        assert_eq!(maps.send(b"8:logins \xff,"), "9:NOTFOUND ,");

        // Without the database: Postfix would try again.
        fs::rename(DATABASE, "/var/lib/mail/away").expect("rename");
        let message = maps.ask("logins", "anna.smith@example.org").expect_err("no database");
        assert!(message.contains("temporary error: the database does not answer"), "{message}");
        assert!(maps.log().contains("sqlite: unable to open database file"), "{}", maps.log());
        fs::rename("/var/lib/mail/away", DATABASE).expect("rename");
        assert_eq!(maps.ask("logins", "anna.smith@example.org"), Ok("asmith".to_owned()));
    });
}

//------------ LDAP -----------------------------------------------------------

/// The people of the directory.
const PEOPLE: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=asmith,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: Anna Smith
sn: Smith
uid: asmith
mail: anna.smith@example.org
mail: anna@example.org

dn: uid=star,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: Star
sn: Star
uid: star
mail: a*(b)\\c@example.org

dn: cn=buero,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: buero
sn: Müller
uid: müller
mail: buero@example.org

dn: uid=one,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: One
sn: One
uid: one
mail: shared@example.org

dn: uid=two,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: Two
sn: Two
uid: two
mail: shared@example.org

dn: cn=nobody,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: nobody
sn: Nobody
mail: no.login@example.org
";

/// A directory with this suffix and these entries, which is read without a password on the loopback
/// address if `open` is set.
fn slapd(world: &Namespace, suffix: &str, schema: &str, entries: &str, open: bool) -> Process {
    let folder = "/var/lib/ldap-of-the-test";
    fs::create_dir_all(folder).expect("mkdir");
    let access = if open { "access to * by * read" } else { "access to * by users read by * auth" };
    let config = format!(
        "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
{schema}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /run/slapd.pid
database mdb
maxsize 10485760
suffix {suffix}
rootdn cn=admin,{suffix}
rootpw {SECRET}
directory {folder}
{access}
"
    );
    let path = "/etc/ldap/slapd-of-the-test.conf";
    write(Path::new(path), config);
    let ldif = world.sandbox.write("people.ldif", entries);
    run(command("slapadd").args(["-q", "-f", path, "-l"]).arg(ldif));
    let mut slapd = command("slapd");
    slapd.args(["-d", "0", "-h", "ldap://127.0.0.1", "-f", path]);
    Process::start(world.sandbox, &mut slapd).wait_until(|| listens(local(389)))
}

#[test]
#[ignore = "make test-logins installs what it needs"]
fn socketmap_of_ldap_answers_postfix() {
    Namespace::run(|world| {
        postfix();
        let directory = slapd(world, "dc=example,dc=org", "", PEOPLE, true);
        let maps = Maps::start(world, "ldap", &[]);
        for (key, login) in [
            ("anna.smith@example.org", "asmith"),
            ("anna@example.org", "asmith"),
            ("Anna@Example.ORG", "asmith"),
            (r"a*(b)\c@example.org", "star"),
            ("buero@example.org", "müller"),
        ] {
            assert_eq!(maps.ask("logins", key), Ok(login.to_owned()), "{key}");
        }
        for key in [
            "ben@example.org",
            "*",
            "*@example.org",
            "anna@example.org)(uid=*",
            "x)(|(uid=*",
            r"\2a",
            "no.login@example.org",
            "-h",
            "$(id)@example.org",
        ] {
            assert_eq!(maps.ask("logins", key), Err(String::new()), "{key}");
        }
        assert_eq!(maps.send(b"8:logins \0,"), "9:NOTFOUND ,");
        // Whose it is cannot be said.
        let message = maps.ask("logins", "shared@example.org").expect_err("two entries");
        assert!(message.contains("temporary error: the search failed"), "{message}");
        assert!(maps.log().contains("ldapsearch: exit code 4"), "{}", maps.log());

        drop(directory);
        let message = maps.ask("logins", "anna@example.org").expect_err("no directory");
        assert!(message.contains("temporary error: the search failed"), "{message}");
        assert!(maps.log().contains("Can't contact LDAP server"), "{}", maps.log());
        // With a password, as the comment of the file says.
        let _directory = slapd_again(world);
        let secret = "/etc/mailsetup-ldap.password";
        write(Path::new(secret), SECRET);
        fs::set_permissions(secret, fs::Permissions::from_mode(0o640)).expect("chmod");
        chown(secret, None, Some(group())).expect("chown");
        let message = maps.ask("logins", "anna@example.org").expect_err("without the password");
        assert!(message.contains("temporary error: the search failed"), "{message}");
        let with_password =
            format!(r#""-D", "cn=admin,dc=example,dc=org", "-y", "{secret}", "-b", "ou=people"#);
        drop(maps);
        let maps = Maps::start(world, "ldap", &[(r#""-b", "ou=people"#, &with_password)]);
        assert_eq!(maps.ask("logins", "anna@example.org"), Ok("asmith".to_owned()));
    });
}

/// The same directory, with a password.
fn slapd_again(world: &Namespace) -> Process {
    let folder = PathBuf::from("/var/lib/ldap-of-the-test");
    for entry in fs::read_dir(&folder).expect("a folder").flatten() {
        fs::remove_file(entry.path()).expect("rm");
    }
    assert!(wait_until(|| !listens(local(389))));
    slapd(world, "dc=example,dc=org", "", PEOPLE, false)
}

//------------ Panels ---------------------------------------------------------

/// The text of docs/panels.md between these.
fn of_panels(from: &str, to: &str) -> String {
    let page = fs::read_to_string(source("docs/panels.md")).expect("docs/panels.md");
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?}")).0.to_owned()
}

/// The lines of docs/panels.md for YunoHost: a user has several addresses, and a group has one, too.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn yunohost_users_have_the_login_of_each_address() {
    let people = "\
dn: dc=yunohost,dc=org
objectClass: dcObject
objectClass: organization
dc: yunohost
o: yunohost.org

dn: ou=users,dc=yunohost,dc=org
objectClass: organizationalUnit
ou: users

dn: uid=anna,ou=users,dc=yunohost,dc=org
objectClass: inetOrgPerson
objectClass: mailAccount
cn: Anna Smith
sn: Smith
uid: anna
mail: anna@example.org
mail: anna.smith@example.org
mail: info@example.net
userPassword: secret

dn: cn=team,ou=users,dc=yunohost,dc=org
objectClass: inetOrgPerson
cn: team
sn: team
uid: team
mail: team@example.org
";
    let schema =
        "objectclass ( 1.3.6.1.4.1.99999.1 NAME 'mailAccount' SUP top AUXILIARY MUST mail )";
    let python = of_panels("```python\n", "```");
    let (search, maps) = python.split_once('\n').expect("two lines");
    let shipped = contrib("socketmap/ldap.py");
    let line = |start: &str| {
        let mut lines = shipped.lines();
        lines.find(|line| line.starts_with(start)).expect("a line").to_owned()
    };
    let changes = [
        (line("SEARCH = "), search),
        (line("    \"logins\": "), maps.lines().nth(1).expect("a map")),
    ];
    let changes: Vec<_> = changes.iter().map(|(from, to)| (&**from, *to)).collect();
    Namespace::run(|world| {
        postfix();
        let _directory = slapd(world, "dc=yunohost,dc=org", schema, people, true);
        let maps = Maps::start(world, "ldap", &changes);
        for address in ["anna@example.org", "anna.smith@example.org", "info@example.net"] {
            assert_eq!(maps.ask("logins", address), Ok("anna".to_owned()), "{address}");
        }
        assert_eq!(maps.ask("logins", "team@example.org"), Err(String::new()));
    });
}

/// The statement of docs/panels.md for ISPConfig, with the columns of its table that it uses.
#[test]
#[ignore = "make test-logins installs what it needs"]
fn ispconfig_mailboxes_with_other_logins_make_a_map() {
    let statement = of_panels("mysql -N -B dbispconfig -e \"", "\"");
    Namespace::run(|world| {
        postfix();
        let _server = mariadb(
            world,
            "CREATE DATABASE dbispconfig; USE dbispconfig;
             CREATE TABLE mail_user (mailuser_id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
               server_id INT UNSIGNED NOT NULL DEFAULT 0, email VARCHAR(255) NOT NULL DEFAULT '',
               login VARCHAR(255) NOT NULL, password VARCHAR(255) NOT NULL,
               postfix ENUM('n','y') NOT NULL);
             INSERT INTO mail_user (email, login, password, postfix) VALUES
               ('anna.smith@example.org', 'asmith', '', 'y'),
               ('ben@example.org', 'ben@example.org', '', 'y'),
               ('old@example.org', 'gone', '', 'n');",
        );
        let mut ask = command("mariadb");
        ask.args(["--no-defaults", "-S", MARIADB, "-N", "-B", "dbispconfig", "-e", &statement]);
        let lines = run(&mut ask);
        assert_eq!(lines, "anna.smith@example.org\tasmith\n");
        let path = "/etc/mailsetup/logins";
        write(Path::new(path), lines);
        let found = postmap(&format!("texthash:{path}"), "anna.smith@example.org");
        assert_eq!(found, Ok("asmith".to_owned()));
        let config = "login.map = 'logins'\n[domain.'example.org']\n";
        write(Path::new("/etc/mailsetup/config.toml"), config);
        let show = |address: &str| run(command(PROGRAM).args(["show", address]));
        assert!(show("anna.smith@example.org").contains("<username>asmith</username>"));
        assert!(!show("old@example.org").contains("gone"));
    });
}

pub const MARIADB: &str = "/run/mariadb.sock";

/// A server of MariaDB that has run these statements.
pub fn mariadb(world: &Namespace, statements: &str) -> Process {
    let common = ["--no-defaults", "--user=root"];
    let folder = "--datadir=/var/lib/mariadb-of-the-test";
    let mut install = command("mariadb-install-db");
    install.args(common).args([folder, "--auth-root-authentication-method=normal"]);
    run(install.arg("--skip-test-db"));
    let mut server = command("mariadbd");
    server.args(common).args([folder, "--skip-networking", "--socket", MARIADB]);
    let server = Process::start(world.sandbox, server.arg("--innodb-flush-log-at-trx-commit=0"))
        .wait_until(|| UnixStream::connect(MARIADB).is_ok());
    let path = world.sandbox.write("statements.sql", statements);
    let script = fs::File::open(path).expect("a file");
    run(command("mariadb").args(["--no-defaults", "-S", MARIADB]).stdin(script));
    server
}
