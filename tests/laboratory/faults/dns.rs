//! Faults in the DNS.

use super::{AUTOCONFIG, AUTODISCOVER, DOMAIN, FAULT, Fault, PACC};
use crate::net::{HOSTER, SILENT, SILENT_6, WEB, WEB_6};
use crate::web::{Host, NOTHING, RESPONDER};
use crate::world::Scene;

const IMAPS: &str = "_imaps._tcp.example.org";
const DIGEST: &str = "_ua-auto-config.example.org";

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "autoconfig-missing",
        about: "`autoconfig.` does not exist",
        plant: |_, scene| scene.zone.remove(AUTOCONFIG, "ANY"),
        code: "autoconfig-absent",
        subject: AUTOCONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-dangling",
        about: "`autoconfig.` is a CNAME to a name that does not exist",
        plant: |_, scene| scene.zone.set(AUTOCONFIG, "CNAME", "gone.example.org."),
        code: "dns-dangling",
        subject: AUTOCONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-circle",
        about: "`autoconfig.` is a CNAME that leads in a circle",
        plant: |_, scene| {
            scene.zone.set(AUTOCONFIG, "CNAME", "round.example.org.");
            scene.zone.set("round.example.org", "CNAME", "autoconfig.example.org.");
        },
        code: "dns-broken",
        subject: AUTOCONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-without-address",
        about: "`autoconfig.` exists, and has no address",
        plant: |_, scene| scene.zone.set(AUTOCONFIG, "TXT", "\"nothing\""),
        code: "autoconfig-absent",
        subject: AUTOCONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-former-hoster",
        about: "`autoconfig.` is a CNAME to a hoster who knows nothing of the domain",
        plant: |_, scene| scene.zone.set(AUTOCONFIG, "CNAME", "parking.hoster.example."),
        code: "stale-record",
        subject: AUTOCONFIG,
        also: &[("tls-name", "the hoster has no certificate for the name")],
        ..FAULT
    },
    Fault {
        name: "autoconfig-dead-address",
        about: "no host answers at the address of `autoconfig.`",
        plant: |_, scene| scene.zone.set(AUTOCONFIG, "A", SILENT),
        code: "connection-timeout",
        subject: "autoconfig.example.org:443",
        clients: &["geary", "thunderbird"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-dead-ipv6",
        about: "no host answers at the IPv6 address of `autoconfig.`",
        plant: |_, scene| {
            scene.zone.set(AUTOCONFIG, "A", WEB);
            scene.zone.add(AUTOCONFIG, "AAAA", SILENT_6);
        },
        code: "web-dead-address",
        subject: "autoconfig.example.org",
        ..FAULT
    },
    Fault {
        name: "autoconfig-servfail",
        about: "the DNS server says SERVFAIL about `autoconfig.`",
        plant: |_, scene| {
            scene.zone.remove(AUTOCONFIG, "ANY");
            scene.zone.failing.push(AUTOCONFIG.to_owned());
        },
        code: "dns-failed",
        subject: AUTOCONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "domain-servfail",
        about: "the DNS server says SERVFAIL about everything below the domain",
        plant: |_, scene| {
            scene.zone = crate::zone::Zone::default();
            scene.zone.failing.push(DOMAIN.to_owned());
        },
        code: "dns-failed",
        subject: DOMAIN,
        clients: &["thunderbird", "delta-chat"],
        ..FAULT
    },
    Fault {
        name: "domain-missing",
        about: "the domain does not exist",
        plant: |_, scene| {
            scene.zone = crate::zone::Zone::default();
        },
        code: "domain-absent",
        subject: DOMAIN,
        clients: &["thunderbird", "delta-chat"],
        ..FAULT
    },
    Fault {
        name: "domain-without-address",
        about: "the domain has no address",
        plant: |_, scene| {
            direct(scene);
            scene.zone.remove(DOMAIN, "A");
            scene.zone.remove(DOMAIN, "AAAA");
        },
        code: "web-none",
        subject: DOMAIN,
        ..FAULT
    },
    Fault {
        name: "srv-alias",
        about: "the target of an SRV record is a CNAME",
        plant: |_, scene| {
            scene.zone.set("alias.example.org", "CNAME", "imap.example.org.");
            scene.zone.set(IMAPS, "SRV", "0 0 993 alias.example.org.");
        },
        code: "srv-alias",
        subject: IMAPS,
        also: &[("srv-differs", "the record names another server than the documents")],
        ..FAULT
    },
    Fault {
        name: "srv-none",
        about: "an SRV record says that there is no IMAP, and there is",
        plant: |_, scene| scene.zone.set(IMAPS, "SRV", "0 0 0 ."),
        code: "srv-differs",
        subject: IMAPS,
        ..FAULT
    },
    Fault {
        name: "srv-missing",
        about: "there are no SRV records",
        plant: |_, scene| {
            for service in ["imaps", "imap", "pop3s", "pop3", "submissions", "submission"] {
                scene.zone.remove(&format!("_{service}._tcp.example.org"), "SRV");
            }
        },
        code: "srv-absent",
        subject: "_imaps._tcp.example.org",
        clients: &["claws-mail"],
        ..FAULT
    },
    Fault {
        name: "srv-without-address",
        about: "the target of an SRV record does not exist",
        plant: |_, scene| scene.zone.set(IMAPS, "SRV", "0 0 993 gone.example.org."),
        code: "mail-no-address",
        subject: "gone.example.org",
        clients: &["srv-clients"],
        also: &[("srv-differs", "the record names another server than the documents")],
        ..FAULT
    },
    Fault {
        name: "srv-port",
        about: "an SRV record has a port where no server is",
        plant: |_, scene| scene.zone.set(IMAPS, "SRV", "0 0 994 imap.example.org."),
        code: "mail-refused",
        subject: "imap.example.org:994",
        clients: &["srv-clients"],
        also: &[("srv-differs", "the record names another server than the documents")],
        ..FAULT
    },
    Fault {
        name: "srv-foreign",
        about: "an SRV record leads to a server of another domain",
        plant: |_, scene| {
            elsewhere(scene);
            scene.zone.set(IMAPS, "SRV", "0 0 993 imap.provider.example.");
        },
        code: "srv-differs",
        subject: IMAPS,
        ..FAULT
    },
    Fault {
        name: "autodiscover-srv-foreign",
        about: "`_autodiscover._tcp` leads to another domain, and `autodiscover.` does not exist",
        plant: |_, scene| {
            elsewhere(scene);
            scene.zone.remove(AUTODISCOVER, "ANY");
            scene.zone.set(
                "_autodiscover._tcp.example.org",
                "SRV",
                "0 0 443 web.provider.example.",
            );
            scene.hosts.push(Host::new("web.provider.example", RESPONDER));
            // Nor does the domain answer Autodiscover.
            scene.host(DOMAIN).does_first("location ~* ^/autodiscover/ { return 404; }\n");
        },
        code: "srv-autodiscover-foreign",
        subject: "_autodiscover._tcp.example.org",
        clients: &["outlook-2016"],
        ..FAULT
    },
    Fault {
        name: "wildcard",
        about: "every name below the domain has an address",
        plant: |_, scene| scene.zone.add("*.example.org", "A", WEB),
        code: "dns-wildcard",
        subject: "*.example.org",
        ..FAULT
    },
    Fault {
        name: "mx-missing",
        about: "the domain has no MX record",
        plant: |_, scene| scene.zone.remove(DOMAIN, "MX"),
        code: "mx-absent",
        subject: DOMAIN,
        ..FAULT
    },
    Fault {
        name: "mx-null",
        about: "the MX record says that the domain takes no mail",
        plant: |_, scene| scene.zone.replace(DOMAIN, "MX", "0 ."),
        code: "mx-null",
        subject: DOMAIN,
        ..FAULT
    },
    Fault {
        name: "pacc-no-record",
        about: "the TXT record of PACC is missing",
        plant: |_, scene| scene.zone.remove(DIGEST, "TXT"),
        code: "pacc-record",
        subject: DIGEST,
        clients: &["pacc-clients"],
        ..FAULT
    },
    Fault {
        name: "pacc-stale",
        about: "the digest of PACC is that of another document",
        plant: |_, scene| scene.zone.set(DIGEST, "TXT", STALE),
        code: "pacc-digest",
        subject: DIGEST,
        clients: &["pacc-clients"],
        ..FAULT
    },
    Fault {
        name: "pacc-not-base64",
        about: "the digest of PACC is not base64",
        plant: |_, scene| {
            scene.zone.set(DIGEST, "TXT", "\"v=UAAC1; a=sha256; d=0123456789abcdef\"");
        },
        code: "pacc-digest",
        subject: DIGEST,
        clients: &["pacc-clients"],
        ..FAULT
    },
    Fault {
        name: "pacc-second-record",
        about: "one of two TXT records of PACC is right",
        plant: |_, scene| scene.zone.add(DIGEST, "TXT", STALE),
        ..FAULT
    },
    Fault {
        name: "pacc-host-missing",
        about: "`ua-auto-config.` does not exist, and its TXT record does",
        plant: |_, scene| scene.zone.remove(PACC, "ANY"),
        code: "pacc-absent",
        subject: PACC,
        clients: &["pacc-clients"],
        ..FAULT
    },
    Fault {
        name: "autodiscover-office-365",
        about: "`autodiscover.` is still a CNAME to Office 365",
        plant: |_, scene| {
            scene.zone.set("autodiscover.outlook.com", "A", HOSTER);
            scene.hosts.push(Host::foreign("autodiscover.outlook.com", NOTHING));
            scene.zone.set(AUTODISCOVER, "CNAME", "autodiscover.outlook.com.");
        },
        code: "stale-record",
        subject: AUTODISCOVER,
        also: &[("tls-name", "the hoster has no certificate for the name")],
        ..FAULT
    },
    Fault {
        name: "cpanel-leftovers",
        about: "SRV records of cPanel, from a former hoster",
        plant: |_, scene| {
            let target = "cpanelemaildiscovery.cpanel.net.";
            scene.zone.set("cpanelemaildiscovery.cpanel.net", "A", HOSTER);
            scene.hosts.push(Host::foreign("cpanelemaildiscovery.cpanel.net", NOTHING));
            let data = format!("0 0 443 {target}");
            scene.zone.set("_autodiscover._tcp.example.org", "SRV", &data);
            scene.zone.set("_caldavs._tcp.example.org", "SRV", "0 0 2080 server.hoster.example.");
            scene.zone.set("_carddavs._tcp.example.org", "SRV", "0 0 2080 server.hoster.example.");
            scene.zone.set("server.hoster.example", "A", HOSTER);
        },
        code: "stale-record",
        subject: "_autodiscover._tcp.example.org",
        ..FAULT
    },
    Fault {
        name: "imap-own-address",
        about: "the host that all documents name has the address 127.0.0.1",
        plant: |_, scene| scene.zone.set("imap.example.org", "A", "127.0.0.1"),
        code: "mail-own-address",
        subject: "imap.example.org",
        clients: &["thunderbird", "delta-chat"],
        ..FAULT
    },
    Fault {
        name: "imap-name-missing",
        about: "the host that all documents name does not exist",
        plant: |_, scene| scene.zone.remove("imap.example.org", "ANY"),
        code: "mail-no-address",
        subject: "imap.example.org",
        clients: &["thunderbird", "delta-chat"],
        ..FAULT
    },
];

const STALE: &str = "\"v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"";

/// The web server's names have its addresses themselves.
fn direct(scene: &mut Scene) {
    for name in [AUTOCONFIG, AUTODISCOVER, PACC] {
        scene.zone.set(name, "A", WEB);
        scene.zone.add(name, "AAAA", WEB_6);
    }
}

/// A provider in another domain.
fn elsewhere(scene: &mut Scene) {
    for (name, address) in
        [("web.provider.example", WEB), ("imap.provider.example", crate::net::MAIL)]
    {
        scene.zone.set(name, "A", address);
    }
}
