//! Environment variables that set keys: `MAILSETUP_IMAP_HOST` is `imap.host`.
//!
//! A value is written as in the file, but text without quotes, and lists with commas. An empty
//! variable counts as not set, and those that Kubernetes and Docker set for a service called
//! mailsetup are ignored. Refuses unknown variables, values that are not UTF-8 or too long, and
//! values of a wrong type; what they mean is checked as in the file. A request cannot set a
//! variable: the names of all that come from a client begin with `HTTP_` (RFC 3875 §4.1.18).

use super::file::DOMAIN_ONLY;
use super::keys::{self, Key};
use super::overlay::{Overlay, Sets, Variable};
use super::parts;
use super::reader::{Kind, LIKE, nearest};
use crate::directory::name::Name;
use crate::finding::name;
use crate::order;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeTable;

/// The beginning of all names.
const PREFIX: &str = "MAILSETUP_";
/// The variable that names the configuration file, instead of the option.
const CONFIG: &str = "MAILSETUP_CONFIG";
/// The variable with the text of a whole configuration, in place of a file.
pub const TEXT: &str = "MAILSETUP_TOML";
/// The variable that names domains, also by patterns.
pub const DOMAINS: &str = "MAILSETUP_DOMAINS";

/// The longest value, in bytes: that of Linux for one variable.
const MAX_VALUE: usize = 128 * 1024;
/// The longest name that is quoted, in bytes.
const MAX_NAME: usize = 100;

/// The variables of this process.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The text of the configuration.
    pub text: Option<String>,
    /// The settings of the other variables.
    pub overlay: Arc<Overlay>,
}

impl Environment {
    /// Reads the variables. Unless a file is named otherwise, only one of `MAILSETUP_CONFIG` and
    /// `MAILSETUP_TOML` may be set.
    pub fn new(variables: &[(OsString, OsString)], is_file_named: bool) -> Environment {
        let is_ours = |name: &OsString| {
            let begin = name.as_bytes().get(..PREFIX.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(PREFIX.as_bytes()))
        };
        let set = variables.iter().filter(|(name, value)| is_ours(name) && !value.is_empty());
        let mut environment = Environment::default();
        let mut others: Vec<&(OsString, OsString)> = Vec::new();
        for variable in set {
            let (name, value) = variable;
            if name.as_bytes() == CONFIG.as_bytes() {
                environment.file.get_or_insert_with(|| value.into());
            } else if !is_injected(name.as_bytes(), value.as_bytes()) {
                others.push(variable);
            }
        }
        if others.is_empty() {
            return environment;
        }
        // Of several with one name, the first counts, as for getenv(3).
        order::sort_by(&mut others, |a, b| a.0.cmp(&b.0));
        others.dedup_by(|next, first| next.0 == first.0);
        let keys = keys::all();
        let mut overlay = Vec::new();
        for (name, value) in others {
            let is_text = name.as_bytes() == TEXT.as_bytes();
            let sets = match text_of(value) {
                Err(fault) => nothing(fault),
                Ok(text) if text.trim().is_empty() => continue,
                Ok(_) if is_text && environment.file.is_some() && !is_file_named => {
                    let message = "names a configuration file, too; set only one of the two";
                    nothing(mistake("variable-value", format!("{CONFIG} {message}")))
                }
                Ok(text) if is_text => {
                    environment.text = Some(text);
                    Sets::Text
                }
                Ok(text) => read(&name.to_string_lossy(), text.trim(), &keys),
            };
            let shown = name.as_bytes().get(..MAX_NAME).unwrap_or(name.as_bytes());
            overlay.push(Variable { name: Path::new(OsStr::from_bytes(shown)).into(), sets });
        }
        environment.overlay = Arc::new(Overlay(overlay));
        environment
    }
}

/// The name of the variable for a key.
pub fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("_").to_ascii_uppercase())
}

/// True for the variables that Kubernetes and Docker set for each service that a container may
/// reach, if its name is mailsetup, or begins with it:
/// `MAILSETUP_SERVICE_HOST`, `MAILSETUP_PORT_8025_TCP_ADDR`, and `MAILSETUP_IMAP_PORT=tcp://…`.
fn is_injected(name: &[u8], value: &[u8]) -> bool {
    let Some(rest) = std::str::from_utf8(name).ok().and_then(|name| name.strip_prefix(PREFIX))
    else {
        return false;
    };
    // For a service mailsetup-imap, the words between are its own.
    let ends =
        |word: &str| rest.strip_suffix(word).is_some_and(|it| it.is_empty() || it.ends_with('_'));
    let port = rest.rsplit_once("PORT_").map(|(_, port)| port.split('_').collect::<Vec<_>>());
    let is_port = port.is_some_and(|port| match port[..] {
        [number, protocol] | [number, protocol, "ADDR" | "PORT" | "PROTO"] => {
            number.bytes().all(|b| b.is_ascii_digit()) && ["TCP", "UDP", "SCTP"].contains(&protocol)
        }
        _ => false,
    });
    let is_url = [&b"tcp://"[..], b"udp://", b"sctp://"].iter().any(|it| value.starts_with(it));
    is_port
        || ends("SERVICE_HOST")
        || ends("SERVICE_PORT")
        || rest.contains("SERVICE_PORT_")
        || (ends("PORT") && is_url)
        || rest == "PORT"
        || rest == "NAME"
        || rest.starts_with("ENV_")
}

/// Why a variable sets nothing: a code, and a message.
type Fault = (&'static str, String);

fn mistake(code: &'static str, message: impl Into<String>) -> Fault {
    (code, message.into())
}

fn nothing((code, message): Fault) -> Sets {
    Sets::Nothing(code, message)
}

/// The text of a value.
fn text_of(value: &OsStr) -> Result<String, Fault> {
    if value.len() > MAX_VALUE {
        let message = format!("the value is longer than {} KiB", MAX_VALUE / 1024);
        return Err(mistake("variable-value", message));
    }
    match value.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(mistake("variable-value", "the value is not UTF-8 text")),
    }
}

/// What a variable sets.
fn read(name: &str, text: &str, keys: &[Key]) -> Sets {
    if name == DOMAINS {
        return domains(text).map_or_else(nothing, Sets::Domains);
    }
    let is_it = |key: &&Key| key.kind != Kind::Table && variable(&key.path) == name;
    let Some(key) = keys.iter().find(is_it) else {
        return nothing(mistake("unknown-variable", unknown(name, keys)));
    };
    match value(key, text) {
        Ok(value) => Sets::Key(key.path.clone(), value),
        Err((code, message)) => Sets::Nothing(code, format!("{}: {message}", key.path.join("."))),
    }
}

//------------ values ---------------------------------------------------------

/// The value of a key, in TOML.
fn value(key: &Key, text: &str) -> Result<String, Fault> {
    let wrong = |message: String| Err(mistake("wrong-type", message));
    match key.kind {
        Kind::Map | Kind::Tables => return inline(key.kind, text),
        _ => without_quotes(text)?,
    }
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match (key.kind, text.to_lowercase().as_str()) {
        (Kind::Flag, "true" | "false") if text.to_lowercase() == text => Ok(text.to_owned()),
        (Kind::Flag, word @ ("true" | "false")) => {
            wrong(format!("`{text}` must be written `{word}`"))
        }
        (Kind::Flag, word) => {
            let meant = match word {
                "yes" | "on" | "1" | "enabled" => "; write true",
                "no" | "off" | "0" | "disabled" => "; write false",
                _ => "",
            };
            wrong(format!("`{text}` is not a valid value; expected true or false{meant}"))
        }
        (Kind::Number, _) if is_number => match text.trim_start_matches('0') {
            "" => Ok("0".to_owned()),
            digits => Ok(digits.to_owned()),
        },
        (Kind::Number, _) => wrong(format!("`{text}` is not a number; expected digits only")),
        (Kind::List, _) => {
            let items = items(text)?;
            let items: Vec<_> = items.into_iter().map(quoted).collect();
            Ok(format!("[{}]", items.join(", ")))
        }
        _ => Ok(quoted(text)),
    }
}

/// Compose files and files of `docker --env-file` pass quotes on; in a value they would be text.
fn without_quotes(text: &str) -> Result<(), Fault> {
    let is_quoted = ['"', '\'']
        .iter()
        .any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote));
    match is_quoted {
        false => Ok(()),
        true => {
            let message = format!("the quotes are part of the value {text}; write it without them");
            Err(mistake("variable-value", message))
        }
    }
}

/// The items of a list, which commas or line ends separate.
fn items(text: &str) -> Result<Vec<&str>, Fault> {
    if text.starts_with('[') {
        let message = "expected a list with commas, without brackets and quotes: a,b";
        return Err(mistake("variable-value", message));
    }
    let items = text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty());
    let items: Vec<_> = items.collect();
    items.iter().try_for_each(|item| without_quotes(item))?;
    match items.is_empty() {
        true => Err(mistake("variable-value", "there is nothing between the commas")),
        false => Ok(items),
    }
}

/// A table by language, or a list of tables: they are written as in the file.
fn inline(kind: Kind, text: &str) -> Result<String, Fault> {
    let example = match kind {
        Kind::Map => "{ en = \"text\", de = \"Text\" }",
        _ => "[{ key = \"value\" }]",
    };
    let line = format!("x = {text}");
    let is_small = parts::beyond(&line).is_none();
    let parsed = is_small.then(|| DeTable::parse(&line).ok()).flatten().map(Spanned::into_inner);
    // With more keys, the value would set others, too.
    match parsed.is_some_and(|table| table.len() == 1) {
        true => Ok(text.to_owned()),
        false => {
            let message = format!("the value is not TOML; expected for example {example}");
            Err(mistake("variable-value", message))
        }
    }
}

/// A text as a string of TOML.
fn quoted(text: &str) -> String {
    let mut toml = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => toml.extend(['\\', c]),
            c if c.is_control() => toml += &format!("\\u{:04x}", u32::from(c)),
            c => toml.push(c),
        }
    }
    toml + "\""
}

/// The names of domains and the patterns, as they are written.
fn domains(text: &str) -> Result<Vec<String>, Fault> {
    let names = items(text)?;
    for name in &names {
        let message = match Name::parse(name) {
            Ok(Name::Domain(_) | Name::Below(_)) => continue,
            Ok(Name::All) => "`*` names no domain; set MAILSETUP_DOMAINS_ANSWER=any".to_owned(),
            Err(message) if name.contains(char::is_whitespace) => {
                format!("{message}; expected commas between domains")
            }
            Err(message) => message,
        };
        return Err(mistake("domain-name", message));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

//------------ unknown --------------------------------------------------------

/// Why a variable sets nothing, and what may be meant.
fn unknown(given: &str, keys: &[Key]) -> String {
    let upper = given.to_ascii_uppercase();
    let settable = || keys.iter().filter(|key| key.kind != Kind::Table);
    let is_special = [CONFIG, TEXT, DOMAINS].contains(&upper.as_str());
    if upper != given && (is_special || settable().any(|key| variable(&key.path) == upper)) {
        return format!("unknown variable; names are in capital letters: {upper}");
    }
    let rest = upper.strip_prefix(PREFIX).unwrap_or(&upper);
    let of_one = format!(
        "the settings of one domain are written in [domain.\"example.org\"], in the configuration \
         file or in {TEXT}"
    );
    if rest.starts_with("DOMAIN_") || DOMAIN_ONLY.iter().any(|path| variable(path) == upper) {
        return format!("unknown variable; {of_one}");
    }
    if rest == "DOMAIN" {
        return format!("unknown variable; did you mean {DOMAINS}? It has names only; {of_one}");
    }
    if let Some(table) = keys.iter().find(|key| variable(&key.path) == upper) {
        let below =
            |key: &&Key| key.path.len() > table.path.len() && key.path.starts_with(&table.path);
        let below = settable().filter(below).map(|key| variable(&key.path)).take(3);
        let (table, below) = (table.path.join("."), below.collect::<Vec<_>>().join(", "));
        return format!(
            "unknown variable; `{table}` is a table, and each of its keys has a variable: {below}, …"
        );
    }
    let names: Vec<_> = settable().map(|key| key.path.join("_")).collect();
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.extend(["config", "domains", "toml"]);
    match nearest(rest, &names, LIKE) {
        Some(near) => format!("unknown variable; did you mean {}?", variable(&[near])),
        None => format!(
            "unknown variable; that of the key imap.host is {}, and mailsetup.toml(5) lists the keys",
            variable(&["imap", "host"])
        ),
    }
}

/// The names of the variables that are set, for a log.
pub fn names(overlay: &Overlay) -> String {
    let names: Vec<_> = overlay.0.iter().map(|it| name(Path::new(&*it.name))).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let own = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Environment::new(&own.collect::<Vec<_>>(), false)
    }

    /// A process may be started with a name twice.
    #[test]
    fn the_first_of_two_counts() {
        let host = "MAILSETUP_IMAP_HOST";
        let twice = of(&[(host, "one"), ("MAILSETUP_A", "x"), (host, "two")]);
        let [_, Variable { sets: Sets::Key(path, value), .. }] = &twice.overlay.0[..] else {
            panic!("{twice:?}")
        };
        assert_eq!((&path[..], value.as_str()), (&["imap", "host"][..], "\"one\""));
        let file = of(&[(CONFIG, "/one"), (CONFIG, "/two")]).file;
        assert_eq!(file, Some(PathBuf::from("/one")));
    }

    #[test]
    fn texts_are_strings_of_toml() {
        for text in ["a", "\"", "\\", "a\nb\r\t", "\u{0}\u{7f}\u{85}", "\u{202e}é😀", "'", "#"] {
            let line = format!("x = {}", quoted(text));
            let table = DeTable::parse(&line).unwrap().into_inner();
            assert_eq!(table["x"].get_ref().as_str(), Some(text), "{line}");
        }
    }

    #[test]
    fn other_variables_are_not_read() {
        let others = of(&[("PATH", "x"), ("HTTP_MAILSETUP_IMAP_HOST", "x"), ("MAILSETUP", "x")]);
        assert!(others.overlay.0.is_empty() && others.file.is_none() && others.text.is_none());
    }
}
