//! The configuration of what is published: mailsetup accepts it, and answers the same.

use crate::fixtures;
use mailsetup::account::{Account, Auth, Mailbox, Protocol, Security};
use mailsetup::address::{Domain, EmailAddress};
use mailsetup::commands::CHECKS;
use mailsetup::config::check;
use mailsetup_probe::read::Setting;
use mailsetup_probe::report::{Report, Seen, config};
use std::path::Path;

/// The account that mailsetup has with the configuration.
fn account(report: &Report) -> (String, Account) {
    let text = config::write(report).expect("a configuration");
    let config = check::text(Path::new("config.toml"), &text, &CHECKS);
    let config = config.unwrap_or_else(|findings| panic!("{text}\n{findings:?}"));
    assert!(!config.answers_any(), "{text}");
    let domain = Domain::parse(&report.domain).expect("a domain");
    let address = EmailAddress::parse(report.address.as_bytes()).expect("an address");
    let found = config.find_now(&domain).ok().flatten().expect("the domain");
    (text, found.account(&domain, None, Some(address)).expect("an account"))
}

/// The servers of an account as a client that reads autoconfig would see them.
fn settings(account: &Account) -> Vec<Setting> {
    let servers = account.servers.iter().chain(&account.alternatives);
    let words = |auth| match auth {
        Auth::Password => "password-cleartext",
        Auth::CramMd5 => "password-encrypted",
        Auth::Ntlm => "NTLM",
        Auth::OAuth2 => "OAuth2",
        Auth::None => "none",
    };
    let address = account.address.as_ref().expect("an address");
    let setting = servers.map(|server| Setting {
        protocol: server.protocol,
        host: server.host.to_string(),
        port: server.port.get(),
        security: server.security,
        methods: server.auth.iter().map(|auth| words(auth).to_owned()).collect(),
        login: server.login.of(&Mailbox { address, login: None }),
    });
    setting.collect()
}

fn with(servers: Vec<Setting>) -> Report {
    let mut report = fixtures::good();
    let seen = |value| Seen { value, at: "https://autoconfig.example.org/".to_owned() };
    let published = report.published.as_mut().expect("settings");
    published.servers = servers.into_iter().map(seen).collect();
    report
}

fn changed(setting: Setting, change: impl FnOnce(&mut Setting)) -> Setting {
    let mut setting = setting;
    change(&mut setting);
    setting
}

#[test]
fn it_gives_the_same_settings() {
    let imap = || fixtures::setting(Protocol::Imap, 993, Security::Tls);
    let pop3 = || fixtures::setting(Protocol::Pop3, 995, Security::Tls);
    let smtp = || fixtures::setting(Protocol::Smtp, 465, Security::Tls);
    let with_login = |login: &str| changed(imap(), |it| login.clone_into(&mut it.login));
    let with_methods = |methods: &[&str]| {
        changed(smtp(), |it| it.methods = methods.iter().map(|it| (*it).to_owned()).collect())
    };
    for servers in [
        vec![imap(), smtp()],
        vec![pop3(), smtp()],
        vec![
            imap(),
            pop3(),
            smtp(),
            fixtures::setting(Protocol::ManageSieve, 4190, Security::StartTls),
        ],
        vec![imap(), fixtures::setting(Protocol::Smtp, 587, Security::StartTls)],
        vec![imap(), fixtures::setting(Protocol::Smtp, 2525, Security::Plain)],
        vec![imap(), smtp(), fixtures::setting(Protocol::Imap, 143, Security::StartTls)],
        vec![with_login("ann"), smtp()],
        vec![with_login("ann@mail.example.net"), smtp()],
        vec![with_login("EXAMPLE\\ann"), smtp()],
        vec![with_login("shared"), smtp()],
        vec![with_login("anna"), smtp()],
        vec![imap(), with_methods(&["OAuth2", "password-cleartext"])],
        vec![imap(), with_methods(&["password-encrypted"])],
        vec![imap(), with_methods(&["none"])],
        vec![changed(imap(), |it| "192.0.2.1".clone_into(&mut it.host)), smtp()],
    ] {
        let (text, account) = account(&with(servers.clone()));
        let mut expected = servers;
        expected.sort_by_key(|setting| setting.port == 143);
        assert_eq!(settings(&account), expected, "{text}");
    }
}

/// The text with each comment in one line.
fn unwrapped(text: &str) -> String {
    text.replace("\n#   ", " ")
}

#[test]
fn comments_say_where_a_value_is_from() {
    let (text, account) = account(&fixtures::good());
    let text = unwrapped(&text);
    assert_eq!(account.provider.name, "Example \"Mail\"");
    for line in [
        "# Seen: https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=ann%40example.org",
        "name = \"Example \\\"Mail\\\"\"",
        "username = \"%EMAILADDRESS%\"",
        "[domain.\"example.org\"]",
    ] {
        assert!(text.lines().any(|other| other == line), "{text}");
    }
}

#[test]
fn what_has_no_word_is_left_out_and_said() {
    let change = |setting: &mut Setting| {
        setting.methods = vec!["GSSAPI".to_owned(), "password-cleartext".to_owned()];
        setting.login = "%USER%".to_owned();
    };
    let imap = changed(fixtures::setting(Protocol::Imap, 993, Security::Tls), change);
    let smtp = fixtures::setting(Protocol::Smtp, 465, Security::Tls);
    let (text, account) = account(&with(vec![imap, smtp]));
    let text = unwrapped(&text);
    for left_out in ["the authentication method GSSAPI", "the login %USER%"] {
        let said =
            |line: &str| line.starts_with("# not carried over: ") && line.ends_with(left_out);
        assert!(text.lines().any(said), "{text}");
    }
    assert_eq!(settings(&account)[0].login, "ann@example.org");
}

/// A further server of a protocol has a place of its own, and no login.
#[test]
fn further_servers_share_the_login() {
    let imap = || fixtures::setting(Protocol::Imap, 993, Security::Tls);
    let other = changed(imap(), |setting| {
        setting.port = 1993;
        setting.login = "ann".to_owned();
    });
    let smtp = fixtures::setting(Protocol::Smtp, 465, Security::Tls);
    let (text, account) = account(&with(vec![imap(), other.clone(), other, imap(), smtp]));
    assert_eq!(account.alternatives.len(), 1, "{text}");
    let text = unwrapped(&text);
    let comment = ": the login of imap mail.example.org:1993 (tls): it differs from that of imap";
    assert_eq!(text.matches(comment).count(), 1, "{text}");
}

#[test]
fn there_must_be_servers_to_read_and_to_send() {
    let imap = fixtures::setting(Protocol::Imap, 993, Security::Tls);
    let smtp = fixtures::setting(Protocol::Smtp, 465, Security::Tls);
    let unusable = changed(imap.clone(), |setting| "a b".clone_into(&mut setting.host));
    for (servers, reason) in [
        (vec![imap], "a server to send mail is not published"),
        (vec![smtp.clone()], "a server to read mail is not published"),
        (vec![unusable, smtp], "a server to read mail is not published"),
    ] {
        let error = config::write(&with(servers)).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let report = Report { published: None, ..fixtures::good() };
    assert!(config::write(&report).unwrap_err().contains("no settings are published"));
}

/// Text from outside cannot add a key, and is accepted or left out.
#[test]
fn hostile_text_stays_text() {
    for hostile in
        ["x\"\n[log]\nrequests = false", "\u{1b}\u{202e}\u{7f}\\", "'''", "%EMAILADDRESS%x"]
    {
        let text = config::write(&fixtures::with_text(hostile)).expect("a configuration");
        assert!(!text.lines().any(|line| line.starts_with("[log]")), "{text}");
        assert!(text.chars().all(|c| c == '\n' || mailsetup::visible::is_visible(c)), "{text}");
        let read = check::text(Path::new("config.toml"), &text, &CHECKS);
        let codes = read.map_or_else(|errors| errors, |_| Vec::new());
        assert!(codes.iter().all(|finding| finding.code != "syntax"), "{text}\n{codes:?}");
    }
}
