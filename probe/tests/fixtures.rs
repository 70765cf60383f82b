//! Reports of imagined runs: one without faults, one with several, and one full of hostile text.

use mailsetup::account::{Protocol, Security};
use mailsetup::finding::Level;
use mailsetup_probe::finding::Finding;
use mailsetup_probe::net::dns::{Answer, Kind, Outcome as Dns, Record};
use mailsetup_probe::net::mail::{Endpoint, Outcome as Mail, Server, Spoken};
use mailsetup_probe::net::tls::{Certificate, Reason, Refused, Session};
use mailsetup_probe::read::Setting;
use mailsetup_probe::report::{FoundBy, Outcome, Published, Report, Seen, Verdict};
use std::time::Duration;

const AUTOCONFIG: &str =
    "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=ann%40example.org";

pub fn setting(protocol: Protocol, port: u16, security: Security) -> Setting {
    Setting {
        protocol,
        host: "mail.example.org".to_owned(),
        port,
        security,
        methods: vec!["password-cleartext".to_owned()],
        login: "ann@example.org".to_owned(),
    }
}

fn settings() -> Vec<Setting> {
    vec![setting(Protocol::Imap, 993, Security::Tls), setting(Protocol::Smtp, 465, Security::Tls)]
}

fn works(client: &'static str, version: &'static str, found_by: FoundBy) -> Verdict {
    Verdict {
        client,
        version,
        outcome: Outcome::Works,
        found_by,
        cause: None,
        settings: settings(),
        note: String::new(),
    }
}

fn fails(client: &'static str, code: &'static str, subject: &str) -> Verdict {
    Verdict {
        outcome: Outcome::Fails,
        cause: Some((code, subject.to_owned())),
        settings: Vec::new(),
        ..works(client, "", FoundBy::None)
    }
}

fn answer(name: &str, kind: Kind, outcome: Dns) -> Answer {
    Answer { name: name.to_owned(), kind, aliases: Vec::new(), outcome }
}

fn address(name: &str) -> Answer {
    let address = "192.0.2.25".parse().expect("an address");
    answer(name, Kind::A, Dns::Records(vec![Record::Address(address)]))
}

fn session() -> Session {
    Session {
        protocol: "TLSv1.3".to_owned(),
        certificate: Certificate {
            names: vec!["mail.example.org".to_owned()],
            subject: "CN=mail.example.org".to_owned(),
            issuer: "CN=Example CA".to_owned(),
            not_before: 1_790_000_000,
            not_after: 1_800_000_000,
            sent: 2,
            key: "EC 256".to_owned(),
        },
    }
}

fn server(setting: &Setting, outcome: Mail) -> Server {
    Server {
        endpoint: Endpoint {
            protocol: setting.protocol,
            host: setting.host.clone(),
            port: setting.port,
            security: setting.security,
        },
        names: vec![address(&setting.host)],
        dialogues: vec![("192.0.2.25".parse().expect("an address"), outcome)],
    }
}

fn spoke() -> Mail {
    Mail::Spoke(Spoken {
        greeting: "ready".to_owned(),
        session: Some(session()),
        capabilities: vec!["IMAP4REV1".to_owned(), "IDLE".to_owned()],
        mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
        ..Spoken::default()
    })
}

fn srv(name: &str, port: u16) -> Answer {
    let target = "mail.example.org".to_owned();
    let record = Record::Srv { priority: 0, weight: 0, port, target };
    answer(name, Kind::Srv, Dns::Records(vec![record]))
}

fn published() -> Published {
    Published {
        name: Some(Seen { value: "Example \"Mail\"".to_owned(), at: AUTOCONFIG.to_owned() }),
        servers: settings()
            .into_iter()
            .map(|value| Seen { value, at: AUTOCONFIG.to_owned() })
            .collect(),
    }
}

/// Everything works.
pub fn good() -> Report {
    let settings = settings();
    let mut dns = vec![address("autoconfig.example.org"), address("autodiscover.example.org")];
    dns.push(srv("_imaps._tcp.example.org", 993));
    dns.push(srv("_submissions._tcp.example.org", 465));
    Report {
        address: "ann@example.org".to_owned(),
        is_made_up: false,
        domain: "example.org".to_owned(),
        clients: vec![
            works("Thunderbird", "153", FoundBy::Autoconfig),
            works("Betterbird", "140", FoundBy::Autoconfig),
            works("Thunderbird for Android", "12", FoundBy::Autoconfig),
            works("Delta Chat", "2.9", FoundBy::Autoconfig),
            works("Evolution", "3.56", FoundBy::Autoconfig),
            works("KMail", "25.08", FoundBy::Autoconfig),
            works("FairEmail", "1.2284", FoundBy::Srv),
            works("Outlook 2016", "", FoundBy::Autodiscover),
            works("Apple Mail", "", FoundBy::Profile),
        ],
        findings: Vec::new(),
        servers: settings.iter().map(|setting| server(setting, spoke())).collect(),
        dns,
        requests: 34,
        at: 1_795_716_000,
        took: Duration::from_millis(1234),
        left_out: Vec::new(),
        published: Some(published()),
    }
}

/// Autodiscover fails, a server refuses, a record is missing.
pub fn bad() -> Report {
    let mut report = good();
    let asks = |client, note: &str| Verdict {
        outcome: Outcome::Asks,
        note: note.to_owned(),
        ..works(client, "", FoundBy::Autoconfig)
    };
    let other = Verdict {
        settings: vec![
            setting(Protocol::Imap, 143, Security::StartTls),
            setting(Protocol::Smtp, 465, Security::Tls),
        ],
        cause: Some(("starttls-missing", "mail.example.org:143".to_owned())),
        outcome: Outcome::Fails,
        ..works("KMail", "25.08", FoundBy::Srv)
    };
    let autodiscover = "autodiscover.example.org:443";
    report.clients = vec![
        works("Thunderbird", "153", FoundBy::Autoconfig),
        works("Betterbird", "140", FoundBy::Autoconfig),
        asks("Thunderbird for Android", "it asks to confirm the certificate"),
        works("Delta Chat", "2.9", FoundBy::Autoconfig),
        works("Evolution", "3.56", FoundBy::Autoconfig),
        other,
        works("FairEmail", "1.2284", FoundBy::Autoconfig),
        fails("Outlook 2016", "tls-name", autodiscover),
        Verdict {
            note: "IMAP accounts are set up by hand in it".to_owned(),
            ..fails("ActiveSync", "tls-name", autodiscover)
        },
        fails("Apple Mail", "profile-none", "example.org"),
    ];
    let missing = "_submissions._tcp.example.org. 3600 IN SRV 0 0 465 mail.example.org.";
    report.findings = vec![
        Finding {
            code: "tls-name",
            level: Level::Error,
            subject: autodiscover.to_owned(),
            message: "The certificate is for other names: www.example.org, example.org.".to_owned(),
            evidence: format!(
                "POST https://autodiscover.example.org/autodiscover/autodiscover.xml: {}\n\
                 the certificate is from CN=Example CA, and valid until 2027-01-15",
                "hostname mismatch"
            ),
            remedy: "Add the name to the certificate, for example:\n\
                     certbot --nginx -d example.org -d www.example.org -d autoconfig.example.org \
                     -d autodiscover.example.org"
                .to_owned(),
            clients: vec!["Outlook 2016", "ActiveSync"],
        },
        Finding {
            code: "starttls-missing",
            level: Level::Error,
            subject: "mail.example.org:143".to_owned(),
            message: "The server does not offer STARTTLS, which is announced.".to_owned(),
            evidence: "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready".to_owned(),
            remedy: "Switch TLS on in Dovecot:\nssl = yes\nssl_server_cert_file = /etc/ssl/mail.pem\n\
                     Reload it then."
                .to_owned(),
            clients: vec!["KMail"],
        },
        Finding {
            code: "srv-missing",
            level: Level::Warning,
            subject: "_submissions._tcp.example.org".to_owned(),
            message: "There is no SRV record for sending mail.".to_owned(),
            evidence: "SRV _submissions._tcp.example.org: no such name (NXDOMAIN)".to_owned(),
            remedy: missing.to_owned(),
            clients: vec!["KMail", "FairEmail"],
        },
        Finding {
            code: "http-only-https",
            level: Level::Note,
            subject: "autoconfig.example.org:80".to_owned(),
            message: "http is redirected to https; this does not matter for any client that was looked at."
                .to_owned(),
            evidence: String::new(),
            remedy: String::new(),
            clients: Vec::new(),
        },
    ];
    let refused = Refused {
        reason: Reason::Expired,
        detail: "certificate has expired".to_owned(),
        seen: Some(session()),
    };
    report.servers = vec![
        server(&setting(Protocol::Imap, 993, Security::Tls), spoke()),
        server(
            &setting(Protocol::Imap, 143, Security::StartTls),
            Mail::NoStartTls("IMAP4rev1 LOGINDISABLED".to_owned()),
        ),
        server(&setting(Protocol::Smtp, 465, Security::Tls), Mail::Tls(refused)),
        server(&setting(Protocol::Pop3, 995, Security::Tls), Mail::TimedOut),
    ];
    report.dns.retain(|answer| answer.name != "_submissions._tcp.example.org");
    let missing = answer("_submissions._tcp.example.org", Kind::Srv, Dns::NoName);
    report.dns.push(missing);
    report.left_out = vec!["profile.example.org: the limit of 60 requests was reached".to_owned()];
    report
}

/// The report with `hostile` wherever a text can come from outside.
pub fn with_text(hostile: &str) -> Report {
    let mut report = bad();
    let text = hostile.to_owned();
    for verdict in &mut report.clients {
        verdict.note.clone_from(&text);
        for setting in &mut verdict.settings {
            setting.host.clone_from(&text);
            setting.login.clone_from(&text);
            setting.methods = vec![text.clone()];
        }
    }
    for finding in &mut report.findings {
        for field in
            [&mut finding.subject, &mut finding.message, &mut finding.evidence, &mut finding.remedy]
        {
            field.clone_from(&text);
        }
    }
    for server in &mut report.servers {
        server.endpoint.host.clone_from(&text);
        server.dialogues = vec![
            ("192.0.2.1".parse().expect("an address"), Mail::Unfit(text.clone())),
            ("192.0.2.2".parse().expect("an address"), Mail::NoStartTls(text.clone())),
        ];
    }
    for answer in &mut report.dns {
        answer.name.clone_from(&text);
        answer.aliases = vec![text.clone()];
        answer.outcome = Dns::Records(vec![Record::Txt(text.clone())]);
    }
    report.dns.push(answer("autoconfig.example.org", Kind::A, Dns::Failed(text.clone())));
    report.left_out = vec![text.clone()];
    if let Some(published) = &mut report.published {
        let seen = |value| Seen { value, at: text.clone() };
        published.name = Some(seen(text.clone()));
        published.servers = settings()
            .into_iter()
            .map(|setting| Seen {
                value: Setting { methods: vec![text.clone()], login: text.clone(), ..setting },
                at: text.clone(),
            })
            .collect();
    }
    report
}
