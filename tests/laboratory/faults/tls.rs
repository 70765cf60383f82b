//! Faults in the TLS of the web servers.

use super::{AUTOCONFIG, AUTODISCOVER, DOMAIN, FAULT, Fault, PACC};
use crate::certificates::Make;
use crate::net::{ALONE, SILENT};
use crate::web::RESPONDER;
use crate::world::Scene;

/// Clients that ask autoconfig. over https alone, and nothing else.
const ONLY_AUTOCONFIG: &[&str] = &["geary"];

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "http-only",
        about: "`autoconfig.` answers over http alone",
        plant: |_, scene| {
            let host = scene.host(AUTOCONFIG);
            host.https = None;
            alone(scene, AUTOCONFIG);
        },
        code: "connection-refused",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "https-silent",
        about: "no host answers at the address of `autodiscover.`",
        plant: |_, scene| scene.zone.set(AUTODISCOVER, "A", SILENT),
        code: "connection-timeout",
        subject: "autodiscover.example.org:443",
        clients: &["em-client"],
        ..FAULT
    },
    Fault {
        name: "tls-name",
        about: "the certificate of `autoconfig.` is for another name",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::Right, "www.example.org"),
        code: "tls-name",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-default",
        about: "the web server has no host for `autoconfig.` over https, and shows its first one",
        plant: |_, scene| scene.host(AUTOCONFIG).https = None,
        code: "tls-name",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-expired",
        about: "the certificate of `autoconfig.` has expired",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::Expired, AUTOCONFIG),
        code: "tls-expired",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-not-yet",
        about: "the certificate of `autoconfig.` is not valid yet",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::NotYet, AUTOCONFIG),
        code: "tls-not-yet",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-self-signed",
        about: "the certificate of `autoconfig.` is self-signed",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::SelfSigned, AUTOCONFIG),
        code: "tls-self-signed",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-incomplete",
        about: "the intermediate certificate of `autoconfig.` is missing",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::Incomplete, AUTOCONFIG),
        code: "tls-incomplete",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-unknown",
        about: "the certificate of `autoconfig.` is by an authority that nobody trusts",
        plant: |_, scene| certified(scene, AUTOCONFIG, Make::Unknown, AUTOCONFIG),
        code: "tls-unknown",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-old",
        about: "`autoconfig.` speaks TLS 1.1 alone",
        plant: |_, scene| {
            alone(scene, AUTOCONFIG);
            "ssl_protocols TLSv1.1;\nssl_ciphers DEFAULT@SECLEVEL=0;"
                .clone_into(&mut scene.host(AUTOCONFIG).tls);
        },
        code: "tls-old",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "tls-not",
        about: "`autoconfig.` speaks http on port 443",
        plant: |_, scene| {
            alone(scene, AUTOCONFIG);
            let host = scene.host(AUTOCONFIG);
            host.https = None;
            host.http = Some(format!("listen {ALONE}:443;\n{RESPONDER}"));
        },
        code: "tls-none",
        subject: "autoconfig.example.org:443",
        clients: ONLY_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "autodiscover-tls-name",
        about: "the certificate of `autodiscover.` is for another name",
        plant: |_, scene| certified(scene, AUTODISCOVER, Make::Right, "www.example.org"),
        code: "tls-name",
        subject: "autodiscover.example.org:443",
        clients: &["new-outlook", "em-client"],
        ..FAULT
    },
    Fault {
        name: "domain-tls-expired",
        about: "the certificate of the domain has expired",
        plant: |_, scene| certified(scene, DOMAIN, Make::Expired, DOMAIN),
        code: "tls-expired",
        subject: "example.org:443",
        ..FAULT
    },
    Fault {
        name: "pacc-tls-name",
        about: "the certificate of `ua-auto-config.` is for another name",
        plant: |_, scene| certified(scene, PACC, Make::Right, "www.example.org"),
        code: "tls-name",
        subject: "ua-auto-config.example.org:443",
        clients: &["pacc-clients"],
        ..FAULT
    },
    Fault {
        name: "pacc-tls-1.2",
        about: "`ua-auto-config.` does not speak TLS 1.3, which PACC wants",
        plant: |_, scene| {
            alone(scene, PACC);
            "ssl_protocols TLSv1.2;".clone_into(&mut scene.host(PACC).tls);
        },
        code: "pacc-tls",
        subject: "ua-auto-config.example.org:443",
        ..FAULT
    },
];

fn certified(scene: &mut Scene, host: &str, make: Make, name: &str) {
    scene.host(host).certificate = (make, vec![name.to_owned()]);
}

/// Gives a host an address of its own.
fn alone(scene: &mut Scene, name: &str) {
    scene.zone.set(name, "A", ALONE);
    scene.host(name).addresses = vec![ALONE];
}
