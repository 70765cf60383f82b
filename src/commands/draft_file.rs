//! Writes the configuration that a command has made, or prints it.
//!
//! The file is written beside its place and moved there. A file that exists is not overwritten without
//! `--force`, and is kept then. The findings of `mailsetup check` and the next steps follow,
//! with the domain, the web server and the file of this machine.

use super::loading::CHECKS;
use super::output::{COULD_NOT_RUN, FOUND, print};
use super::replaced;
use crate::address::Domain;
use crate::cli;
use crate::config::find::SYSTEM;
use crate::config::{Config, check};
use crate::draft::{self, Draft, Value};
use crate::files::{self, Kind};
use crate::log;
use crate::visible::{visible, visible_lines};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The mode of the file: it has no secrets, and the service runs as a user of its own.
const MODE: u32 = 0o644;

/// Takes out what cannot be used, reports the notes, and writes the configuration to `target`, or to
/// standard output.
pub(super) fn write(mut draft: Draft, target: &Path, output: &cli::Output) -> ExitCode {
    let place = match replaced::place(target) {
        _ if output.stdout => target.to_owned(),
        Ok(place) if place.exists() && !output.force => return fail(&exists(target)),
        Ok(place) => place,
        Err(message) => return fail(&message),
    };
    draft.settle();
    draft::fit(&mut draft, &|text| match check::text(target, text, &CHECKS) {
        Ok(_) => Ok(()),
        Err(findings) => Err(findings.first().map(|it| it.message.clone()).unwrap_or_default()),
    });
    for note in &draft.notes {
        say(&format!("{}\n", visible(&note.to_string())));
    }
    if let Some(missing) = draft.missing() {
        log::error(&format!("no configuration was written: {missing} is missing"));
        return ExitCode::from(FOUND);
    }
    let text = draft::write(&draft);
    let config = match check::text(target, &text, &CHECKS) {
        Ok(config) => config,
        // Each value was tried on its own.
        Err(findings) => {
            log::findings(&findings);
            return ExitCode::from(FOUND);
        }
    };
    if output.stdout {
        let printed = print(text);
        say(&check_of(target, &config));
        return printed;
    }
    let written = match put(&place, &text, output.force) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return fail(&exists(target));
        }
        Err(error) => {
            return fail(&format!("{}: {}", target.display(), files::reason(&error)));
        }
    };
    let written = match written {
        Put::Unchanged => format!("Unchanged: {}", target.display()),
        Put::New => format!("Written: {}", target.display()),
        Put::Replaced(kept) => {
            format!("Written: {}\nThe old file: {}", target.display(), kept.display())
        }
    };
    print(format!(
        "{}\n{}\n{}",
        visible_lines(&written),
        check_of(target, &config),
        visible_lines(&steps(target, &config, &draft))
    ))
}

fn fail(message: &str) -> ExitCode {
    log::error(&message);
    ExitCode::from(COULD_NOT_RUN)
}

/// Writes to standard error, which may be closed.
fn say(text: &str) {
    io::stderr().write_all(text.as_bytes()).ok();
}

fn check_of(target: &Path, config: &Config) -> String {
    log::leave_out_what_requests_find();
    super::check::of_text(target, config)
}

//------------ The file -------------------------------------------------------

fn exists(target: &Path) -> String {
    format!(
        "{}: the file exists; --force overwrites it and keeps the old one, --stdout prints the \
         configuration",
        target.display()
    )
}

/// What was done with the file.
enum Put {
    Unchanged,
    New,
    /// Where the old one is.
    Replaced(PathBuf),
}

/// Writes the file, unless it has this text already. A file that exists is replaced by `force` only, else
/// the error is [`AlreadyExists`](io::ErrorKind::AlreadyExists).
fn put(place: &Path, text: &str, force: bool) -> io::Result<Put> {
    if force && files::read(place, Kind::Configuration).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(Put::Unchanged);
    }
    if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut new = place.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(new);
    let written = File::create_new(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    });
    let put = written.and_then(|()| match force.then(|| replaced::keep(place)) {
        Some(Ok(kept)) => fs::rename(&new, place).map(|()| Put::Replaced(kept)),
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => move_to_free(&new, place).map(|()| Put::New),
    });
    put.inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Moves a file to a place that is free. Unlike a rename, a link never overwrites a file that has come
/// into being meanwhile.
fn move_to_free(new: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(new, target) {
        Ok(()) => fs::remove_file(new),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // The file system has no links.
        Err(_) => fs::rename(new, target),
    }
}

//------------ The next steps -------------------------------------------------

/// A web server, its program, and what to do with the file that `hook` prints.
struct WebServer {
    hook: &'static str,
    programs: &'static [&'static str],
    file: &'static str,
    then: &'static str,
}

/// The web servers for which one command is enough, in the order in which they are looked for.
const WEB_SERVERS: [WebServer; 4] = [
    WebServer {
        hook: "nginx",
        programs: &["nginx"],
        file: "/etc/nginx/snippets/mailsetup.conf",
        then: "and write `include snippets/mailsetup.conf;` into the server blocks for mail clients",
    },
    WebServer {
        hook: "apache",
        programs: &["apache2", "httpd"],
        file: "/etc/apache2/conf-available/mailsetup.conf",
        then: "and `a2enmod proxy_fcgi setenvif && a2enconf mailsetup`",
    },
    WebServer {
        hook: "lighttpd",
        programs: &["lighttpd"],
        file: "/etc/lighttpd/conf-available/50-mailsetup-fastcgi.conf",
        then: "and `lighty-enable-mod mailsetup-fastcgi`",
    },
    WebServer {
        hook: "caddy",
        programs: &["caddy"],
        file: "/etc/caddy/mailsetup.caddy",
        then: "and import it in /etc/caddy/Caddyfile, as its first lines say",
    },
];
/// Where the programs of web servers are.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// What comes next.
fn steps(target: &Path, config: &Config, draft: &Draft) -> String {
    let option = match target == Path::new(SYSTEM) {
        true => String::new(),
        false => format!(" --config {}", target.display()),
    };
    // Without a domain, that of the servers is a good guess.
    let provider = match draft.top.value("provider.name").map(|name| &name.value) {
        Some(Value::Text(name)) => Domain::parse(name).ok(),
        _ => None,
    };
    let first = draft.domains.first().and_then(|(name, _)| Domain::parse(&name.value).ok());
    let domain = first.or_else(|| config.domains().into_iter().next()).or(provider);
    let domain = domain.map_or("example.org".to_owned(), |domain| domain.to_string());
    let is_there = |program: &&str| FOLDERS.iter().any(|it| Path::new(it).join(program).exists());
    let installed = WEB_SERVERS.iter().find(|server| server.programs.iter().any(is_there));
    let web = match installed {
        Some(WebServer { hook, file, then, .. }) => {
            format!("mailsetup hook {hook} >{file}\n     {then}")
        }
        None => "mailsetup hook --help\n     prints the files for web servers".to_owned(),
    };
    format!(
        "Next:\n\
         \x20 1. the web server: {web}\n\
         \x20 2. the DNS:        mailsetup{option} dns {domain}\n\
         \x20 3. the test:       mailsetup probe {domain}\n"
    )
}
