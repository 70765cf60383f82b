//! The files that say how Postfix asks a database, and the command that lists its domains
//! (mysql_table(5), pgsql_table(5), sqlite_table(5), ldap_table(5)).
//!
//! A query of Postfix asks for one domain: `… WHERE domain = '%s' AND active = 1`. The command asks
//! for all, if the condition is of a form that is understood: comparisons joined by AND. It never
//! has a password.

use super::lines::{assignment, logical};
use super::statement::{Dialect, list_all};
use std::collections::HashMap;

/// What follows the command.
const IMPORT: &str = "mailsetup import --domains -";

/// The command that prints the domains of a database and imports them, for `kind` (`mysql`,
/// `pgsql`, `sqlite`, `ldap`) and the text of its file; or why it cannot be told.
pub fn command(kind: &str, text: &str) -> Result<String, String> {
    let lines = logical(text);
    let keys = lines.iter().filter_map(|line| assignment(&line.text));
    let file = File { keys: keys.filter(|(_, value)| !value.is_empty()).collect() };
    let parts = match kind {
        "mysql" => vec![file.mysql()?],
        "pgsql" => vec![file.pgsql()?],
        "sqlite" => {
            let statement = file.statement(Dialect::Sqlite)?;
            vec![words(&["sqlite3", file.need("dbpath")?, &statement])]
        }
        "ldap" => file.ldap()?,
        _ => return Err(format!("a command for {kind} is not known")),
    };
    let mut commands = Vec::new();
    for part in parts {
        let words: Result<Vec<_>, _> = part.iter().map(|word| quoted(word)).collect();
        commands.push(words?.join(" "));
    }
    commands.push(IMPORT.to_owned());
    Ok(commands.join(" | "))
}

/// The settings of a file.
struct File<'a> {
    keys: HashMap<&'a str, &'a str>,
}

/// Where the database is.
enum Host<'a> {
    /// On this machine: its administrator needs no password.
    Local,
    /// At a socket.
    Socket(&'a str),
    /// At a host, with a port.
    Remote(&'a str, Option<&'a str>),
}

impl<'a> File<'a> {
    fn key(&self, name: &str) -> Option<&'a str> {
        self.keys.get(name).copied()
    }

    fn need(&self, name: &str) -> Result<&'a str, String> {
        self.key(name).ok_or_else(|| format!("it has no {name}"))
    }

    fn mysql(&self) -> Result<Vec<String>, String> {
        let statement = self.statement(Dialect::Sql)?;
        let mut command = words(&["mysql"]);
        match self.host()? {
            Host::Local => {}
            Host::Socket(path) => command.extend(words(&["-S", path])),
            Host::Remote(host, port) => {
                command.extend(words(&["-h", host]));
                command.extend(port.map(|port| words(&["-P", port])).into_iter().flatten());
                command.extend(
                    self.key("user").map(|user| words(&["-u", user, "-p"])).into_iter().flatten(),
                );
            }
        }
        command.extend(words(&["-N", "-e", &statement, self.need("dbname")?]));
        Ok(command)
    }

    fn pgsql(&self) -> Result<Vec<String>, String> {
        let statement = self.statement(Dialect::Postgres)?;
        let mut command = match self.host()? {
            Host::Local | Host::Socket(_) => words(&["sudo", "-u", "postgres", "psql"]),
            Host::Remote(host, port) => {
                let port = port.map(|port| words(&["-p", port]));
                let user = self.key("user").map(|user| words(&["-U", user]));
                let command = words(&["psql", "-h", host]).into_iter();
                command
                    .chain(port.into_iter().flatten())
                    .chain(user.into_iter().flatten())
                    .collect()
            }
        };
        let database = self.need("dbname")?;
        if database.contains(['=', ':']) {
            return Err("dbname has more than a name".to_owned());
        }
        command.extend(words(&["-At", "-c", &statement, database]));
        Ok(command)
    }

    fn ldap(&self) -> Result<Vec<Vec<String>>, String> {
        let filter = self.need("query_filter")?;
        let (before, after) = filter
            .split_once("=%s)")
            .or_else(|| filter.split_once("=%d)"))
            .ok_or("its query_filter compares no attribute with the domain")?;
        let attribute = before.rsplit('(').next().unwrap_or(before);
        let is_attribute = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let base = self.need("search_base")?;
        if attribute.is_empty()
            || !attribute.chars().all(is_attribute)
            || [before, after, base].iter().any(|text| text.contains('%'))
        {
            return Err("its query_filter or search_base is not understood".to_owned());
        }
        let host = self.key("server_host").unwrap_or("localhost");
        let host = host.split([' ', ',', '\t']).next().unwrap_or(host);
        let host = match host.contains("://") {
            true => host.to_owned(),
            false => format!("ldap://{host}"),
        };
        let mut search = words(&["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", &host]);
        if let Some(name) = self.key("bind_dn") {
            search.extend(words(&["-D", name, "-W"]));
        }
        let filter = format!("{before}=*){after}");
        search.extend(words(&["-b", base, &filter, attribute]));
        let print = format!("s/^{attribute}: //p");
        Ok(vec![search, words(&["sed", "-n", &print])])
    }

    /// The first of `hosts`.
    fn host(&self) -> Result<Host<'a>, String> {
        let hosts = self.key("hosts").unwrap_or("localhost");
        let first = hosts.split([' ', '\t', ',']).next().unwrap_or(hosts);
        if first.contains("://") || first.contains('@') {
            // It may have a password.
            return Err("hosts is a URI".to_owned());
        }
        if let Some(path) = first.strip_prefix("unix:") {
            return Ok(Host::Socket(path));
        }
        let first = first.strip_prefix("inet:").unwrap_or(first);
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let (host, port) = match first.rsplit_once(':') {
            Some((host, port)) if is_port(port) && !host.ends_with(':') => (host, Some(port)),
            _ => (first, None),
        };
        Ok(match host.trim_matches(['[', ']']) {
            "localhost" | "127.0.0.1" | "::1" => Host::Local,
            host => Host::Remote(host, port),
        })
    }

    /// The statement that lists all domains.
    fn statement(&self, dialect: Dialect) -> Result<String, String> {
        if let Some(query) = self.key("query") {
            return list_all(query, dialect);
        }
        // The form of Postfix before 2.2.
        let (table, field) = (self.need("table")?, self.need("where_field")?);
        let more = self.key("additional_conditions").unwrap_or_default();
        let query = format!("SELECT {field} FROM {table} WHERE {field} = '%s' {more}");
        list_all(&query, dialect)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A word of a shell command.
fn quoted(word: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if word.chars().any(char::is_control) {
        return Err("it has control characters".to_owned());
    }
    Ok(if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else if word.contains('\'') && !word.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "user = mail\npassword = geheim\ndbname = db\n";

    #[test]
    fn a_command_lists_the_domains() {
        for (kind, text, expected) in [
            (
                "mysql",
                "hosts = 127.0.0.1\nquery = SELECT 1 FROM d WHERE name='%s'",
                "mysql -N -e 'SELECT DISTINCT name FROM d' db",
            ),
            (
                "mysql",
                "hosts = inet:db.example.net:3307 other\nquery = SELECT 1 FROM d WHERE n='%s' AND a='y'",
                "mysql -h db.example.net -P 3307 -u mail -p -N -e \"SELECT DISTINCT n FROM d WHERE a='y'\" db",
            ),
            (
                "mysql",
                "hosts = unix:/run/my.sock\nquery = SELECT 1 FROM `d` WHERE `n`='%s' AND a='y'",
                r"mysql -S /run/my.sock -N -e 'SELECT DISTINCT `n` FROM `d` WHERE a='\''y'\''' db",
            ),
            (
                "mysql",
                "table = domain\nselect_field = x\nwhere_field = domain\nadditional_conditions = and active = 1",
                "mysql -N -e 'SELECT DISTINCT domain FROM domain WHERE active = 1' db",
            ),
            (
                "pgsql",
                "query = SELECT 1\n FROM d\n WHERE n='%s'",
                "sudo -u postgres psql -At -c 'SELECT DISTINCT n FROM d' db",
            ),
            (
                "pgsql",
                "hosts = [2001:db8::1]\nquery = SELECT 1 FROM d WHERE n='%s'",
                "psql -h 2001:db8::1 -U mail -At -c 'SELECT DISTINCT n FROM d' db",
            ),
            (
                "sqlite",
                "dbpath = /var/a b.db\nquery = SELECT 1 FROM d WHERE n='%s'",
                "sqlite3 '/var/a b.db' 'SELECT DISTINCT n FROM d'",
            ),
            (
                "ldap",
                "server_host = ldap.example.net\nbind_dn = cn=r\nbind_pw = geheim\n\
                 search_base = dc=x\nquery_filter = (&(dc=%s)(mail=y))\nresult_attribute = dc",
                "ldapsearch -x -LLL -o ldif-wrap=no -H ldap://ldap.example.net -D cn=r -W -b dc=x \
                 '(&(dc=*)(mail=y))' dc | sed -n 's/^dc: //p'",
            ),
        ] {
            let command = command(kind, &[QUERY, text].concat());
            assert_eq!(command, Ok([expected, " | ", IMPORT].concat()), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_has_no_command() {
        for (kind, text) in [
            ("mysql", "query = SELECT domain_of('%s')"),
            ("mysql", "hosts = mysql://u:geheim@h/db\nquery = SELECT 1 FROM d WHERE n='%s'"),
            ("pgsql", "dbname = postgresql://u:geheim@h/db\nquery = SELECT 1 FROM d WHERE n='%s'"),
            ("pgsql", "table = domain"),
            ("sqlite", "query = SELECT 1 FROM d WHERE n='%s'"),
            ("ldap", "search_base = dc=%d\nquery_filter = (dc=%s)"),
            ("ldap", "search_base = dc=x\nquery_filter = (|(dc=%s)(alias=%s))"),
            ("mongodb", "dbname = x"),
        ] {
            let told = command(kind, &[QUERY, text].concat());
            assert!(told.as_ref().is_err_and(|why| !why.contains("geheim")), "{text}: {told:?}");
        }
    }
}
