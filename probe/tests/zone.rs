//! The records that are missing, as lines of a zone file.

use crate::fixtures;
use mailsetup::account::{Protocol, Security};
use mailsetup_probe::net::dns::{Answer, Kind, Outcome as Dns};
use mailsetup_probe::report::{Report, Seen, zone};

fn lines(report: &Report) -> Vec<String> {
    let text = zone::write(report);
    text.lines().filter(|line| !line.starts_with(';')).map(str::to_owned).collect()
}

fn ask(report: &mut Report, name: &str, kind: Kind, outcome: Dns) {
    report.dns.retain(|answer| answer.name != name || answer.kind != kind);
    let name = name.to_owned();
    report.dns.push(Answer { name, kind, aliases: Vec::new(), outcome });
}

#[test]
fn nothing_is_missing() {
    assert_eq!(zone::write(&fixtures::good()), "; example.org: no record is missing.\n");
}

#[test]
fn missing_services_are_named() {
    assert_eq!(
        lines(&fixtures::bad()),
        ["_submissions._tcp.example.org.     3600 IN SRV   0 0 465 mail.example.org."]
    );
    let mut report = fixtures::bad();
    let published = report.published.as_mut().expect("settings");
    let mut add = |protocol, port, security| {
        let value = fixtures::setting(protocol, port, security);
        published.servers.push(Seen { value, at: String::new() });
    };
    add(Protocol::Pop3, 995, Security::Tls);
    add(Protocol::Smtp, 587, Security::StartTls);
    // No record leads to a server without TLS.
    add(Protocol::Imap, 143, Security::Plain);
    for label in ["_pop3s", "_submission", "_imap"] {
        let name = format!("{label}._tcp.example.org");
        ask(&mut report, &name, Kind::Srv, Dns::NoData);
    }
    let lines = lines(&report);
    let starts: Vec<_> = lines.iter().map(|line| line.split('.').next().unwrap()).collect();
    assert_eq!(starts, ["_pop3s", "_submissions", "_submission"]);
    assert!(lines[2].ends_with("10 0 587 mail.example.org."), "{}", lines[2]);
}

/// Only what the DNS server denies is missing.
#[test]
fn what_is_not_known_is_said() {
    let mut report = fixtures::bad();
    ask(&mut report, "_submissions._tcp.example.org", Kind::Srv, Dns::TimedOut);
    assert!(lines(&report).is_empty());
    assert!(
        zone::write(&report).contains("; Not known: SRV _submissions._tcp.example.org: no answer")
    );
    report.dns.retain(|answer| answer.kind != Kind::Srv);
    assert!(lines(&report).is_empty());
    assert!(zone::write(&report).contains("; Not known: SRV _imaps._tcp.example.org: not asked"));
}

#[test]
fn missing_web_servers_are_named() {
    let mut report = fixtures::good();
    ask(&mut report, "autodiscover.example.org", Kind::A, Dns::NoName);
    ask(&mut report, "autodiscover.example.org", Kind::Aaaa, Dns::NoName);
    let cname = "autodiscover.example.org.          3600 IN CNAME autoconfig.example.org.";
    assert_eq!(lines(&report), [cname]);
    // The CNAME of the other name is followed: an alias of an alias is slower.
    report.dns[0].aliases = vec!["www.example.net".to_owned()];
    assert_eq!(lines(&report), [cname.replace("autoconfig.example.org", "www.example.net")]);
    ask(&mut report, "autoconfig.example.org", Kind::A, Dns::NoName);
    let names: Vec<_> = lines(&report);
    assert!(names.iter().all(|line| line.ends_with("CNAME mail.example.org.")), "{names:?}");
    assert_eq!(names.len(), 2);
    // Beside a CNAME that leads nowhere, no other record may stand.
    let report_dns = report.dns.iter_mut().filter(|answer| answer.name.starts_with("auto"));
    report_dns.for_each(|answer| answer.aliases = vec!["gone.example.net".to_owned()]);
    assert!(lines(&report).is_empty());
}

#[test]
fn addresses_and_hostile_names_are_not_written() {
    for host in ["192.0.2.1", "a b", "x\n$INCLUDE /etc/passwd", "", "x;y", "mail.example.org.\nx"] {
        let mut report = fixtures::bad();
        for seen in &mut report.published.as_mut().expect("settings").servers {
            host.clone_into(&mut seen.value.host);
        }
        for server in &mut report.servers {
            host.clone_into(&mut server.endpoint.host);
        }
        assert!(lines(&report).is_empty(), "{host:?}: {:?}", lines(&report));
    }
    let text = zone::write(&fixtures::with_text("\u{1b}\nx"));
    assert!(text.lines().all(|line| line.starts_with("; ")), "{text}");
    assert!(!text.contains('\u{1b}'));
}
