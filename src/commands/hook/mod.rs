//! Prints a file of `contrib/` with the paths, the socket and the domains of an admin.
//!
//! Standard output has the file only, so that it can be redirected into place. Each value is parsed
//! before it is filled in: paths and names consist of characters that no web server interprets, so
//! that none needs quotes, and other values are refused. An option that a file has no place for is
//! refused, too.

mod files;

use super::loading::load;
use super::output::{COULD_NOT_RUN, print};
use crate::address::{Domain, MAX_DOMAIN};
use crate::cli::Hook;
use crate::config::find::Source;
use crate::gateway::listener::{Address, DEFAULT_MODE, LONGEST_PATH};
use crate::log;
use files::{Field, File, Filled, Socket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `--domains` for any domain.
const ANY: &str = "*";
/// The longest label that is put before a domain, with its dot.
const LONGEST_PREFIX: &str = "ua-auto-config.";
/// Longest path in a file, in bytes; nginx accepts 4096 with what is around it.
const MAX_PATH: usize = 4000;
/// The first port that programs without privileges can use.
const FIRST_UNPRIVILEGED: u16 = 1024;
/// Folders that the units hide from the service (ProtectHome, PrivateTmp).
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
/// Longest name of a user or group (useradd(8)).
const MAX_NAME: usize = 32;

/// Prints the file.
pub fn run(arguments: &Hook, source: &Source) -> ExitCode {
    let file = files::file(arguments.file);
    let parsed =
        refuse_unused(arguments, file).and_then(|()| parse(arguments, file, source.named()));
    let mut filled = match parsed {
        Ok(filled) => filled,
        Err(message) => {
            log::error(&message);
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    if arguments.domains.is_empty() && file.hosts.is_some() {
        filled.domains = match configured(source, file) {
            Ok(domains) => domains,
            Err(exit) => return exit,
        };
    }
    if file.has(Field::Config) {
        let paths = [&filled.program, &filled.config].into_iter().flatten();
        for path in
            paths.filter(|path| HIDDEN.iter().any(|folder| Path::new(path).starts_with(folder)))
        {
            log::notice(&format!("the service cannot read {path}: its unit hides that folder"));
        }
    }
    print(file.fill(&filled))
}

/// The domains that the configuration names; none if any domain is answered.
fn configured(source: &Source, file: &File) -> Result<Vec<Domain>, ExitCode> {
    let config = load(source)?;
    let is_for_any = config.answers_any() && file.takes_any;
    let domains = if is_for_any { Vec::new() } else { config.domains() };
    let (domains, too_long): (Vec<_>, Vec<_>) = domains.into_iter().partition(has_host_names);
    if let Some(domain) = too_long.first() {
        log::notice(&format!("left out, because the host names would be too long: {domain}"));
    }
    match domains.len() {
        0 if file.takes_any => {}
        0 => log::notice(
            &"the configuration names no domains; write yours in place of example.org, or use --domains",
        ),
        count => {
            let any = if file.takes_any { ", or use --domains '*' for any domain" } else { "" };
            let domains = if count == 1 { "domain" } else { "domains" };
            log::notice(&format!(
                "the file has {count} {domains} of the configuration; print it again when you add one{any}"
            ));
        }
    }
    Ok(domains)
}

/// Refuses options for which the file has no place.
fn refuse_unused(arguments: &Hook, file: &File) -> Result<(), String> {
    let given = [
        (Field::Certificate, arguments.certificate.is_some()),
        (Field::Key, arguments.key.is_some()),
        (Field::Program, arguments.program.is_some()),
        (Field::CgiBin, arguments.cgi_bin.is_some()),
        (Field::User, arguments.user.is_some()),
        (Field::Group, arguments.group.is_some()),
    ];
    let unused = given.iter().find(|(field, is_given)| *is_given && !file.has(*field));
    let unused = unused.map(|(field, _)| field.option());
    let unused = unused.or_else(|| {
        (arguments.socket.is_some() && matches!(file.socket, Socket::None)).then_some("--socket")
    });
    let unused = unused.or_else(|| {
        (!arguments.domains.is_empty() && !file.text.contains(files::DOMAIN)).then_some("--domains")
    });
    match unused {
        Some(option) => Err(format!("{option} cannot be used here: this file has no place for it")),
        None => Ok(()),
    }
}

/// The values of the command line, checked.
fn parse(arguments: &Hook, file: &File, named: Option<&Path>) -> Result<Filled, String> {
    let path = |option, value: &Option<PathBuf>| {
        value.as_deref().map(|value| absolute(option, value)).transpose()
    };
    let name = |option, value: &Option<String>| {
        value.as_deref().map(|value| account(option, value)).transpose()
    };
    let program = match &arguments.program {
        Some(program) => Some(absolute("--program", program)?),
        None if file.has(Field::Program) => Some(own_path()?),
        None => None,
    };
    let config = match named {
        Some(named) if file.has(Field::Config) => Some(absolute("--config", named)?),
        _ => None,
    };
    let socket = arguments.socket.as_ref().map(|socket| connectable(socket, &file.socket));
    Ok(Filled {
        socket: socket.transpose()?,
        domains: domains(&arguments.domains, file)?,
        certificate: path("--certificate", &arguments.certificate)?,
        key: path("--key", &arguments.key)?,
        program,
        cgi_bin: path("--cgi-bin", &arguments.cgi_bin)?,
        user: name("--user", &arguments.user)?,
        group: name("--group", &arguments.group)?,
        config,
    })
}

/// The path of the running program.
fn own_path() -> Result<String, String> {
    let path = std::env::current_exe().ok().filter(|path| path.exists());
    let path = path.ok_or("the path of the running program is not known; use --program")?;
    absolute("the path of this program", &path)
        .map_err(|message| format!("{message}; use --program for another one"))
}

/// A path without characters that any of the file formats interprets.
fn absolute(option: &str, path: &Path) -> Result<String, String> {
    let shown = path.display();
    let wrong = |expected| Err(format!("{option}: {shown} cannot be used: {expected}"));
    let Some(text) = path.to_str().filter(|text| text.chars().all(is_plain)) else {
        return wrong("expected only letters, digits and the characters / . _ - + @");
    };
    if !text.starts_with('/') || text.ends_with('/') {
        return wrong("expected a path that begins with / and does not end with it");
    }
    if text.len() > MAX_PATH {
        return Err(format!("{option}: the path is longer than {MAX_PATH} bytes"));
    }
    Ok(text.to_owned())
}

/// True for a character of a path that means itself everywhere, without quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "/._-+@".contains(c)
}

/// The name of a user or group, or its number.
fn account(option: &str, name: &str) -> Result<String, String> {
    let is_named = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    match starts && name.len() <= MAX_NAME && name.chars().all(is_named) {
        true => Ok(name.to_owned()),
        false => Err(format!("{option}: `{name}` is not the name of a user or group")),
    }
}

/// A socket to which this kind of file can connect.
fn connectable(address: &Address, socket: &Socket) -> Result<Address, String> {
    match (address, socket) {
        (Address::Unix { mode, group, .. }, _) if *mode != DEFAULT_MODE || group.is_some() => {
            Err("--socket: expected only the path; mode= and group= are for `serve`".to_owned())
        }
        (Address::Unix { path, .. }, Socket::Unix(..) | Socket::FastCgi(..)) => {
            let text = absolute("--socket", path)?;
            let longest = match socket {
                Socket::FastCgi(_, longest, _) => *longest,
                _ => LONGEST_PATH,
            };
            match text.len() <= longest {
                true => Ok(address.clone()),
                false => Err(format!("--socket: the path is longer than {longest} bytes")),
            }
        }
        (Address::Unix { .. }, _) => {
            Err("--socket: expected ADDRESS:PORT, because this is HTTP".to_owned())
        }
        (Address::Tcp(_), Socket::Unix(..)) => {
            Err("--socket: expected unix:PATH; the service has no network".to_owned())
        }
        (Address::Tcp(tcp), Socket::FastCgi(..) | Socket::Http(_)) if tcp.ip().is_unspecified() => {
            Err(format!("--socket: no program can connect to {tcp}; expected one address"))
        }
        (Address::Tcp(tcp), _) if tcp.port() == 0 || tcp.ip().is_multicast() => {
            Err(format!("--socket: {tcp} cannot be used: expected the port and address of a host"))
        }
        (Address::Tcp(tcp), Socket::Listens(_)) if tcp.port() < FIRST_UNPRIVILEGED => Err(format!(
            "--socket: {tcp} needs a privilege that the service does not have; use a port from \
                 {FIRST_UNPRIVILEGED}"
        )),
        (Address::Tcp(_), _) => Ok(address.clone()),
    }
}

/// The domains of the command line, each once, in its order.
fn domains(given: &[String], file: &File) -> Result<Vec<Domain>, String> {
    if given == [ANY] && file.takes_any {
        return Ok(Vec::new());
    }
    if given.iter().any(|text| text == ANY) && !file.takes_any {
        return Err("--domains: this file has no form for any domain; name the domains".to_owned());
    }
    let mut domains = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for text in given {
        let domain =
            Domain::parse(text).map_err(|_| format!("--domains: `{text}` is not a domain name"))?;
        if !has_host_names(&domain) {
            return Err(format!("--domains: {domain} is too long for {LONGEST_PREFIX}{domain}"));
        }
        if seen.insert(domain.clone()) {
            domains.push(domain);
        }
    }
    Ok(domains)
}

/// True if the domain is short enough for the host names below it.
fn has_host_names(domain: &Domain) -> bool {
    LONGEST_PREFIX.len() + domain.as_str().len() <= MAX_DOMAIN
}
