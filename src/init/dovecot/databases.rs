//! The databases of a Dovecot: `passdb` checks passwords, `userdb` knows mailboxes.
//!
//! No value of a database is repeated but the path of a file: passwords may stand among them.

use super::config::{Config, Found, is_variable, is_yes, shown};
use super::format::{Parts, parts};
use super::tree::Block;
use crate::draft::{Noted, Origin};
use crate::init::facts::DomainSource;
use std::path::{Path, PathBuf};

/// A `passdb` or a `userdb`.
#[derive(Debug)]
pub struct Database {
    /// True for one that checks passwords.
    pub is_passdb: bool,
    /// `sql`, `passwd-file`, `pam`, …
    pub driver: String,
    /// The file with users, or that says how they are queried.
    pub file: Option<String>,
    /// How the name is changed before it is looked up in a file; `None` if it is not.
    pub format: Option<String>,
    /// True if it has the passwords of admins, who log in as other users, or users who may not log in.
    pub is_special: bool,
    /// The host that users are passed on to: `Some("")` if the database says which.
    pub proxy: Option<String>,
    /// True if it accepts every password.
    pub no_password: bool,
    /// True if it refuses every login.
    pub no_login: bool,
    /// The networks from which it accepts logins, if it names some.
    pub networks: Option<String>,
    /// True if it is known that `doveadm user` lists the users.
    pub lists_users: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// The databases in their order.
pub fn read(config: &Config) -> Vec<Database> {
    let blocks = config.tree.root.blocks.iter();
    let blocks = blocks.filter(|it| ["passdb", "userdb"].contains(&it.kind));
    blocks.map(|block| Database::read(config, block)).collect()
}

impl Database {
    fn read(config: &Config, block: &Block) -> Database {
        let value = |name: &str| block.setting(name).map(|it| it.value.as_str());
        let is_on = |name: &str| value(name).is_some_and(is_yes);
        let driver = value("driver").unwrap_or(&block.name);
        let (fields, file) = match config.is_new {
            true => (new_fields(block), new_file(driver, block)),
            false => (old_fields(driver, block), old_file(driver, block)),
        };
        let has = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.is_some_and(|(_, value)| value.is_empty() || is_yes(value))
        };
        let networks = fields.iter().find(|(name, _)| name == "allow_nets");
        let host = fields.iter().find(|(name, _)| name == "host");
        let host = host.map(|(_, host)| host.clone()).unwrap_or_default();
        let head = match (config.is_new, shown_setting(driver, block)) {
            (true, Some(text)) => format!("{} {} {{ {text} }}", block.kind, block.name),
            (true, None) => format!("{} {}", block.kind, block.name),
            (false, Some(text)) => format!("{} {{ driver = {driver}, {text} }}", block.kind),
            (false, None) => format!("{} {{ driver = {driver} }}", block.kind),
        };
        Database {
            is_passdb: block.kind == "passdb",
            driver: driver.to_owned(),
            format: match config.is_new {
                true => value("auth_username_format").map(str::to_owned),
                false => value("args").and_then(old_format).map(str::to_owned),
            },
            is_special: is_on("master") || is_on("deny"),
            proxy: (has("proxy") || has("proxy_maybe")).then_some(host),
            no_password: has("nopassword"),
            no_login: has("nologin"),
            networks: networks.map(|(_, networks)| networks.clone()),
            lists_users: block.setting("iterate_query").is_some(),
            origin: Origin::seen(config.place(block.line), shown(&head)),
            file,
        }
    }

    /// True if its users are those of the operating system, who have no domain.
    pub fn is_of_system(&self) -> bool {
        ["pam", "passwd", "shadow", "bsdauth"].contains(&self.driver.as_str())
    }

    /// True if it says nothing about users itself.
    pub fn is_empty(&self) -> bool {
        ["prefetch", "static", ""].contains(&self.driver.as_str())
    }

    /// True if the domain of the login is a part of the path of the file.
    pub fn has_file_of_domain(&self) -> bool {
        self.driver == "passwd-file"
            && self.file.as_deref().is_some_and(|it| domain_at(it).is_some())
    }

    /// True if the names in it have no domain.
    fn has_local_parts(&self, config: &Config) -> bool {
        let is_local = |format: &String| parts(format, config.is_new) == Parts::LocalPart;
        !self.has_file_of_domain() && self.format.as_ref().is_some_and(is_local)
    }

    /// Where the domains of its users stand; `None` if they have none.
    pub fn domains(&self, config: &Config) -> Option<Noted<DomainSource>> {
        if self.is_special || self.is_of_system() || self.is_empty() {
            return None;
        }
        let file = self.file.as_ref().map(PathBuf::from);
        let source = match self.driver.as_str() {
            "sql" => {
                let kind = config.setting("sql_driver", None).map(|it| it.value);
                // Its query is known: doveadm asks it.
                let command = self.lists_users.then(|| format!("doveadm user '*' | {DOMAINS}"));
                DomainSource::Query {
                    kind: kind.unwrap_or_else(|| "sql".to_owned()),
                    file,
                    command,
                }
            }
            // Its names have no domain, and neither has its path.
            "passwd-file" if self.has_local_parts(config) => return None,
            "passwd-file" => {
                let command = self.file.as_deref().and_then(of_file);
                DomainSource::Query { kind: "passwd-file".to_owned(), file, command }
            }
            "ldap" | "dict" | "lua" => {
                DomainSource::Query { kind: self.driver.clone(), file, command: None }
            }
            _ => return None,
        };
        Some(Noted { value: source, origin: self.origin.clone() })
    }
}

/// The end of a command that prints the domains of addresses, each of them once.
const DOMAINS: &str = "sed -n 's/.*@//p' | sort -u";

/// The command that prints the domains of a file with users, without their passwords.
fn of_file(path: &str) -> Option<String> {
    // The command is for a shell.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match domain_at(path) {
        Some((at, end)) => {
            let (before, after) = (&path[..at], &path[end..]);
            let parts = before.matches('/').count();
            let is_part = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
            let is_safe = is_part && before.chars().chain(after.chars()).all(is_plain);
            is_safe.then(|| format!("ls -d {before}*{after} | cut -d/ -f{}", parts + 1))
        }
        None => {
            let is_safe = path.starts_with('/') && path.chars().all(is_plain);
            is_safe.then(|| format!("cut -d: -f1 {path} | {DOMAINS}"))
        }
    }
}

/// Where the domain of the login stands in a path, if it is there once.
fn domain_at(path: &str) -> Option<(usize, usize)> {
    let at = path.find('%')?;
    let end = match path[at..].strip_prefix("%{").and_then(|rest| rest.split_once('}')) {
        Some((variable, _)) => {
            let words: String = variable.split_whitespace().collect();
            let forms = ["domain", "user|domain", "user|domain|lower", "domain|lower"];
            forms.contains(&words.as_str()).then_some(at + "%{".len() + variable.len() + 1)
        }
        None => ["%d", "%Ld"]
            .iter()
            .find(|form| path[at..].starts_with(*form))
            .map(|form| at + form.len()),
    }?;
    (!path[end..].contains('%')).then_some((at, end))
}

/// The fields of a database of Dovecot 2.3: `proxy=y host=192.0.2.1`.
fn old_fields(driver: &str, block: &Block) -> Vec<(String, String)> {
    let lists = ["default_fields", "override_fields", "args"];
    let lists = lists.iter().filter(|name| **name != "args" || driver == "static");
    let lists = lists.filter_map(|name| block.setting(name));
    let words = lists.flat_map(|list| list.value.split_whitespace());
    let field = |word: &str| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), value.to_owned())
    };
    words.map(field).collect()
}

/// The fields of a database of Dovecot 2.4: `fields { proxy:default = yes }`.
fn new_fields(block: &Block) -> Vec<(String, String)> {
    let settings = block.of("fields").flat_map(|fields| &fields.settings);
    let field = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    settings.map(|it| (field(it.name), it.value.clone())).collect()
}

/// The setting of a database that names its file, if it can have no password.
fn shown_setting(driver: &str, block: &Block) -> Option<String> {
    let name = match driver {
        "sql" | "ldap" | "dict" | "passwd-file" if block.setting("args").is_some() => "args",
        "passwd-file" => "passwd_file_path",
        "lua" => "lua_file",
        _ => return None,
    };
    let value = &block.setting(name)?.value;
    value.contains('/').then(|| format!("{name} = {value}"))
}

/// The file that a database of Dovecot 2.3 has in its arguments.
fn old_file(driver: &str, block: &Block) -> Option<String> {
    let args = block.setting("args")?.value.trim();
    let path = match driver {
        "sql" | "ldap" | "dict" => args,
        "passwd-file" => {
            let is_option = |word: &str| !word.starts_with('/') && word.contains('=');
            let mut rest = args;
            while let Some((_, after)) = rest.split_once(' ').filter(|(word, _)| is_option(word)) {
                rest = after.trim_start();
            }
            rest
        }
        "lua" => args.split_whitespace().find_map(|word| word.strip_prefix("file="))?,
        _ => return None,
    };
    path.starts_with('/').then(|| path.to_owned())
}

/// The format in the arguments of a database of Dovecot 2.3: `username_format=%u /etc/users`.
fn old_format(args: &str) -> Option<&str> {
    args.split_whitespace().find_map(|word| word.strip_prefix("username_format="))
}

/// The file of a database of Dovecot 2.4.
fn new_file(driver: &str, block: &Block) -> Option<String> {
    let name = match driver {
        "passwd-file" => "passwd_file_path",
        "lua" => "lua_file",
        _ => return None,
    };
    let path = &block.setting(name)?.value;
    path.starts_with('/').then(|| path.clone())
}

/// A setting whose value is a path, without `<`; the reason if it is not one. `folder` is where
/// dovecot.conf is: other paths begin there.
pub fn path(found: &Found, folder: Option<&Path>) -> Result<PathBuf, &'static str> {
    let value = found.value.trim();
    let file = value.strip_prefix('<').map(str::trim_start);
    let value = file.unwrap_or(value);
    if is_variable(value) {
        return Err("known only to the running Dovecot");
    }
    let is_text = value.is_empty() || value.contains('\n') || value.starts_with("-----BEGIN");
    match folder {
        _ if is_text => Err("not the path of a file"),
        _ if value.starts_with('/') => Ok(PathBuf::from(value)),
        Some(folder) if file.is_some() => Ok(folder.join(value)),
        _ => Err("not the path of a file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_print_domains_and_no_passwords() {
        for (path, command) in [
            (
                "/etc/dovecot/users",
                Some("cut -d: -f1 /etc/dovecot/users | sed -n 's/.*@//p' | sort -u"),
            ),
            ("/etc/virtual/%d/passwd", Some("ls -d /etc/virtual/*/passwd | cut -d/ -f4")),
            ("/etc/vmail/%{user | domain}", Some("ls -d /etc/vmail/* | cut -d/ -f4")),
            ("/etc/vmail/%{ user|domain }/a", Some("ls -d /etc/vmail/*/a | cut -d/ -f4")),
            ("/etc/vmail/%{user | username}", None),
            ("/etc/vmail/%{domain", None),
            ("/etc/vmail/%d.users", None),
            ("/etc/vmail/%d/%n", None),
            ("/etc/vmail/%u", None),
            ("/etc/vmail/a b", None),
            ("/etc/vmail/$(id)", None),
            ("users", None),
        ] {
            assert_eq!(of_file(path).as_deref(), command, "{path}");
        }
    }
}
