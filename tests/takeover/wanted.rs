//! The differences between documents of old responders and those of mailsetup that are wanted, each with
//! its reason. docs/import.md tells them to admins. An entry that nothing matches fails the test.

use super::values::Kind;

/// A difference: where it may be, the name of the value, the old value and the new one. `*` stands for
/// anything, `-` for a value that is missing.
#[derive(Debug)]
pub struct Wanted {
    responder: &'static str,
    kind: Kind,
    name: &'static str,
    old: &'static str,
    new: &'static str,
    /// Why it is wanted.
    #[allow(
        dead_code,
        reason = "for people, and for the message about an entry that is left over"
    )]
    reason: &'static str,
}

impl Wanted {
    pub fn is_it(&self, responder: &str, kind: Kind, [name, old, new]: [&str; 3]) -> bool {
        kind == self.kind
            && fits(self.responder, responder)
            && fits(self.name, name)
            && fits(self.old, old)
            && fits(self.new, new)
    }
}

/// Whether a text fits a pattern with `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            let Some(rest) = text.strip_prefix(before) else { return false };
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))
        }
    }
}

const fn all(kind: Kind, [name, old, new]: [&'static str; 3], reason: &'static str) -> Wanted {
    Wanted { responder: "*", kind, name, old, new, reason }
}

const fn one(
    responder: &'static str,
    kind: Kind,
    [name, old, new]: [&'static str; 3],
    reason: &'static str,
) -> Wanted {
    Wanted { responder, kind, name, old, new, reason }
}

use Kind::{Autoconfig, Autodiscover, Profile};

pub const WANTED: &[Wanted] = &[
    // Autoconfig
    one(
        "monogramm*",
        Autoconfig,
        ["documentation/descr *", "*", "-"],
        "its own words, in English only",
    ),
    one("wdes", Autoconfig, ["incomingServer pop3*/*Messages*", "*", "-"], POP3),
    one("wdes", Autoconfig, ["incomingServer pop3*/downloadOnBiff", "*", "-"], POP3),
    one("go-autoconfig", Autoconfig, ["displayName", "%EMAILADDRESS%", "example.org"], OF_DOMAIN),
    one("automx2*", Autoconfig, ["@id", "automx2-*", "example.*"], OF_DOMAIN),
    one("automx-1", Autoconfig, ["@id", "example.org", "example.net"], OF_DOMAIN),
    all(Autoconfig, ["domain example.*", "*", "-"], OF_DOMAIN),
    all(Autoconfig, ["displayShortName", "%EMAILLOCALPART%", "*"], "a name is not a login"),
    one("automx2*", Autoconfig, ["calendar *", "-", "*"], "automx2 has it in Autodiscover only"),
    one("automx2*", Autoconfig, ["addressbook *", "-", "*"], "automx2 has it in Autodiscover only"),
    all(Autoconfig, ["*/useGlobalPreferredServer", "yes", "-"], "it is for a second account"),
    // Autodiscover
    all(Autodiscover, ["*/SPA", "on", "off"], "the password is sent inside TLS"),
    all(Autodiscover, ["*/SPA", "-", "off"], "Outlook takes it for on if it is missing"),
    all(Autodiscover, ["*/DomainRequired", "*", "off"], "the login is complete"),
    all(Autodiscover, ["*/DomainName", "*", "-"], "the login is complete"),
    all(Autodiscover, ["*/AuthRequired", "-", "on"], "the default of clients, said always"),
    all(Autodiscover, ["*/UsePOPAuth", "-", "off"], "Outlook takes it for on if it is missing"),
    all(Autodiscover, ["*/SMTPLast", "-", "off"], "the default of clients, said always"),
    all(Autodiscover, ["*/TTL", "*", "-"], "the default of clients is an hour, too"),
    all(Autodiscover, ["User/DisplayName", "*", "%EMAILADDRESS%"], "Outlook shows it as a person"),
    all(Autodiscover, ["User/DisplayName", "*", "-"], "a client that sends no address, by GET"),
    all(Autodiscover, ["Protocol *DAV/Port", "443", "-"], "it is in the URL"),
    all(Autodiscover, ["Protocol *DAV/SSL", "on", "-"], "it is in the URL"),
    one(
        "automx2-seed",
        Autodiscover,
        ["Protocol SMTP 2/*", "*", "-"],
        "some clients take the last",
    ),
    one("wdes", Autodiscover, ["*/LoginName", "-", "%EMAILADDRESS%"], "as its autoconfig says"),
    one("monogramm*", Autodiscover, ["ServiceHome", "*", "-"], "no client reads it"),
    one(
        "monogramm-ssl",
        Autodiscover,
        ["Action/*", "*", "-"],
        "in the answer to clients that ask for ActiveSync",
    ),
    one(
        "automx2-seed-1",
        Autodiscover,
        ["Protocol C*DAV/Server", "*/dav/%EMAILADDRESS%/*", "*/dav/"],
        "a URL with the address in it cannot be carried, and is named",
    ),
    one("go-autoconfig", Autodiscover, ["AccountType 2", "email", "-"], "one account for both"),
    one("go-autoconfig", Autodiscover, ["Action 2", "settings", "-"], "one account for both"),
    // Profiles
    all(Profile, ["*PayloadUUID", "*", "*"], "made of the address, so that two differ"),
    all(Profile, ["*PayloadIdentifier", "*", "*.*"], "made of the address, so that two differ"),
    all(Profile, ["PayloadDescription", "*", "Sets up mail*"], "a sentence of this program"),
    all(Profile, ["*/PayloadDescription", "*", "-"], "of the whole profile only"),
    all(Profile, ["PayloadDisplayName", "*", "* (%EMAILADDRESS%)"], SHOWN),
    all(Profile, ["com.apple.*/PayloadDisplayName", "*", "* (%EMAILADDRESS%)"], SHOWN),
    all(Profile, ["*/EmailAccountDescription", "*", "%EMAILADDRESS%"], SHOWN),
    all(Profile, ["*/EmailAccountName", "*", "-"], "the device asks for the person's name"),
    all(Profile, ["PayloadOrganization", "example.*", "*"], "the name of the provider"),
    all(Profile, ["PayloadOrganization", "-", "*"], "the name of the provider"),
    all(Profile, ["*/PayloadOrganization", "*", "-"], "of the whole profile only"),
    all(Profile, ["PayloadVersion", "2", "1"], "Apple knows only 1"),
    all(Profile, ["*PayloadRemovalDisallowed", "false", "-"], DEFAULT),
    all(Profile, ["HasRemovalPasscode", "false", "-"], DEFAULT),
    all(Profile, ["*/SMIME*", "false", "-"], DEFAULT),
    all(Profile, ["*/disableMailRecentsSyncing", "false", "-"], DEFAULT),
    all(Profile, ["*/Prevent*", "false", "-"], DEFAULT),
    all(Profile, ["*/IncomingPassword", "*", "-"], "no password is asked for"),
    all(Profile, ["*DAVPrincipalURL", "*", "-"], "found by /.well-known"),
    one("monogramm-ssl", Profile, ["com.apple.ldap.*", "*", "-"], "directories are not offered"),
];

const OF_DOMAIN: &str = "a document names the domain that was asked for, and no other";
const POP3: &str = "the same for everybody who runs that program; here the mail client decides";
const SHOWN: &str = "what a device shows names the mailbox, so that two can be told apart";
const DEFAULT: &str = "the default of devices";
