//! Findings: errors in a configuration, and settings that work but break a client; as data.
//!
//! The same list is printed as text, written as JSON and logged. Every kind of finding has a code
//! that does not change between versions: those of `lint` are in its table, all others in
//! [`CODES`]. A name that is not UTF-8 is written with its bytes in hexadecimal.

use self::Level::{Error, Note, Warning};
use crate::address::Domain;
use crate::order;
use crate::visible::readable;
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every code that is not in the table of `lint`, its highest level, and one line about it for the
/// manual; sorted by code.
pub const CODES: &[(&str, Level, &str)] = &[
    ("alias", Error, "An alias that leads to a domain that is not configured, or into a circle."),
    ("alias-alone", Error, "A domain has alias_of and other settings."),
    (
        "answers-more",
        Error,
        "A reload would answer any domain; the previous configuration is kept.",
    ),
    ("ask-path-no-domain", Warning, "No name gets a certificate: no domain is named."),
    ("auth", Error, "A list of methods that is invalid, or \"none\" where a login is needed."),
    (
        "cgi-folder-mode",
        Warning,
        "Shared hosting: the folder of the program can be written to by others than its owner.",
    ),
    (
        "cgi-mode",
        Warning,
        "Shared hosting: the program cannot be run, or others than its owner can write to it.",
    ),
    ("cgi-owner", Warning, "Shared hosting: the program or its folder belongs to another user."),
    ("color", Error, "A value that is not a colour."),
    (
        "copies-too-large",
        Error,
        "The domains copy more settings of the tables at the top than can be held.",
    ),
    ("days-range", Error, "A number of days that is out of range."),
    ("documentation-incomplete", Error, "A page of instructions without url or title."),
    ("domain-duplicate", Error, "A domain is configured twice, in two spellings."),
    ("domain-file", Error, "A file in the folder of domains that is ignored."),
    (
        "domain-file-place",
        Warning,
        "A file in the folder of domains that lies where it is not looked for.",
    ),
    (
        "domain-host",
        Warning,
        "A host for autoconfig or Autodiscover that is configured as a domain.",
    ),
    ("domain-name", Error, "A value that is not a domain name."),
    ("duplicate", Error, "A key or a table that is defined twice."),
    ("email", Error, "A value that is not an e-mail address."),
    ("emptied", Error, "A file is empty; the previous state is kept."),
    (
        "file-exposed",
        Warning,
        "The configuration, a list, a map or the folder of domains in a folder that a web server sends.",
    ),
    ("file-outside", Error, "The file of a domain names a file outside of its folder."),
    ("file-root-only", Warning, "Only root can read the configuration or a file that it names."),
    ("file-unreadable", Error, "A file or folder that cannot be read."),
    (
        "file-writable",
        Warning,
        "Others than the owner can write the configuration or a file that it names.",
    ),
    ("files-too-large", Error, "The templates and logos that a file names are too large together."),
    ("host-name", Error, "A value that is not a host name."),
    (
        "host-too-long",
        Error,
        "A host name that is too long or invalid once the domain is filled in.",
    ),
    ("identifier", Error, "A value that is not a reverse-DNS name."),
    ("key-in-web-folder", Warning, "The signing key lies in a folder that a web server sends."),
    (
        "key-place",
        Error,
        "A key for all domains in the table of one, or a key for one domain at the top.",
    ),
    ("key-readable", Warning, "Every user of the machine can read the signing key."),
    ("letters-range", Error, "A number of letters that is out of range."),
    ("limit-range", Error, "A limit that is out of range."),
    ("limit-small", Warning, "A limit that is too small for requests of mail clients."),
    (
        "list-indented",
        Warning,
        "A line of a list that begins with white space, as if it continued the line before.",
    ),
    ("list-line", Warning, "A line of a list that is not a domain name; it is left out."),
    ("login-no-domain", Warning, "No login is looked up: no domain is named."),
    (
        "login-place",
        Error,
        "The file of a domain sets a source of logins; it can only set login.enabled.",
    ),
    (
        "login-reveals",
        Note,
        "A source of logins: a login that differs from username shows that the mailbox exists.",
    ),
    ("login-socket", Warning, "The socket of a source of logins is missing or cannot be opened."),
    ("login-twice", Error, "Two sources of logins in one table."),
    ("login-userdb", Note, "What else can be read from the socket of Dovecot's userdb."),
    ("logo", Error, "A logo that is not a picture, or too large."),
    (
        "map-double",
        Warning,
        "A line of a map of logins with an address that an earlier line has; it is left out.",
    ),
    (
        "map-line",
        Warning,
        "A line of a map of logins without an address or without a login; it is left out.",
    ),
    (
        "more-findings",
        Error,
        "More unknown keys, duplicates, wrong types or files with errors than are printed.",
    ),
    ("name-long", Warning, "A name of the provider that is longer than clients allow."),
    (
        "no-domain",
        Warning,
        "The lists and the folder of domains are empty: no request is answered.",
    ),
    ("no-incoming-server", Error, "imap and pop3 are both disabled."),
    ("nobody-answered", Error, "answer = \"listed\" without any domain."),
    ("oauth2-incomplete", Error, "A key of oauth2 is missing."),
    ("phone", Error, "A value that is not a telephone number."),
    ("placeholder", Error, "A placeholder that is not filled in at this key."),
    ("pop3-only", Error, "A key that only pop3 has."),
    ("port-range", Error, "A port that is out of range."),
    ("redirect-address", Error, "A value that is not an address to redirect to."),
    ("redirect-circle", Warning, "Redirects of Autodiscover lead in a circle, or are too many."),
    ("redirect-fixed", Warning, "A redirect of Autodiscover of every mailbox to the same one."),
    ("redirect-long", Warning, "More redirects of Autodiscover than all clients follow."),
    ("redirect-to-itself", Warning, "A redirect of Autodiscover to the same address."),
    ("redirect-twice", Error, "Two redirects for one domain."),
    ("signing-any-domain", Warning, "Domains are answered whose profiles are not signed."),
    ("signing-certificate", Error, "A certificate file that cannot be used."),
    ("signing-chain-incomplete", Warning, "A certificate of the chain is missing."),
    ("signing-chain-refused", Warning, "The chain does not verify."),
    (
        "signing-chain-shorter",
        Error,
        "The chain ends earlier than that of the previous certificate.",
    ),
    ("signing-expired", Warning, "A certificate of the chain has expired."),
    ("signing-expires", Warning, "The certificate expires within 14 days."),
    ("signing-key", Error, "A key file that cannot be used."),
    ("signing-key-size", Warning, "A key in the chain that is too small."),
    ("signing-key-usage", Warning, "A certificate that is not meant for signatures."),
    ("signing-mismatch", Error, "The key does not belong to the certificate."),
    (
        "signing-name",
        Warning,
        "A certificate without a common name, which devices show as the signer.",
    ),
    ("signing-not-built", Error, "Signing is configured, but this program was built without it."),
    ("signing-order", Warning, "The certificates of the chain are not in order."),
    ("signing-pair", Error, "A signing certificate without a key, or a key without a certificate."),
    ("signing-refused", Error, "OpenSSL refuses to sign."),
    ("signing-self-signed", Warning, "A self-signed certificate, which devices do not trust."),
    ("signing-time", Error, "The certificate is not valid now."),
    ("signing-unreadable", Error, "A certificate or key file that cannot be read."),
    ("signing-unrelated", Warning, "A certificate in the file that does not belong to the chain."),
    ("signing-weak-hash", Warning, "A certificate of the chain is signed by a weak hash."),
    ("smtp-disabled", Error, "smtp is disabled."),
    ("socket", Error, "A value that is not the path of a socket, with a name for a socketmap."),
    ("status-path", Error, "A path for metrics, health or certificates that cannot be used."),
    ("stops-signing", Error, "A reload would stop signing; the previous configuration is kept."),
    ("syntax", Error, "A file that is not TOML."),
    ("template", Error, "A page template that cannot be used."),
    (
        "text",
        Error,
        "A name without visible text, or with a character that changes the direction of text.",
    ),
    (
        "texts",
        Error,
        "Texts by language in the wrong form, or with a character that changes the direction of text.",
    ),
    ("thread", Error, "The thread that reads files cannot be started."),
    ("too-many-lists", Error, "More list files than can be read."),
    ("too-many-maps", Error, "More map files of logins than can be read."),
    ("too-many-parts", Error, "More tables, keys and values than are read from one file."),
    ("truncated", Error, "A file is truncated; the previous state is kept."),
    ("unknown-key", Error, "A key that is not known."),
    ("unknown-value", Error, "A value that is not known at this key."),
    ("unknown-variable", Error, "An environment variable that sets no key."),
    ("url", Error, "A value that is not an https URL."),
    ("username", Error, "A username that cannot be used."),
    ("variable", Note, "An environment variable that is in force."),
    ("variable-value", Error, "An environment variable with a value that cannot be used."),
    ("wrong-type", Error, "A value of the wrong type."),
];

/// How an admin confirms a change that was refused: the end of a message.
pub const CONFIRM: &str =
    "if this is intended, run `systemctl reload mailsetup`, send SIGHUP or restart the service";

/// One finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The kind, in kebab case: `port-range`.
    pub code: &'static str,
    /// Its level.
    pub level: Level,
    /// Its cause in a file, if known.
    pub place: Option<Place>,
    /// The domain that it concerns, if it concerns one.
    pub domain: Option<Domain>,
    /// The other domains that get the same setting from the same place.
    pub others: Vec<Domain>,
    /// The clients that it breaks.
    pub clients: Vec<String>,
    /// The message: the error or its consequence.
    pub message: String,
    /// The remedy, unless the message contains it.
    pub remedy: Option<String>,
}

/// The level of a finding; errors are sorted first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used, or a part of it.
    Error,
    /// The configuration can be used, but something does not work for all clients.
    Warning,
    /// Nothing is wrong: it says what is in force.
    Note,
}

/// A place in a file, or an environment variable.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file, or the name of the variable.
    pub file: Arc<Path>,
    /// True for a variable.
    pub is_variable: bool,
    /// The line and the column, counted from one; the column counts characters.
    pub position: Option<(usize, usize)>,
}

impl Finding {
    /// An error.
    pub fn error(code: &'static str, place: Option<Place>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Error, code, place, message.into())
    }

    /// A note.
    pub fn note(code: &'static str, place: Option<Place>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Note, code, place, message.into())
    }

    /// A warning.
    pub fn warning(
        code: &'static str,
        place: Option<Place>,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(Level::Warning, code, place, message.into())
    }

    fn new(level: Level, code: &'static str, place: Option<Place>, message: String) -> Finding {
        let message = shortened(message);
        Finding {
            code,
            level,
            place,
            domain: None,
            others: Vec::new(),
            clients: Vec::new(),
            message,
            remedy: None,
        }
    }
}

/// A message quotes text from files. The middle of a long message is removed.
fn shortened(message: String) -> String {
    const BEGIN: usize = 400;
    const END: usize = 200;
    if message.len() <= 2 * (BEGIN + END) {
        return message;
    }
    let boundary = |at: usize| (0..=at).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    let (begin, end) = (boundary(BEGIN), boundary(message.len() - END));
    format!("{}[...]{}", &message[..begin], &message[end..])
}

impl Level {
    /// The beginning of a line about it.
    pub fn label(self) -> &'static str {
        match self {
            Level::Error => "error: ",
            Level::Warning => "warning: ",
            Level::Note => "note: ",
        }
    }
}

impl Place {
    /// A file as a whole.
    pub fn file(path: impl Into<PathBuf>) -> Place {
        Place { file: path.into().into(), is_variable: false, position: None }
    }

    /// An environment variable.
    pub fn variable(name: impl Into<Arc<Path>>) -> Place {
        Place { file: name.into(), is_variable: true, position: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&name(&self.file))?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// The name of a file; bytes that are not UTF-8 look like `<FF>`.
pub fn name(path: &Path) -> String {
    readable(path.as_os_str().as_bytes())
}

/// `FILE:LINE:COLUMN: DOMAIN and 2 more domains: message; remedy [code]`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        // The JSON form has A-labels, for programs.
        if let Some(domain) = self.domain.as_ref().map(Domain::for_people) {
            match self.others.len() {
                0 => write!(f, "{domain}: ")?,
                1 => write!(f, "{domain} and 1 more domain: ")?,
                count => write!(f, "{domain} and {count} more domains: ")?,
            }
        }
        f.write_str(&self.message)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        write!(f, " [{}]", self.code)
    }
}

/// Sorts by place: the files in the order in which they were read, then all others by name;
/// findings without a place come first.
///
/// `files` may hold further data about each file.
pub fn sort<T>(findings: &mut [Finding], files: &[(PathBuf, T)]) {
    let ranks: HashMap<&Path, usize> =
        files.iter().enumerate().rev().map(|(rank, (file, _))| (file.as_path(), rank)).collect();
    order::sort_by(findings, |a, b| {
        let key = |finding: &Finding| {
            let rank = |place: &Place| ranks.get(&*place.file).copied().unwrap_or(files.len());
            finding.place.as_ref().map(rank)
        };
        // Files of the same rank are sorted by name.
        let by_place = key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place));
        by_place.then_with(|| a.code.cmp(b.code)).then_with(|| a.domain.cmp(&b.domain))
    });
}

/// A finding as JSON; unknown members are omitted.
#[derive(Serialize)]
struct Json<'a> {
    code: &'a str,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    /// All domains, including the first, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domains: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    clients: &'a [String],
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = self.place.as_ref();
        let position = place.and_then(|place| place.position);
        Json {
            code: self.code,
            level: self.level,
            // A name that is not UTF-8 must not hide the other findings.
            file: place.filter(|place| !place.is_variable).map(|place| name(&place.file)),
            variable: place.filter(|place| place.is_variable).map(|place| name(&place.file)),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            domain: self.domain.as_ref().map(Domain::as_str),
            domains: match self.others.is_empty() {
                true => Vec::new(),
                false => self.domain.iter().chain(&self.others).map(Domain::as_str).collect(),
            },
            clients: &self.clients,
            message: &self.message,
            remedy: self.remedy.as_deref(),
        }
        .serialize(serializer)
    }
}
