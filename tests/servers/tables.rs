//! The statements of contrib/export in real databases with the tables of each mail stack, from
//! tests/tables, through `mailsetup import --domains`, and contrib/export/mailsetup-export-domains.
//!
//! `make test-tables` installs what these tests need, and runs them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::unistd::User;

use crate::common::namespace::{Namespace, PROGRAM};
use crate::common::{Process, command, run, source, write, write_program};

use super::logins::{MARIADB, mariadb};
use super::{contrib, install};

const SCRIPT: &str = "/usr/local/sbin/mailsetup-export-domains";
const LIST: &str = "/var/lib/mailsetup-export/domains";
const PASSWORD: &str = "correct-horse-7";
const MARK: &str = "# Written by `mailsetup import --domains`, which replaces this file.\n";

//------------ Stacks ---------------------------------------------------------

/// A database server, or SQLite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Engine {
    Mariadb,
    Postgresql,
    Sqlite,
}
use Engine::{Mariadb, Postgresql, Sqlite};

/// A mail stack.
struct Stack {
    name: &'static str,
    engines: &'static [Engine],
    /// Its domains, without aliases.
    domains: &'static [&'static str],
    /// Its aliases and their targets.
    aliases: &'static [(&'static str, &'static str)],
}

const BOTH: &[&str] = &["example.net", "example.org"];
const ALIAS: &[(&str, &str)] = &[("alias.example", "example.org")];

const STACKS: [Stack; 9] = [
    Stack {
        name: "postfixadmin",
        engines: &[Mariadb, Postgresql, Sqlite],
        domains: BOTH,
        aliases: ALIAS,
    },
    Stack { name: "mailcow", engines: &[Mariadb], domains: BOTH, aliases: ALIAS },
    Stack {
        name: "modoboa",
        engines: &[Mariadb, Postgresql, Sqlite],
        domains: BOTH,
        aliases: ALIAS,
    },
    Stack { name: "ispconfig", engines: &[Mariadb], domains: BOTH, aliases: ALIAS },
    Stack {
        name: "mailu",
        engines: &[Mariadb, Postgresql, Sqlite],
        domains: &["example.net", "example.org", "xn--bcher-kva.example"],
        aliases: ALIAS,
    },
    Stack { name: "iredmail", engines: &[Mariadb, Postgresql], domains: BOTH, aliases: ALIAS },
    Stack {
        name: "mail-in-a-box",
        engines: &[Sqlite],
        domains: &["example.net", "example.org", "xn--bcher-kva.example"],
        aliases: &[],
    },
    Stack { name: "ispmail", engines: &[Mariadb], domains: BOTH, aliases: &[] },
    Stack { name: "vmail", engines: &[Mariadb], domains: BOTH, aliases: &[] },
];

impl Stack {
    /// The statements that make its tables and rows.
    fn tables(&self, engine: Engine) -> String {
        let engine = format!("{engine:?}").to_lowercase();
        let read = |part: &str| {
            let path = source(&format!("tests/tables/{}.{part}.sql", self.name));
            fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
        };
        [read(&engine), read("rows")].concat()
    }

    fn statement(&self) -> PathBuf {
        source(&format!("contrib/export/{}.sql", self.name))
    }

    /// The name of its database.
    fn database(&self) -> String {
        self.name.replace('-', "_")
    }

    /// All its names, one a line.
    fn lines(&self) -> String {
        let aliases = self.aliases.iter().map(|(alias, _)| *alias);
        let names: BTreeSet<_> = self.domains.iter().copied().chain(aliases).collect();
        names.iter().flat_map(|name| [name, "\n"]).collect()
    }

    /// The statement by the client of a database, in each of its forms of output, and the script.
    fn check(&self, client: &str, forms: &[&[&str]], ask: &dyn Fn() -> Command) {
        let name = self.name;
        for form in forms {
            let input = fs::File::open(self.statement()).expect("a statement");
            let rows = run(ask().args(*form).stdin(input));
            let rows_of = Path::new("/run/rows");
            fs::write(rows_of, &rows).expect("rows");
            let import = || {
                let mut import = command(PROGRAM);
                import.args(["import", "--domains", "-"]);
                import.stdin(fs::File::open(rows_of).expect("rows"));
                import
            };
            let output = import().output().expect("mailsetup");
            let messages = String::from_utf8_lossy(&output.stderr);
            let printed = String::from_utf8_lossy(&output.stdout);
            assert_eq!(printed, self.lines(), "{name} {form:?}: {messages}\n{rows}");
            // One of the tables has a name that is not a domain.
            let named = if name == "ispmail" { 1 } else { 0 };
            assert_eq!(messages.lines().count(), named, "{name} {form:?}: {messages}\n{rows}");

            let folder = Path::new("/run/domains.d");
            let _ = fs::remove_dir_all(folder);
            fs::create_dir(folder).expect("a folder");
            run(import().arg("--directory").arg(folder));
            for (alias, target) in self.aliases {
                let text =
                    fs::read_to_string(folder.join(format!("{alias}.toml"))).expect("a file");
                assert!(
                    text.ends_with(&format!("\nalias_of = \"{target}\"\n")),
                    "{form:?}: {text}"
                );
            }
            for domain in self.domains {
                let text =
                    fs::read_to_string(folder.join(format!("{domain}.toml"))).expect("a file");
                assert!(!text.contains("alias_of"), "{form:?}: {text}");
            }
        }
        let _ = fs::remove_file(LIST);
        let database = if client == "sqlite3" { sqlite(self) } else { self.database() };
        let output = export(client, &database, &self.statement(), &[]);
        assert!(output.status.success(), "{name}: {output:?}");
        assert_eq!(list(), self.lines(), "{name}");
    }
}

fn stacks(engine: Engine) -> impl Iterator<Item = &'static Stack> {
    STACKS.iter().filter(move |stack| stack.engines.contains(&engine))
}

/// Every statement and every definition of tables belongs to a stack.
#[test]
fn each_statement_is_tried() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(source(folder)).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let names = entries.map(|entry| name(entry.expect("an entry")));
        names.filter(|name| name.ends_with(".sql")).collect()
    };
    let expected = STACKS.iter().map(|stack| format!("{}.sql", stack.name)).collect();
    assert_eq!(names("contrib/export"), expected);
    let engines = STACKS.iter().flat_map(|stack| {
        let engines = stack.engines.iter().map(|engine| format!("{engine:?}").to_lowercase());
        let parts = engines.chain(["rows".to_owned()]);
        parts.map(|part| format!("{}.{part}.sql", stack.name))
    });
    assert_eq!(names("tests/tables"), engines.collect());
}

/// The documentation and the manual have each statement as it is in its file.
#[test]
fn statements_are_quoted_as_they_are() {
    let page = fs::read_to_string(source("docs/domains-from-databases.md")).expect("the page");
    let manual = fs::read_to_string(source("man/mailsetup.1.in")).expect("the manual");
    let manual = manual.replace("\\-", "-").replace("\\(aq", "'");
    for stack in &STACKS {
        let text = fs::read_to_string(stack.statement()).expect("a statement");
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        let statement: String = lines.flat_map(|line| [line, "\n"]).collect();
        assert_eq!(statement.matches(';').count(), 1, "{}", stack.name);
        assert!(page.contains(&format!("```sql\n{statement}```\n")), "{}", stack.name);
        assert!(manual.contains(&format!(".EX\n{statement}.EE\n")), "{}", stack.name);
    }
}

//------------ Databases ------------------------------------------------------

/// The list that the script wrote, without its first line.
fn list() -> String {
    let text = fs::read_to_string(LIST).expect("a list");
    text.strip_prefix(MARK).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// The files beside the list.
fn beside() -> Vec<String> {
    let folder = Path::new(LIST).parent().expect("a folder");
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The script with its surroundings.
fn script(client: &str, database: &str, statement: &Path) -> Command {
    let mut script = command(SCRIPT);
    script.args([client, database]).arg(statement).arg(LIST);
    script.env("MYSQL_OPTIONS", "/etc/mailsetup/export.cnf");
    script.envs([
        ("PGHOST", "/run/pg"),
        ("PGUSER", "mailsetup"),
        ("PGPASSFILE", "/etc/mailsetup/pgpass"),
    ]);
    script
}

fn export(client: &str, database: &str, statement: &Path, options: &[&str]) -> Output {
    script(client, database, statement).args(options).output().expect("the script")
}

/// Installs the script.
fn prepare() {
    write_program(Path::new(SCRIPT), contrib("export/mailsetup-export-domains"));
    fs::create_dir_all(Path::new(LIST).parent().expect("a folder")).expect("mkdir");
}

/// A server of MariaDB with a database for each stack, read by a user with a password in an option
/// file.
fn mariadb_of_stacks(world: &Namespace) -> Process {
    let mut statements =
        format!("CREATE USER 'mailsetup'@'localhost' IDENTIFIED BY '{PASSWORD}';\n");
    for stack in stacks(Mariadb) {
        let database = stack.database();
        statements += &format!(
            "CREATE DATABASE {database}; USE {database};\n{}\n\
             GRANT SELECT ON {database}.* TO 'mailsetup'@'localhost';\n",
            stack.tables(Mariadb)
        );
    }
    let options = format!("[client]\nsocket={MARIADB}\nuser=mailsetup\npassword={PASSWORD}\n");
    secret("/etc/mailsetup/export.cnf", &options);
    mariadb(world, &statements)
}

fn secret(path: &str, content: &str) {
    write(Path::new(path), content);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
}

/// A command as nobody: PostgreSQL refuses to run as root.
fn as_nobody(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut as_nobody = command("setpriv");
    as_nobody
        .args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"])
        .arg(program);
    as_nobody
}

fn postgresql(world: &Namespace) -> Process {
    let folders = fs::read_dir("/usr/lib/postgresql").expect("postgresql: make test-tables");
    let bin = folders.flatten().next().expect("a version").path().join("bin");
    let nobody = User::from_name("nobody").ok().flatten().expect("nobody");
    for folder in ["/run/pg", "/var/lib/pg"] {
        fs::create_dir_all(folder).expect("mkdir");
        chown(folder, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).expect("chown");
    }
    let admin = world.sandbox.write("password", PASSWORD);
    run(as_nobody(bin.join("initdb"))
        .args(["-D", "/var/lib/pg", "-U", "postgres", "--auth=scram-sha-256", "--no-sync"])
        .args(["--encoding=UTF8", "--locale=C", "--pwfile"])
        .arg(admin));
    let mut server = as_nobody(bin.join("postgres"));
    server.args(["-D", "/var/lib/pg", "-k", "/run/pg", "-h", "", "-F"]);
    let server = Process::start(world.sandbox, &mut server)
        .wait_until(|| UnixStream::connect("/run/pg/.s.PGSQL.5432").is_ok());
    secret("/etc/mailsetup/pgpass", &format!("*:*:*:*:{PASSWORD}\n"));
    let ask = |database: &str, statements: &str| {
        let path = world.sandbox.write("statements.sql", statements);
        let mut psql = command("psql");
        psql.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "/run/pg",
            "-U",
            "postgres",
            "-d",
            database,
            "-f",
        ]);
        run(psql.arg(path).env("PGPASSFILE", "/etc/mailsetup/pgpass"));
    };
    // It answers once it has recovered.
    let ready = || {
        let mut ready = command(bin.join("pg_isready"));
        ready.args(["-q", "-h", "/run/pg"]).status().is_ok_and(|status| status.success())
    };
    assert!(crate::common::wait_until(ready));
    ask("postgres", &format!("CREATE ROLE mailsetup LOGIN PASSWORD '{PASSWORD}';"));
    for stack in stacks(Postgresql) {
        let database = stack.database();
        ask("postgres", &format!("CREATE DATABASE {database};"));
        let grant = "\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO mailsetup;\n";
        ask(&database, &[&stack.tables(Postgresql), grant].concat());
    }
    server
}

/// A database of SQLite with the tables of a stack.
fn sqlite(stack: &Stack) -> String {
    let path = format!("/var/lib/{}.sqlite", stack.name);
    super::logins::sqlite(&path, &stack.tables(Sqlite));
    path
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn domains_of_stacks_in_mariadb() {
    Namespace::run(|world| {
        prepare();
        let _server = mariadb_of_stacks(world);
        for stack in stacks(Mariadb) {
            let forms: [&[&str]; 4] = [&["-N"], &["-B"], &["--table"], &["-N", "--table"]];
            stack.check("mysql", &forms, &|| {
                let mut ask = command("mariadb");
                ask.arg("--defaults-extra-file=/etc/mailsetup/export.cnf");
                ask.arg(format!("--database={}", stack.database()));
                ask
            });
        }
    });
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn domains_of_stacks_in_postgresql() {
    Namespace::run(|world| {
        prepare();
        let _server = postgresql(world);
        for stack in stacks(Postgresql) {
            let forms: [&[&str]; 5] = [
                &["-At"],
                &[],
                &["--csv"],
                &["-A", "-F", ";"],
                &["-P", "border=2", "-P", "linestyle=unicode"],
            ];
            stack.check("psql", &forms, &|| {
                let mut ask = command("psql");
                ask.args(["-X", "-h", "/run/pg", "-U", "mailsetup", "-d", &stack.database()]);
                ask.env("PGPASSFILE", "/etc/mailsetup/pgpass");
                ask
            });
        }
    });
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn domains_of_stacks_in_sqlite() {
    Namespace::run(|_world| {
        prepare();
        for stack in stacks(Sqlite) {
            let forms: [&[&str]; 7] = [
                &[],
                &["-header"],
                &["-header", "-column"],
                &["-table"],
                &["-box"],
                &["-markdown"],
                &["-csv", "-header"],
            ];
            let path = sqlite(stack);
            stack.check("sqlite3", &forms, &|| {
                let mut ask = command("sqlite3");
                ask.args(["-batch", "-readonly", &path]);
                ask
            });
        }
    });
}

/// DirectAdmin has files: the lines of `scripts/letsencrypt.sh` look for a domain alone on its line in
/// the one, and before a colon in the other.
#[test]
fn domains_of_directadmin() {
    let sandbox = crate::common::Sandbox::new();
    let domains = sandbox.write("domains", "server.example.net\nexample.org\nexample.net\n");
    let owners = sandbox.write("domainowners", "example.org: alice\nexample.net: bob\n");
    for (file, expected) in [
        (domains, "example.net\nexample.org\nserver.example.net\n"),
        (owners, "example.net\nexample.org\n"),
    ] {
        let mut import = command(crate::common::program());
        let output = import.args(["import", "--domains"]).arg(file).output().expect("mailsetup");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

//------------ Failures -------------------------------------------------------

/// Asserts that a run failed with one line that has this, and left the list alone.
fn assert_refused(output: &Output, message: &str, before: &(String, u64)) {
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{messages}");
    assert_eq!(messages.lines().count(), 1, "{messages}");
    assert!(messages.contains(message), "{message}: {messages}");
    assert_eq!(&now(), before);
    assert_eq!(beside(), ["domains"]);
}

/// The list, and the number of its inode.
fn now() -> (String, u64) {
    (list(), fs::metadata(LIST).expect("a list").ino())
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn an_export_that_fails_leaves_the_list() {
    Namespace::run(|world| {
        prepare();
        let stack = stacks(Mariadb).find(|stack| stack.name == "postfixadmin").expect("a stack");
        let statement = stack.statement();
        let server = mariadb_of_stacks(world);
        let ask = || export("mysql", "postfixadmin", &statement, &[]);
        assert!(ask().status.success());
        let before = now();
        // Nothing has changed.
        let output = ask();
        assert!(output.status.success());
        assert_eq!(now(), before);
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("unchanged, 3 domains"),
            "{output:?}"
        );

        let root = |statements: &str| {
            let mut ask = command("mariadb");
            run(ask.args(["--no-defaults", "-S", MARIADB, "postfixadmin", "-e", statements]));
        };
        root("UPDATE domain SET active = 0 WHERE domain NOT IN ('ALL', 'example.net')");
        assert_refused(
            &ask(),
            "only 1 of its 3 domains are in the input, fewer than 50 %",
            &before,
        );
        root("UPDATE domain SET active = 0");
        assert_refused(&ask(), "it names no domain", &before);
        root("UPDATE domain SET active = 1 WHERE domain LIKE 'example.%'");
        let output = export("mysql", "postfixadmin", &statement, &["--at-least", "100"]);
        assert!(output.status.success(), "{output:?}");
        root("RENAME TABLE alias_domain TO moved");
        assert_refused(&ask(), "Table 'postfixadmin.alias_domain' doesn't exist", &before);
        root("RENAME TABLE moved TO alias_domain");
        assert_refused(&export("mysql", "none", &statement, &[]), "ERROR 1044", &before);
        assert_refused(&export("oracle", "none", &statement, &[]), "is not mysql", &before);
        assert_refused(
            &export("sqlite3", "/none", &statement, &[]),
            "/none cannot be read",
            &before,
        );
        let missing = export("mysql", "postfixadmin", Path::new("/none.sql"), &[]);
        assert_refused(&missing, "/none.sql cannot be read", &before);
        secret(
            "/etc/mailsetup/export.cnf",
            &format!("[client]\nsocket={MARIADB}\nuser=mailsetup\n"),
        );
        assert_refused(&ask(), "Access denied", &before);
        drop(server);
        assert_refused(&ask(), "ERROR 2002", &before);

        // Clients that end in the middle, with a status and without.
        for (ends, message) in [
            ("exit 0", "the answer of the database is not complete"),
            ("exit 3", "the database does not answer"),
            ("kill -9 $$", "the database does not answer"),
        ] {
            let fake = "/usr/local/bin/mariadb";
            write_program(
                Path::new(fake),
                format!("#!/bin/sh\nprintf 'alias.example\\nexample.org\\nexample.n'\n{ends}\n"),
            );
            assert_refused(&ask(), message, &before);
            fs::remove_file(fake).expect("rm");
        }
    });
}

/// A database with more domains than a small disk has room for.
fn large() -> (String, PathBuf) {
    let path = "/var/lib/large.sqlite";
    super::logins::sqlite(
        path,
        "CREATE TABLE domains (domain TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO domains SELECT 'd' || i || '.example' FROM n;",
    );
    (path.to_owned(), source("contrib/export/vmail.sql"))
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn a_full_disk_leaves_the_list() {
    Namespace::run(|world| {
        prepare();
        let (database, statement) = large();
        let folder = Path::new(LIST).parent().expect("a folder");
        let tiny = |folder: &Path| {
            run(command("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder));
        };
        tiny(folder);
        write(Path::new(LIST), format!("{MARK}d1.example\nd2.example\n"));
        let before = now();
        let output = export("sqlite3", &database, &statement, &[]);
        assert_refused(&output, "No space left on device", &before);
        run(command("umount").arg(folder));
        assert!(export("sqlite3", &database, &statement, &[]).status.success());
        assert_eq!(list().lines().count(), 30_000);

        // The folder for temporary files.
        let before = now();
        let temporary = world.sandbox.path("temporary");
        fs::create_dir(&temporary).expect("mkdir");
        tiny(&temporary);
        let output = script("sqlite3", &database, &statement)
            .env("TMPDIR", &temporary)
            .output()
            .expect("the script");
        assert_refused(&output, "is unchanged", &before);
        run(command("umount").arg(&temporary));
    });
}

#[test]
#[ignore = "make test-tables installs what it needs"]
fn exports_at_once_write_whole_lists() {
    Namespace::run(|_world| {
        prepare();
        let (database, statement) = large();
        let running: Vec<_> = (0..6)
            .map(|_| script("sqlite3", &database, &statement).spawn().expect("the script"))
            .collect();
        for mut child in running {
            // Whatever is there is complete.
            if let Ok(text) = fs::read_to_string(LIST) {
                assert_eq!(text.lines().count(), 30_001);
            }
            assert!(child.wait().expect("wait").success());
        }
        assert_eq!(list().lines().count(), 30_000);
        assert_eq!(beside(), ["domains"]);
    });
}

//------------ Units ----------------------------------------------------------

#[test]
#[ignore = "make test-tables installs what it needs"]
fn units_of_the_export_are_clean() {
    Namespace::run(|_world| {
        prepare();
        let unit = |ending: &str| format!("/etc/systemd/system/mailsetup-export-domains.{ending}");
        let (service, timer) = (unit("service"), unit("timer"));
        install("export/mailsetup-export-domains.service", &service);
        install("export/mailsetup-export-domains.timer", &timer);
        let verify = ["verify", "--man=no", &service, &timer];
        let findings = run(command("systemd-analyze").args(verify));
        assert!(!findings.contains("mailsetup"), "{findings}");
        // The lower, the less it may do; 10 is the most.
        let security = ["security", "--offline=true", "--threshold=25", &service];
        run(command("systemd-analyze").args(security));
        run(command("shellcheck").arg(SCRIPT));
    });
}
